import { SharedMap } from '../../../../core/shared-map.ts';
import { of } from '../mirror/groups.ts';
import type { CatalogChanges, CatalogTables } from '../mirror/mirror.ts';
import type { ClassRow } from '../mirror/records.ts';
import type { Relation, RelationKind } from './model.ts';

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'matview',
  f: 'foreign',
  S: 'sequence',
  c: 'composite',
};

/** Relations by OID, and by `nameKey`. */
export interface Relations {
  readonly byOid: SharedMap<number, Relation>;
  readonly byName: SharedMap<string, Relation>;
}

export function nameKey({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${schema}\0${name}`;
}

/** Makes relations of their rows; one of which nothing has changed stays the object it was. */
export class RelationBuilder {
  #relations: Relations;

  constructor(relations: Relations = { byOid: SharedMap.empty(), byName: SharedMap.empty() }) {
    this.#relations = relations;
  }

  /** @returns Another one that goes on by itself. */
  fork(): RelationBuilder {
    return new RelationBuilder(this.#relations);
  }

  /** @returns The same object if nothing has changed. */
  build(tables: CatalogTables, changes: CatalogChanges): Relations {
    const { pg_class: classes, pg_attribute: attributes } = changes;
    const touched = new Set([
      ...[...classes.gone, ...classes.come].map(({ oid }) => oid),
      ...[...attributes.gone, ...attributes.come].map(({ relation }) => relation),
      ...inSchemas(tables, changes),
    ]);
    // Indexes and types have attributes too; they are no relations of ours.
    const ours = [...touched].filter((oid) => this.#known(oid) || tables.pg_class.has(`${oid}`));
    if (ours.length > 0) this.#relations = this.#rebuilt(ours, tables);
    return this.#relations;
  }

  #known(oid: number): boolean {
    return this.#relations.byOid.has(oid);
  }

  #rebuilt(touched: readonly number[], tables: CatalogTables): Relations {
    const { byOid, byName } = this.#relations;
    const before = touched.map((oid) => byOid.get(oid)).filter((one) => one !== undefined);
    const after = touched.map((oid) => relationOf(oid, tables)).filter((one) => one !== undefined);
    return {
      byOid: byOid.with((draft) => {
        for (const { oid } of before) draft.delete(oid);
        for (const one of after) draft.set(one.oid, one);
      }),
      byName: byName.with((draft) => {
        for (const one of before) draft.delete(nameKey(one));
        for (const one of after) draft.set(nameKey(one), one);
      }),
    };
  }
}

function relationOf(oid: number, tables: CatalogTables): Relation | undefined {
  const row = tables.pg_class.get(`${oid}`);
  const schema = tables.pg_namespace.get(`${row?.namespace}`)?.name;
  return row === undefined || schema === undefined ? undefined : made(row, schema, tables);
}

function made(row: ClassRow, schema: string, tables: CatalogTables): Relation {
  const { oid, name, kind, rowSecurity, partitionKey } = row;
  const rows = tables.pg_attribute.in(of(oid)).sort((a, b) => a.attnum - b.attnum);
  const columns = new Map(rows.map(({ relation: _, modifier: __, ...column }) => [column.name, column]));
  return {
    oid,
    schema,
    name,
    kind: KINDS[kind] ?? 'other',
    columns,
    rowSecurity,
    ...(partitionKey === null ? {} : { partitionKey }),
  };
}

/** Relations in schemas that are new, or have another name; in those that are gone there are none. */
function inSchemas(tables: CatalogTables, { pg_namespace: schemas }: CatalogChanges): number[] {
  if (schemas.come.length === 0) return [];
  const come = new Set(schemas.come.map(({ oid }) => oid));
  return [...tables.pg_class.values()].filter(({ namespace }) => come.has(namespace)).map(({ oid }) => oid);
}
