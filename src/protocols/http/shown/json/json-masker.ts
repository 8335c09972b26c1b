import type { MaskKind } from '../../../../policy/model.ts';
import { unreadable } from '../answer-error.ts';
import type { BodyMasker } from '../body-masker.ts';
import type { Detects } from '../detects.ts';
import { Octets, withinBound } from '../octets.ts';
import { Output } from '../output.ts';
import { Utf8Check } from '../utf8.ts';
import type { FieldState } from './field-states.ts';
import { BLANK, IN_NUMBER, IN_WORD, isNumber, isWord, stringText } from './grammar.ts';
import { JsonValues } from './json-values.ts';
import { StringScan } from './string-scan.ts';

/** How documents follow each other: one alone, one per line, or each behind a record separator (RFC 7464). */
export type JsonFraming = 'one' | 'lines' | 'records';

const MAX_DEPTH = 512;
/** A name, octets. */
const MAX_NAME = 64 * 1024;
/** A string that detectors look at, octets: a longer one is masked whole. */
const MAX_LOOKED_AT = 1024 * 1024;
/** Of a string at a masked path: no more tells how it is masked. */
const MAX_MASKED = 2 * 1024;
const MAX_NUMBER = 1024;

/** What may come next, or is being read. */
const STATE = {
  value: 0,
  firstElement: 1,
  name: 2,
  firstName: 3,
  colon: 4,
  after: 5,
  done: 6,
  string: 7,
  number: 8,
  word: 9,
  start: 10,
} as const;

/** What becomes of the token that is being read. */
const TOKEN = { shown: 0, name: 1, looked: 2, masked: 3, unseen: 4 } as const;

const [QUOTE, COMMA, COLON, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE, NEWLINE] = [
  0x22, 0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d, 0x0a,
];
const RECORD_SEPARATOR = 0x1e;
const BOM = [0xef, 0xbb, 0xbf];

/**
 * Masks JSON as it comes: members by their paths, and in all else what detectors find.
 *
 * Octets of values that are not masked stay as they are: numbers keep their digits, strings their escapes, and white space
 * its place. A name is told by what it says, however it is escaped and in whatever case; of a name that is there twice
 * every value is masked. What is not JSON to the letter is not shown, but for a byte order mark at the beginning, and halves
 * of surrogate pairs in values.
 *
 * Linear, apart from what detectors cost. Holds one token at most.
 *
 * @see RFC 8259
 */
export class JsonMasker implements BodyMasker {
  readonly #framing: JsonFraming;
  readonly #start: FieldState | undefined;
  readonly #values: JsonValues;
  readonly #utf8 = new Utf8Check();
  readonly #output = new Output();
  /** The beginning of a token whose end has not come. */
  readonly #held = new Octets();
  /** By depth: whether it is an object, and how far its names have followed the paths. */
  readonly #isObject = new Uint8Array(MAX_DEPTH);
  readonly #fields: (FieldState | undefined)[] = [];
  #depth = 0;
  /** Of the value that comes next. */
  #field: FieldState | undefined;
  /** Depth of the container that is masked with all that is in it; -1: none. */
  #muted = -1;
  #state: number = STATE.start;
  #token: number = TOKEN.shown;
  readonly #scan = new StringScan();
  /** The string that is being read is a name. */
  #isName = false;
  #bom = 0;

  constructor(fields: FieldState | undefined, detects: Detects | undefined, framing: JsonFraming = 'one') {
    this.#start = fields;
    this.#framing = framing;
    this.#values = new JsonValues(detects);
  }

