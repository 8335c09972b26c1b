import type { FieldState } from '../../../masking/json/field-states.ts';
import type { Detects } from '../../../masking/pieces/detects.ts';
import { Octets, withinBound } from '../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import { unreadable } from '../../../masking/pieces/unreadable.ts';
import { NamedCells } from './cells.ts';

/** One name and its value, octets. */
const MAX_PAIR = 1024 * 1024;
const AMPERSAND = 0x26;

/**
 * Masks a form (`application/x-www-form-urlencoded`): values by their names, `$.email`, and by what detectors find in them
 * or in a name. A pair in which nothing is masked keeps its octets.
 *
 * @see https://url.spec.whatwg.org/#application/x-www-form-urlencoded
 */
export class FormMasker implements PieceMasker {
  readonly #cells: NamedCells;
  /** The beginning of a pair whose end has not come. */
  readonly #held = new Octets();

  constructor(fields: FieldState | undefined, detects: Detects | undefined) {
    this.#cells = new NamedCells(fields, detects);
  }

  get maskedValues(): number {
    return this.#cells.maskedValues;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    const end = chunk.lastIndexOf(AMPERSAND) + 1;
    withinBound(this.#held.length + chunk.length - end, MAX_PAIR, 'a pair of the form');
    this.#held.add(chunk, 0, end);
    const shown = end === 0 ? undefined : this.#pairs(this.#held.take());
    this.#held.add(chunk, end);
    return shown;
  }

  end(): Uint8Array | undefined {
    return this.#held.length === 0 ? undefined : this.#pairs(this.#held.take());
  }

  #pairs(bytes: Buffer): Buffer {
    const text = bytes.toString('latin1');
    if (!/^[\x21-\x7e]*$/.test(text)) throw unreadable('the form holds what must be encoded');
    return Buffer.from(
      text
        .split('&')
        .map((pair) => this.#pair(pair))
        .join('&'),
      'latin1',
    );
  }

  #pair(pair: string): string {
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const [name, value] = [read(pair.slice(0, at)), read(pair.slice(at + 1))];
    const [shownName, shownValue] = [
      this.#cells.shown(name, undefined),
      this.#cells.shown(value, this.#cells.named(name)),
    ];
    if (shownName === name && shownValue === value) return pair;
    return `${encodeURIComponent(shownName)}=${encodeURIComponent(shownValue)}`;
  }
}

function read(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw unreadable('the form is not percent-encoded UTF-8');
  }
}
