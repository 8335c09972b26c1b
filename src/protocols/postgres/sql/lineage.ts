import { type Catalog, closure, type Relation, viewClosure } from './catalog-model.ts';

/** Says whether one column of a relation is masked for the principal. */
export type IsMasked = (relation: number, attnum: number) => boolean;

/** Tags by `schema.table.column`, as configured. */
export type TagsByName = ReadonlyMap<string, readonly string[]>;

/**
 * Relations that hold the same rows as this one by inheritance or partitioning: its ancestors and its descendants, and
 * itself first. A column of one is the column of that name in the others.
 */
function family(catalog: Catalog, oid: number): number[] {
  return [oid, ...closure(oid, catalog.parents), ...closure(oid, catalog.children)];
}

/** Everything below a relation whose data it can show: its family, and, for a view, what it stands on. */
function sources(catalog: Catalog, relation: Relation): Relation[] {
  const oids = new Set<number>();
  for (const oid of [relation.oid, ...viewClosure(catalog, relation.oid).relations]) {
    for (const member of family(catalog, oid)) oids.add(member);
  }
  return [...oids].flatMap((oid) => catalog.relations.get(oid) ?? []);
}

function isView(relation: Relation): boolean {
  return relation.kind === 'view' || relation.kind === 'matview';
}

/**
 * Names of a relation's columns that are masked: its own, those of its partition or inheritance family by the same
 * name, and all columns of a view that stands on anything masked. Pure.
 */
export function maskedColumns(catalog: Catalog, relation: Relation, isMasked: IsMasked): ReadonlySet<string> {
  const names = new Set<string>();
  for (const oid of family(catalog, relation.oid)) {
    const member = catalog.relations.get(oid);
    for (const column of member?.columns.values() ?? []) {
      if (isMasked(oid, column.attnum) && relation.columns.has(column.name)) names.add(column.name);
    }
  }
  if (isView(relation) && names.size < relation.columns.size && standsOnMasked(catalog, relation, isMasked)) {
    for (const name of relation.columns.keys()) names.add(name);
  }
  return names;
}

function standsOnMasked(catalog: Catalog, view: Relation, isMasked: IsMasked): boolean {
  return sources(catalog, view).some((source) =>
    [...source.columns.values()].some((column) => isMasked(source.oid, column.attnum)),
  );
}

/** Union of the tags of all columns whose data the relation can show. Pure. */
export function relationTags(catalog: Catalog, relation: Relation, tags: TagsByName): string[] {
  if (tags.size === 0) return [];
  const all = new Set<string>();
  for (const source of sources(catalog, relation)) {
    for (const name of source.columns.keys()) for (const tag of ownTags(source, name, tags)) all.add(tag);
  }
  return [...all].sort();
}

function ownTags(relation: Relation | undefined, column: string, tags: TagsByName): readonly string[] {
  if (relation === undefined) return [];
  return tags.get(`${relation.schema}.${relation.name}.${column}`) ?? [];
}
