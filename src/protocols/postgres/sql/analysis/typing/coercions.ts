import { POLYMORPHIC } from '../oids.ts';
import { type CoercionContext, canCoerce } from './pathways.ts';
import { areConsistent } from './polymorphic.ts';
import type { Types } from './types.ts';

/**
 * Whether values of some types could be arguments of others; polymorphic ones have to agree with each other.
 *
 * @see PostgreSQL, parse_coerce.c, `can_coerce_type`
 */
export function canCoerceAll(
  types: Types,
  from: readonly number[],
  to: readonly number[],
  context: CoercionContext,
): boolean {
  const generic = to.some((type, index) => POLYMORPHIC.has(type) && from[index] !== type);
  const each = from.every((type, index) => canCoerce(types, type, to[index] as number, context));
  return each && (!generic || areConsistent(types, from, to.slice(0, from.length)));
}
