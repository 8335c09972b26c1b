import type { Detects } from '../pieces/detects.ts';
import { withinBound } from '../pieces/octets.ts';
import { Output } from '../pieces/output.ts';
import type { PieceMasker } from '../pieces/piece-masker.ts';
import { unreadable } from '../pieces/unreadable.ts';
import { Utf8Check } from '../pieces/utf8.ts';
import type { FieldState } from './field-states.ts';
import { BLANK, IN_NUMBER, IN_WORD, numberEnd, stringText, wordEnd } from './grammar.ts';
import { HeldToken } from './held-token.ts';
import { JsonValues, NOT_JSON } from './json-values.ts';
import { MAX_NAME, type Member } from './members.ts';
import { Place } from './place.ts';
import { BOM, MOST, OCTET, STATE, TOKEN } from './states.ts';
import { asciiEnd, plainEnd, quietEnd, StringScan } from './string-scan.ts';

// Constants of this file are in the code that V8 makes of it; those of another are looked up there each time.
const { value: VALUE, firstElement: FIRST_ELEMENT, name: NAME, firstName: FIRST_NAME, after: AFTER } = STATE;
const { quote: QUOTE, colon: COLON, comma: COMMA } = OCTET;
const { openBrace: OPEN_BRACE, openBracket: OPEN_BRACKET } = OCTET;
const { closeBrace: CLOSE_BRACE, closeBracket: CLOSE_BRACKET } = OCTET;
const [SHOWN, BLANKS] = [TOKEN.shown, BLANK];

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
export class JsonMasker implements PieceMasker {
  readonly #framing: JsonFraming;
  readonly #values: JsonValues;
  readonly #utf8 = new Utf8Check();
  readonly #output = new Output();
  /** The beginning of a token whose end has not come. */
  readonly #held = new HeldToken();
  readonly #place: Place;
  /** The piece that is being read. */
  #view: DataView = NO_VIEW;
  #state: number = STATE.start;
  #token: number = SHOWN;
  readonly #scan = new StringScan();
  /** The string that is being read is a name. */
  #isName = false;
  #bom = 0;

  constructor(fields: FieldState | undefined, detects: Detects | undefined, framing: JsonFraming = 'one') {
    this.#framing = framing;
    this.#values = new JsonValues(detects, (inner) => new JsonMasker(inner, detects));
    this.#place = new Place(this.#values.member(fields, undefined));
  }

  get maskedValues(): number {
    return this.#values.maskedValues;
  }

