import type { BodyMasker } from '../body-masker.ts';
import type { Detects } from '../detects.ts';
import type { FieldState } from '../json/field-states.ts';
import { Octets, withinBound } from '../octets.ts';
import { Utf8Check } from '../utf8.ts';
import { DataMasker } from './data-masker.ts';

/** A message that is looked at, octets: it is held whole. */
const MAX_MESSAGE = 1024 * 1024;

/** Masks one message that is text, by its members and by detectors. It goes on when it is whole. */
export class MessageMasker implements BodyMasker {
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
