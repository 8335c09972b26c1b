import type { MaskKind } from '../policy/model.ts';
import type { Finding } from './finding.ts';
import { escapeString, strings, unescapeString } from './json-strings.ts';
import type { ValueShape } from './mask.ts';
import { maskValue, STARS, strongest } from './mask.ts';

interface Masked {
  readonly start: number;
  readonly end: number;
  readonly kind: MaskKind;
}

/**
 * Masks what detectors found in a value, and nothing else of it where its shape allows.
 *
 * Pure. In `text` the found parts are replaced. In JSON they are replaced inside strings; a finding anywhere else
 * (a number, across strings) hides the whole cell. An `opaque` value with a finding becomes NULL, as does any value of
 * which a part is to be NULL or cannot be masked.
 *
 * @param findings As `DetectorSet.scan` gave them for this value and shape.
 * @param kindFor Policy's answer for the tags of a finding.
 * @returns `value` itself if every finding may be shown; else new bytes of the same shape, or `null`. Never throws.
 */
export function maskFindings(
  value: Uint8Array,
  findings: readonly Finding[],
  kindFor: (tags: readonly string[]) => MaskKind | 'show',
  shape: ValueShape,
): Uint8Array | null {
  const masked: Masked[] = [];
  for (const { start, end, tags } of findings) {
    const kind = kindFor(tags);
    if (kind !== 'show') masked.push({ start, end, kind });
  }
  if (masked.length === 0) return value;
  if (shape === 'opaque' || masked.some(({ kind }) => kind === 'null')) return null;
  if (shape === 'text') return replace(value, masked, (part, kind) => maskValue(part, kind, 'text'));
  const inStrings = withinStrings(value, masked);
  const whole = strongest(masked.map(({ kind }) => kind));
  if (inStrings === undefined) return maskValue(value, whole, shape);
  return replace(value, inStrings, maskInside) ?? maskValue(value, whole, shape);
}

/** Copies what is untouched in runs, and what `mask` makes of each part; null as soon as one part gives null. */
function replace(
  value: Uint8Array,
  parts: readonly Masked[],
  mask: (part: Uint8Array, kind: MaskKind) => Uint8Array | null,
): Uint8Array | null {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return replaceOne(value, only, mask);
  const out: Uint8Array[] = [];
  let at = 0;
  for (const { start, end, kind } of parts) {
    const replacement = mask(value.subarray(start, end), kind);
    if (replacement === null) return null;
    out.push(value.subarray(at, start), replacement);
    at = end;
  }
  out.push(value.subarray(at));
  return Buffer.concat(out);
}

/** As `replace`: most values hold one finding, and joining arrays takes longer than all the rest. */
function replaceOne(
  value: Uint8Array,
  { start, end, kind }: Masked,
  mask: (part: Uint8Array, kind: MaskKind) => Uint8Array | null,
): Uint8Array | null {
  const replacement = mask(value.subarray(start, end), kind);
  if (replacement === null) return null;
  const out = Buffer.allocUnsafe(value.length - (end - start) + replacement.length);
  out.set(start === 0 ? replacement : value.subarray(0, start));
  if (start > 0) out.set(replacement, start);
  if (end < value.length) out.set(value.subarray(end), start + replacement.length);
  return out;
}

function maskInside(part: Uint8Array, kind: MaskKind): Uint8Array | null {
  if (kind === 'redact') return STARS;
  const text = unescapeString(part);
  const masked = text === undefined ? null : maskValue(text, kind, 'text');
  return masked === null ? null : escapeString(masked);
}

/**
 * Places each part inside one string, widened to the whole string where that is written with escapes (a cut there
 * could fall inside one). Undefined if a part is outside every string.
 */
function withinStrings(json: Uint8Array, parts: readonly Masked[]): readonly Masked[] | undefined {
  const out: Masked[] = [];
  let next = 0;
  for (const { start, end } of strings(json)) {
    const inside: Masked[] = [];
    for (let part = parts[next]; part !== undefined && part.start < end; part = parts[++next]) {
      if (part.start < start || part.end > end) return undefined;
      inside.push(part);
    }
    if (inside.length === 0) continue;
    if (json.subarray(start, end).indexOf(0x5c) === -1) out.push(...inside);
    else out.push({ start, end, kind: strongest(inside.map(({ kind }) => kind)) });
    if (next >= parts.length) break;
  }
  return next >= parts.length ? out : undefined;
}
