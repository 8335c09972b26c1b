import type { LiteralSpan } from '../facts/facts.ts';
import { eachToken } from './plain-lexer.ts';

/** Token numbers of PostgreSQL's lexer as libpg-query's `scan` gives them. */
const KINDS: ReadonlyMap<number, LiteralSpan['kind']> = new Map([
  [260, 'number'], // FCONST
  [261, 'string'], // SCONST: '…', E'…', $tag$…$tag$
  [262, 'string'], // USCONST: U&'…'
  [263, 'string'], // BCONST
  [264, 'string'], // XCONST
  [266, 'number'], // ICONST
  [275, 'comment'], // -- …
  [276, 'comment'], // /* … */
]);

interface Token {
  readonly start: number;
  readonly end: number;
  readonly tokenType: number;
}

/** Keeps the tokens that may hold data: literals and comments. Pure. */
export function literalSpans(tokens: readonly Token[]): LiteralSpan[] {
  const spans: LiteralSpan[] = [];
  for (const { start, end, tokenType } of tokens) {
    const kind = KINDS.get(tokenType);
    if (kind !== undefined) spans.push({ start, end, kind });
  }
  return spans;
}

/** The same of a text that is written plainly, at a fortieth of the cost; undefined for all others. Pure. */
export function plainLiterals(text: string): LiteralSpan[] | undefined {
  const spans: LiteralSpan[] = [];
  const known = eachToken(text, ({ kind, start, end }) => {
    if (kind === 'string') spans.push({ start, end, kind });
    else if (kind === 'number' || kind === 'long') spans.push({ start, end, kind: 'number' });
    return true;
  });
  return known ? spans : undefined;
}

const ERASED = { string: "'***'", number: '***', comment: '/***/' } as const;

/**
 * Erases what may be data from a statement's text: every string literal, every comment, every number of more than four
 * digits. For audit texts of statements that touch masked tables. Pure.
 *
 * @param text The text that was parsed, or its beginning.
 * @param literals Its spans, in order, in octets of UTF-8.
 */
export function maskLiterals(text: string, literals: readonly LiteralSpan[]): string {
  if (literals.length === 0) return text;
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, kind } of literals) {
    if (start >= bytes.length) break;
    const literal = bytes.toString('utf8', start, end);
    if (kind === 'number' && literal.replace(/[^0-9A-Fa-f]/g, '').length <= 4) continue;
    parts.push(bytes.toString('utf8', from, start), ERASED[kind]);
    from = end;
  }
  parts.push(bytes.toString('utf8', from));
  return parts.join('');
}