  get maskedValues(): number {
    return this.#values.maskedValues;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    if (chunk.length === 0) return undefined;
    this.#utf8.push(chunk);
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const output = this.#output;
    output.begin(bytes);
    for (let at = 0; at < bytes.length; ) at = this.#read(bytes, at);
    if (this.#muted !== -1) output.skip(bytes.length);
    return output.end();
  }

  end(): Uint8Array | undefined {
    this.#utf8.end();
    const output = this.#output;
    output.begin(NOTHING);
    if (this.#state === STATE.number || this.#state === STATE.word) this.#scalarEnds(NOTHING, 0, 0);
    const { start, done } = STATE;
    if (this.#state !== done && this.#state !== start) throw unreadable('it ends within a JSON value');
    return output.end();
  }

  /** Reads on from `at`. @returns Where to go on. */
  #read(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case STATE.string:
        return this.#string(bytes, at, at);
      case STATE.number:
      case STATE.word:
        return this.#scalar(bytes, at, at);
      case STATE.start:
        if (this.#bom < 3 && bytes[at] === BOM[this.#bom]) {
          this.#bom++;
          return at + 1;
        }
        if (this.#bom > 0 && this.#bom < 3) throw notJson();
        this.#bom = 3;
    }
    const byte = bytes[at]!;
    if (BLANK[byte] === 1) {
      if (byte === NEWLINE && this.#state === STATE.done && this.#framing === 'lines')
        this.#state = STATE.start;
      return at + 1;
    }
    return this.#structure(bytes, at, byte);
  }

  #structure(bytes: Buffer, at: number, byte: number): number {
    switch (this.#state) {
      case STATE.after:
        return this.#behindValue(at, byte);
      case STATE.name:
      case STATE.firstName:
        if (byte === QUOTE) return this.#beginName(bytes, at);
        if (byte === CLOSE_BRACE && this.#state === STATE.firstName) return this.#close(at, byte);
        throw notJson();
      case STATE.colon:
        if (byte !== COLON) throw notJson();
        this.#state = STATE.value;
        return at + 1;
      case STATE.firstElement:
        return byte === CLOSE_BRACKET ? this.#close(at, byte) : this.#beginValue(bytes, at, byte);
      case STATE.value:
        return this.#beginValue(bytes, at, byte);
      default:
        return this.#outside(bytes, at, byte);
    }
  }

  /** Before a document, or behind one. */
  #outside(bytes: Buffer, at: number, byte: number): number {
    if (this.#framing === 'records' && byte === RECORD_SEPARATOR) {
      this.#state = STATE.start;
      return at + 1;
    }
    if (this.#state === STATE.done) throw unreadable('something follows the JSON value');
    this.#values.nextDocument();
    this.#field = this.#start;
    return this.#beginValue(bytes, at, byte);
  }

  #behindValue(at: number, byte: number): number {
    if (byte === COMMA) {
      this.#state = this.#isObject[this.#depth - 1] === 1 ? STATE.name : STATE.value;
      this.#field = this.#fields[this.#depth - 1];
      return at + 1;
    }
    return this.#close(at, byte);
  }

  #beginValue(bytes: Buffer, at: number, byte: number): number {
    if (byte === QUOTE) return this.#beginString(bytes, at, this.#tokenOfValue());
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return this.#open(at, byte);
    this.#token = this.#tokenOfValue();
    if (IN_NUMBER[byte] === 1) this.#state = STATE.number;
    else if (IN_WORD[byte] === 1) this.#state = STATE.word;
    else throw notJson();
    return this.#scalar(bytes, at, at);
  }

  #tokenOfValue(): number {
    if (this.#muted !== -1) return TOKEN.shown;
    if (this.#field?.mask !== undefined) return TOKEN.masked;
    return this.#values.looks ? TOKEN.looked : TOKEN.shown;
  }

  #open(at: number, byte: number): number {
    if (this.#depth === MAX_DEPTH) throw unreadable(`it is deeper than ${MAX_DEPTH} levels`);
    if (this.#muted === -1 && this.#field?.mask !== undefined) {
      this.#output.keep(at);
      this.#output.write(this.#values.maskedOther());
      this.#muted = this.#depth;
    }
    const isObject = byte === OPEN_BRACE;
    this.#isObject[this.#depth] = isObject ? 1 : 0;
    this.#fields[this.#depth] = this.#field;
    this.#depth++;
    this.#state = isObject ? STATE.firstName : STATE.firstElement;
    return at + 1;
  }

  #close(at: number, byte: number): number {
    const isObject = this.#isObject[this.#depth - 1] === 1;
    if (byte !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) throw notJson();
    this.#depth--;
    if (this.#muted === this.#depth) {
      this.#output.skip(at + 1);
      this.#muted = -1;
    }
    this.#valueEnds();
    return at + 1;
  }

  #valueEnds(): void {
    this.#state = this.#depth === 0 ? STATE.done : STATE.after;
  }

