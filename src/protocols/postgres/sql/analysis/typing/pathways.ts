import { OID, POLYMORPHIC } from '../oids.ts';
import type { Types } from './types.ts';

/** How much a cast has been asked for: not at all, by storing a value, in so many words. */
export type CoercionContext = 'i' | 'a' | 'e';

/** What carries a value from one type to another. */
export type Pathway =
  | { readonly kind: 'relabel' | 'io' | 'array' }
  | { readonly kind: 'function'; readonly function: number };

const RANK: Readonly<Record<CoercionContext, number>> = { i: 0, a: 1, e: 2 };

/**
 * How a value gets from one type to another, by the catalog's casts and by what needs none.
 *
 * @returns Undefined: not in that context.
 * @see PostgreSQL, parse_coerce.c, `find_coercion_pathway`
 */
export function findPathway(
  types: Types,
  from: number,
  to: number,
  context: CoercionContext,
): Pathway | undefined {
  const [source, target] = [types.base(from), types.base(to)];
  if (source === target) return { kind: 'relabel' };
  const cast = types.catalog.cast(source, target);
  if (cast !== undefined) {
    if (RANK[context] < RANK[cast.context]) return undefined;
    if (cast.method === 'f') return { kind: 'function', function: cast.function };
    return { kind: cast.method === 'i' ? 'io' : 'relabel' };
  }
  if (hasArrayPathway(types, source, target, context)) return { kind: 'array' };
  const isString = (type: number) => types.category(type) === 'S';
  const byText = (context !== 'i' && isString(target)) || (context === 'e' && isString(source));
  return byText ? { kind: 'io' } : undefined;
}

function hasArrayPathway(types: Types, source: number, target: number, context: CoercionContext): boolean {
  if (target === OID.oidvector || target === OID.int2vector) return false;
  const [from, to] = [types.element(source), types.element(target)];
  return from !== 0 && to !== 0 && findPathway(types, from, to, context) !== undefined;
}

/** `can_coerce_type`, of one value; polymorphic types take any. */
export function canCoerce(types: Types, from: number, to: number, context: CoercionContext): boolean {
  if (from === to || to === OID.any || POLYMORPHIC.has(to) || from === OID.unknown) return true;
  if (findPathway(types, from, to, context) !== undefined) return true;
  if (from === OID.record && types.isComposite(to)) return true;
  if (to === OID.record && types.isComposite(from)) return true;
  if (to === OID.recordArray && types.isCompositeArray(from)) return true;
  return types.inherits(from, to);
}
