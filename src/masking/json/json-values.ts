import { escapeString } from '../json-strings.ts';
import { MAX_MASKED_BYTES, type Mask, maskValue, STARS, writeMasked, writeMaskedString } from '../mask.ts';
import type { Detects } from '../pieces/detects.ts';
import { withinBound } from '../pieces/octets.ts';
import type { Output } from '../pieces/output.ts';
import type { PieceMasker } from '../pieces/piece-masker.ts';
import { unreadable } from '../pieces/unreadable.ts';
import { replaced } from '../replaced.ts';
import type { FieldState } from './field-states.ts';
import { IN_NUMBER, isNumber, isWord, stringText } from './grammar.ts';
import { Label } from './labels.ts';
import { Member } from './members.ts';
import { MOST, OCTET, TOKEN } from './states.ts';

export const NOT_JSON = 'it is not JSON';
const NULL: Uint8Array = Buffer.from('null');
const HIDDEN: Uint8Array = Buffer.from('"***"');
const HIDDEN_BASE64: Uint8Array = Buffer.from(`"${Buffer.from(STARS).toString('base64')}"`);
const QUOTE = 0x22;

/**
 * What stands for the values and names of one document. Bounds and grammar are the reader's: it hands over whole tokens.
 */
export class JsonValues {
  readonly #detects: Detects | undefined;
  readonly #inDocument: (fields: FieldState) => PieceMasker;
  #maskedNames = 0;
  maskedValues = 0;

  /** @param inDocument Masks what is a document within a string. */
  constructor(detects: Detects | undefined, inDocument: (fields: FieldState) => PieceMasker) {
    this.#detects = detects;
    this.#inDocument = inDocument;
  }

  /** What is known of a value by its place. */
  member(field: FieldState | undefined, label: Label | undefined): Member {
    const looked = this.#detects !== undefined || field?.inner !== undefined;
    const token = field?.mask !== undefined ? TOKEN.masked : looked ? TOKEN.looked : TOKEN.shown;
    const glanced = token === TOKEN.looked && field?.inner === undefined && !this.#detects!.configured;
    return new Member(field, token, glanced, label);
  }

  /**
   * A member of an object, by its name.
   *
   * @param bytes Hold the name from quote to quote.
   * @param text What it says, where it has escapes or is not ASCII.
   * @param owner The member that the object is the value of.
   * @returns With what stands for the name, if it does not stay. @throws {HoopError} `ERR_TARGET_LOST` it is too long.
   */
  met(
    bytes: Buffer,
    start: number,
    end: number,
    text: string | undefined,
    owner: Member,
  ): { readonly member: Member; readonly by: Uint8Array | undefined } {
    withinBound(end - start, MOST.name, 'a name in it');
    const field = owner.field?.member(bytes, start + 1, end - 1, text);
    if (this.#detects === undefined) return { member: this.member(field, undefined), by: undefined };
    const name = text === undefined ? bytes.subarray(start + 1, end - 1) : Buffer.from(text);
    return { member: this.member(field, new Label(name)), by: this.#name(name, this.#detects) };
  }

  /**
   * Writes what stands for a string at a masked path.
   *
   * @param bytes Hold it from quote to quote; of a long one no more than the beginning.
   */
  maskedString(bytes: Uint8Array, start: number, end: number, field: FieldState, output: Output): void {
    if (field.base64) return this.#maskedBase64(field, output);
    const out = output.room(MAX_MASKED_BYTES);
    this.#masked(writeMasked(bytes, start, end, maskOf(field), 'json', out, output.length), output);
  }

  /** As `maskedString`, of one that is whole and without escapes. */
  maskedPlainString(bytes: Uint8Array, start: number, end: number, field: FieldState, output: Output): void {
    if (field.base64) return this.#maskedBase64(field, output);
    const out = output.room(MAX_MASKED_BYTES);
    this.#masked(writeMaskedString(bytes, start, end, maskOf(field), out, output.length), output);
  }

  /** Of what clients decode nothing is kept. */
  #maskedBase64(field: FieldState, output: Output): void {
    this.maskedValues++;
    output.write(maskOf(field) === 'null' ? NULL : HIDDEN_BASE64);
  }

  #masked(end: number, output: Output): void {
    this.maskedValues++;
    if (end === -1) output.write(NULL);
    else output.wrote(end);
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

  #document(text: string, fields: FieldState): Uint8Array | undefined {
    try {
      const masker = this.#inDocument(fields);
      const parts = [masker.push(Buffer.from(text)), masker.end()].flatMap((part) => part ?? []);
      const shown = Buffer.concat(parts);
      this.maskedValues += masker.maskedValues;
      return shown.toString() === text ? undefined : quoted(escapeString(shown));
    } catch {
      return this.unseenString();
    }
  }

