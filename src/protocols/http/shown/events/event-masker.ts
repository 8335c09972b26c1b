import type { FieldState } from '../../../../masking/json/field-states.ts';
import type { Detects } from '../../../../masking/pieces/detects.ts';
import { Octets, withinBound } from '../../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../../masking/pieces/piece-masker.ts';
import { Utf8Check } from '../../../../masking/pieces/utf8.ts';
import { DataMasker } from './data-masker.ts';

/** One event, octets. */
const MAX_EVENT = 1024 * 1024;

const [CR, LF] = [0x0d, 0x0a];
/** A byte order mark may stand before the first line. */
const DATA = /^\ufeff?data(?:: ?|$)/;

/** What else is done to events. */
export interface EventRules {
  /** Called with the data of each event before it is masked. @returns What stands for it; undefined: no event at all. */
  data(text: string): string | undefined;
  /** Of one event. */
  readonly mostOctets: number;
}

/** A line of an event: what it says, and its end with it. */
interface Line {
  readonly text: string;
  readonly end: string;
}

/**
 * Masks a stream of events (`text/event-stream`). An event goes on as soon as it is whole.
 *
 * The data lines of an event are read together: JSON by its members and by detectors, other data by detectors. Data that is
 * no JSON object or array is hidden where members are masked. An event in which nothing is masked keeps its octets.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class EventMasker implements PieceMasker {
  readonly #masker: DataMasker;
  readonly #rules: EventRules;
  readonly #utf8 = new Utf8Check();
  readonly #held = new Octets();
  /** Octets of what is held that were read. */
  #read = 0;
  /** The line that is being read has octets. */
  #inLine = false;
  /** A line feed now is a part of the line end before. */
  #afterCr = false;

  constructor(fields: FieldState | undefined, detects: Detects | undefined, rules: EventRules = PLAIN) {
    this.#masker = new DataMasker(fields, detects);
    this.#rules = rules;
  }

  get maskedValues(): number {
    return this.#masker.maskedValues;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    this.#utf8.push(chunk);
    this.#held.add(chunk);
    const shown: Uint8Array[] = [];
    const bytes = this.#held.bytes;
    let from = 0;
    for (let at = this.#read; at < bytes.length; at++) {
      if (!this.#endsEvent(bytes[at]!)) continue;
      shown.push(this.#event(bytes.subarray(from, at + 1)));
      from = at + 1;
    }
    withinBound(bytes.length - from, this.#rules.mostOctets, 'an event in it');
    this.#held.drop(from);
    this.#read = this.#held.length;
    return shown.length === 0 ? undefined : Buffer.concat(shown);
  }

  end(): Uint8Array | undefined {
    this.#utf8.end();
    return this.#held.length === 0 ? undefined : this.#event(this.#held.take());
  }

  /** Whether an empty line ends with this octet. */
  #endsEvent(byte: number): boolean {
    if (byte === LF && this.#afterCr) {
      this.#afterCr = false;
      return false;
    }
    this.#afterCr = byte === CR;
    const isEnd = byte === CR || byte === LF;
    const isEmpty = isEnd && !this.#inLine;
    this.#inLine = !isEnd;
    return isEmpty;
  }

  #event(bytes: Buffer): Buffer {
    const lines = linesOf(bytes.toString());
    const isData = ({ text }: Line) => DATA.test(text);
    const before = lines.filter(isData).map(({ text }) => text.replace(DATA, ''));
    const data = before.join('\n');
    const given = before.length === 0 ? data : this.#rules.data(data);
    if (given === undefined) return NOTHING;
    const shown = before.length === 0 ? data : this.#masker.data(given);
    const others = lines.map((line) =>
      isData(line) ? line : { ...line, text: this.#masker.text(line.text) },
    );
    const same = shown === data && others.every(({ text }, at) => text === lines[at]!.text);
    return same ? Buffer.from(bytes) : Buffer.from(written(others, isData, shown));
  }
}

const PLAIN: EventRules = { data: (text) => text, mostOctets: MAX_EVENT };
const NOTHING = Buffer.alloc(0);

function linesOf(text: string): readonly Line[] {
  const lines = [...text.matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)].map(([, line = '', end = '']) => ({
    text: line,
    end,
  }));
  return lines.filter(({ text: line, end }) => line !== '' || end !== '');
}

/** Data stands where its first line stood. */
function written(lines: readonly Line[], isData: (line: Line) => boolean, data: string): string {
  const first = lines.findIndex(isData);
  return lines
    .map((line, at) => {
      if (!isData(line)) return line.text + line.end;
      if (at !== first) return '';
      const end = line.end === '' ? '\n' : line.end;
      return data
        .split(/\r\n|\r|\n/)
        .map((one) => `data: ${one}${end}`)
        .join('');
    })
    .join('');
}
