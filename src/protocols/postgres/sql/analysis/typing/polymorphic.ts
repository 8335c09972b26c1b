import { OID, POLYMORPHIC } from '../oids.ts';
import { Uncertain } from '../uncertain.ts';
import { canCoerce } from './pathways.ts';
import type { Types } from './types.ts';

/** What the polymorphic arguments of a call stand for; 0 where nothing says it. */
interface Bound {
  element: number;
  array: number;
  range: number;
  multirange: number;
  /** Of the `anycompatible` family. */
  readonly compatible: number[];
  compatibleRange: number;
  compatibleMultirange: number;
}

/** Arguments do not go together. Thrown for most candidates that are looked at: where it was made tells nothing. */
const MISMATCH = new Error('arguments that do not go together');

const FIRST_FAMILY: ReadonlySet<number> = new Set([OID.anyelement, OID.anynonarray, OID.anyenum]);

/**
 * Whether types of arguments agree as the polymorphic types of a function's parameters want them to.
 *
 * @see PostgreSQL, parse_coerce.c, `check_generic_type_consistency`
 */
export function areConsistent(types: Types, actual: readonly number[], declared: readonly number[]): boolean {
  try {
    const bound = bind(types, actual, declared);
    deduce(types, bound, declared);
    const common = commonOf(types, bound);
    if (declared.includes(OID.anynonarray) && types.baseElement(bound.element) !== 0) return false;
    if (declared.includes(OID.anyenum) && types.catalog.type(bound.element)?.kind !== 'e') return false;
    if (declared.includes(OID.anycompatiblenonarray) && common !== 0 && types.baseElement(common) !== 0)
      return false;
    return (
      bound.compatibleRange === 0 || common === 0 || types.rangeSubtype(bound.compatibleRange) === common
    );
  } catch (error) {
    if (error === MISMATCH) return false;
    throw error;
  }
}

/**
 * What the parameters and the result of a polymorphic function are in one call.
 *
 * @returns Types to which the arguments are coerced, and that of the result.
 * @throws {Uncertain} The server would refuse the call, or it is not clear.
 * @see PostgreSQL, parse_coerce.c, `enforce_generic_type_consistency`
 */
export function resolvePolymorphic(
  types: Types,
  actual: readonly number[],
  declared: readonly number[],
  result: number,
): { readonly declared: readonly number[]; readonly result: number } {
  // A result that no argument speaks of stays what it is: input functions of such types have one.
  if (!declared.some((type) => POLYMORPHIC.has(type))) return { declared, result };
  try {
    const bound = bind(types, actual, declared);
    deduce(types, bound, declared, result);
    const common = commonOf(types, bound) || OID.text;
    const resolve = (type: number) => standsFor(types, bound, common, type);
    const isUnknown = (index: number) => actual[index] === OID.unknown;
    // Arguments that have a type keep it; those of the compatible family become the common one.
    const resolved = declared.map((type, index) =>
      COMPATIBLE.has(type) || (isUnknown(index) && ELEMENTARY.has(type)) ? resolve(type) : type,
    );
    return { declared: resolved, result: resolve(result) };
  } catch (error) {
    if (error === MISMATCH) throw new Uncertain(MISMATCH.message);
    throw error;
  }
}

const ELEMENTARY: ReadonlySet<number> = new Set([
  ...FIRST_FAMILY,
  OID.anyarray,
  OID.anyrange,
  OID.anymultirange,
]);
const COMPATIBLE: ReadonlySet<number> = new Set([
  OID.anycompatible,
  OID.anycompatiblenonarray,
  OID.anycompatiblearray,
  OID.anycompatiblerange,
  OID.anycompatiblemultirange,
]);

function bind(types: Types, actual: readonly number[], declared: readonly number[]): Bound {
  const bound: Bound = {
    element: 0,
    array: 0,
    range: 0,
    multirange: 0,
    compatible: [],
    compatibleRange: 0,
    compatibleMultirange: 0,
  };
  for (const [index, type] of declared.entries()) {
    const given = actual[index] ?? 0;
    if (given !== OID.unknown) bindOne(types, bound, type, given);
  }
  return bound;
}