  /**
   * A string that is not masked as a whole: by what detectors find in it, and as the document that it may be.
   *
   * @param bytes Hold it from quote to quote.
   * @param telling No octet before it is one that a detector starts from.
   * @returns What stands for it; undefined: it stays.
   */
  string(
    bytes: Buffer,
    start: number,
    end: number,
    escaped: boolean,
    { field, label }: Member,
    telling: number = start + 1,
  ): Uint8Array | undefined {
    const document = field?.inner && documentIn(bytes, start, end, escaped);
    if (document !== undefined) return this.#document(document, field!.inner!);
    const detects = this.#detects;
    if (detects === undefined) return undefined;
    const text = escaped ? Buffer.from(stringText(bytes, start, end) ?? '') : undefined;
    if (
      text === undefined
        ? !detects.suspects(bytes, start + 1, end - 1, 'text', telling)
        : !detects.suspects(text, 0, text.length, 'text')
    )
      return undefined;
    const value = text ?? bytes.subarray(start + 1, end - 1);
    detects.nextRecord();
    const alone = detects.detect(value, 'text');
    const shown = alone === value ? this.#byLabel(value, label, detects) : alone;
    if (shown === value) return undefined;
    this.maskedValues++;
    return shown === null ? NULL : quoted(escapeString(shown));
  }

  /**
   * Whether a number or a word is not shown. `null` tells as much as what would stand for it.
   *
   * @throws {HoopError} `ERR_TARGET_LOST` it is neither.
   */
  hidesScalar(bytes: Buffer, start: number, end: number, { token, label }: Member): boolean {
    withinBound(end - start, MOST.number, 'a number in it');
    const number = IN_NUMBER[bytes[start]!] === 1;
    if (!(number ? isNumber(bytes, start, end) : isWord(bytes, start, end))) throw unreadable(NOT_JSON);
    if (token === TOKEN.masked) return bytes[start] !== OCTET.n;
    return number && token === TOKEN.looked && this.#findsInNumber(bytes, start, end, label);
  }

  #findsInNumber(bytes: Buffer, start: number, end: number, label: Label | undefined): boolean {
    const detects = this.#detects;
    if (detects === undefined || !detects.suspects(bytes, start, end, 'text')) return false;
    const number = bytes.subarray(start, end);
    detects.nextRecord();
    return detects.detect(number, 'text') !== number || this.#byLabel(number, label, detects) !== number;
  }

  /** What detectors find in a value behind its name: `"bsn": 111222333`. */
  #byLabel(value: Buffer, label: Label | undefined, detects: Detects): Uint8Array | null {
    // Where the operator has detectors, any name may tell what its value is.
    if (label === undefined || !(detects.configured || label.tells)) return value;
    const before = label.text.length;
    const labelled = Buffer.concat([label.text, value]);
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

  /** A name may be a value itself: `{"123-45-6789": true}`. @returns What stands for it. Names that are masked stay distinct. */
  #name(name: Buffer, detects: Detects): Uint8Array | undefined {
    if (!detects.suspects(name, 0, name.length, 'text')) return undefined;
    detects.nextRecord();
    const shown = detects.detect(name, 'text');
    if (shown === name) return undefined;
    this.maskedValues++;
    const count = ++this.#maskedNames;
    const inside = Buffer.from(escapeString(shown ?? STARS)).toString();
    return Buffer.from(count === 1 ? `"${inside}"` : `"${inside} (${count})"`);
  }

  /** The next document of a sequence. */
  nextDocument(): void {
    this.#maskedNames = 0;
  }
}

/** What the string from `start` to `end` says, where that seems to be a JSON object or array: whoever reads it takes it for one. */
function documentIn(bytes: Buffer, start: number, end: number, escaped: boolean): string | undefined {
  const text = escaped ? stringText(bytes, start, end) : bytes.toString('utf8', start + 1, end - 1);
  return text !== undefined && /^\s*[{[]/.test(text) ? text : undefined;
}

function maskOf(field: FieldState): Mask {
  return field.mask ?? 'redact';
}

function quoted(inside: Uint8Array): Uint8Array {
  const literal = Buffer.allocUnsafe(inside.length + 2);
  literal[0] = QUOTE;
  literal.set(inside, 1);
  literal[inside.length + 1] = QUOTE;
  return literal;
}