  push(chunk: Uint8Array): Uint8Array | undefined {
    if (chunk.length === 0) return undefined;
    this.#utf8.push(chunk);
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const output = this.#output;
    this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    output.begin(bytes);
    let at = this.#goOn(bytes);
    while (at < bytes.length) {
      at = this.#plain(bytes, at);
      if (at < bytes.length) at = this.#read(bytes, at);
    }
    if (this.#place.isUnseen) output.skip(bytes.length);
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
    if (this.#bom > 0) throw unreadable(NOT_JSON);
    this.#bom = BOM.length;
    return at;
  }

  /**
   * Reads members and elements as most programs write them: whole tokens without escapes. One loop, since most of what reading
   * costs is the way from token to token.
   *
   * @returns Where something else stands: `#read` takes anything.
   */
  #plain(bytes: Buffer, from: number): number {
    const last = bytes.length - 1;
    const foreseen = bytes.length - MAX_NAME;
    const view = this.#view;
    const place = this.#place;
    let state = this.#state;
    let { member, inObject } = place;
    // Whole numbers alone: V8 reckons with others wherever a caller could give one.
    let at = from | 0;
    while (at < last) {
      if (state === NAME || state === FIRST_NAME) {
        const next = at <= foreseen ? member.following(view, at) : undefined;
        if (next !== undefined) {
          member = next;
          at += next.length;
        } else if (BLANKS[bytes[at]!] === 1) {
          at++;
          continue;
        } else {
          const end = bytes[at] === QUOTE ? asciiEnd(bytes, at + 1) : last;
          if (end >= last || bytes[end] !== QUOTE || bytes[end + 1] !== COLON) break;
          place.member = member;
          const by = place.isUnseen ? undefined : this.#meet(bytes, at, end + 1, undefined);
          if (by !== undefined) this.#replace(at, end + 1, by);
          member = place.member;
          at = end + 2;
        }
        state = VALUE;
        if (at >= last) break;
      }
      const byte = bytes[at]!;
      if (state === VALUE || state === FIRST_ELEMENT) {
        if (byte === QUOTE) {
          const telling = member.glanced ? quietEnd(bytes, at + 1) : at + 1;
          const end = plainEnd(bytes, telling);
          if (end >= last || bytes[end] !== QUOTE) break;
          if (member.token !== SHOWN) this.#plainString(bytes, at, end + 1, telling, member);
          at = end + 1;
        } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
          place.member = member;
          this.#open(at++, byte);
          state = this.#state;
          member = place.member;
          inObject = byte === OPEN_BRACE;
          continue;
        } else if (BLANKS[byte] === 1) {
          at++;
          continue;
        } else {
          const end = IN_NUMBER[byte] === 1 ? numberEnd(bytes, at + 1) : bytes.length;
          if (end > last) break;
          if (this.#values.hidesScalar(bytes, at, end, member))
            this.#replace(at, end, this.#values.maskedOther());
          at = end;
        }
        state = AFTER;
      }
      if (state !== AFTER) break;
      const behind = bytes[at]!;
      if (behind === COMMA) {
        at++;
        state = inObject ? NAME : VALUE;
      } else if (behind === CLOSE_BRACE || behind === CLOSE_BRACKET) {
        this.#close(at++, behind);
        state = this.#state;
        ({ member, inObject } = place);
      } else if (BLANKS[behind] === 1) at++;
      else break;
    }
    this.#state = state;
    place.member = member;
    return at;
  }

  /** @param telling No octet before it is one that a detector starts from. */
  #plainString(bytes: Buffer, start: number, end: number, telling: number, member: Member): void {
    if (member.token === TOKEN.masked) {
      this.#output.keep(start);
      this.#output.skip(end);
      return this.#values.maskedPlainString(bytes, start, end, member.field!, this.#output);
    }
    const seen = end - start <= MOST.looked;
    const by = seen
      ? this.#values.string(bytes, start, end, false, member, telling)
      : this.#values.unseenString();
    if (by !== undefined) this.#replace(start, end, by);
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
        if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return this.#close(at, byte);
        if (byte !== COMMA) break;
        this.#state = this.#place.inObject ? NAME : VALUE;
        return at + 1;
      case NAME:
      case FIRST_NAME:
        if (byte === QUOTE) return this.#beginName(bytes, at);
        if (byte === CLOSE_BRACE && this.#state === FIRST_NAME) return this.#close(at, byte);
        break;
      case STATE.colon:
        if (byte !== COLON) break;
        this.#state = VALUE;
        return at + 1;
      case VALUE:
      case FIRST_ELEMENT:
        if (byte === CLOSE_BRACKET && this.#state === FIRST_ELEMENT) return this.#close(at, byte);
        return this.#beginValue(bytes, at, byte);
      case STATE.start:
        if (this.#framing === 'records' && byte === OCTET.recordSeparator) return at + 1;
        if (BLANKS[byte] === 1) break;
        this.#values.nextDocument();
        this.#place.begin();
        return this.#beginValue(bytes, at, byte);
    }
    return this.#beside(at, byte);
  }

  /** What is no token that may stand here: white space, or what leads to the next document. */
  #beside(at: number, byte: number): number {
    const done = this.#state === STATE.done;
    if (BLANKS[byte] === 1) {
      if (done && byte === OCTET.newline && this.#framing === 'lines') this.#state = STATE.start;
      return at + 1;
    }
    if (!done) throw unreadable(NOT_JSON);
    if (this.#framing !== 'records' || byte !== OCTET.recordSeparator)
      throw unreadable('something follows the JSON value');
    this.#state = STATE.start;
    return at + 1;
  }

  #beginValue(bytes: Buffer, at: number, byte: number): number {
    if (byte === QUOTE) return this.#beginString(bytes, at, this.#place.member.token);
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return this.#open(at, byte);
    if (IN_NUMBER[byte] === 1) this.#state = STATE.number;
    else if (IN_WORD[byte] === 1) this.#state = STATE.word;
    else return this.#beside(at, byte);
    return this.#scalar(bytes, at, at);
  }

  #open(at: number, byte: number): number {
    const isObject = byte === OPEN_BRACE;
    if (this.#place.open(isObject)) {
      this.#output.keep(at);
      this.#output.write(this.#values.maskedOther());
    }
    this.#state = isObject ? FIRST_NAME : FIRST_ELEMENT;
    return at + 1;
  }

  #close(at: number, byte: number): number {
    const place = this.#place;
    if (byte !== (place.inObject ? CLOSE_BRACE : CLOSE_BRACKET)) throw unreadable(NOT_JSON);
    if (place.close()) this.#output.skip(at + 1);
    this.#valueEnds();
    return at + 1;
  }

