import { isRefused, type Refused, refused } from '../refusals.ts';
import { component } from './percent.ts';

const MAX_SEGMENTS = 256;

export interface Path {
  /** As it is forwarded; begins with a slash. */
  readonly path: string;
  /** Decoded; without an empty last one, which a slash at the end would be. No slash is in any of them. */
  readonly segments: readonly string[];
}

/** What a segment would be if it were decoded once more, as servers behind servers do. */
const TWICE_ENCODED = /%(?:[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})/;
/** Some take it for a delimiter, or stop at it. */
const DELIMITER = /[/\\;\p{Cc}]/u;
/** With blanks and marks that are not seen, which some servers strip. */
const DOTS = /^[\s\p{DI}]*\.[\s\p{DI}]*(?:\.[\s\p{DI}]*)?$/u;

/**
 * Reads a path so that nobody reads another: what servers resolve, collapse, strip or decode again is refused and not
 * repaired, since the one behind may do it otherwise.
 *
 * Refused are empty segments but a last one, dot segments, delimiters (`;`, `\`, `/` in a segment, control characters),
 * double encoding, and characters that become one of these when they are normalised or stripped, each plain or percent-encoded.
 * Letters keep their case, and a slash at the end is forwarded.
 *
 * Pure, linear.
 *
 * @param raw Visible ASCII.
 * @see RFC 3986 §3.3, §6.2.2
 */
export function readPath(raw: string): Path | Refused {
  if (!raw.startsWith('/'))
    return refused('request-target', 'the request names no path that begins with a slash');
  if (raw === '/') return { path: raw, segments: [] };
  const pieces = raw.slice(1).split('/');
  if (pieces.length > MAX_SEGMENTS)
    return refused('target-too-long', `the path has more than ${MAX_SEGMENTS} segments`);
  const texts: string[] = [];
  const segments: string[] = [];
  for (const [index, piece] of pieces.entries()) {
    const last = index === pieces.length - 1;
    const segment = last && piece === '' ? { text: '', decoded: '' } : readSegment(piece);
    if (isRefused(segment)) return segment;
    texts.push(segment.text);
    if (!last || piece !== '') segments.push(segment.decoded);
  }
  return { path: `/${texts.join('/')}`, segments };
}

function readSegment(piece: string): { text: string; decoded: string } | Refused {
  if (piece === '') return refused('path-ambiguous', 'the path has an empty segment');
  const found = component(piece, 'path');
  if (found === undefined) return refused('percent-encoding', 'the path is not percent-encoded UTF-8');
  const doubt = doubtful(found.decoded) ?? doubtful(found.decoded.normalize('NFKC'));
  return doubt === undefined ? found : refused('path-ambiguous', `the path has ${doubt}`);
}

function doubtful(segment: string): string | undefined {
  if (DOTS.test(segment)) return 'a dot segment';
  if (DELIMITER.test(segment))
    return 'a delimiter in a segment: a slash, a backslash, a semicolon or a control';
  return TWICE_ENCODED.test(segment) ? 'something that is percent-encoded twice' : undefined;
}
