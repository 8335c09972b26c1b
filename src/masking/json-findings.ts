import type { Finding } from './detectors/finding.ts';
import { escapeString, isKey, numberAround, strings } from './json-strings.ts';
import { maskValue, STARS, strongest, type ValueShape } from './mask.ts';
import { type Masked, type Replacement, replaced } from './replaced.ts';

const NULL = Buffer.from('null');

/** What becomes of a string that is written with escapes: null where it cannot be shown masked. */
type MaskWithin = (text: Uint8Array, findings: readonly Finding[]) => Uint8Array | null;

/**
 * Masks what was found in a JSON text, which stays one: parts of strings, keys too, in their place; a number, and a
 * string of which a part is to be NULL, by `null`. Keys stay distinct. What stands in neither hides the whole text.
 *
 * @param findings Those that may not be shown, in order.
 */
export function maskJsonFindings(
  json: Uint8Array,
  findings: readonly Masked[],
  shape: ValueShape,
  maskWithin: MaskWithin,
): Uint8Array | null {
  const parts: Replacement[] = [];
  const keys = new Map<string, number>();
  let next = 0;
  const numbersUpTo = (end: number) => {
    for (let one = findings[next]; one !== undefined && one.start < end; one = findings[++next]) {
      const number = one.end <= end ? numberAround(json, one.start, one.end) : undefined;
      if (number === undefined) return false;
      if (number.start >= (parts.at(-1)?.end ?? 0)) parts.push({ ...number, by: NULL });
    }
    return true;
  };
  const hidden = () => maskValue(json, strongest(findings.map(({ kind }) => kind)), shape);
  for (const { start, end } of strings(json)) {
    if (!numbersUpTo(start)) return hidden();
    const inside: Masked[] = [];
    for (let one = findings[next]; one !== undefined && one.start < end; one = findings[++next]) {
      if (one.end > end) return hidden();
      inside.push(one);
    }
    if (inside.length > 0) parts.push(stringMasked(json, { start, end }, inside, maskWithin, keys));
    if (next >= findings.length) break;
  }
  return numbersUpTo(json.length) ? replaced(json, parts) : hidden();
}

function stringMasked(
  json: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  findings: readonly Masked[],
  maskWithin: MaskWithin,
  keys: Map<string, number>,
): Replacement {
  const inside = masksOf(json, start, end, findings, maskWithin);
  if (isKey(json, end)) return { start, end, by: distinct(inside ?? STARS, keys) };
  return inside === null ? { start: start - 1, end: end + 1, by: NULL } : { start, end, by: inside };
}

/** What stands between the quotes then; null where a part is to be NULL. */
function masksOf(
  json: Uint8Array,
  start: number,
  end: number,
  findings: readonly Masked[],
  maskWithin: MaskWithin,
): Uint8Array | null {
  const within = findings.find((one) => one.within !== undefined)?.within;
  if (within !== undefined) {
    const masked = maskWithin(within.text, within.findings);
    return masked && escapeString(masked);
  }
  const parts: Replacement[] = [];
  for (const one of findings) {
    const by = maskValue(json.subarray(one.start, one.end), one.kind, 'text');
    if (by === null) return null;
    parts.push({
      start: one.start - start,
      end: one.end - start,
      by: one.kind === 'redact' ? by : escapeString(by),
    });
  }
  return replaced(json.subarray(start, end), parts);
}

/** Two keys that are masked alike would be one. */
function distinct(key: Uint8Array, keys: Map<string, number>): Uint8Array {
  const text = Buffer.from(key).toString('latin1');
  const count = (keys.get(text) ?? 0) + 1;
  keys.set(text, count);
  return count === 1 ? key : Buffer.concat([key, Buffer.from(` (${count})`)]);
}
