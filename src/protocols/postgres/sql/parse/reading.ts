import { scanSync } from 'libpg-query';
import type { NewerSyntax } from '../facts/newer-syntax.ts';
import { scannable } from '../tokens/scannable.ts';
import { isNewerNumber, isPlainName, NEWER_NUMBERS_SINCE } from './keywords.ts';

/** A text as a server of an older major reads it, in words of the grammar that parses. */
export interface Reading {
  readonly text: string;
  /** Where in the original a place of `text` is; both in characters. */
  readonly original: (position: number) => number;
  /** What only a newer major has. */
  readonly newer?: NewerSyntax;
}

/** Token numbers of PostgreSQL's lexer as libpg-query's `scan` gives them. */
const [IDENTIFIER, FCONST, ICONST, SQL_COMMENT, C_COMMENT] = [258, 260, 266, 275, 276];
/** In `IS JSON`, `IS NOT JSON` and `FORMAT JSON` the word is 16's keyword; anywhere else a name. */
const BEFORE_JSON: ReadonlySet<string> = new Set(['is', 'not', 'format']);
/** Longest piece of a text that a refusal quotes. */
const QUOTED_CHARS = 40;

/**
 * Puts quotes around each word that the target's lexer takes for an identifier and the grammar's for a keyword: what is
 * parsed then is what the target parses.
 *
 * @param text SQL that `readsOtherwise` at that major.
 * @throws {SyntaxError} The lexer does not accept it.
 */
export function readAs(text: string, major: number): Reading {
  const octets = Buffer.from(text);
  const parts: string[] = [];
  const quotes: number[] = [];
  let newer: Reading['newer'];
  let [from, before] = [0, ''];
  for (const token of scanSync(scannable(text)).tokens) {
    const { start, end, tokenType } = token;
    const word = octets.toString('utf8', start, end).toLowerCase();
    const number = tokenType === ICONST || tokenType === FCONST;
    if (number && major < NEWER_NUMBERS_SINCE && isNewerNumber(word)) {
      newer ??= { what: `the number ${word.slice(0, QUOTED_CHARS)}`, since: NEWER_NUMBERS_SINCE };
    }
    const keyword16 = major === NEWER_NUMBERS_SINCE && word === 'json' && BEFORE_JSON.has(before);
    if (tokenType !== IDENTIFIER && !number && isPlainName(word, major) && !keyword16) {
      parts.push(octets.toString('utf8', from, start), `"${word}"`);
      quotes.push(octets.toString('utf8', 0, start).length);
      from = end;
    }
    if (tokenType !== SQL_COMMENT && tokenType !== C_COMMENT) before = word;
  }
  const read = parts.join('') + octets.toString('utf8', from);
  return { text: read, original: shiftedBack(quotes), ...(newer === undefined ? {} : { newer }) };
}

/** @param quotes Places in the original, in order, of the words that got two quotes more. */
function shiftedBack(quotes: readonly number[]): (position: number) => number {
  return (position) => {
    let added = 0;
    for (const at of quotes) if (at + added < position) added += 2;
    return Math.max(0, position - added);
  };
}