  #valueEnds(): void {
    this.#state = this.#place.atEnd ? STATE.done : AFTER;
  }

  #beginName(bytes: Buffer, at: number): number {
    this.#isName = true;
    return this.#beginString(bytes, at, this.#place.isUnseen ? SHOWN : TOKEN.name);
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
      if (this.#token !== SHOWN) this.#hold(bytes, start, bytes.length);
      return bytes.length;
    }
    if (this.#held.length > 0 || this.#token === TOKEN.unseen) this.#heldStringEnds(bytes, start, end);
    else if (this.#token !== SHOWN) this.#stringEnds(bytes, start, end);
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
    this.#values.maskedString(bytes, start, seen, this.#place.member.field!, this.#output);
  }

  /** What stands for the string from `start` to `end`, quotes too, where that is not at a masked path. */
  #standsFor(bytes: Buffer, start: number, end: number): Uint8Array | undefined {
    if (this.#token === TOKEN.name) return this.#name(bytes, start, end);
    if (this.#token === TOKEN.unseen || end - start > MOST.looked) return this.#values.unseenString();
    return this.#values.string(bytes, start, end, this.#scan.escaped, this.#place.member);
  }

  /** A name leads to the paths of what it names. */
  #name(bytes: Buffer, start: number, end: number): Uint8Array | undefined {
    const text =
      this.#scan.escaped || asciiEnd(bytes, start + 1) !== end - 1
        ? stringText(bytes, start, end)
        : undefined;
    if (text?.isWellFormed() === false) throw unreadable('a name in it holds half of a surrogate pair');
    return this.#meet(bytes, start, end, text);
  }

  #meet(bytes: Buffer, start: number, end: number, text: string | undefined): Uint8Array | undefined {
    const { by, member } = this.#values.met(bytes, start, end, text, this.#place.owner);
    const again = by === undefined && bytes[end] === COLON;
    this.#place.meet(member, again ? this.#view : undefined, start, end + 1);
    return by;
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
    if (!this.#place.isUnseen && this.#held.length === 0) this.#output.keep(start);
    this.#output.skip(at);
    this.#held.add(bytes, start, at);
    return at;
  }

  #scalarEnds(bytes: Buffer, start: number, end: number): void {
    const output = this.#output;
    if (this.#held.length === 0) {
      if (this.#values.hidesScalar(bytes, start, end, this.#place.member))
        this.#replace(start, end, this.#values.maskedOther());
      return;
    }
    this.#held.add(bytes, start, end);
    const { bytes: whole } = this.#held;
    const hidden = this.#values.hidesScalar(whole, 0, whole.length, this.#place.member);
    output.skip(end);
    if (!this.#place.isUnseen) output.write(hidden ? this.#values.maskedOther() : whole);
    this.#held.clear();
  }
}

const NOTHING = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));
