import type { PolicyObject } from '../../policy/model.ts';
import { type Catalog, closure, type Relation, viewClosure } from './sql/catalog-model.ts';

/** A column that carries classified data, as policy is asked about it. */
export interface Classified {
  readonly relation: number;
  readonly attribute: number;
  readonly object: PolicyObject;
}

/** The configured classification, bound to the objects of one catalog. Immutable. */
export interface Classification {
  /** As configured: `schema.table.column` → tags. */
  readonly byName: ReadonlyMap<string, readonly string[]>;
  readonly columns: readonly Classified[];
  ofRelation(relation: number): readonly Classified[];
  /** Whether a relation's columns can be judged at all: rows of an unknown one are masked whole. */
  knows(relation: number): boolean;
}

/** System catalogs lie below it (FirstNormalObjectId); they hold no user's rows, and the sensitive ones are refused. */
const FIRST_USER_OID = 16_384;

/**
 * Finds the columns that hold classified data: those configured, the same in partitions, inheritance children and
 * parents, and every column of a view that stands on such a table.
 *
 * Fails closed: a configured column that its table does not have (it was renamed) classifies the whole table.
 *
 * @param tags `schema.table.column` → tags. A table that does not exist classifies nothing.
 * @returns Each (relation, attribute) once. Pure. Never throws.
 */
export function bindClassification(
  catalog: Catalog,
  tags: ReadonlyMap<string, readonly string[]>,
  resource: PolicyObject,
): Classification {
  const found = new Map<number, Map<number, Set<string>>>();
  const add = (relation: Relation, column: string | undefined, more: readonly string[]) => {
    const named = column === undefined ? undefined : relation.columns.get(column);
    const hit = named === undefined ? [...relation.columns.values()] : [named];
    const attributes = found.get(relation.oid) ?? new Map<number, Set<string>>();
    found.set(relation.oid, attributes);
    for (const { attnum } of hit)
      attributes.set(attnum, new Set([...(attributes.get(attnum) ?? []), ...more]));
  };
  for (const [name, more] of tags) {
    const [schema = '', table = '', column = ''] = name.split('.');
    const relation = catalog.lookupRelation(schema, table);
    for (const one of relation === undefined ? [] : family(catalog, relation)) add(one, column, more);
  }
  for (const [view, more] of taggedViews(catalog, found)) add(view, undefined, more);
  return classification(catalog, found, tags, resource);
}

/** A relation with all that share its rows: children hold them, parents show them. */
function family(catalog: Catalog, relation: Relation): Relation[] {
  const oids = [
    relation.oid,
    ...closure(relation.oid, catalog.children),
    ...closure(relation.oid, catalog.parents),
  ];
  return oids.map((oid) => catalog.relations.get(oid)).filter((one) => one !== undefined);
}

function taggedViews(
  catalog: Catalog,
  found: ReadonlyMap<number, ReadonlyMap<number, Set<string>>>,
): [Relation, string[]][] {
  const views: [Relation, string[]][] = [];
  for (const oid of catalog.views.keys()) {
    const view = catalog.relations.get(oid);
    const below = viewClosure(catalog, oid).relations.flatMap((one) => [...(found.get(one)?.values() ?? [])]);
    const tags = new Set(below.flatMap((set) => [...set]));
    if (view !== undefined && below.length > 0) views.push([view, [...tags]]);
  }
  return views;
}

function classification(
  catalog: Catalog,
  found: ReadonlyMap<number, ReadonlyMap<number, ReadonlySet<string>>>,
  byName: ReadonlyMap<string, readonly string[]>,
  resource: PolicyObject,
): Classification {
  const byRelation = new Map<number, Classified[]>();
  for (const [oid, attributes] of found) {
    const relation = catalog.relations.get(oid) as Relation;
    const columns = [...relation.columns.values()].filter((column) => attributes.has(column.attnum));
    const classified = columns.map((column) => ({
      relation: oid,
      attribute: column.attnum,
      object: columnObject(
        resource,
        relation,
        column.name,
        [...(attributes.get(column.attnum) ?? [])].sort(),
      ),
    }));
    byRelation.set(oid, classified);
  }
  return {
    byName,
    columns: [...byRelation.values()].flat(),
    ofRelation: (relation) => byRelation.get(relation) ?? [],
    knows: (relation) => relation < FIRST_USER_OID || catalog.relations.has(relation),
  };
}

function columnObject(
  resource: PolicyObject,
  relation: Relation,
  column: string,
  tags: string[],
): PolicyObject {
  const { schema, name, kind } = relation;
  const table: PolicyObject = {
    type: 'Table',
    id: `${resource.id}/${schema}.${name}`,
    attrs: { schema, name, kind, system: false, sensitive: false, tags },
    parent: { type: 'Schema', id: `${resource.id}/${schema}`, attrs: { name: schema }, parent: resource },
  };
  return {
    type: 'Column',
    id: `${table.id}.${column}`,
    attrs: { schema, table: name, name: column, tags, detected: false },
    parent: table,
  };
}
