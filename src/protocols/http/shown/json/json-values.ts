import { endsInLabel } from '../../../../masking/detectors/labels.ts';
import { escapeString } from '../../../../masking/json-strings.ts';
import { MAX_MASKED_BYTES, maskValue, STARS, writeMasked } from '../../../../masking/mask.ts';
import { replaced } from '../../../../masking/replaced.ts';
import type { MaskKind } from '../../../../policy/model.ts';
import type { Detects } from '../detects.ts';
import { stringText } from './grammar.ts';

const NULL: Uint8Array = Buffer.from('null');
const HIDDEN: Uint8Array = Buffer.from('"***"');
const QUOTE = 0x22;

/** Octets of a name that are looked at as the label of what follows: as far as detectors look. */
const LABEL_BYTES = 40;
/** Names that are remembered: documents repeat a few. */
const MAX_KNOWN = 256;
const BETWEEN = Buffer.from('": "');

/**
 * What stands for the values and names of one document. Bounds and grammar are the reader's: it hands over whole tokens.
 */
export class JsonValues {
  readonly #detects: Detects | undefined;
  /** The end of the last name, which may be the label of what follows, with what stands between them. */
  readonly #label = Buffer.allocUnsafe(LABEL_BYTES + BETWEEN.length);
  #labelLength = 0;
  /** Of names that were asked for: whether they are labels. */
  readonly #known = new Map<string, boolean>();
  #maskedNames = 0;
  /** What stands for the last string at a masked path. */
  #masked: Buffer | undefined;
  /** Of it, by their length: most values of a body become equally long. */
  readonly #views: (Buffer | undefined)[] = [];
  maskedValues = 0;

  constructor(detects: Detects | undefined) {
    this.#detects = detects;
  }

  /** Whether values are looked at, and must be at hand as a whole. */
  get looks(): boolean {
    return this.#detects !== undefined;
  }

  /**
   * A string at a masked path.
   *
   * @param bytes Hold it from quote to quote; of a long one no more than the beginning.
   * @returns Valid until the next call.
   */
  maskedString(bytes: Uint8Array, start: number, end: number, kind: MaskKind): Uint8Array {
    this.maskedValues++;
    this.#masked ??= Buffer.allocUnsafe(MAX_MASKED_BYTES);
    const length = writeMasked(bytes, start, end, kind, 'json', this.#masked, 0);
    if (length === -1) return NULL;
    this.#views[length] ??= this.#masked.subarray(0, length);
    return this.#views[length];
  }

  /** Anything else at a masked path, and what was found in a number: a string would be of another type. */
  maskedOther(): Uint8Array {
    this.maskedValues++;
    return NULL;
  }

  /** A string that is too long to be looked at. */
  unseenString(): Uint8Array {
    this.maskedValues++;
    return HIDDEN;
  }

  /**
   * A string, by what detectors find in it.
   *
   * @param bytes Hold it from quote to quote.
   * @returns What stands for it; undefined: it stays.
   */
  string(bytes: Buffer, start: number, end: number, escaped: boolean): Uint8Array | undefined {
    const detects = this.#detects;
    if (detects === undefined) return undefined;
    const text = escaped ? Buffer.from(stringText(bytes, start, end) ?? '') : undefined;
    if (
      text === undefined
        ? !detects.suspects(bytes, start + 1, end - 1, 'text')
        : !detects.suspects(text, 0, text.length, 'text')
    )
      return undefined;
    const value = text ?? bytes.subarray(start + 1, end - 1);
    detects.nextRecord();
    const alone = detects.detect(value, 'text');
    const shown = alone === value ? this.#byLabel(value, detects) : alone;
    if (shown === value) return undefined;
    this.maskedValues++;
    return shown === null ? NULL : quoted(escapeString(shown));
  }

  /** Whether a detector finds something in a number. */
  findsInNumber(bytes: Buffer, start: number, end: number): boolean {
    const detects = this.#detects;
    if (detects === undefined || !detects.suspects(bytes, start, end, 'text')) return false;
    const number = bytes.subarray(start, end);
    detects.nextRecord();
    return detects.detect(number, 'text') !== number || this.#byLabel(number, detects) !== number;
  }

  /** What detectors find in a value behind its name: `"bsn": 111222333`. */
  #byLabel(value: Buffer, detects: Detects): Uint8Array | null {
    if (!this.#labels(detects)) return value;
    const before = this.#labelLength;
    const labelled = Buffer.concat([this.#label.subarray(0, before), value]);
    detects.nextRecord();
    const parts = [];
    for (const { start, end, kind } of detects.masked(labelled)) {
      if (end <= before) continue;
      const by = maskValue(labelled.subarray(Math.max(start, before), end), kind, 'text');
      if (by === null) return null;
      parts.push({ start: Math.max(start, before) - before, end: end - before, by });
    }
    return parts.length === 0 ? value : replaced(value, parts);
  }

  /**
   * A name: it may be a value itself, `{"123-45-6789": true}`, and the label of one.
   *
   * @param text What it says, where it has escapes; no more than its bound.
   * @returns What stands for it, from quote to quote. Names that are masked stay distinct.
   */
  name(bytes: Buffer, start: number, end: number, text: string | undefined): Uint8Array | undefined {
    const detects = this.#detects;
    if (detects === undefined) return undefined;
    const decoded = text === undefined ? undefined : Buffer.from(text);
    if (decoded === undefined) this.#labelled(bytes, start + 1, end - 1);
    else this.#labelled(decoded, 0, decoded.length);
    const suspect =
      decoded === undefined
        ? detects.suspects(bytes, start + 1, end - 1, 'text')
        : detects.suspects(decoded, 0, decoded.length, 'text');
    if (!suspect) return undefined;
    const name = decoded ?? bytes.subarray(start + 1, end - 1);
    detects.nextRecord();
    const shown = detects.detect(name, 'text');
    if (shown === name) return undefined;
    this.maskedValues++;
    const count = ++this.#maskedNames;
    const inside = Buffer.from(escapeString(shown ?? STARS)).toString();
    return Buffer.from(count === 1 ? `"${inside}"` : `"${inside} (${count})"`);
  }

  /** Remembers the end of a name, which stands from `start` to `end`. */
  #labelled(bytes: Uint8Array, start: number, end: number): void {
    const label = this.#label;
    let length = 0;
    for (let at = Math.max(start, end - LABEL_BYTES); at < end; at++) label[length++] = bytes[at]!;
    for (let at = 0; at < BETWEEN.length; at++) label[length++] = BETWEEN[at]!;
    this.#labelLength = length;
  }

  /** Whether the name tells what its value is. Where the operator has detectors, any name may. */
  #labels(detects: Detects): boolean {
    if (this.#labelLength === 0) return false;
    if (detects.configured) return true;
    const text = this.#label.toString('latin1', 0, this.#labelLength);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const labels = endsInLabel(text);
    if (this.#known.size < MAX_KNOWN) this.#known.set(text, labels);
    return labels;
  }

  /** The next document of a sequence. */
  nextDocument(): void {
    this.#labelLength = 0;
    this.#maskedNames = 0;
  }
}

function quoted(inside: Uint8Array): Uint8Array {
  const literal = Buffer.allocUnsafe(inside.length + 2);
  literal[0] = QUOTE;
  literal.set(inside, 1);
  literal[inside.length + 1] = QUOTE;
  return literal;
}
