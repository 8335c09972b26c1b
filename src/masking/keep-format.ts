import { isUtf8 } from 'node:buffer';

/** Longer values are texts, and what is kept of one (lengths of words, where sentences end) tells which. */
export const FORM_MAX_BYTES = 320;
/** Values of so few characters are mostly words of a short list, which their length alone would tell. */
const SHORT_CHARACTERS = 4;
/** So many signs on end are kept: more may be the value itself. */
const MAX_SIGNS = 2;

const [SMALL, LARGE, NUMBER, HIDDEN] = [0x78, 0x58, 0x30, 0x2a];

/**
 * Writes `x` for a small letter and whatever is not ASCII, `X` for a capital, `0` for a digit; punctuation and spaces stay, so
 * that a value keeps its length in characters and its form: `123-45-6789` → `000-00-0000`.
 *
 * Pure. Of more than two signs on end the others become `*`, as do control characters. What is shown depends on nothing but the
 * class of each character.
 *
 * @param out Has room for as many octets as the value has, at `to`.
 * @returns Where it ends in `out`; `undefined` where nothing may be kept: at most four characters, more than
 *   `FORM_MAX_BYTES` octets, not UTF-8, or no more letters and digits than signs.
 */
export function writeFormat(
  value: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  to: number,
): number | undefined {
  if (end - start > FORM_MAX_BYTES || !isUtf8(value.subarray(start, end))) return undefined;
  let [at, signs, onEnd] = [to, 0, 0];
  for (let i = start; i < end; i++) {
    const byte = value[i]!;
    if ((byte & 0xc0) === 0x80) continue;
    const by = standIn(byte);
    if (by === undefined) {
      signs++;
      onEnd++;
    } else onEnd = 0;
    out[at++] = by ?? (onEnd > MAX_SIGNS || isControl(byte) ? HIDDEN : byte);
  }
  const characters = at - to;
  return characters <= SHORT_CHARACTERS || signs * 2 >= characters ? undefined : at;
}

/** What stands for a letter or digit; undefined for a sign. */
function standIn(byte: number): number | undefined {
  if (byte >= 0x80 || (byte >= 0x61 && byte <= 0x7a)) return SMALL;
  if (byte >= 0x41 && byte <= 0x5a) return LARGE;
  return byte >= 0x30 && byte <= 0x39 ? NUMBER : undefined;
}

function isControl(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f;
}
