import { HoopError } from '../../../core/errors.ts';
import { STARS } from '../../../masking/mask.ts';
import type { CopyOptions } from '../sql/facts/facts.ts';
import type { CellDetector } from './rows.ts';
import { untypedShown } from './values/literals.ts';
import { quickShape, shownValue } from './values/shown.ts';
import type { WireType, WireTypes } from './values/wire-types.ts';

/** Octets `start` … `end`, and what stands for them. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly by: Buffer;
}

/** How the rows of one COPY are taken apart and put together. */
export interface CopyFields {
  /** Behind the row that begins at `at`; -1 if it does not end in `data`. */
  rowEnd(data: Buffer, at: number): number;
  /** What is masked of the row from `at` to `end`, in order. */
  replacements(data: Buffer, at: number, end: number): readonly Replacement[];
}

interface Looking {
  readonly types: WireTypes;
  readonly detector: CellDetector;
}

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const MALFORMED = 'the target sent COPY data that does not fit its format';

/** @param columns Undefined where nobody knows their types: each field is read as what it looks like. */
export function copyFields(
  options: CopyOptions,
  columns: readonly WireType[] | undefined,
  looking: Looking,
): CopyFields {
  if (options.format === 'binary') return new BinaryFields(columns ?? [], looking);
  return options.format === 'csv'
    ? new CsvFields(options, columns, looking)
    : new TextFields(options, columns, looking);
}

/** What becomes of a field: the same array, null for NULL. Anything thrown is NULL: promise 5. */
function shownField(field: Buffer, type: WireType | undefined, format: 0 | 1, { types, detector }: Looking) {
  const look = { types, detect: detector.detect.bind(detector) };
  try {
    if (!detector.attends(field.length)) return type === undefined || type.kind === 'text' ? STARS : null;
    const quick = type === undefined ? 'text' : quickShape(type, format);
    const hides = type?.kind !== 'text' && field.includes(BACKSLASH);
    if (quick !== undefined && !hides && !detector.suspects(field, 0, field.length, quick)) return field;
    return type === undefined ? untypedShown(field, look, 0) : shownValue(field, type, format, look);
  } catch {
    return null;
  }
}

/** A field as it is written. */
interface Field {
  readonly start: number;
  readonly end: number;
  /** What it says; null for NULL. */
  readonly value: Buffer | null;
}

/** Rows of text: fields with a delimiter between them, a line end behind them. */
abstract class LineFields implements CopyFields {
  protected readonly delimiter: number;
  protected readonly null: string;
  readonly #columns: readonly WireType[] | undefined;
  readonly #looking: Looking;
  #isHeader: boolean;

  constructor(options: CopyOptions, columns: readonly WireType[] | undefined, looking: Looking) {
    this.delimiter = options.delimiter.charCodeAt(0);
    this.null = options.null;
    this.#columns = columns;
    this.#looking = looking;
    this.#isHeader = options.header;
  }

  abstract rowEnd(data: Buffer, at: number): number;
  protected abstract fields(data: Buffer, at: number, end: number): Field[];
  protected abstract written(value: Buffer): Buffer;

