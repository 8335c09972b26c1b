import { type Ast, bodyOf, list, number, strings, unwrap } from '../../facts/ast.ts';
import { OID } from '../oids.ts';
import { typeNamed } from '../scope/names.ts';
import { NotThere, Uncertain } from '../uncertain.ts';
import type { Types } from './types.ts';

/** Fields of an interval's range, as the grammar writes them (datetime.h), and the header of a length. */
const INTERVAL_FULL_RANGE = 0x7fff;
const FULL_PRECISION = 0xffff;
const HEADER = 4;
/** More digits after the point than that are cut, with a warning. */
const MAX_PRECISION = 6;

/**
 * A type as it is written, and its modifier.
 *
 * @param body Of a `TypeName`.
 * @see PostgreSQL, parse_type.c, `typenameTypeIdAndMod`
 */
export function namedType(types: Types, body: Ast): { readonly type: number; readonly modifier: number } {
  if (body['pct_type'] === true) throw new Uncertain('a type by %TYPE');
  const given = number(body['typeOid']);
  const names = strings(body['names']);
  const found = given === 0 ? typeNamed(types.catalog, names) : types.get(given);
  if (found === undefined) throw new NotThere('a type', names.join('.'));
  const isArray = list(body['arrayBounds']).length > 0;
  const type = isArray ? found.array : found.oid;
  if (type === 0) throw new Uncertain('an array of what has no arrays');
  const modifiers = list(body['typmods']);
  const modifier = modifiers.length > 0 ? modifierOf(found.oid, modifiers) : givenModifier(body);
  return { type, modifier };
}

/** The grammar's own: -1 but for `char`, `bit` without a length. */
function givenModifier(body: Ast): number {
  const modifier = body['typemod'];
  return typeof modifier === 'number' ? modifier : -1;
}

function modifierOf(type: number, modifiers: readonly unknown[]): number {
  const numbers = modifiers.map(integer);
  const [first = 0, second] = numbers;
  switch (type) {
    case OID.varchar:
    case OID.bpchar:
      return first + HEADER;
    case OID.bit:
    case OID.varbit:
      return first;
    case OID.numeric:
      return ((first << 16) | ((second ?? 0) & 0x7ff)) + HEADER;
    case OID.time:
    case OID.timetz:
    case OID.timestamp:
    case OID.timestamptz:
      return Math.min(first, MAX_PRECISION);
    case OID.interval:
      return intervalModifier(first, second);
    default:
      throw new Uncertain('a modifier of a type that is not known');
  }
}

/** `intervaltypmodin`: which fields, and how many digits. */
function intervalModifier(range: number, precision: number | undefined): number {
  const digits = precision === undefined ? FULL_PRECISION : Math.min(precision, MAX_PRECISION);
  if (precision === undefined && range === INTERVAL_FULL_RANGE) return -1;
  return ((range & INTERVAL_FULL_RANGE) << 16) | (digits & FULL_PRECISION);
}

function integer(value: unknown): number {
  const node = unwrap(value);
  const body = bodyOf(value, 'A_Const');
  if (node?.type === 'Integer') return number(node.body['ival']);
  if (body === undefined || body['isnull'] === true || body['ival'] === undefined)
    throw new Uncertain('a modifier that is no number');
  return number((body['ival'] as Ast)['ival']);
}
