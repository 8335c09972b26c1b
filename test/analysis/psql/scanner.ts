/** A piece of a script as psql sees it: a statement, or a command of psql's own. */
export type Piece =
  | { readonly kind: 'sql'; readonly text: string }
  /** `rest`: the rest of the line, or up to the next command. */
  | { readonly kind: 'command'; readonly name: string; readonly rest: string };

const WORD = /[A-Za-z_\x80-\uffff][A-Za-z_0-9$\x80-\uffff]*/y;
const VARIABLE = /:(?:(['"])([A-Za-z_0-9\x80-\uffff]+)\1|([A-Za-z_0-9\x80-\uffff]+)|\{\?([A-Za-z_0-9]+)\})/y;
const DOLLAR = /\$(?:[A-Za-z_\x80-\uffff][A-Za-z_0-9\x80-\uffff]*)?\$/y;
const COMMAND = /\\(?:[;\\!?]|[A-Za-z_]+\+?)/y;
/** These take the line as it is, with other commands' backslashes. */
const WHOLE_LINE: ReadonlySet<string> = new Set([
  'copy',
  '!',
  'h',
  'help',
  'ef',
  'ev',
  'sf',
  'sv',
  'sf+',
  'sv+',
]);
const MAKES_ROUTINE = /^create (?:or replace )?(?:function|procedure) /;

/**
 * Splits a script as psql does: at semicolons outside of quotes, comments, brackets and bodies of routines.
 *
 * Variables are put in while it is read: whoever takes the pieces may set them between two.
 *
 * @see PostgreSQL, src/fe_utils/psqlscan.l
 */
export class PsqlScanner {
  readonly #text: string;
  readonly #variables: ReadonlyMap<string, string>;
  #at = 0;
  #buffer = '';
  #depth = 0;
  /** `BEGIN ATOMIC … END` and the CASE in it. */
  #bodies = 0;
  #words = '';
  /** Whether a backslash escapes in a plain string: `standard_conforming_strings` is off. */
  escapes = false;

  constructor(text: string, variables: ReadonlyMap<string, string>) {
    this.#text = text;
    this.#variables = variables;
  }

  next(): Piece | undefined {
    while (this.#at < this.#text.length) {
      const piece = this.#step();
      if (piece !== undefined) return piece;
    }
    return this.#buffer.trim() === '' ? undefined : { kind: 'sql', text: this.take() };
  }

  /** Lines up to one that is `\.`, or to the end: what COPY reads. */
  data(): string {
    this.#at = this.#endOfLine() + 1;
    const [from, end] = [this.#at, /^\\\.\r?$/m];
    const rest = this.#text.slice(from);
    const found = end.exec(rest);
    this.#at = found === null ? this.#text.length : from + found.index + found[0].length + 1;
    return found === null ? rest : rest.slice(0, found.index);
  }

  /** Takes what has been written of a statement so far: commands that run it do. */
  take(): string {
    const text = this.#buffer.trim();
    [this.#buffer, this.#depth, this.#bodies, this.#words] = ['', 0, 0, ''];
    return text;
  }

  #step(): Piece | undefined {
    const [letter, following] = [this.#text[this.#at] as string, this.#text[this.#at + 1]];
    if (letter === '-' && following === '-') return this.#skip(this.#endOfLine());
    if (letter === '/' && following === '*') return this.#copy(this.#endOfComment());
    if (letter === "'") return this.#copy(this.#endOfString(this.escapes || /\be$/i.test(this.#buffer)));
    if (letter === '"') return this.#copy(endOf(this.#text, '"', this.#at + 1));
    if (letter === '$') return this.#dollar();
    if (letter === ':') return this.#variable();
    if (letter === '\\') return this.#command();
    if (letter === ';' && this.#depth === 0 && this.#bodies === 0) {
      this.#at++;
      const text = this.take();
      return text.trim() === '' ? undefined : { kind: 'sql', text };
    }
    if (letter === '(') this.#depth++;
    if (letter === ')') this.#depth = Math.max(0, this.#depth - 1);
    const word = this.#match(WORD)?.[0];
    if (word !== undefined) this.#count(word.toLowerCase());
    return this.#copy(this.#at + (word?.length ?? 1));
  }

  /** Bodies of routines are closed by END, as is CASE in them. */
  #count(word: string): void {
    if (this.#words.length < 60) this.#words += `${word} `;
    if (this.#depth > 0 || !MAKES_ROUTINE.test(this.#words)) return;
    if (word === 'begin' || (word === 'case' && this.#bodies > 0)) this.#bodies++;
    if (word === 'end' && this.#bodies > 0) this.#bodies--;
  }

  #variable(): undefined {
    if (this.#text[this.#at + 1] === ':') return this.#copy(this.#at + 2);
    const found = this.#match(VARIABLE);
    if (found === undefined) return this.#copy(this.#at + 1);
    const [whole, quote, quoted, bare, asked] = found;
    const value = this.#variables.get(quoted ?? bare ?? '');
    if (asked !== undefined) this.#buffer += this.#variables.has(asked) ? 'TRUE' : 'FALSE';
    else if (value === undefined) this.#buffer += whole;
    else
      this.#buffer +=
        quote === undefined ? value : `${quote}${value.replaceAll(quote, quote + quote)}${quote}`;
    return this.#skip(this.#at + whole.length);
  }

  #command(): Piece | undefined {
    const found = this.#match(COMMAND)?.[0];
    if (found === undefined) return this.#copy(this.#at + 1);
    this.#at += found.length;
    const name = found.slice(1);
    if (name === ';') {
      this.#buffer += ';';
      return undefined;
    }
    if (name === '\\') return undefined;
    const from = this.#at;
    this.#at = WHOLE_LINE.has(name) ? this.#endOfLine() : this.#endOfArguments();
    return { kind: 'command', name, rest: this.#text.slice(from, this.#at).trim() };
  }

  #dollar(): undefined {
    const tag = /[\w$]$/.test(this.#buffer) ? undefined : this.#match(DOLLAR)?.[0];
    if (tag === undefined) return this.#copy(this.#at + 1);
    return this.#copy(endOf(this.#text, tag, this.#at + tag.length));
  }

  /** Quoted arguments may hold backslashes. */
  #endOfArguments(): number {
    const line = this.#text.slice(this.#at, this.#endOfLine());
    const found = /^(?:'(?:[^'\\]|\\.|'')*'|"[^"]*"|`[^`]*`|[^\\])*?(?=\\)/.exec(line);
    return this.#at + (found === null ? line.length : found[0].length);
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end === -1 ? this.#text.length : end;
  }

  #endOfComment(): number {
    const marks = /\/\*|\*\//g;
    marks.lastIndex = this.#at;
    let depth = 0;
    for (let mark = marks.exec(this.#text); mark !== null; mark = marks.exec(this.#text)) {
      depth += mark[0] === '/*' ? 1 : -1;
      if (depth === 0) return marks.lastIndex;
    }
    return this.#text.length;
  }

  #endOfString(escapes: boolean): number {
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      if (escapes && this.#text[at] === '\\') at++;
      else if (this.#text[at] === "'") return at + 1;
    }
    return this.#text.length;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text) ?? undefined;
  }

  #copy(to: number): undefined {
    this.#buffer += this.#text.slice(this.#at, to);
    this.#at = to;
    return undefined;
  }

  #skip(to: number): undefined {
    this.#at = to;
    return undefined;
  }
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end === -1 ? text.length : end + mark.length;
}
