import type { LiteralSpan } from '../facts/facts.ts';
import { eachToken, type Token } from './plain-lexer.ts';

/** A text with its neutral literals erased. */
export interface Template {
  /** Equal for texts that differ in nothing but neutral literals of the same kind. */
  readonly key: string;
  /** All literals of this text, erased or not: as the grammar's own lexer would list them. */
  readonly literals: readonly LiteralSpan[];
}

/** Stands for an erased literal: no text that the lexer accepts holds a control character. */
const ERASED = { number: '\u0001', string: '\u0002' } as const;

const READ_BY_TEMPLATE: ReadonlySet<string> = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
const COMPARISONS: ReadonlySet<string> = new Set(['=', '<', '>', '<=', '>=', '<>', '!=']);
/** What may stand before the column of a comparison. */
const BEFORE_COLUMN: ReadonlySet<string> = new Set(['WHERE', 'AND', 'OR', 'ON', 'HAVING', 'SET', '(', ',']);
/** What may stand behind an erased literal: nothing that would make it part of something larger. */
const BEHIND: ReadonlySet<string> = new Set([
  'AND',
  'OR',
  ')',
  ',',
  ';',
  'WHERE',
  'RETURNING',
  'GROUP',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'FOR',
  'ON',
  'UNION',
]);
/** Longer texts are parsed. */
const MAX_CHARS = 8192;
/** Tokens in one text; more are not worth it. */
const MAX_TOKENS = 512;

/**
 * Erases those literals of a statement that cannot change what it does, so that a client that writes a new value into its
 * text each time is understood once. Pure.
 *
 * A literal is erased only where the grammar makes nothing of its value and none of our facts speaks of it: compared
 * with a column (`WHERE id = 5`, `id IN (5, 6)`), added to one in SET (`a = a + 5`), or in the VALUES of an INSERT. All
 * others stay in the key: in function calls, casts, ORDER BY, LIMIT, output lists, and in conditions that could hold for
 * every row (a literal on both sides, `NOT`). The number and kinds of tokens, and so the parse, are the same for all texts
 * with one key.
 *
 * @param text One text, as sent.
 * @returns Undefined for a text in which anything is not certain: it is parsed for itself.
 * @see docs/decisions/0008-templates.md
 */
export function templateOf(text: string): Template | undefined {
  const tokens = tokensOf(text);
  if (tokens === undefined || !readByTemplate(tokens)) return undefined;
  const literals: LiteralSpan[] = [];
  let key = '';
  let from = 0;
  const places = new Places(tokens);
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const neutral = places.isNeutral(i);
    if (token.kind !== 'number' && token.kind !== 'string') continue;
    literals.push({ start: token.start, end: token.end, kind: token.kind });
    if (!neutral) continue;
    key += text.slice(from, token.start) + ERASED[token.kind];
    from = token.end;
  }
  return { key: key + text.slice(from), literals };
}

/** @returns Undefined if there are too many, or one that templates do not take. */
function tokensOf(text: string): Token[] | undefined {
  if (text.length > MAX_CHARS) return undefined;
  const tokens: Token[] = [];
  const taken = eachToken(text, (token) => {
    const isTaken = token.kind !== 'other' && token.kind !== 'long' && tokens.length < MAX_TOKENS;
    if (isTaken) tokens.push(token);
    return isTaken;
  });
  return taken ? tokens : undefined;
}

/** One statement of a kind that is known, without what could make its condition hold for every row by a literal. */
function readByTemplate(tokens: readonly Token[]): boolean {
  const verb = tokens[0]?.word ?? '';
  if (!READ_BY_TEMPLATE.has(verb)) return false;
  const end = tokens.findIndex(({ word }) => word === ';');
  if (end !== -1 && end !== tokens.length - 1) return false;
  return verb === 'SELECT' || !tokens.some(({ word }) => word === 'NOT');
}

type Paren = 'plain' | 'call' | 'values' | 'in';

/** Walks the tokens once and knows in which parentheses each stands. */
class Places {
  readonly #tokens: readonly Token[];
  readonly #open: Paren[] = [];
  #calls = 0;
  #closed: Paren | undefined;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** To be asked for each token, in order. */
  isNeutral(at: number): boolean {
    const { kind, word } = this.#tokens[at]!;
    if (word === '(') this.#enter(at);
    else if (word === ')') this.#leave();
    if (kind !== 'number' && kind !== 'string') return false;
    const next = this.#word(at + 1);
    if (this.#calls > 0 || !(next === '' || BEHIND.has(next))) return false;
    return this.#isListed(at, next) || this.#isCompared(at) || this.#isAdded(at);
  }

  #word(at: number): string {
    return this.#tokens[at]?.word ?? '';
  }

  #isColumn(at: number): boolean {
    return this.#tokens[at]?.kind === 'name';
  }

  #enter(at: number): void {
    const before = this.#word(at - 1);
    let paren: Paren = 'plain';
    if (this.#isColumn(at - 1)) paren = 'call';
    else if (before === 'IN') paren = this.#isColumn(at - 2) ? 'in' : 'plain';
    else if (before === 'VALUES') paren = this.#word(0) === 'INSERT' ? 'values' : 'plain';
    else if (before === ',' && this.#closed === 'values' && this.#word(at - 2) === ')') paren = 'values';
    this.#open.push(paren);
    if (paren === 'call') this.#calls++;
  }

  #leave(): void {
    this.#closed = this.#open.pop();
    if (this.#closed === 'call') this.#calls--;
  }

  /** An element of `VALUES (…)` or `column IN (…)`, perhaps with a minus. */
  #isListed(at: number, next: string): boolean {
    const paren = this.#open.at(-1);
    if (paren !== 'values' && paren !== 'in') return false;
    const before = this.#word(at - 1) === '-' ? this.#word(at - 2) : this.#word(at - 1);
    return (before === '(' || before === ',') && (next === ',' || next === ')');
  }

  /** `column = 5`, `t.column >= -5`. */
  #isCompared(at: number): boolean {
    const operator = this.#word(at - 1) === '-' ? at - 2 : at - 1;
    return COMPARISONS.has(this.#word(operator)) && this.#beginsWithColumn(operator - 1);
  }

  /** `column = column + 5`, `column = column + -5`: of SET, or of a comparison that can never hold by itself. */
  #isAdded(at: number): boolean {
    const sign = this.#word(at - 1);
    if (sign !== '+' && sign !== '-') return false;
    const before = this.#word(at - 2);
    const operator = before === '+' || before === '-' ? at - 2 : at - 1;
    if (!this.#isColumn(operator - 1) || this.#word(operator - 2) !== '=') return false;
    return this.#beginsWithColumn(operator - 3);
  }

  /** Whether the token is a column's name, with or without its table's, that begins an expression. */
  #beginsWithColumn(at: number): boolean {
    if (!this.#isColumn(at)) return false;
    const first = this.#word(at - 1) === '.' && this.#isColumn(at - 2) ? at - 2 : at;
    return BEFORE_COLUMN.has(this.#word(first - 1));
  }
}
