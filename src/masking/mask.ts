import { isUtf8 } from 'node:buffer';
import type { MaskKind } from '../policy/model.ts';

export { strongest } from '../policy/masks.ts';

/**
 * What a masked cell must still be on the wire:
 * `text` any other text · `json` JSON text · `jsonb-binary` one version octet (1), then JSON · `opaque` nothing but NULL
 * (numbers, dates, arrays, bytea …: a plausible false value would be worse than none).
 */
export type ValueShape = 'text' | 'json' | 'jsonb-binary' | 'opaque';

/** What stands for a hidden text. Shared: never write into it. */
export const STARS: Uint8Array = Buffer.from('***');
const JSON_STARS = Buffer.from('"***"');
const JSONB_STARS = Buffer.from('\x01"***"');

/** Longer values are not looked at for a form worth keeping: an e-mail has at most 320 octets, a number far fewer. */
const FORM_MAX_BYTES = 320;
/** Longest JSON text that is parsed to see whether it is a bare string. */
const JSON_SCALAR_MAX_BYTES = 1024;

/**
 * Masks one whole cell.
 *
 * Pure. The result may be shared between calls and must not be written to; `null` is SQL's NULL.
 *
 * `partial` keeps at most a quarter of the characters, rounded up: an e-mail its initials and top-level domain, a
 * number of eight digits or more its last digits (at most 4), other text its first character. Values of four characters
 * or fewer are hidden whole, and the length never shows. What cannot be masked within its shape becomes NULL, and so
 * does a value that is not UTF-8 where its content would have been used.
 *
 * @param value One cell as on the wire, never changed.
 * @returns Bytes of the same shape, or `null`. Never throws.
 */
export function maskValue(value: Uint8Array, kind: MaskKind, shape: ValueShape): Uint8Array | null {
  if (kind === 'null' || shape === 'opaque') return null;
  if (shape === 'text') return kind === 'redact' ? STARS : partialText(value);
  if (shape === 'json') return kind === 'redact' ? JSON_STARS : partialJson(value);
  if (value[0] !== 1) return null;
  if (kind === 'redact') return JSONB_STARS;
  const json = partialJson(value.subarray(1));
  return json === JSON_STARS ? JSONB_STARS : Buffer.concat([JSONB_STARS.subarray(0, 1), json]);
}

/** A bare JSON string is masked as the text it holds; everything else of JSON is hidden whole. */
function partialJson(value: Uint8Array): Uint8Array {
  if (value.length > JSON_SCALAR_MAX_BYTES || !isUtf8(value)) return JSON_STARS;
  try {
    const parsed: unknown = JSON.parse(utf8(value));
    if (typeof parsed !== 'string') return JSON_STARS;
    const masked = partialText(Buffer.from(parsed));
    return masked === null ? JSON_STARS : Buffer.from(JSON.stringify(utf8(masked)));
  } catch {
    return JSON_STARS;
  }
}

function partialText(value: Uint8Array): Uint8Array | null {
  if (!isUtf8(value)) return null;
  if (value.length > FORM_MAX_BYTES) return firstCharacter(value);
  let characters = 0;
  let digits = 0;
  let letters = 0;
  let at = -1;
  for (let i = 0; i < value.length; i++) {
    const byte = value[i]!;
    if ((byte & 0xc0) !== 0x80) characters++;
    if (isDigit(byte)) digits++;
    else if (byte >= 0x80 || isLetter(byte)) letters++;
    else if (byte === 0x40) at = at === -1 ? i : -2;
    else if (byte === 0x20 && at === -1) at = -2;
  }
  if (characters <= 4) return STARS;
  const budget = Math.ceil(characters / 4);
  if (at > 0) return partialEmail(value, at, budget);
  if (digits >= 8 && digits >= letters * 2) return lastDigits(value, Math.min(4, budget));
  return firstCharacter(value);
}

/** `alice@example.com` → `a***@e***.com`; a top-level domain that would go over the budget is left out. */
function partialEmail(value: Uint8Array, at: number, budget: number): Uint8Array {
  const shown = budget >= 2 && at + 1 < value.length;
  const local = shown ? characterEnd(value, 0) : 0;
  const domain = shown ? characterEnd(value, at + 1) : at + 1;
  const dot = value.lastIndexOf(0x2e);
  const keepTop = shown && dot > domain && isTopLabel(value, dot + 1) && value.length - dot - 1 <= budget - 2;
  const top = keepTop ? dot : value.length;
  const out = Buffer.allocUnsafe(local + 4 + (domain - at - 1) + 3 + (value.length - top));
  let to = append(out, 0, value, 0, local);
  to = append(out, to, STARS_AT, 0, 4);
  to = append(out, to, value, at + 1, domain);
  to = append(out, to, STARS, 0, 3);
  append(out, to, value, top, value.length);
  return out;
}

const STARS_AT = Buffer.from('***@');

function append(out: Uint8Array, to: number, from: Uint8Array, start: number, end: number): number {
  let at = to;
  for (let i = start; i < end; i++) out[at++] = from[i]!;
  return at;
}

function isTopLabel(value: Uint8Array, start: number): boolean {
  for (let i = start; i < value.length; i++) if (!isLetter(value[i]!)) return false;
  return value.length - start >= 2;
}

function lastDigits(value: Uint8Array, count: number): Uint8Array {
  const out = Buffer.allocUnsafe(3 + count);
  append(out, 0, STARS, 0, 3);
  let left = count;
  for (let i = value.length - 1; left > 0; i--) if (isDigit(value[i]!)) out[2 + left--] = value[i]!;
  return out;
}

function firstCharacter(value: Uint8Array): Uint8Array {
  const end = characterEnd(value, 0);
  const out = Buffer.allocUnsafe(end + 3);
  append(out, append(out, 0, value, 0, end), STARS, 0, 3);
  return out;
}

/** End of the UTF-8 character that starts at `start`; the value is known to be UTF-8. */
function characterEnd(value: Uint8Array, start: number): number {
  const lead = value[start] ?? 0;
  return start + (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number) => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
