import { OID } from '../oids.ts';
import { canCoerceAll } from './coercions.ts';
import type { Types } from './types.ts';

/** A function or operator that a name may mean, with the types that it takes here. */
export interface Candidate {
  readonly oid: number;
  readonly takes: readonly number[];
}

/** `func_match_argtypes` */
export function matching<T extends Candidate>(
  types: Types,
  given: readonly number[],
  all: readonly T[],
): T[] {
  return all.filter(({ takes }) => canCoerceAll(types, given, takes, 'i'));
}

/**
 * The one of several that PostgreSQL's rules prefer.
 *
 * @param all Such as could take the arguments.
 * @returns Undefined: none is better than the others.
 * @see https://www.postgresql.org/docs/current/typeconv-func.html and parse_func.c, `func_select_candidate`
 */
export function selectCandidate<T extends Candidate>(
  types: Types,
  given: readonly number[],
  all: readonly T[],
): T | undefined {
  const bases = given.map((type) => (type === OID.unknown ? type : types.base(type)));
  const isKnown = (index: number) => bases[index] !== OID.unknown;
  const exact = best(all, ({ takes }) =>
    count(bases, (type, index) => isKnown(index) && takes[index] === type),
  );
  if (exact.length === 1) return exact[0];

  const categories = bases.map((type) => types.category(type));
  const preferred = best(exact, ({ takes }) =>
    count(bases, (type, index) => {
      const taken = takes[index] as number;
      return isKnown(index) && (taken === type || types.isPreferred(categories[index] as string, taken));
    }),
  );
  if (preferred.length === 1) return preferred[0];
  if (bases.every((_, index) => isKnown(index))) return undefined;

  const fitting = byCategory(types, bases, preferred);
  if (fitting.length === 1) return fitting[0];
  return byKnownType(types, bases, fitting);
}

function best<T>(all: readonly T[], points: (one: T) => number): readonly T[] {
  const scored = all.map((one) => points(one));
  const top = Math.max(...scored);
  return all.filter((_, index) => scored[index] === top);
}

function count(all: readonly number[], holds: (one: number, index: number) => boolean): number {
  return all.filter(holds).length;
}

/** Literals are taken for strings where a string is taken, else for the one category that all take. */
function byCategory<T extends Candidate>(
  types: Types,
  bases: readonly number[],
  all: readonly T[],
): readonly T[] {
  let left = all;
  const wanted = new Map<number, { category: string; preferred: boolean }>();
  for (const [index, base] of bases.entries()) {
    if (base !== OID.unknown) continue;
    const slot = categoryOf(
      types,
      all.map(({ takes }) => takes[index] as number),
    );
    // Of one argument it is not clear: then it is of none.
    if (slot === undefined) return all;
    wanted.set(index, slot);
  }
  left = all.filter(({ takes }) =>
    [...wanted].every(([index, slot]) => {
      const { category, preferred } = types.get(takes[index] as number);
      return category === slot.category && (preferred || !slot.preferred);
    }),
  );
  return left.length > 0 ? left : all;
}

function categoryOf(
  types: Types,
  taken: readonly number[],
): { category: string; preferred: boolean } | undefined {
  const all = taken.map((oid) => types.get(oid));
  const categories = new Set(all.map(({ category }) => category));
  const [only] = categories;
  const category = categories.has('S') ? 'S' : only;
  if (category === undefined || (categories.size > 1 && category !== 'S')) return undefined;
  return { category, preferred: all.some((one) => one.category === category && one.preferred) };
}

/** Literals are taken for what all other arguments are, if these are of one type. */
function byKnownType<T extends Candidate>(
  types: Types,
  bases: readonly number[],
  all: readonly T[],
): T | undefined {
  const known = new Set(bases.filter((type) => type !== OID.unknown));
  const [type, ...more] = known;
  if (type === undefined || more.length > 0) return undefined;
  const same = bases.map(() => type);
  const [one, ...others] = all.filter(({ takes }) => canCoerceAll(types, same, takes, 'i'));
  return others.length === 0 ? one : undefined;
}
