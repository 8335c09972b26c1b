import { AUDIT_FILTER_WORDS } from '../api/audit-filters.ts';
import type { AuditQuery } from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { identityOf, type KeyKind, type KeyTokens } from './keys.ts';

/** Whose events a viewer may see at all. */
export interface AuditScope {
  readonly issuer: string;
  readonly subject: string;
  /** Only what this agent did on that person's or job's authority. */
  readonly agent?: string;
}

/** Ready for the index: a full-text expression, and bounds of `n`. */
export interface IndexQuery {
  /** Undefined: nothing to look for, all events in the bounds. */
  readonly match: string | undefined;
  /** Inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly before: number;
  readonly limit: number;
}

/** `n` of an index row: milliseconds × this, plus a counter. Exact in a double until the year 2109. */
export const PER_MS = 2048;
const MAX_TEXT = 1024;
const MAX_WORDS = 32;
const CHOICES: Readonly<Record<string, readonly string[]>> = AUDIT_FILTER_WORDS;

/**
 * Turns a query into an expression that cannot fail: everything a user wrote is hashed or quoted, so no word is ever
 * an operator of the full-text syntax.
 *
 * Words of `q` must all occur, in any order; `"…"` keeps words together; a word that ends in `*` matches beginnings.
 *
 * @throws {HoopError} `ERR_USAGE` a value is too long, a time is not RFC 3339, the limit or the cursor is no number.
 */
export function toIndexQuery(
  query: AuditQuery,
  scope: AuditScope | undefined,
  tokens: KeyTokens,
): IndexQuery {
  const keys = keyFilters(query, scope).map(([kind, value]) => tokens.of(kind, value));
  const words = textTerms(bounded('q', query.q) ?? '');
  const oneOf = [
    ...oneOfThese('type', query.type ?? '', tokens),
    ...oneOfThese('action', (query.action ?? '').toLowerCase(), tokens),
  ];
  const parts = [...oneOf, ...keys.map((key) => `keys : ${key}`), ...words.map((word) => `words : ${word}`)];
  const from = time('since', query.since, 0);
  const until = time('until', query.until, Number.MAX_SAFE_INTEGER / PER_MS);
  const cursor = readCursor(query.cursor);
  return {
    match: parts.length === 0 ? undefined : parts.join(' AND '),
    from: from * PER_MS,
    before: Math.min(until * PER_MS, cursor),
    limit: readLimit(query.limit, 100),
  };
}

export function writeCursor(n: number): string {
  return n.toString(36);
}

/** Any of several, by commas; nothing where none is named. */
function oneOfThese(kind: 'type' | 'action', words: string, tokens: KeyTokens): string[] {
  const keys = words
    .split(',')
    .flatMap((word) => (word === '' ? [] : [tokens.of(kind, word.replace(/\.\*$/, ''))]));
  return keys.length === 0 ? [] : [`(${keys.map((key) => `keys : ${key}`).join(' OR ')})`];
}

function keyFilters(query: AuditQuery, scope: AuditScope | undefined): [KeyKind, string][] {
  const filters: [KeyKind, string][] = [];
  for (const kind of [
    'agent',
    'person',
    'model',
    'resource',
    'session',
    'instance',
    'run',
    'approval',
    'decision',
    'outcome',
  ] as const) {
    const value = bounded(kind, query[kind]);
    if (value === undefined) continue;
    const choices = CHOICES[kind];
    if (choices?.includes(value) === false)
      throw new HoopError('ERR_USAGE', `${kind} must be one of ${choices.join(', ')}`);
    filters.push([kind, value]);
  }
  const object = bounded('object', query.object);
  if (object !== undefined) filters.push(['object', object.toLowerCase()]);
  if (scope !== undefined) filters.push(['identity', identityOf(scope.issuer, scope.subject)]);
  if (scope?.agent !== undefined) filters.push(['agent', scope.agent]);
  return filters;
}

/** Quoted for FTS5: inside double quotes only the double quote itself is special, and it is gone. */
function textTerms(q: string): string[] {
  const terms: string[] = [];
  for (const [, phrase, word] of q.matchAll(/"([^"]*)"?|([^\s"]+)/g)) {
    const prefix = word?.endsWith('*') === true ? ' *' : '';
    const text = (phrase ?? word ?? '').replaceAll('\0', ' ');
    // A term without a letter or digit has no token and could match nothing: it asks for nothing.
    if (/[\p{L}\p{N}\p{Co}]/u.test(text)) terms.push(`"${text}"${prefix}`);
  }
  if (terms.length > MAX_WORDS)
    throw new HoopError('ERR_USAGE', `at most ${MAX_WORDS} words can be searched for`);
  return terms;
}

/** @throws {HoopError} `ERR_USAGE` it is too long. */
export function bounded(name: string, value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (value.length > MAX_TEXT)
    throw new HoopError('ERR_USAGE', `${name} is longer than ${MAX_TEXT} characters`);
  return value;
}

function time(name: string, value: string | undefined, absent: number): number {
  if (value === undefined || value === '') return absent;
  const ms = /^\d{4}-\d{2}-\d{2}([Tt ]|$)/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms) || ms < 0)
    throw new HoopError('ERR_USAGE', `${name} is not a time`, { hint: 'write it as 2026-01-31T09:00:00Z' });
  return ms;
}

/** @throws {HoopError} `ERR_USAGE` it is none from 1 to 1000. */
export function readLimit(value: string | undefined, otherwise: number): number {
  if (value === undefined || value === '') return otherwise;
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > 1000) throw new HoopError('ERR_USAGE', 'limit must be a number from 1 to 1000');
  return limit;
}

function readCursor(value: string | undefined): number {
  if (value === undefined || value === '') return Number.MAX_SAFE_INTEGER;
  const n = /^[0-9a-z]{1,11}$/.test(value) ? Number.parseInt(value, 36) : Number.NaN;
  if (!Number.isSafeInteger(n)) throw new HoopError('ERR_USAGE', 'the cursor is not one that a search gave');
  return n;
}