function bindOne(types: Types, bound: Bound, declared: number, given: number): void {
  const base = () => types.base(given);
  if (FIRST_FAMILY.has(declared)) bound.element = same(bound.element, given);
  else if (declared === OID.anyarray) bound.array = same(bound.array, base());
  else if (declared === OID.anyrange) bound.range = same(bound.range, base());
  else if (declared === OID.anymultirange) bound.multirange = same(bound.multirange, base());
  else if (declared === OID.anycompatible || declared === OID.anycompatiblenonarray)
    bound.compatible.push(given);
  else if (declared === OID.anycompatiblearray) bound.compatible.push(required(types.element(base())));
  else if (declared === OID.anycompatiblerange) {
    const isNew = bound.compatibleRange === 0;
    bound.compatibleRange = same(bound.compatibleRange, base());
    if (isNew) bound.compatible.push(required(types.rangeSubtype(bound.compatibleRange)));
  } else if (declared === OID.anycompatiblemultirange)
    bound.compatibleMultirange = same(bound.compatibleMultirange, base());
}

/** What one of them says of the others. */
function deduce(types: Types, bound: Bound, declared: readonly number[], result = 0): void {
  // Columns of pg_statistic are of that type themselves.
  if (bound.array !== 0 && bound.array !== OID.anyarray)
    bound.element = same(bound.element, required(types.element(bound.array)));
  if (bound.multirange !== 0)
    bound.range = same(bound.range, required(types.multirangeRange(bound.multirange)));
  else if (bound.range !== 0 && [...declared, result].includes(OID.anymultirange))
    bound.multirange = types.multirangeOf(bound.range);
  if (bound.range !== 0) bound.element = same(bound.element, required(types.rangeSubtype(bound.range)));
  if (bound.compatibleMultirange !== 0) {
    const range = required(types.multirangeRange(bound.compatibleMultirange));
    const isNew = bound.compatibleRange === 0;
    bound.compatibleRange = same(bound.compatibleRange, range);
    if (isNew) bound.compatible.push(required(types.rangeSubtype(range)));
  } else if (bound.compatibleRange !== 0 && [...declared, result].includes(OID.anycompatiblemultirange))
    bound.compatibleMultirange = types.multirangeOf(bound.compatibleRange);
}

/** 0: no argument has a type. */
function commonOf(types: Types, { compatible }: Bound): number {
  if (compatible.length === 0) return 0;
  const common = commonType(types, compatible);
  if (common === undefined || !compatible.every((one) => canCoerce(types, one, common, 'i'))) throw MISMATCH;
  return common;
}

function standsFor(types: Types, bound: Bound, common: number, type: number): number {
  const arrayOf = (element: number) => required(types.arrayOf(element));
  switch (type) {
    case OID.anyelement:
    case OID.anynonarray:
    case OID.anyenum:
      return required(bound.element);
    case OID.anyarray:
      return bound.array || arrayOf(required(bound.element));
    case OID.anyrange:
      return required(bound.range);
    case OID.anymultirange:
      return required(bound.multirange);
    case OID.anycompatible:
    case OID.anycompatiblenonarray:
      return common;
    case OID.anycompatiblearray:
      return arrayOf(common);
    case OID.anycompatiblerange:
      return required(bound.compatibleRange);
    case OID.anycompatiblemultirange:
      return required(bound.compatibleMultirange);
    default:
      return type;
  }
}

function same(known: number, more: number): number {
  if (known !== 0 && known !== more) throw MISMATCH;
  return more;
}

function required(type: number): number {
  if (type === 0) throw MISMATCH;
  return type;
}

/**
 * The type that several values can all be of, chosen as UNION, CASE and their like do.
 *
 * @param all At least one.
 * @returns Undefined: they are of several categories.
 * @see PostgreSQL, parse_coerce.c, `select_common_type`
 */
export function commonType(types: Types, all: readonly number[]): number | undefined {
  const [first = OID.unknown] = all;
  if (first !== OID.unknown && all.every((one) => one === first)) return first;
  let common = types.base(first);
  for (const one of all) {
    const type = types.base(one);
    if (type === OID.unknown || type === common) continue;
    if (common === OID.unknown) {
      common = type;
      continue;
    }
    const [known, more] = [types.get(common), types.get(type)];
    if (known.category !== more.category) return undefined;
    const widens = canCoerce(types, common, type, 'i') && !canCoerce(types, type, common, 'i');
    if (!known.preferred && widens) common = type;
  }
  return common === OID.unknown ? OID.text : common;
}
