import { isMethod, type Method } from './methods.ts';

/** Requests of one kind, as the configuration names them: `GET /customers/*`, `/exports/**`. */
export interface RoutePattern {
  /** As it was written. */
  readonly text: string;
  /** Undefined: any. */
  readonly method: Method | undefined;
  /** Before `**`, or all of them. */
  readonly first: readonly SegmentPattern[];
  /** Behind `**`; undefined where there is none. */
  readonly last: readonly SegmentPattern[] | undefined;
}

/** What a segment begins and ends with; without `end` it is the whole of it. In lower case. */
interface SegmentPattern {
  readonly start: string;
  readonly end: string | undefined;
}

const MAX_LENGTH = 1024;
const ANY_NUMBER = '**';

/**
 * Reads a pattern: a method or none, and a path in which `*` stands for any letters of one segment, and `**` once for any
 * number of segments, none too. Segments are written decoded.
 *
 * @returns Undefined for what is no pattern, or can meet no request.
 */
export function parseRoute(text: string): RoutePattern | undefined {
  const [, word, path] = /^(?:([A-Z]+) +)?(\/[^\s?#;\\]*)$/.exec(text) ?? [];
  if (path === undefined || text.length > MAX_LENGTH) return undefined;
  if (word !== undefined && !isMethod(word)) return undefined;
  const pieces = path === '/' ? [] : path.replace(/\/$/, '').slice(1).toLowerCase().split('/');
  const at = pieces.indexOf(ANY_NUMBER);
  const first = at === -1 ? pieces : pieces.slice(0, at);
  const last = at === -1 ? undefined : pieces.slice(at + 1);
  if (
    ![...first, ...(last ?? [])].every((piece) => /^(?!\.{1,2}$)[^*]*\*?[^*]*$/.test(piece) && piece !== '')
  )
    return undefined;
  return { text, method: word, first: first.map(segmentPattern), last: last?.map(segmentPattern) };
}

function segmentPattern(piece: string): SegmentPattern {
  const at = piece.indexOf('*');
  return at === -1
    ? { start: piece, end: undefined }
    : { start: piece.slice(0, at), end: piece.slice(at + 1) };
}

/**
 * Whether a request is one of them. Letters of both cases are the same, and HEAD is GET: some servers answer so, and what is
 * classified must not be read by another spelling. Never for what is permitted.
 *
 * Linear in the segments.
 *
 * @param segments Decoded.
 */
export function matchesRoute(pattern: RoutePattern, method: Method, segments: readonly string[]): boolean {
  const { first, last } = pattern;
  const asked = method === 'HEAD' ? 'GET' : method;
  if (pattern.method !== undefined && pattern.method !== method && pattern.method !== asked) return false;
  if (last === undefined) return segments.length === first.length && all(first, segments);
  const behind = segments.length - last.length;
  return behind >= first.length && all(first, segments) && all(last, segments.slice(behind));
}

function all(patterns: readonly SegmentPattern[], segments: readonly string[]): boolean {
  return patterns.every(({ start, end }, at) => {
    const segment = segments[at]!.toLowerCase();
    if (end === undefined) return segment === start;
    return segment.length >= start.length + end.length && segment.startsWith(start) && segment.endsWith(end);
  });
}
