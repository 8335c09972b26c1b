import { BLIND, CATALOG, DEFINITIONS, PURE, RULE_TEXTS, SESSION } from './function-lists.ts';

/** What calling a function may do; `user` is everything that is not PostgreSQL's own. */
export type FunctionClass = 'pure' | 'catalog' | 'session' | 'unsafe' | 'user';

export type Volatility = 'immutable' | 'stable' | 'volatile';

export interface FunctionTraits {
  readonly schema: string;
  readonly name: string;
  readonly volatility: Volatility;
}

const words = (list: string) => new Set(list.trim().split(/\s+/));
const CLASSES: readonly (readonly [FunctionClass, ReadonlySet<string>])[] = [
  ['pure', words(PURE)],
  ['catalog', words(CATALOG)],
  ['session', words(SESSION)],
];
const DEFINITION_NAMES = words(DEFINITIONS);
const RULE_TEXT_NAMES = words(RULE_TEXTS);
const BLIND_NAMES = words(BLIND);

/** Class of a function of pg_catalog by its name. */
export function builtinClass(name: string): FunctionClass {
  return CLASSES.find(([, names]) => names.has(name))?.[0] ?? 'unsafe';
}

/**
 * Whether a function of PostgreSQL's own does no more than compute or look, so that it needs no pair where nobody names it:
 * what is immutable cannot do more, though the lists name few that only operators, casts and aggregates call. A default that
 * counts is as harmless as an identity column, and is on half of all tables.
 */
export function isHarmlessBuiltin({ schema, name, volatility }: FunctionTraits): boolean {
  if (schema !== 'pg_catalog' || writesOutRules(name)) return false;
  return volatility === 'immutable' || ['pure', 'catalog'].includes(builtinClass(name)) || name === 'nextval';
}

/** The answer can hold constants taken from data. */
export function isDefinition(name: string): boolean {
  return DEFINITION_NAMES.has(name);
}

/** It writes out a view's or a rule's definition. */
export function writesOutRules(name: string): boolean {
  return RULE_TEXT_NAMES.has(name);
}

/** It does something that is not harmless, and sees nothing while it does. */
export function isBlind(name: string): boolean {
  return BLIND_NAMES.has(name);
}
