import type { RelationRole, RelationUse } from '../../sql/facts/facts.ts';
import type { Relation } from './model.ts';

/** What must be there for the statement to run. Of other roles it may be made by it, no table, or left out with IF EXISTS. */
const NEEDED: ReadonlySet<RelationRole> = new Set([
  'read',
  'insert',
  'update',
  'delete',
  'merge',
  'truncate',
  'lock',
  'copy-in',
  'copy-out',
]);

/**
 * What a statement names and the catalog does not have: tables, and of those that it has the columns that are written or listed. Pure.
 *
 * @param found What each of the relations stands for, in their order.
 * @returns Names as they are written, each once; of a column with its table's.
 */
export function lackedNames(
  uses: readonly RelationUse[],
  found: readonly { readonly relation: Relation | undefined }[],
): readonly string[] {
  const lacked = uses.flatMap((use, index) => {
    if (!NEEDED.has(use.role)) return [];
    const table = use.schema === undefined ? use.name : `${use.schema}.${use.name}`;
    const relation = found[index]?.relation;
    if (relation === undefined) return [table];
    const { columns } = relation;
    const strange = (use.columns ?? []).filter((name) => name !== '' && name !== '*' && !columns.has(name));
    return strange.map((name) => `${table}.${name}`);
  });
  return [...new Set(lacked)];
}
