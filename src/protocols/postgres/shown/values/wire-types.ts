import type { Format } from '../../../../wire/postgres/types.ts';
import type { CatalogType } from '../../catalog/model/model.ts';
import { SCALARS, type Scalar } from './scalars.ts';

/** How a value of a type is taken apart, in text and in binary. */
export type WireType =
  | { readonly kind: 'text' | 'json' | 'jsonb' | 'bytea' | 'hstore' | 'record' | 'enum' | 'unknown' }
  /** Text behind one version octet where it is binary. */
  | { readonly kind: 'versioned' }
  /** Lexemes, where it is binary. */
  | { readonly kind: 'tsvector' | 'tsquery' }
  | { readonly kind: 'scalar'; readonly oid: number; readonly scalar: Scalar }
  | { readonly kind: 'array'; readonly element: WireType; readonly delimiter: number }
  | { readonly kind: 'range' | 'multirange'; readonly of: WireType };

const COMMA = 0x2c;

const BUILTIN: ReadonlyMap<number, WireType> = new Map<number, WireType>([
  // "char", name, text, bpchar, varchar, unknown, cstring, xml, refcursor, pg_node_tree and statistics: text both ways.
  ...[18, 19, 25, 1042, 1043, 705, 2275, 142, 1790, 194, 1033].map((oid): [number, WireType] => [
    oid,
    { kind: 'text' },
  ]),
  [114, { kind: 'json' }],
  [3802, { kind: 'jsonb' }],
  [17, { kind: 'bytea' }],
  [2249, { kind: 'record' }],
  // record[] is a pseudo-type to the catalog.
  [2287, { kind: 'array', element: { kind: 'record' }, delimiter: COMMA }],
  [3614, { kind: 'tsvector' }],
  [3615, { kind: 'tsquery' }],
  [4072, { kind: 'versioned' }],
  ...[...SCALARS].map(([oid, scalar]): [number, WireType] => [oid, { kind: 'scalar', oid, scalar }]),
]);

/** Of extensions, whose OIDs differ from server to server. */
const BY_NAME: Readonly<Record<string, WireType>> = {
  citext: { kind: 'text' },
  hstore: { kind: 'hstore' },
  ltree: { kind: 'versioned' },
  lquery: { kind: 'versioned' },
  ltxtquery: { kind: 'versioned' },
};

const UNKNOWN: WireType = { kind: 'unknown' };
/** Types of types: arrays of domains of arrays, … */
const MAX_DEPTH = 16;

/** The types of one catalog, by what their values are made of. Asked once per type and OID, remembered. */
export class WireTypes {
  readonly #types: ReadonlyMap<number, CatalogType>;
  readonly #known = new Map<number, WireType>();

  constructor(types: ReadonlyMap<number, CatalogType>) {
    this.#types = types;
  }

  /** @returns `unknown` of a type that nobody has told us how to read: one that an extension brought, or a new one. */
  of(oid: number): WireType {
    const known = this.#known.get(oid);
    if (known !== undefined) return known;
    const type = this.#made(oid, 0);
    this.#known.set(oid, type);
    return type;
  }

  #made(oid: number, depth: number): WireType {
    const builtin = BUILTIN.get(oid);
    if (builtin !== undefined) return builtin;
    const type = this.#types.get(oid);
    if (type === undefined || depth > MAX_DEPTH) return UNKNOWN;
    const of = () => this.#made(type.of, depth + 1);
    switch (type.kind) {
      case 'a':
        return { kind: 'array', element: of(), delimiter: type.delimiter.charCodeAt(0) || COMMA };
      case 'c':
        return { kind: 'record' };
      case 'd':
        return of();
      case 'e':
        return { kind: 'enum' };
      case 'r':
        return { kind: 'range', of: of() };
      case 'm':
        return { kind: 'multirange', of: of() };
      default:
        return BY_NAME[type.name] ?? UNKNOWN;
    }
  }
}

/** Whether values of the type are a text, which any other can stand for. Arrays of such hold texts at any depth. */
export function isText(type: WireType): boolean {
  return type.kind === 'text';
}

/** Bit strings: their octets may be text. */
const BITS: ReadonlySet<number> = new Set([1560, 1562]);

/**
 * Whether a value of the type may hold free text: not numbers, dates and the like, nor words of a list.
 *
 * @param own It is one of PostgreSQL's own: of these, nobody looks into geometry and numbers of transactions.
 */
export function holdsText(type: WireType, own: boolean): boolean {
  switch (type.kind) {
    case 'enum':
      return false;
    case 'scalar':
      return BITS.has(type.oid);
    case 'array':
      return holdsText(type.element, own);
    case 'range':
    case 'multirange':
      return holdsText(type.of, own);
    case 'unknown':
      return !own;
    default:
      return true;
  }
}

/** Whether detectors can find anything in values of the type. */
export function tells(type: WireType, custom: boolean, format: Format): boolean {
  if (custom) return true;
  if (type.kind === 'array') return tells(type.element, custom, format);
  if (type.kind === 'range' || type.kind === 'multirange') return tells(type.of, custom, format);
  if (type.kind !== 'scalar') return true;
  return type.scalar.plain === 'never' || (type.scalar.plain === 'in text' && format === 1);
}
