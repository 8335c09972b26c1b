import type { FieldState } from '../../../../masking/json/field-states.ts';
import type { Detects } from '../../../../masking/pieces/detects.ts';
import { Octets, withinBound } from '../../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../../masking/pieces/piece-masker.ts';
import { Utf8Check } from '../../../../masking/pieces/utf8.ts';
import { DataMasker } from './data-masker.ts';

/** A message that is looked at, octets: it is held whole. */
const MAX_MESSAGE = 1024 * 1024;

/** Masks one message that is text, by its members and by detectors. It goes on when it is whole. */
export class MessageMasker implements PieceMasker {
  readonly #masker: DataMasker;
  readonly #utf8 = new Utf8Check();
  readonly #held = new Octets();

  constructor(fields: FieldState | undefined, detects: Detects | undefined) {
    this.#masker = new DataMasker(fields, detects);
  }

  get maskedValues(): number {
    return this.#masker.maskedValues;
  }

  push(chunk: Uint8Array): undefined {
    this.#utf8.push(chunk);
    withinBound(this.#held.length + chunk.length, MAX_MESSAGE, 'a message in it');
    this.#held.add(chunk);
  }

  end(): Uint8Array {
    this.#utf8.end();
    const octets = this.#held.take();
    const text = octets.toString();
    const shown = this.#masker.data(text);
    return shown === text ? octets : Buffer.from(shown);
  }
}
