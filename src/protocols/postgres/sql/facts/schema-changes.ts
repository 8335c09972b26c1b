/**
 * What a statement may have changed in the catalog: objects by their bare names, in whichever schema, and all that is
 * part of them (columns, indexes, constraints, triggers, rules, owned sequences, types of rows).
 */
export interface NamedChanges {
  readonly relations: readonly string[];
  readonly functions: readonly string[];
  readonly types: readonly string[];
  readonly schemas: readonly string[];
  /** Something goes, and with it what it owns: that may have any name. */
  readonly drops: boolean;
}

/** `anything` where nobody can say by name. */
export type SchemaChanges = NamedChanges | 'anything';

export const NOTHING_NAMED: NamedChanges = {
  relations: [],
  functions: [],
  types: [],
  schemas: [],
  drops: false,
};

/** More names are asked for as everything is. */
const MAX_NAMES = 64;

/** @returns Both together. */
export function together(one: SchemaChanges | undefined, other: SchemaChanges): SchemaChanges {
  if (one === undefined || other === 'anything') return other;
  if (one === 'anything') return one;
  const both: NamedChanges = {
    relations: union(one.relations, other.relations),
    functions: union(one.functions, other.functions),
    types: union(one.types, other.types),
    schemas: union(one.schemas, other.schemas),
    drops: one.drops || other.drops,
  };
  return names(both) > MAX_NAMES ? 'anything' : both;
}

export function changesNothing(changes: SchemaChanges): boolean {
  return changes !== 'anything' && names(changes) === 0;
}

function names({ relations, functions, types, schemas }: NamedChanges): number {
  return relations.length + functions.length + types.length + schemas.length;
}

function union(one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.length === 0 || other.length === 0) return one.length === 0 ? other : one;
  return [...new Set([...one, ...other])];
}
