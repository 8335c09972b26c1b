import { isUtf8 } from 'node:buffer';
import { maskValue, STARS } from '../../../masking/mask.ts';
import { type Replacement, replaced } from '../../../masking/replaced.ts';
import type { DetectedValues } from '../detected-values.ts';
import { cutOf } from '../text-cut.ts';
import { unstyled } from './styled.ts';

/** Of what was shown so much is looked at again: what stands before a value may tell what it is. */
const CONTEXT = 64;
/** What a value that was begun has shown is kept up to here, so that its rest is known for what it is. */
const MAX_CONTEXT = 16 * 1024;
/** More is not kept back, whatever it may become. */
const MAX_HELD = 256 * 1024;
/** No text: more than one octet of so many is none. */
const BINARY_SHARE = 8;

/**
 * One direction of a program's output, without the values that detectors find in it: across pieces, and under colours.
 *
 * Lines go on when they are whole. What stands behind the last line end is held until it is one, or until `flush`: whoever
 * calls that after a short silence shows a prompt in time. A value that comes in parts with such a silence between them is
 * shown up to the silence. Output that is no text goes on unbroken.
 *
 * Linear, apart from what detectors cost. Holds some 300 KiB at most.
 */
export class ShownOutput {
  readonly #detected: Pick<DetectedValues, 'masks' | 'masked' | 'nextRecord'>;
  readonly #follow: () => void;
  /** What was shown last, and behind it what was not shown yet. */
  #text: Buffer = EMPTY;
  #shown = 0;
  /** So far. */
  maskedValues = 0;

  /** @param follow Called before each piece: has `detected` ask policy anew where that is another one. */
  constructor(
    detected: Pick<DetectedValues, 'masks' | 'masked' | 'nextRecord'>,
    follow: () => void = () => undefined,
  ) {
    this.#detected = detected;
    this.#follow = follow;
  }

  /** Octets wait for more, or for `flush`. */
  get holds(): boolean {
    return this.#text.length > this.#shown;
  }

  /** @returns What may be shown now; the very same where nothing is masked. */
  push(bytes: Buffer): Buffer {
    this.#follow();
    if (!this.#detected.masks) return this.#unmasked(bytes);
    this.#text = this.#text.length === 0 ? bytes : Buffer.concat([this.#text, bytes]);
    return this.#show(this.#text.length - this.#shown > MAX_HELD);
  }

  /** @returns All that is held, masked. Nothing more came for a while, or the output has ended. */
  flush(): Buffer {
    return this.#show(true);
  }

  #unmasked(bytes: Buffer): Buffer {
    const held = this.#text.subarray(this.#shown);
    this.#text = EMPTY;
    this.#shown = 0;
    return held.length === 0 ? bytes : Buffer.concat([held, bytes]);
  }

  #show(all: boolean): Buffer {
    const text = this.#text;
    const limit = all ? text.length : Math.max(this.#shown, cutOf(text));
    if (limit === this.#shown) return EMPTY;
    const found = this.#found(text);
    const cut = all ? limit : before(limit, found, this.#shown, text.length);
    const given = this.#masked(text.subarray(this.#shown, cut), this.#shown, found);
    this.#keep(cut, found);
    return given;
  }

  /** What is masked of a text, by place. Where there is too much of it: all of it. */
  #found(text: Buffer): readonly Place[] {
    if (!isText(text.subarray(this.#shown))) return [];
    this.#detected.nextRecord();
    try {
      const { text: plain, placeOf } = unstyled(text);
      return this.#detected.masked(plain).map(({ start, end, kind }) => ({
        start: placeOf(start),
        end: placeOf(end - 1) + 1,
        kind,
      }));
    } catch {
      return [{ start: this.#shown, end: text.length, kind: 'redact' }];
    }
  }

  #masked(text: Buffer, from: number, found: readonly Place[]): Buffer {
    const parts: Replacement[] = [];
    for (const { start, end, kind } of found) {
      if (end <= from || start >= from + text.length) continue;
      const place = { start: Math.max(start - from, 0), end: Math.min(end - from, text.length) };
      // Of a part nothing can be kept that would be kept of the whole.
      const whole = start >= from && end <= from + text.length;
      const value = unstyled(text.subarray(place.start, place.end)).text;
      parts.push({ ...place, by: (whole ? maskValue(value, kind, 'text') : undefined) ?? STARS });
    }
    this.maskedValues += parts.length;
    if (parts.length === 0) return text;
    const out = replaced(text, parts);
    return Buffer.from(out.buffer, out.byteOffset, out.length);
  }

  /** Keeps what tells what comes next: some octets before the cut, or the whole of a value that may go on behind it. */
  #keep(cut: number, found: readonly Place[]): void {
    const open = found.find(({ start, end }) => start < cut && end >= cut)?.start ?? cut;
    const from = Math.max(0, cut - MAX_CONTEXT, Math.min(open, cut - CONTEXT));
    // A copy: what came is not kept alive by what is left of it.
    this.#text = Buffer.from(this.#text.subarray(from));
    this.#shown = cut - from;
  }
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly kind: Parameters<typeof maskValue>[1];
}

const EMPTY = Buffer.alloc(0);

/** Where to cut so that no value is cut in two: one that goes to the end of what has come may go on. */
function before(limit: number, found: readonly Place[], shown: number, length: number): number {
  const open = found.find(({ start, end }) => start < limit && (end > limit || end === length));
  return open === undefined ? limit : Math.max(shown, open.start);
}

/** Whether people may read it: few octets are controls that no terminal knows, or no UTF-8. */
function isText(bytes: Buffer): boolean {
  let [controls, beyond] = [0, 0];
  for (const byte of bytes) {
    if (byte >= 0x80) beyond++;
    else if (byte < 0x20 && !(byte >= 0x07 && byte <= 0x0f) && byte !== 0x1b) controls++;
  }
  const strange = beyond > 0 && !isUtf8(wholeCharacters(bytes)) ? controls + beyond : controls;
  return strange * BINARY_SHARE <= bytes.length;
}

/** Without what is left, at both ends, of characters that were cut. */
function wholeCharacters(bytes: Buffer): Buffer {
  let [start, end] = [0, bytes.length];
  while (start < 3 && start < end && isContinued(bytes[start]!)) start++;
  for (let back = 1; back <= 3 && end - back >= start; back++) {
    const byte = bytes[end - back]!;
    if (byte < 0x80) break;
    if (isContinued(byte)) continue;
    const width = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (width > back) end -= back;
    break;
  }
  return bytes.subarray(start, end);
}

function isContinued(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}
