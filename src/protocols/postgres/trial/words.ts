/** The names and operators that stand in a SQL text or in the body of a function, each once. */
export interface Words {
  /** Identifiers and keywords, folded and unquoted. */
  readonly names: ReadonlySet<string>;
  /** Every operator that may be meant, and some that are not. */
  readonly operators: ReadonlySet<string>;
  /** Pairs of words that follow each other, a string being `'`: `do update`, `do '`. */
  readonly pairs: ReadonlySet<string>;
}

/** What its lexer takes for space, and no more: others are letters of a name. */
const SPACE = /[ \t\n\r\f\v]+|--[^\n\r]*/y;
/** A string goes on behind the end of a line. */
const GOES_ON = /(?:[ \t\n\r\f\v]|--[^\n\r]*)*'/y;
const NAME = /[A-Za-z_\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*/uy;
const QUOTED = /"((?:[^"]|"")*)"/y;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\u{10ffff}][\w\u0080-\u{10ffff}]*)?\$/uy;
const STRING = /'(?:[^']|'')*'/y;
const ESCAPED = /'(?:[^'\\]|''|\\[\s\S])*'/y;
const OPERATOR = /[-+*/<>=~!@#%^&|`?]+/y;
const MAX_OPERATOR = 16;
/** Octets. */
const MAX_NAME = 63;

/**
 * Reads names and operators of SQL or PL/pgSQL, as a server with `standard_conforming_strings` does. Strings and comments
 * hold none: who runs a string must say EXECUTE.
 *
 * Pure. Whatever is not certain gives more words, never fewer.
 *
 * @returns undefined where it cannot be read: something is not closed, or a name is written by escapes.
 */
export function wordsOf(text: string): Words | undefined {
  const reader = new WordReader(text);
  return reader.read() ? reader : undefined;
}

class WordReader implements Words {
  readonly names = new Set<string>();
  readonly operators = new Set<string>();
  readonly pairs = new Set<string>();
  readonly #text: string;
  #at = 0;
  #before = '';

  constructor(text: string) {
    this.#text = text;
  }

  read(): boolean {
    while (this.#at < this.#text.length) if (!this.#one()) return false;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }

  #one(): boolean {
    if (this.#match(SPACE) !== undefined) return true;
    if (this.#text.startsWith('/*', this.#at)) return this.#comment();
    const name = this.#match(NAME);
    if (name !== undefined) return this.#named(name[0]);
    const quoted = this.#match(QUOTED);
    if (quoted !== undefined) return this.#word((quoted[1] ?? '').replaceAll('""', '"'));
    const sign = this.#text[this.#at];
    if (sign === '"') return false;
    if (sign === "'") return this.#string(this.#match(STRING) !== undefined);
    const dollar = this.#match(DOLLAR);
    if (dollar !== undefined) return this.#string(this.#skipTo(dollar[0]));
    if (this.#operator()) return true;
    this.#at++;
    return true;
  }

  /** `E'…'` is a string of another kind, and `U&"…"` a name that is not read. */
  #named(name: string): boolean {
    const next = this.#text[this.#at];
    if (next === "'" && /^e$/i.test(name))
      return this.#string(this.#match(ESCAPED) !== undefined && this.#match(GOES_ON) === undefined);
    if (/^u$/i.test(name) && this.#text.startsWith('&"', this.#at)) return false;
    return this.#word(name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
  }

  #string(whole: boolean): boolean {
    this.#follows("'");
    return whole;
  }

  #follows(word: string): void {
    this.pairs.add(`${this.#before} ${word}`);
    this.#before = word;
  }

  #word(word: string): boolean {
    // It would be cut.
    if (Buffer.byteLength(word) > MAX_NAME) return false;
    this.names.add(word);
    this.#follows(word);
    return true;
  }

  /** Which of its characters the server takes together depends on them all: any of them may be one. */
  #operator(): boolean {
    const start = this.#at;
    const found = this.#match(OPERATOR)?.[0];
    if (found === undefined) return false;
    const comment = /--|\/\*/.exec(found)?.index;
    const operator = comment === undefined ? found : found.slice(0, comment);
    this.#at = start + operator.length;
    for (let from = 0; from < operator.length; from++)
      for (let to = from + 1; to <= Math.min(operator.length, from + MAX_OPERATOR); to++)
        this.operators.add(operator.slice(from, to));
    return true;
  }

  #skipTo(end: string): boolean {
    const at = this.#text.indexOf(end, this.#at);
    if (at === -1) return false;
    this.#at = at + end.length;
    return true;
  }

  #comment(): boolean {
    let depth = 0;
    do {
      if (this.#text.startsWith('/*', this.#at)) depth++;
      else if (this.#text.startsWith('*/', this.#at)) depth--;
      else if (this.#at >= this.#text.length) return false;
      else {
        this.#at++;
        continue;
      }
      this.#at += 2;
    } while (depth > 0);
    return true;
  }
}
