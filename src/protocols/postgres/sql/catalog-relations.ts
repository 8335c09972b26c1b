import type { CatalogChanges, CatalogTables } from './catalog-mirror.ts';
import type { Column, Relation, RelationKind } from './catalog-model.ts';
import type { AttributeRow, ClassRow } from './catalog-tables.ts';

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'matview',
  f: 'foreign',
  S: 'sequence',
};

/** Makes relations of their rows; one of which nothing has changed stays the object it was. */
export class RelationBuilder {
  readonly #columns = new Map<number, Map<number, Column>>();
  #relations: ReadonlyMap<number, Relation> = new Map();

  /** @returns The same map if nothing has changed. */
  build(tables: CatalogTables, changes: CatalogChanges): ReadonlyMap<number, Relation> {
    const { pg_class: classes, pg_attribute: attributes, pg_namespace: namespaces } = changes;
    for (const row of attributes.gone) this.#columns.get(row.relation)?.delete(row.attnum);
    for (const row of attributes.come) if (tables.pg_class.has(`${row.relation}`)) this.#addColumn(row);
    const renamed = namespaces.gone.length + namespaces.come.length > 0;
    const touched = renamed
      ? new Set([...this.#relations.keys(), ...[...tables.pg_class.values()].map(({ oid }) => oid)])
      : new Set([
          ...[...classes.gone, ...classes.come].map(({ oid }) => oid),
          ...[...attributes.gone, ...attributes.come].map(({ relation }) => relation),
        ]);
    // Indexes and types have attributes too; they are no relations of ours.
    const ours = [...touched].filter((oid) => this.#relations.has(oid) || tables.pg_class.has(`${oid}`));
    if (ours.length > 0) this.#relations = this.#rebuilt(ours, tables);
    return this.#relations;
  }

  #addColumn({ relation, ...column }: AttributeRow): void {
    const own = this.#columns.get(relation) ?? new Map<number, Column>();
    this.#columns.set(relation, own);
    own.set(column.attnum, column);
  }

  #rebuilt(touched: readonly number[], tables: CatalogTables): ReadonlyMap<number, Relation> {
    const relations = new Map(this.#relations);
    for (const oid of touched) {
      const row = tables.pg_class.get(`${oid}`);
      const schema = tables.pg_namespace.get(`${row?.namespace}`)?.name;
      if (row === undefined || schema === undefined) relations.delete(oid);
      else relations.set(oid, this.#relation(row, schema));
      if (this.#columns.get(oid)?.size === 0) this.#columns.delete(oid);
    }
    return relations;
  }

  #relation({ oid, name, kind, rowSecurity }: ClassRow, schema: string): Relation {
    const own = [...(this.#columns.get(oid)?.values() ?? [])].sort((a, b) => a.attnum - b.attnum);
    const columns = new Map(own.map((column) => [column.name, column]));
    return { oid, schema, name, kind: KINDS[kind] ?? 'other', columns, rowSecurity };
  }
}
