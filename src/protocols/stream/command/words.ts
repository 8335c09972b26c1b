/**
 * Splits the text of an `exec` into words where every shell would split it alike: dash, bash, ksh, zsh and fish, whatever
 * the locale. Nothing is expanded. A text that any of them might read otherwise is shell syntax, and has no words.
 *
 * @see POSIX.1-2017, Shell Command Language §2.2 (quoting) and §2.3 (token recognition)
 */

/** Longer texts are not read: code units of UTF-16. */
const MAX_TEXT = 64 * 1024;
const MAX_WORDS = 4096;

/** What stands for itself without quotes, wherever it stands in a word: no operator, expansion or pattern of any shell. */
const PLAIN = /[A-Za-z0-9_\-./:,+@%=]/;
/** Beyond ASCII: letters, marks and numbers. Their octets 85 and A0 are blanks to a shell in a locale of one octet. */
const PLAIN_LETTER = /[\p{L}\p{M}\p{N}]/u;
const BLANK_OCTETS = /[\x85\xa0]/;
/** Within quotes: whatever is a character. fish keeps marks of its own among those that are none. */
const QUOTABLE = /[^\p{Cc}\p{Co}\p{Cn}\p{Cs}\u2028\u2029\ufffd]/u;
/** A backslash before one of these is that character, in every shell. Before a letter fish reads an escape. */
const ESCAPABLE = /[ !"#$%&'()*+,./:;<=>?@[\\\]^_`{|}~-]/;
/** Within double quotes, and no other: before a backtick fish keeps the backslash. */
const ESCAPABLE_QUOTED = /["$\\]/;
const ASCII_ONLY = /^[\0-\x7f]$/;

/**
 * Words that begin a command as grammar and not as a program, quoted or not (fish looks through quotes), and those that
 * zsh drops before the program.
 */
const GRAMMAR = new Set(
  (
    'if then else elif fi for in do done case esac while until function select time coproc ' +
    'repeat foreach end nocorrect noglob - always begin and or not switch declare typeset local export readonly ' +
    'float integer private'
  ).split(' '),
);

/**
 * @param text Decoded strictly: what was no UTF-8 stands there as U+FFFD, and is shell syntax.
 * @returns One word or more, the first of them the program; undefined: shell syntax. Pure, linear, never throws.
 */
export function wordsOf(text: string): readonly string[] | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const reader = new WordReader(text);
  const words: string[] = [];
  for (;;) {
    const word = reader.next(words.length === 0);
    if (word === 'end') break;
    if (word === 'syntax' || words.length === MAX_WORDS) return undefined;
    words.push(word.text);
  }
  const [program] = words;
  return program === undefined || GRAMMAR.has(program) ? undefined : words;
}

/** @returns The words as one text that `wordsOf` and every shell reads as these words. Pure. */
export function textOfWords(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

function quoted(word: string, index: number): string {
  const plain = index === 0 ? /^[\w./:,+@-][\w./:,+@%-]*$/ : /^[\w./:,+@-][\w./:,+@%=-]*$/;
  if (plain.test(word)) return word;
  return `'${word.replace(/['\\]/g, (character) => `'\\${character}'`)}'`;
}

type Word = { readonly text: string } | 'end' | 'syntax';

class WordReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @param first Of the program: what looks like an assignment there is one. */
  next(first: boolean): Word {
    while (this.#text[this.#at] === ' ') this.#at++;
    if (this.#at >= this.#text.length) return 'end';
    let word = '';
    for (;;) {
      const character = this.#character();
      if (character === '' || character === ' ') return { text: word };
      // `=cmd` is a path to zsh, behind empty quotes too, and `%1` a process to fish.
      const part = word === '' && /[=%]/.test(character) ? undefined : this.#part(character, first);
      if (part === undefined) return 'syntax';
      word += part;
    }
  }

  /** What a quoted or a bare part of a word stands for; undefined: not certain. */
  #part(character: string, first: boolean): string | undefined {
    this.#at += character.length;
    if (character === "'") return this.#single();
    if (character === '"') return this.#double();
    if (character === '\\') return this.#escaped();
    if (character === '=' && first) return undefined;
    return isPlain(character) && !this.#swallows(character) ? character : undefined;
  }

  #character(): string {
    const point = this.#text.codePointAt(this.#at);
    return point === undefined ? '' : String.fromCodePoint(point);
  }

  /** In some locales the last octet of a character and a backslash behind it are one character. */
  #swallows(character: string): boolean {
    return !ASCII_ONLY.test(character) && this.#text[this.#at] === '\\';
  }

  #escaped(): string | undefined {
    const character = this.#text[this.#at++] ?? '';
    return ESCAPABLE.test(character) ? character : undefined;
  }

  #single(): string | undefined {
    const end = this.#text.indexOf("'", this.#at);
    if (end === -1) return undefined;
    const inner = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    // To fish a backslash before these is an escape, here too.
    return /\\(?:\\|$)/.test(inner) || ![...inner].every(isQuotable) ? undefined : inner;
  }

  #double(): string | undefined {
    let inner = '';
    for (;;) {
      const character = this.#character();
      this.#at += character.length;
      if (character === '"') return inner;
      if (/^[`$]?$/.test(character) || !isQuotable(character) || this.#swallows(character)) return undefined;
      if (character !== '\\') inner += character;
      else {
        const next = this.#text[this.#at] ?? '';
        if (next === '`') return undefined;
        if (ESCAPABLE_QUOTED.test(next)) this.#at++;
        inner += ESCAPABLE_QUOTED.test(next) ? next : '\\';
      }
    }
  }
}

function isPlain(character: string): boolean {
  if (ASCII_ONLY.test(character)) return PLAIN.test(character);
  return PLAIN_LETTER.test(character) && !BLANK_OCTETS.test(Buffer.from(character).toString('latin1'));
}

function isQuotable(character: string): boolean {
  return QUOTABLE.test(character);
}
