import type { LazyAnalysis } from '../analysed.ts';
import { type TypeQuestion, typeEffects } from '../type-effects.ts';
import { exactEffects } from './exact-effects.ts';

/**
 * The functions of users that a statement runs because of types, without those that are trusted. Where there may be any,
 * the statement is analysed as the server does it, and the answer is exact; where that is not certain it holds all that may
 * come about. Pure.
 *
 * @returns By OID, for what; in words for people.
 */
export function runByTypes(question: TypeQuestion, analysed: LazyAnalysis): ReadonlyMap<number, string> {
  const possible = untrusted(typeEffects(question), question);
  if (possible.size === 0) return possible;
  const found = analysed();
  const exact = found && exactEffects(found.query, question.catalog, found.catalog, namesIn(question));
  return exact === undefined ? possible : untrusted(exact, question);
}

function namesIn({ facts }: TypeQuestion): ReadonlySet<string> {
  const paths = [...facts.functions.map(({ name }) => name), ...facts.columns.map(({ path }) => path)];
  return new Set(paths.map((path) => path.at(-1) ?? ''));
}

function untrusted(runs: ReadonlyMap<number, string>, { catalog }: TypeQuestion): Map<number, string> {
  return new Map([...runs].filter(([oid]) => catalog.functions.get(oid)?.trusted !== true));
}
