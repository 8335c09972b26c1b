import type { Stretch } from '../stretch.ts';

/** How the groups of a run are set apart. */
export const SEPARATOR = { none: 0, space: 1, dash: 2, dot: 3, bracket: 4, mixed: 5 } as const;

/** Digits of one run that are looked at together; a longer run is looked at in overlapping pieces. */
const MAX_DIGITS = 512;
/** More than any number we know is long, so that none is cut in two where a long run is. */
const OVERLAP_DIGITS = 40;
/** Separators in a row: `+49 (0)30`, `- `. More of them end the run. */
const MAX_GAP = 3;

/** Code points of the digit 0 in scripts whose digits people and databases write numbers with. */
const ZEROS = [
  0xff10, 0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50,
  0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
];

/**
 * A run of digits in groups, such as `4111 1111-1111`, read from UTF-8: digits of any script count by their value,
 * zero-width characters count as nothing, spaces, dashes and dots separate groups.
 *
 * One instance is reused for all runs: holds the last one read. Reading is linear in the run, memory fixed.
 */
export class DigitRun {
  /** Values 0 … 9. */
  readonly digits = new Uint8Array(MAX_DIGITS);
  /** Per group: first octet, octet after the last, index of the first digit, separator that follows. */
  readonly starts = new Int32Array(MAX_DIGITS);
  readonly ends = new Int32Array(MAX_DIGITS);
  readonly first = new Int32Array(MAX_DIGITS + 1);
  readonly gaps = new Uint8Array(MAX_DIGITS);
  groups = 0;
  length = 0;
  /** Where scanning goes on. */
  next = 0;
  #value = -1;
  #width = 1;

  /** Digits in a group. */
  size(group: number): number {
    return this.first[group + 1]! - this.first[group]!;
  }

  /**
   * Reads the run whose first digit is at `from`.
   *
   * @param brackets Whether `(`, `)` and `/` separate too, as in telephone numbers.
   * @returns False, with `next` past the character, if there is no digit at `from`.
   */
  read(text: Stretch, from: number, brackets: boolean): boolean {
    this.groups = 0;
    this.length = 0;
    let at = from;
    while (this.length < MAX_DIGITS) {
      at = this.#readGroup(text, at);
      if (this.groups === 0) break;
      const gapEnd = this.#readGap(text, at, brackets);
      if (gapEnd === -1) {
        this.next = at;
        return true;
      }
      at = gapEnd;
    }
    if (this.groups === 0) {
      this.next = from + this.#width;
      return false;
    }
    this.next = this.#overlap(at);
    return true;
  }

  #readGroup(text: Stretch, from: number): number {
    const group = this.groups;
    let at = from;
    let end = from;
    this.first[group] = this.length;
    while (at < text.end && this.length < MAX_DIGITS) {
      const byte = text.bytes[at]!;
      if (byte >= 0x30 && byte <= 0x39) {
        this.digits[this.length++] = byte - 0x30;
        end = ++at;
        continue;
      }
      if (byte < 0x80) break;
      this.#decode(text, at);
      if (this.#value < 0 && this.#value !== INVISIBLE) break;
      at += this.#width;
      if (this.#value < 0) continue;
      this.digits[this.length++] = this.#value;
      end = at;
    }
    if (this.length === this.first[group]) return from;
    this.starts[group] = from;
    this.ends[group] = end;
    this.groups = group + 1;
    this.first[group + 1] = this.length;
    return end;
  }

  /** Where the next group starts, or -1 if no digit follows within a gap; notes the separator. */
  #readGap(text: Stretch, from: number, brackets: boolean): number {
    let kind: number = SEPARATOR.none;
    for (let at = from, seen = 0; at < text.end && seen <= MAX_GAP; at += this.#width) {
      this.#decode(text, at);
      if (this.#value >= 0) {
        this.gaps[this.groups - 1] = kind;
        return at;
      }
      if (this.#value === INVISIBLE) continue;
      const separator = -this.#value - 10;
      if (separator <= 0 || (separator === SEPARATOR.bracket && !brackets)) return -1;
      kind = kind === SEPARATOR.none || kind === separator ? separator : SEPARATOR.mixed;
      seen++;
    }
    return -1;
  }

  /** A run that filled the room goes on from a group near its end, so that no number is lost between two pieces. */
  #overlap(end: number): number {
    for (let group = this.groups - 1; group > 0; group--) {
      if (this.length - this.first[group]! >= OVERLAP_DIGITS) return this.starts[group]!;
    }
    return end;
  }

  /** Sets the width in octets and the value: 0 … 9 a digit, INVISIBLE, -10 - separator, or OTHER. */
  #decode(text: Stretch, at: number): void {
    const byte = text.bytes[at]!;
    this.#width = 1;
    if (byte < 0x80) {
      this.#value = ascii(byte);
      return;
    }
    const width = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (width === 1 || at + width > text.end) {
      this.#value = OTHER;
      return;
    }
    let code = byte & (0xff >> (width + 1));
    for (let i = 1; i < width; i++) code = (code << 6) | (text.bytes[at + i]! & 0x3f);
    this.#width = width;
    this.#value = beyondAscii(code);
  }
}

const OTHER = -1;
const INVISIBLE = -2;

function ascii(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte === 0x20) return -10 - SEPARATOR.space;
  if (byte === 0x2d) return -10 - SEPARATOR.dash;
  if (byte === 0x2e) return -10 - SEPARATOR.dot;
  if (byte === 0x28 || byte === 0x29 || byte === 0x2f) return -10 - SEPARATOR.bracket;
  return OTHER;
}

function beyondAscii(code: number): number {
  if ((code >= 0x200b && code <= 0x200f) || code === 0x2060 || code === 0xfeff || code === 0xad)
    return INVISIBLE;
  if (code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x202f || code === 0x3000)
    return -10 - SEPARATOR.space;
  if ((code >= 0x2010 && code <= 0x2015) || code === 0x2212 || code === 0xff0d) return -10 - SEPARATOR.dash;
  if (code === 0xff0e) return -10 - SEPARATOR.dot;
  for (const zero of ZEROS) if (code >= zero && code <= zero + 9) return code - zero;
  return OTHER;
}
