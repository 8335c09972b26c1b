import { of } from '../mirror/groups.ts';
import type { CatalogTables } from '../mirror/mirror.ts';
import { CATALOG_OIDS } from '../mirror/tables.ts';
import { byRelation } from './by-relation.ts';
import type { ByRelation, Relation, Together } from './model.ts';

/** What the server evaluates, by itself, of the columns of a row that is written; only what looks at more than one, or excludes. */
export function togetherOf(
  tables: CatalogTables,
  relations: ReadonlyMap<number, Relation>,
): ByRelation<readonly Together[]> {
  return byRelation(relations, ({ oid, columns, partitionKey }) => {
    const generated = new Set([...columns.values()].flatMap((one) => (one.generated ? [one.attnum] : [])));
    const found = [
      ...tables.pg_attrdef.in(of(oid)).filter(({ attnum }) => generated.has(attnum)),
      ...tables.pg_constraint.in(of(oid)),
      ...tables.pg_index.in(of(oid)),
      ...tables.pg_trigger.in(of(oid)),
      ...tables.pg_policy
        .in(of(oid))
        .map((policy) => ({ together: columnsOfPolicy(policy.oid, oid, tables) })),
      { together: partitionKey ?? null },
    ];
    const made = found.flatMap((one): Together[] => {
      const excludes = 'excludes' in one && one.excludes;
      const isOfMany = (one.together?.length ?? 0) > 1 || one.together?.includes(0) === true;
      return one.together === null || !(isOfMany || excludes) ? [] : [{ columns: one.together, excludes }];
    });
    return made.length === 0 ? undefined : made;
  });
}

/** Its tree may speak of other relations as well. */
function columnsOfPolicy(policy: number, relation: number, tables: CatalogTables): number[] {
  const used = tables.pg_depend
    .in(of(policy))
    .filter((row) => row.class === CATALOG_OIDS.pg_policy && row.usedClass === CATALOG_OIDS.pg_class);
  return used.flatMap(({ usedObject, usedPart }) =>
    usedObject === relation && usedPart > 0 ? [usedPart] : [],
  );
}
