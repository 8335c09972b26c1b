import type { Catalog, Column, Relation } from '../../../catalog/model/model.ts';
import { FIRST_USER_OID } from '../../../catalog/system/objects.ts';
import type { RelationUse } from '../../facts/facts.ts';
import { type IsMasked, maskedColumns } from '../lineage.ts';
import type { NameScope } from '../name-scope.ts';
import type { TouchedRelation } from './masked-flow.ts';

type Keys = readonly (Column | undefined)[];

const NONE: ReadonlySet<string> = new Set();

/**
 * What of a relation a statement has in reach where it names it: all its masked columns, unless a foreign key refers to it
 * by others.
 *
 * Such a key tells which values the referred columns have, and those are shown; no other column is compared, copied or
 * written by it. The columns that refer are those of a table that is altered or made: where that has masked ones, it is
 * refused by itself.
 *
 * @returns Pure.
 */
export function inReach(
  { keys }: RelationUse,
  relation: Relation,
  catalog: Catalog,
  { isMasked, names }: { readonly isMasked: IsMasked; readonly names: NameScope },
): TouchedRelation {
  const masked = maskedColumns(relation, isMasked);
  if (masked.size === 0 || keys === undefined) return { relation, masked };
  const referred =
    keys.length > 0 ? keys.map((name) => relation.columns.get(name)) : primaryKey(relation, catalog, names);
  return { relation, masked: showsNothing(referred, masked, catalog) ? NONE : masked };
}

/** None is masked, and comparing them runs PostgreSQL's own code alone: it would run as the table's owner. */
function showsNothing(referred: Keys, masked: ReadonlySet<string>, { casts }: Catalog): boolean {
  const made = new Set(casts.flatMap(({ context, target }) => (context === 'i' ? [target] : [])));
  const isPlain = (key: Column | undefined) =>
    key !== undefined && !masked.has(key.name) && key.typeOid < FIRST_USER_OID && !made.has(key.typeOid);
  return referred.length > 0 && referred.every(isPlain);
}

/** One that is not checked at once is none to refer to. */
function primaryKey({ oid, columns }: Relation, catalog: Catalog, { path }: NameScope): Keys {
  const numbers = catalog.analysis(path).primaryKey(oid) ?? [];
  return numbers.map((number) => [...columns.values()].find(({ attnum }) => attnum === number));
}
