import { foldedName } from '../../../../masking/json/folded-name.ts';
import { type Refused, refused } from '../refusals.ts';

const MAX_DEPTH = 64;
/** Objects, arrays and scalars together: others wait while a text is read. */
export const MAX_VALUES = 262_144;

export type JsonScalar =
  | { readonly kind: 'string'; readonly text: string }
  /** As it was written: no digit is lost. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'word'; readonly text: 'true' | 'false' | 'null' };

/** Called for each string, number and word, with the names that lead to it; arrays have none. The path is reused. */
export type VisitScalar = (path: readonly string[], value: JsonScalar) => void;

/**
 * Reads a JSON text as strictly as anybody does, so that nobody reads another: RFC 8259 to the letter, and no name twice in
 * one object (however it is escaped, and in whatever case: some servers ignore it), no half of a surrogate pair, no byte
 * order mark, nothing behind the value, at most 64 levels and 262,144 values.
 *
 * Pure, linear in the text.
 *
 * @param octets Kept no longer than the call.
 * @returns Why it is refused; undefined: all of it was visited.
 * @see RFC 8259, RFC 7493
 */
export function readJson(octets: Uint8Array, visit: VisitScalar): Refused | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return refused('body-malformed', 'the body is not UTF-8');
  }
  try {
    new JsonReader(text, visit).read();
    return undefined;
  } catch (error) {
    if (error instanceof TooLarge) return refused('body-too-large', `the body ${error.message}`);
    if (error instanceof NotJson)
      return refused('body-malformed', `the body is not strict JSON: ${error.message}`);
    throw error;
  }
}

class NotJson extends Error {}
class TooLarge extends Error {}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;
const BLANK = /[ \t\n\r]*/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class JsonReader {
  readonly #text: string;
  readonly #visit: VisitScalar;
  readonly #path: string[] = [];
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string, visit: VisitScalar) {
    this.#text = text;
    this.#visit = visit;
  }

  read(): void {
    this.#value();
    if (this.#at < this.#text.length) throw new NotJson('something follows the value');
  }

  /** A value and the blanks around it. */
  #value(): void {
    if (++this.#values > MAX_VALUES) throw new TooLarge(`has more than ${MAX_VALUES} values`);
    this.#match(BLANK);
    const char = this.#text.charAt(this.#at);
    if (char === '{') this.#nested('}', () => this.#member(new Set()));
    else if (char === '[') this.#nested(']', () => () => this.#value());
    else this.#visit(this.#path, this.#scalar(char));
    this.#match(BLANK);
  }

  #nested(end: string, members: () => () => void): void {
    if (++this.#depth > MAX_DEPTH) throw new TooLarge(`is deeper than ${MAX_DEPTH} levels`);
    this.#at++;
    this.#match(BLANK);
    if (!this.#take(end)) {
      const member = members();
      do member();
      while (this.#take(','));
      if (!this.#take(end)) throw new NotJson(`${end} is missing`);
    }
    this.#depth--;
  }

  #member(seen: Set<string>): () => void {
    return () => {
      this.#match(BLANK);
      const name = this.#string();
      const folded = foldedName(name);
      if (seen.has(folded)) throw new NotJson('a name is there twice in one object');
      seen.add(folded);
      this.#match(BLANK);
      if (!this.#take(':')) throw new NotJson('a colon is missing');
      this.#path.push(name);
      this.#value();
      this.#path.pop();
    };
  }

  #scalar(first: string): JsonScalar {
    if (first === '"') return { kind: 'string', text: this.#string() };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { kind: 'number', text: number };
    const word = this.#match(WORD);
    if (word === undefined) throw new NotJson('a value is missing');
    return { kind: 'word', text: word as 'true' | 'false' | 'null' };
  }

  #string(): string {
    const start = this.#at;
    if (this.#text.charCodeAt(start) !== QUOTE) throw new NotJson('a name or a string is missing');
    for (let at = start + 1; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) {
        this.#at = at + 1;
        return unescaped(this.#text.slice(start, at + 1));
      }
    }
    throw new NotJson('a string has no end');
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at++;
    return true;
  }
}

function unescaped(literal: string): string {
  let text: string;
  try {
    text = JSON.parse(literal) as string;
  } catch {
    throw new NotJson('a string has a control character or an unknown escape');
  }
  if (!text.isWellFormed()) throw new NotJson('a string has half of a surrogate pair');
  return text;
}
