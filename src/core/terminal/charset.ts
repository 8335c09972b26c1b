/** What a terminal can show, and how text is written for one that shows ASCII alone. */
import { escaped } from '../visible.ts';

export type Charset = 'utf-8' | 'ascii';

/** What is written on. */
export interface Paper {
  /** Columns. Infinity: nothing is folded or cut. */
  readonly width: number;
  readonly charset: Charset;
}

/**
 * By the locale, as every program finds it (POSIX, 8.2): the first of `LC_ALL`, `LC_CTYPE` and `LANG` that says something. `C` and `POSIX`
 * are ASCII, and so is whatever names no UTF-8. Where none says anything nobody knows, and terminals of today show UTF-8. Pure.
 */
export function charsetOf(env: NodeJS.ProcessEnv): Charset {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || undefined;
  // macOS says `UTF-8` alone.
  return locale === undefined || /(?:^|\.)utf-?8(?:@|$)/i.test(locale) ? 'utf-8' : 'ascii';
}

/** Each sign of ours that is beyond ASCII: in the one column that it has on a screen, and in a sentence where that has room for more. */
const GLYPHS: Readonly<Record<string, readonly [drawn: string, worded?: string]>> = {
  '…': ['~', '...'],
  '→': ['>', '->'],
  '∅': ['0', 'NULL'],
  '‹': ['<'],
  '›': ['>'],
  '’': ["'"],
  '–': ['-'],
  '×': ['x'],
  '·': ['-'],
  '●': ['*'],
  '✗': ['x'],
  '▸': ['>'],
  '▏': ['_'],
  '│': ['|'],
  '¦': [':'],
  '↑': ['^'],
  '↓': ['v'],
  '▁': ['.'],
  '▂': [':'],
  '▃': ['-'],
  '▄': ['='],
  '▅': ['+'],
  '▆': ['*'],
  '▇': ['%'],
  '█': ['#'],
};

const BEYOND_ASCII = /[^\0-\x7f]/gu;

/** A part of a screen: signs of ours keep their columns, whatever else is beyond ASCII is escaped. Pure. */
export function drawn(text: string, charset: Charset): string {
  return inAscii(text, charset, (character) => GLYPHS[character]?.[0]);
}

/** A sentence, with its signs in as many letters as they take. Pure. */
export function worded(text: string, charset: Charset): string {
  return inAscii(text, charset, (character) => GLYPHS[character]?.[1] ?? GLYPHS[character]?.[0]);
}

/** What somebody decides by: every character beyond ASCII is escaped, so that none passes for another. Pure. */
export function exact(text: string, charset: Charset): string {
  return inAscii(text, charset, () => undefined);
}

/** What a stranger's program drew, which counts columns itself: what we have no sign for is `?`. Pure. */
export function placed(character: string, charset: Charset): string {
  return inAscii(character, charset, (one) => GLYPHS[one]?.[0] ?? '?');
}

function inAscii(text: string, charset: Charset, sign: (character: string) => string | undefined): string {
  if (charset === 'utf-8') return text;
  return text.replace(BEYOND_ASCII, (character) => sign(character) ?? escaped(character));
}
