import type { FieldState } from '../../../../masking/json/field-states.ts';
import { JsonMasker } from '../../../../masking/json/json-masker.ts';
import { STARS } from '../../../../masking/mask.ts';
import type { Detects } from '../../../../masking/pieces/detects.ts';

/** What some APIs send as their last event. */
const LAST_WORD = '[DONE]';

/**
 * Masks data that comes in pieces with ends of their own, each read by itself: of an event, a message.
 *
 * A JSON object or array is masked by its members and by detectors, anything else by detectors; where members are masked,
 * what is no object and no array is hidden.
 */
export class DataMasker {
  readonly #fields: FieldState | undefined;
  readonly #detects: Detects | undefined;
  maskedValues = 0;

  constructor(fields: FieldState | undefined, detects: Detects | undefined) {
    this.#fields = fields;
    this.#detects = detects;
  }

  /** @returns The same text where nothing is masked. */
  data(data: string): string {
    const [first] = data.trimStart();
    if ((first === '{' || first === '[') && data !== LAST_WORD) {
      const shown = this.#json(data);
      if (shown !== undefined) return shown;
    }
    if (this.#fields === undefined) return this.text(data);
    if (data === '' || data === LAST_WORD) return data;
    this.maskedValues++;
    return STARS.toString();
  }

  /** As `data`, of what is not data: detectors alone look at it. */
  text(text: string): string {
    const octets = Buffer.from(text);
    if (this.#detects === undefined || !this.#detects.suspects(octets, 0, octets.length, 'text')) return text;
    this.#detects.nextRecord();
    const shown = this.#detects.detect(octets, 'text');
    if (shown === octets) return text;
    this.maskedValues++;
    return Buffer.from(shown ?? STARS).toString();
  }

  /** Undefined: it only seems to be JSON. */
  #json(data: string): string | undefined {
    const masker = new JsonMasker(this.#fields, this.#detects);
    try {
      const shown = [masker.push(Buffer.from(data)), masker.end()].flatMap((part) => part ?? []);
      this.maskedValues += masker.maskedValues;
      return Buffer.concat(shown).toString();
    } catch {
      return undefined;
    }
  }
}