  replacements(data: Buffer, at: number, end: number): readonly Replacement[] {
    if (this.#isHeader) {
      this.#isHeader = false;
      return [];
    }
    const fields = this.fields(data, at, data[end - 1] === NEWLINE ? end - 1 : end);
    const columns = this.#columns?.length === fields.length ? this.#columns : undefined;
    const out: Replacement[] = [];
    for (const [index, { start, end: stop, value }] of fields.entries()) {
      const shown = value && shownField(value, columns?.[index], 0, this.#looking);
      if (shown === value) continue;
      out.push({
        start,
        end: stop,
        by: shown === null ? Buffer.from(this.null) : this.written(Buffer.from(shown)),
      });
    }
    return out;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const ESCAPED = /\\(?:x([0-9a-f]{1,2})|([0-7]{1,3})|([\s\S]))/gi;
const SPECIAL: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\v': 'v',
};

class TextFields extends LineFields {
  rowEnd(data: Buffer, at: number): number {
    return data.indexOf(NEWLINE, at) + 1 || -1;
  }

  protected fields(data: Buffer, at: number, end: number): Field[] {
    const fields: Field[] = [];
    for (let start = at, stop = at; stop <= end; stop++) {
      if (data[stop] === BACKSLASH && stop < end) stop++;
      else if (stop === end || data[stop] === this.delimiter) {
        fields.push({ start, end: stop, value: this.#value(data.subarray(start, stop)) });
        start = stop + 1;
      }
    }
    return fields;
  }

  #value(field: Buffer): Buffer | null {
    if (field.length === this.null.length && field.toString('utf8') === this.null) return null;
    if (!field.includes(BACKSLASH)) return field;
    // By octets: an escape may stand between those of one character.
    const plain = field.toString('latin1').replace(ESCAPED, (_, hex?: string, octal?: string, other = '') => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return ESCAPES[other] ?? other;
    });
    return Buffer.from(plain, 'latin1');
  }

  protected written(value: Buffer): Buffer {
    const delimiter = String.fromCharCode(this.delimiter);
    const text = value.toString('latin1').replace(/[\b\f\n\r\t\v\\]/g, (one) => `\\${SPECIAL[one] ?? one}`);
    const safe = SPECIAL[delimiter] === undefined ? text.replaceAll(delimiter, `\\${delimiter}`) : text;
    return Buffer.from(safe, 'latin1');
  }
}

class CsvFields extends LineFields {
  readonly #quote: number;
  readonly #escape: number;

  constructor(options: CopyOptions, columns: readonly WireType[] | undefined, looking: Looking) {
    super(options, columns, looking);
    this.#quote = options.quote.charCodeAt(0);
    this.#escape = options.escape.charCodeAt(0);
  }

  rowEnd(data: Buffer, at: number): number {
    for (let place = at; place < data.length; place++) {
      if (data[place] === NEWLINE) return place + 1;
      if (data[place] === this.#quote) place = this.#closing(data, place);
    }
    return -1;
  }

  /** Where the quoted text that begins at `at` is closed; the end of the data if it is not. */
  #closing(data: Buffer, at: number): number {
    for (let place = at + 1; place < data.length; place++) {
      const next = data[place + 1];
      if (data[place] === this.#escape && (next === this.#quote || next === this.#escape)) place++;
      else if (data[place] === this.#quote) return place;
    }
    return data.length;
  }

  protected fields(data: Buffer, at: number, end: number): Field[] {
    const fields: Field[] = [];
    for (let start = at; start <= end; ) {
      const quoted = start < end && data[start] === this.#quote;
      let stop = quoted ? Math.min(this.#closing(data, start) + 1, end) : start;
      while (stop < end && data[stop] !== this.delimiter) stop++;
      const raw = data.subarray(start, stop);
      fields.push({ start, end: stop, value: quoted ? this.#unquoted(raw) : this.#plain(raw) });
      start = stop + 1;
    }
    return fields;
  }

  #plain(field: Buffer): Buffer | null {
    return field.length === this.null.length && field.toString('utf8') === this.null ? null : field;
  }

  #unquoted(field: Buffer): Buffer {
    const out = Buffer.allocUnsafe(field.length);
    let length = 0;
    for (let at = 1; at < field.length - 1; at++) {
      const next = field[at + 1];
      if (
        field[at] === this.#escape &&
        (next === this.#quote || next === this.#escape) &&
        at + 2 < field.length
      )
        at++;
      out[length++] = field[at]!;
    }
    return out.subarray(0, length);
  }

  protected written(value: Buffer): Buffer {
    const [quote, escaped] = [String.fromCharCode(this.#quote), String.fromCharCode(this.#escape)];
    let text = value.toString('latin1').replaceAll(escaped, escaped + escaped);
    if (quote !== escaped) text = text.replaceAll(quote, escaped + quote);
    return Buffer.from(quote + text + quote, 'latin1');
  }
}

const SIGNATURE_BYTES = 11;
const HEADER_BYTES = SIGNATURE_BYTES + 8;
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
const TRAILER = -1;
const NULL_LENGTH = -1;

/** Rows with the number of their fields, each field with its length; a header before the first. */
class BinaryFields implements CopyFields {
  readonly #columns: readonly WireType[];
  readonly #looking: Looking;
  #headed = false;

  constructor(columns: readonly WireType[], looking: Looking) {
    this.#columns = columns;
    this.#looking = looking;
  }

  rowEnd(data: Buffer, at: number): number {
    const start = this.#headed ? at : headerEnd(data, at);
    if (start === -1 || start + COUNT_BYTES > data.length) return -1;
    let end = start + COUNT_BYTES;
    for (let left = data.readInt16BE(start); left > 0; left--) {
      if (end + LENGTH_BYTES > data.length) return -1;
      end = fieldEnd(data, end);
    }
    return end > data.length ? -1 : end;
  }

  replacements(data: Buffer, at: number, end: number): readonly Replacement[] {
    let place = this.#headed ? at : headerEnd(data, at);
    this.#headed = true;
    if (place === -1 || place + COUNT_BYTES > end) throw new HoopError('ERR_PROTOCOL', MALFORMED);
    const count = data.readInt16BE(place);
    const out: Replacement[] = [];
    place += COUNT_BYTES;
    for (let index = 0; index < count; index++) {
      if (place + LENGTH_BYTES > end || fieldEnd(data, place) > end)
        throw new HoopError('ERR_PROTOCOL', MALFORMED);
      const next = fieldEnd(data, place);
      const type = count === this.#columns.length ? this.#columns[index] : undefined;
      const by =
        data.readInt32BE(place) === NULL_LENGTH
          ? undefined
          : this.#shown(data.subarray(place + LENGTH_BYTES, next), type);
      if (by !== undefined) out.push({ start: place, end: next, by });
      place = next;
    }
    if (count < TRAILER || place !== end) throw new HoopError('ERR_PROTOCOL', MALFORMED);
    return out;
  }

  /** Undefined if it is shown as it is. */
  #shown(field: Buffer, type: WireType | undefined): Buffer | undefined {
    const shown = type === undefined ? null : shownField(field, type, 1, this.#looking);
    if (shown === field) return undefined;
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeInt32BE(shown?.length ?? NULL_LENGTH);
    return shown === null ? length : Buffer.concat([length, shown]);
  }
}

/** Behind the header that begins at `at`, whose last length is that of an extension; -1 if it does not end. */
function headerEnd(data: Buffer, at: number): number {
  if (at + HEADER_BYTES > data.length) return -1;
  return at + HEADER_BYTES + data.readUInt32BE(at + SIGNATURE_BYTES + LENGTH_BYTES);
}

function fieldEnd(data: Buffer, at: number): number {
  const length = data.readInt32BE(at);
  if (length < NULL_LENGTH) throw new HoopError('ERR_PROTOCOL', MALFORMED);
  return at + LENGTH_BYTES + Math.max(0, length);
}