  #beginName(bytes: Buffer, at: number): number {
    this.#isName = true;
    return this.#beginString(bytes, at, this.#muted === -1 ? TOKEN.name : TOKEN.shown);
  }

  #beginString(bytes: Buffer, at: number, token: number): number {
    this.#state = STATE.string;
    this.#token = token;
    this.#scan.begin();
    return this.#string(bytes, at, at + 1);
  }

  /** Reads a string on, of which what stands from `start` is in this piece. */
  #string(bytes: Buffer, start: number, from: number): number {
    const end = this.#scan.end(bytes, from);
    if (end === -1) {
      if (this.#token !== TOKEN.shown) this.#hold(bytes, start, bytes.length);
      return bytes.length;
    }
    if (this.#held.length > 0 || this.#token === TOKEN.unseen) this.#heldStringEnds(bytes, start, end);
    else if (this.#token !== TOKEN.shown) this.#stringEnds(bytes, start, end);
    if (this.#isName) this.#state = STATE.colon;
    else this.#valueEnds();
    this.#isName = false;
    return end;
  }

  /** Keeps a part of a token that is not whole; what stands before it in this piece is shown. */
  #hold(bytes: Buffer, start: number, end: number): void {
    const output = this.#output;
    if (this.#held.length === 0 && this.#token !== TOKEN.unseen) output.keep(start);
    output.skip(end);
    const length = this.#held.length + end - start;
    switch (this.#token) {
      case TOKEN.unseen:
        return;
      case TOKEN.name:
        withinBound(length, MAX_NAME, 'a name in it');
        break;
      case TOKEN.masked:
        // Of a longer one no more is needed than that it is longer.
        if (length > MAX_MASKED)
          return this.#held.add(bytes, start, Math.max(start, start + MAX_MASKED - this.#held.length));
        break;
      default:
        if (length > MAX_LOOKED_AT) {
          this.#token = TOKEN.unseen;
          return this.#held.clear();
        }
    }
    this.#held.add(bytes, start, end);
  }

  #stringEnds(bytes: Buffer, start: number, end: number): void {
    const by = this.#standsFor(bytes, start, end);
    if (by === undefined) return;
    this.#output.keep(start);
    this.#output.skip(end);
    this.#output.write(by);
  }

  #heldStringEnds(bytes: Buffer, start: number, end: number): void {
    this.#hold(bytes, start, end);
    const { bytes: whole } = this.#held;
    this.#output.write(this.#standsFor(whole, 0, whole.length) ?? whole);
    this.#held.clear();
  }

  /** What stands for the string from `start` to `end`, quotes too. */
  #standsFor(bytes: Buffer, start: number, end: number): Uint8Array | undefined {
    switch (this.#token) {
      case TOKEN.name:
        return this.#name(bytes, start, end);
      case TOKEN.masked:
        return this.#values.maskedString(bytes, start, Math.min(end, start + MAX_MASKED), this.#maskHere());
      case TOKEN.unseen:
        return this.#values.unseenString();
      default:
        if (end - start > MAX_LOOKED_AT) return this.#values.unseenString();
        return this.#values.string(bytes, start, end, this.#scan.escaped);
    }
  }

  #maskHere(): MaskKind {
    return this.#field?.mask ?? 'redact';
  }

  /** A name leads to the paths of what it names. */
  #name(bytes: Buffer, start: number, end: number): Uint8Array | undefined {
    withinBound(end - start, MAX_NAME, 'a name in it');
    const text =
      this.#scan.escaped || !isAscii(bytes, start, end) ? stringText(bytes, start, end) : undefined;
    if (text?.isWellFormed() === false) throw unreadable('a name in it holds half of a surrogate pair');
    this.#field = this.#fields[this.#depth - 1]?.member(bytes, start + 1, end - 1, text);
    return this.#values.name(bytes, start, end, text);
  }

  /** Reads a number or a word on, of which what stands from `start` is in this piece. */
  #scalar(bytes: Buffer, start: number, from: number): number {
    const members = this.#state === STATE.number ? IN_NUMBER : IN_WORD;
    let at = from;
    while (at < bytes.length && members[bytes[at]!] === 1) at++;
    if (at < bytes.length) this.#scalarEnds(bytes, start, at);
    else {
      withinBound(this.#held.length + at - start, MAX_NUMBER, 'a number in it');
      if (this.#muted === -1 && this.#held.length === 0) this.#output.keep(start);
      this.#output.skip(at);
      this.#held.add(bytes, start, at);
    }
    return at;
  }

  #scalarEnds(bytes: Buffer, start: number, end: number): void {
    const held = this.#held.length > 0;
    if (held) this.#held.add(bytes, start, end);
    const whole = held ? this.#held.bytes : bytes;
    const [first, last] = held ? [0, whole.length] : [start, end];
    withinBound(last - first, MAX_NUMBER, 'a number in it');
    const isIt = this.#state === STATE.number ? isNumber(whole, first, last) : isWord(whole, first, last);
    if (!isIt) throw notJson();
    if (this.#muted === -1) {
      const hidden = this.#hidesScalar(whole, first, last);
      if (hidden && !held) this.#output.keep(start);
      if (hidden || held) this.#output.skip(end);
      if (hidden) this.#output.write(this.#values.maskedOther());
      else if (held) this.#output.write(whole);
    }
    this.#held.clear();
    this.#valueEnds();
  }

  /** `null` tells as much as what would stand for it. */
  #hidesScalar(bytes: Buffer, start: number, end: number): boolean {
    if (this.#token === TOKEN.masked) return bytes[start] !== 0x6e;
    return (
      this.#token === TOKEN.looked &&
      this.#state === STATE.number &&
      this.#values.findsInNumber(bytes, start, end)
    );
  }
}

const NOTHING = Buffer.alloc(0);

function notJson(): Error {
  return unreadable('it is not JSON');
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! >= 0x80) return false;
  return true;
}
