import type { FieldState } from '../../../masking/json/field-states.ts';
import { maskValue, STARS } from '../../../masking/mask.ts';
import type { Detects } from '../../../masking/pieces/detects.ts';

const MAX_NAMES = 64;

/** Values of a format that has one level of names, as JSON's paths have them: `$.email`. */
export class NamedCells {
  readonly #fields: FieldState | undefined;
  readonly #detects: Detects | undefined;
  maskedValues = 0;

  constructor(fields: FieldState | undefined, detects: Detects | undefined) {
    this.#fields = fields;
    this.#detects = detects;
  }

  /** How far a name leads along the paths. It may be a whole path of names: `customer.email`, `customer[email]`. */
  named(name: string): FieldState | undefined {
    const whole = this.#member(this.#fields, name);
    if (whole === undefined || whole.mask !== undefined || !/[.[]/.test(name)) return whole;
    const names = name.split(/[.[\]]+/, MAX_NAMES).filter((one) => one !== '' && !/^\d+$/.test(one));
    return names.reduce((field, one) => this.#member(field, one), this.#fields);
  }

  #member(field: FieldState | undefined, name: string): FieldState | undefined {
    if (field?.mask !== undefined) return field;
    const octets = Buffer.from(name);
    return field?.member(octets, 0, octets.length, name);
  }

  /** @returns The same text where it stays. */
  shown(text: string, field: FieldState | undefined): string {
    const octets = Buffer.from(text);
    const by = field?.mask === undefined ? this.#detected(octets) : maskValue(octets, field.mask, 'text');
    if (by === octets || text === '') return text;
    this.maskedValues++;
    return by === null ? '' : Buffer.from(by).toString();
  }

  hidden(): string {
    this.maskedValues++;
    return STARS.toString();
  }

  #detected(octets: Buffer): Uint8Array | null {
    const detects = this.#detects;
    if (detects === undefined || !detects.suspects(octets, 0, octets.length, 'text')) return octets;
    detects.nextRecord();
    return detects.detect(octets, 'text');
  }
}
