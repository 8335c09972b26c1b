/**
 * What the terminal UI draws with: lines of spans. Whatever text comes into a span is made safe there, so that no part of
 * a screen can be forgotten.
 */

import type { Paper } from '../../../core/terminal/charset.ts';
import { type Charset, drawn } from '../../../core/terminal/charset.ts';
import { allVisible } from '../../../core/visible.ts';
import { cut, displayWidth } from '../../render/text.ts';

/** What a span means; how that looks is decided where it is drawn, with colours or without. */
export type Tone =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'good'
  | 'bad'
  | 'warn'
  | 'accent'
  | 'chosen'
  /** Black on white, for cameras. */
  | 'code'
  /** All black, for them as well. */
  | 'ink';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export const NOTHING: Line = [];

/** Text of anybody, so that nothing in it moves the cursor, hides or changes the order of letters. */
export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: allVisible(text), tone };
}

/** A line of one span. */
export function line(text: string, tone: Tone = 'plain'): Line {
  return [span(text, tone)];
}

export function widthOf(spans: Line): number {
  return spans.reduce((sum, { text }) => sum + displayWidth(text), 0);
}

/** Cuts or fills a line so that it takes `width` columns exactly. Pure. */
export function fitted(spans: Line, width: number): Line {
  const taken: Span[] = [];
  let left = Math.max(0, width);
  for (const one of spans) {
    if (left === 0) break;
    const text = cut(one.text, left);
    taken.push({ ...one, text });
    left -= displayWidth(text);
    if (text !== one.text) break;
  }
  return left > 0 ? [...taken, { text: ' '.repeat(left), tone: 'plain' }] : taken;
}

/** A line as the terminal can show it. What is made of letters of strangers may take more columns then. Pure. */
export function inCharset(spans: Line, charset: Charset): Line {
  return charset === 'utf-8' ? spans : spans.map(({ text, tone }) => ({ text: drawn(text, charset), tone }));
}

/** The same in another tone throughout. */
export function toned(spans: Line, tone: Tone): Line {
  return [{ text: spans.map(({ text }) => text).join(''), tone }];
}

/** One text on the left and one on the right of a line; where both do not fit, the left one is cut. */
export function ends(left: Line, right: Line, width: number): Line {
  const rightWidth = Math.min(width, widthOf(right));
  const gap = rightWidth > 0 && rightWidth < width ? 1 : 0;
  return [...fitted(left, width - rightWidth - gap), ...fitted([], gap), ...fitted(right, rightWidth)];
}

/** Breaks text into lines of at most `columns`, at blanks where there are any; a wide letter takes a line of one. Pure. */
export function wrapped(text: string, columns: number): readonly string[] {
  const width = Math.max(1, columns);
  const lines: string[] = [];
  let current = '';
  for (const word of allVisible(text).split(/(?<= )/)) {
    if (current !== '' && displayWidth(current + word.trimEnd()) > width) {
      lines.push(current.trimEnd());
      current = '';
    }
    current += word;
    while (displayWidth(current.trimEnd()) > width) {
      const head = headOf(current, width);
      lines.push(head);
      current = current.slice(head.length);
    }
  }
  const rest = current.trimEnd();
  return rest === '' && lines.length > 0 ? lines : [...lines, rest];
}

/** As many characters as fit; at least one. */
function headOf(text: string, width: number): string {
  let head = '';
  for (const character of text) {
    if (head !== '' && displayWidth(head + character) > width) break;
    head += character;
  }
  return head;
}

/** Names and values below each other, values broken within their column; those without a value are left out. */
export function factLines(
  facts: readonly (readonly [string, string | number | undefined, Tone?])[],
  { width, charset }: Paper,
): readonly Line[] {
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  const names = Math.min(16, Math.max(0, ...known.map(([name]) => displayWidth(name)))) + 2;
  return known.flatMap(([name, value, tone]) =>
    wrapped(drawn(String(value), charset), Math.max(8, width - names)).map((text, i) => [
      ...fitted(line(i === 0 ? name : '', 'dim'), names),
      span(text, tone),
    ]),
  );
}
