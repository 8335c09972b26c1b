import { maskValue, STARS } from '../../../masking/mask.ts';
import type { Detects } from '../../../masking/pieces/detects.ts';
import { Octets } from '../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import { unreadable } from '../../../masking/pieces/unreadable.ts';
import { Utf8Check } from '../../../masking/pieces/utf8.ts';
import { type Masked, type Replacement, replaced } from '../../../masking/replaced.ts';
import { cutOf, LONG_LINE } from '../../stream/text-cut.ts';

/** Of what was shown already so much is looked at again, for what stands before a value tells what it is. */
const CONTEXT = 64;
/** A value that has no end: a private key, most likely. */
const MAX_HELD = 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Masks what detectors find in a text as it comes. Lines go on when they are whole; of a longer one the end is kept back
 * until nothing in it can be the beginning of a value.
 *
 * Linear, apart from what detectors cost. Holds 1 MiB at most.
 */
export class TextMasker implements PieceMasker {
  readonly #detects: Detects;
  readonly #utf8 = new Utf8Check();
  /** What was shown last, and behind it what was not shown yet. */
  readonly #held = new Octets();
  #shown = 0;
  /** So much must be waiting before it is looked at again. */
  #next = 0;
  maskedValues = 0;

  constructor(detects: Detects) {
    this.#detects = detects;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    this.#utf8.push(chunk);
    this.#held.add(chunk);
    const waiting = this.#held.length - this.#shown;
    const ripe = waiting >= LONG_LINE || chunk.indexOf(NEWLINE) !== -1;
    return ripe && waiting >= this.#next ? this.#show(false) : undefined;
  }

  end(): Uint8Array | undefined {
    this.#utf8.end();
    return this.#show(true);
  }

  #show(all: boolean): Uint8Array | undefined {
    const text = this.#held.bytes;
    const limit = all ? text.length : Math.max(this.#shown, cutOf(text));
    const found = limit === this.#shown ? [] : this.#found(text);
    const cut = all || found === undefined ? limit : this.#before(limit, found, text.length);
    const waiting = text.length - cut;
    if (waiting > MAX_HELD) throw unreadable('a value in it has no end');
    this.#next = cut === this.#shown ? waiting * 2 : 0;
    if (cut === this.#shown) return undefined;
    const shown = found === undefined ? this.#hidden() : this.#masked(text, cut, found);
    const kept = Math.min(cut, CONTEXT);
    this.#held.drop(cut - kept);
    this.#shown = kept;
    return shown;
  }

  /** Undefined: there is too much to find. */
  #found(text: Uint8Array): readonly Masked[] | undefined {
    this.#detects.nextRecord();
    try {
      return this.#detects.masked(text);
    } catch {
      return undefined;
    }
  }

  #hidden(): Uint8Array {
    this.maskedValues++;
    return STARS;
  }

  /** Where to cut so that no value is cut in two: one that goes to the end of what has come may go on. */
  #before(limit: number, found: readonly Masked[], length: number): number {
    const open = found.find(({ start, end }) => start < limit && (end > limit || end === length));
    return open === undefined ? limit : Math.max(this.#shown, open.start);
  }

  #masked(text: Buffer, cut: number, found: readonly Masked[]): Uint8Array {
    const from = this.#shown;
    const parts: Replacement[] = [];
    for (const { start, end, kind } of found) {
      if (end <= from) continue;
      if (start >= cut) break;
      const first = Math.max(start, from);
      const by = maskValue(text.subarray(first, end), kind, 'text') ?? STARS;
      parts.push({ start: first - from, end: end - from, by });
    }
    this.maskedValues += parts.length;
    return replaced(text.subarray(from, cut), parts);
  }
}
