import { unreadable } from '../answer-error.ts';
import type { BodyMasker } from '../body-masker.ts';
import type { Detects } from '../detects.ts';
import { withinBound } from '../octets.ts';
import { Output } from '../output.ts';
import { Utf8Check } from '../utf8.ts';
import type { FieldState } from './field-states.ts';
import { BLANK, IN_NUMBER, IN_WORD, isNumber, isWord, numberEnd, stringText, wordEnd } from './grammar.ts';
import { HeldToken } from './held-token.ts';
import { JsonValues } from './json-values.ts';
import { BOM, MOST, OCTET, STATE, TOKEN } from './states.ts';
import { asciiEnd, plainEnd, StringScan } from './string-scan.ts';

/** How documents follow each other: one alone, one per line, or each behind a record separator (RFC 7464). */
export type JsonFraming = 'one' | 'lines' | 'records';

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
  readonly #held = new HeldToken();
  /** By depth: whether it is an object, and how far its names have followed the paths. */
  readonly #isObject = new Uint8Array(MOST.depth);
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
    this.#values = new JsonValues(detects, (inner) => new JsonMasker(inner, detects));
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
    let at = this.#goOn(bytes);
    while (at < bytes.length) {
      at = this.#plain(bytes, at);
      if (at < bytes.length) at = this.#read(bytes, at);
    }
    if (this.#muted !== -1) output.skip(bytes.length);
    return output.end();
  }

  end(): Uint8Array | undefined {
    this.#utf8.end();
    const output = this.#output;
    output.begin(NOTHING);
    if (this.#state === STATE.number || this.#state === STATE.word) {
      this.#scalarEnds(NOTHING, 0, 0);
      this.#valueEnds();
    }
    const { start, done } = STATE;
    if (this.#state !== done && this.#state !== start) throw unreadable('it ends within a JSON value');
    return output.end();
  }

  /** Goes on with the token in which the last piece ended. @returns Where it ends in this one. */
  #goOn(bytes: Buffer): number {
    if (this.#state === STATE.string) return this.#string(bytes, 0, 0);
    if (this.#state === STATE.number || this.#state === STATE.word) return this.#scalar(bytes, 0, 0);
    let at = 0;
    while (this.#bom < BOM.length && at < bytes.length && bytes[at] === BOM[this.#bom]) {
      this.#bom++;
      at++;
    }
    if (at === bytes.length || this.#bom === BOM.length) return at;
    if (this.#bom > 0) throw notJson();
    this.#bom = BOM.length;
    return at;
  }

  /**
   * Reads members and elements as most programs write them: whole tokens without escapes, and nothing between them. One loop, since
   * most of what reading costs is the way from token to token.
   *
   * @returns Where something else stands: `#read` takes anything.
   */
  #plain(bytes: Buffer, from: number): number {
    const last = bytes.length - 1;
    let at = from;
    while (at < last) {
      if (this.#state === STATE.name || this.#state === STATE.firstName) {
        const end = bytes[at] === OCTET.quote ? asciiEnd(bytes, at + 1) : last;
        if (end >= last || bytes[end] !== OCTET.quote || bytes[end + 1] !== OCTET.colon) return at;
        if (this.#muted === -1) this.#plainName(bytes, at, end + 1);
        this.#state = STATE.value;
        at = end + 2;
        if (at >= last) return at;
      } else if (this.#state !== STATE.value && this.#state !== STATE.firstElement) return at;
      const byte = bytes[at]!;
      if (byte === OCTET.openBrace || byte === OCTET.openBracket) {
        at = this.#open(at, byte);
        continue;
      }
      if (this.#depth === 0) return at;
      if (byte === OCTET.quote) {
        const end = plainEnd(bytes, at + 1);
        if (end >= last || bytes[end] !== OCTET.quote) return at;
        if (this.#muted === -1) this.#plainString(bytes, at, end + 1);
        at = end + 1;
      } else {
        const end = IN_NUMBER[byte] === 1 ? numberEnd(bytes, at + 1) : bytes.length;
        if (end > last) return at;
        this.#state = STATE.number;
        this.#token = this.#tokenOfValue();
        this.#scalarEnds(bytes, at, end);
        at = end;
      }
      this.#state = STATE.after;
      const behind = bytes[at]!;
      if (behind === OCTET.comma) at = this.#next(at);
      else if (behind === OCTET.closeBrace || behind === OCTET.closeBracket) at = this.#close(at, behind);
    }
    return at;
  }

  /** A name that says what its octets are. */
  #plainName(bytes: Buffer, start: number, end: number): void {
    withinBound(end - start, MOST.name, 'a name in it');
    this.#field = this.#fields[this.#depth - 1]?.member(bytes, start + 1, end - 1, undefined);
    if (!this.#values.looks(undefined)) return;
    const by = this.#values.name(bytes, start, end, undefined);
    if (by !== undefined) this.#replace(start, end, by);
  }

  #plainString(bytes: Buffer, start: number, end: number): void {
    const field = this.#field;
    if (field?.mask !== undefined) {
      this.#output.keep(start);
      this.#output.skip(end);
      this.#values.maskedPlainString(bytes, start, end, field, this.#output);
    } else if (this.#values.looks(field)) {
      const seen = end - start <= MOST.looked;
      const by = seen ? this.#values.string(bytes, start, end, false, field) : this.#values.unseenString();
      if (by !== undefined) this.#replace(start, end, by);
    }
  }

  #replace(start: number, end: number, by: Uint8Array): void {
    this.#output.keep(start);
    this.#output.skip(end);
    this.#output.write(by);
  }

  /** Reads a token, of which nothing was read before. @returns Where it ends. */
  #read(bytes: Buffer, at: number): number {
    const byte = bytes[at]!;
    switch (this.#state) {
      case STATE.after:
        if (byte === OCTET.comma) return this.#next(at);
        if (byte === OCTET.closeBrace || byte === OCTET.closeBracket) return this.#close(at, byte);
        break;
      case STATE.name:
        if (byte === OCTET.quote) return this.#beginName(bytes, at);
        break;
      case STATE.firstName:
        if (byte === OCTET.quote) return this.#beginName(bytes, at);
        if (byte === OCTET.closeBrace) return this.#close(at, byte);
        break;
      case STATE.colon:
        if (byte !== OCTET.colon) break;
        this.#state = STATE.value;
        return at + 1;
      case STATE.firstElement:
        if (byte === OCTET.closeBracket) return this.#close(at, byte);
        return this.#beginValue(bytes, at, byte);
      case STATE.value:
        return this.#beginValue(bytes, at, byte);
      case STATE.start:
        if (this.#framing === 'records' && byte === OCTET.recordSeparator) return at + 1;
        if (BLANK[byte] === 1) break;
        this.#values.nextDocument();
        this.#field = this.#start;
        return this.#beginValue(bytes, at, byte);
    }
    return this.#beside(at, byte);
  }

  /** What is no token that may stand here: white space, or what leads to the next document. */
  #beside(at: number, byte: number): number {
    const done = this.#state === STATE.done;
    if (BLANK[byte] === 1) {
      if (done && byte === OCTET.newline && this.#framing === 'lines') this.#state = STATE.start;
      return at + 1;
    }
    if (!done) throw notJson();
    if (this.#framing !== 'records' || byte !== OCTET.recordSeparator)
      throw unreadable('something follows the JSON value');
    this.#state = STATE.start;
    return at + 1;
  }

  /** Behind a comma. */
  #next(at: number): number {
    this.#state = this.#isObject[this.#depth - 1] === 1 ? STATE.name : STATE.value;
    this.#field = this.#fields[this.#depth - 1];
    return at + 1;
  }

  #beginValue(bytes: Buffer, at: number, byte: number): number {
    if (byte === OCTET.quote) return this.#beginString(bytes, at, this.#tokenOfValue());
    if (byte === OCTET.openBrace || byte === OCTET.openBracket) return this.#open(at, byte);
    if (IN_NUMBER[byte] === 1) this.#state = STATE.number;
    else if (IN_WORD[byte] === 1) this.#state = STATE.word;
    else return this.#beside(at, byte);
    this.#token = this.#tokenOfValue();
    return this.#scalar(bytes, at, at);
  }

  #tokenOfValue(): number {
    if (this.#muted !== -1) return TOKEN.shown;
    if (this.#field?.mask !== undefined) return TOKEN.masked;
    return this.#values.looks(this.#field) ? TOKEN.looked : TOKEN.shown;
  }

  #open(at: number, byte: number): number {
    if (this.#depth === MOST.depth) throw unreadable(`it is deeper than ${MOST.depth} levels`);
    if (this.#muted === -1 && this.#field?.mask !== undefined) {
      this.#output.keep(at);
      this.#output.write(this.#values.maskedOther());
      this.#muted = this.#depth;
    }
    const isObject = byte === OCTET.openBrace;
    this.#isObject[this.#depth] = isObject ? 1 : 0;
    this.#fields[this.#depth] = this.#field;
    this.#depth++;
    this.#state = isObject ? STATE.firstName : STATE.firstElement;
    return at + 1;
  }

  #close(at: number, byte: number): number {
    const isObject = this.#isObject[this.#depth - 1] === 1;
    if (byte !== (isObject ? OCTET.closeBrace : OCTET.closeBracket)) throw notJson();
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
    this.#token = this.#held.addString(this.#token, bytes, start, end);
  }

  #stringEnds(bytes: Buffer, start: number, end: number): void {
    if (this.#token === TOKEN.masked) {
      this.#output.keep(start);
      this.#output.skip(end);
      return this.#writeMasked(bytes, start, end);
    }
    const by = this.#standsFor(bytes, start, end);
    if (by !== undefined) this.#replace(start, end, by);
  }

  #heldStringEnds(bytes: Buffer, start: number, end: number): void {
    this.#hold(bytes, start, end);
    const { bytes: whole } = this.#held;
    if (this.#token === TOKEN.masked) this.#writeMasked(whole, 0, whole.length);
    else this.#output.write(this.#standsFor(whole, 0, whole.length) ?? whole);
    this.#held.clear();
  }

  #writeMasked(bytes: Buffer, start: number, end: number): void {
    const seen = Math.min(end, start + MOST.masked);
    this.#values.maskedString(bytes, start, seen, this.#field!, this.#output);
  }

  /** What stands for the string from `start` to `end`, quotes too, where that is not at a masked path. */
  #standsFor(bytes: Buffer, start: number, end: number): Uint8Array | undefined {
    if (this.#token === TOKEN.name) return this.#name(bytes, start, end);
    if (this.#token === TOKEN.unseen || end - start > MOST.looked) return this.#values.unseenString();
    return this.#values.string(bytes, start, end, this.#scan.escaped, this.#field);
  }

  /** A name leads to the paths of what it names. */
  #name(bytes: Buffer, start: number, end: number): Uint8Array | undefined {
    withinBound(end - start, MOST.name, 'a name in it');
    const text =
      this.#scan.escaped || asciiEnd(bytes, start + 1) !== end - 1
        ? stringText(bytes, start, end)
        : undefined;
    if (text?.isWellFormed() === false) throw unreadable('a name in it holds half of a surrogate pair');
    this.#field = this.#fields[this.#depth - 1]?.member(bytes, start + 1, end - 1, text);
    return this.#values.name(bytes, start, end, text);
  }

  /** Reads a number or a word on, of which what stands from `start` is in this piece. */
  #scalar(bytes: Buffer, start: number, from: number): number {
    const at = this.#state === STATE.number ? numberEnd(bytes, from) : wordEnd(bytes, from);
    if (at < bytes.length) {
      this.#scalarEnds(bytes, start, at);
      this.#valueEnds();
      return at;
    }
    withinBound(this.#held.length + at - start, MOST.number, 'a number in it');
    if (this.#muted === -1 && this.#held.length === 0) this.#output.keep(start);
    this.#output.skip(at);
    this.#held.add(bytes, start, at);
    return at;
  }

  #scalarEnds(bytes: Buffer, start: number, end: number): void {
    const output = this.#output;
    if (this.#held.length === 0) {
      if (this.#hidesScalar(bytes, start, end)) this.#replace(start, end, this.#values.maskedOther());
      return;
    }
    this.#held.add(bytes, start, end);
    const { bytes: whole } = this.#held;
    const hidden = this.#hidesScalar(whole, 0, whole.length);
    output.skip(end);
    if (this.#muted === -1) output.write(hidden ? this.#values.maskedOther() : whole);
    this.#held.clear();
  }

  /** `null` tells as much as what would stand for it. @throws {HoopError} `ERR_TARGET_LOST` it is neither a number nor a word. */
  #hidesScalar(bytes: Buffer, start: number, end: number): boolean {
    withinBound(end - start, MOST.number, 'a number in it');
    const number = this.#state === STATE.number;
    if (!(number ? isNumber(bytes, start, end) : isWord(bytes, start, end))) throw notJson();
    if (this.#token === TOKEN.masked) return bytes[start] !== OCTET.n;
    return number && this.#token === TOKEN.looked && this.#values.findsInNumber(bytes, start, end);
  }
}

const NOTHING = Buffer.alloc(0);

function notJson(): Error {
  return unreadable('it is not JSON');
}
