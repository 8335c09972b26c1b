import type { CatalogTables } from '../mirror/mirror.ts';
import type { ConstraintRow, DependRow, RewriteRow } from '../mirror/records.ts';
import { CATALOG_OIDS } from '../mirror/tables.ts';
import type { Source, ViewColumns } from '../stored-trees/view-columns.ts';
import { FIRST_USER_OID, ROWS } from '../system/objects.ts';
import type { Derived, Relation, TypeGraph } from './model.ts';
import { multimap } from './parts.ts';

type Relations = ReadonlyMap<number, Relation>;
/** Of which relation, and where it can be seen. */
type Edge = readonly [number, Derived];

/**
 * Where the data of relations can be seen besides in themselves and their inheritance families, as the catalog says it:
 * views, what rules write to, generated columns, columns that refer to them by a foreign key, sequences behind columns,
 * columns whose type holds the relation's rows.
 */
export function derivedOf(
  tables: CatalogTables,
  relations: Relations,
  types: TypeGraph,
): Map<number, Derived[]> {
  return multimap([
    ...ruleEdges(tables, relations),
    ...columnEdges(tables, relations),
    ...[...tables.pg_constraint.values()].flatMap(keyEdges),
    ...rowTypeEdges(relations, types),
  ]);
}

function* ruleEdges(tables: CatalogTables, relations: Relations): Generator<Edge> {
  const rows = [...tables.pg_depend.values()].filter((row) => row.class === CATALOG_OIDS.pg_rewrite);
  const used = multimap(rows.map((row) => [row.object, row] as const));
  for (const rule of tables.pg_rewrite.values()) {
    if (rule.made !== null) {
      yield* viewEdges(rule.relation, rule.made);
      continue;
    }
    const sources = usedColumns(rule, used.get(rule.oid) ?? []);
    for (const [relation, from] of sources) {
      for (const target of rule.isReturn ? [rule.relation] : writtenBy(rule, relation, relations))
        if (target !== relation) yield [relation, { from, relation: target, attribute: undefined }];
    }
  }
}

function* viewEdges(view: number, { columns, everywhere, carried }: ViewColumns): Generator<Edge> {
  const edge = ([source, from]: Source, attribute: number | undefined, asIs = false): Edge => [
    source,
    {
      from: from === 0 ? undefined : from,
      relation: view,
      attribute,
      ...(asIs && from > 0 ? { asIs } : {}),
    },
  ];
  for (const source of everywhere) yield* [edge(source, undefined), edge(source, ROWS)];
  for (const [index, sources] of columns.entries())
    for (const one of sources) yield edge(one, index + 1, carried.includes(index + 1));
}

/**
 * The columns that a rule uses anywhere. What the server itself pins (its own catalogs) has no rows there, and a whole
 * row leaves none: then all columns of what the rule names are used.
 */
function usedColumns(rule: RewriteRow, used: readonly DependRow[]): [number, number | undefined][] {
  const named = (rule.relations ?? []).filter((oid) => oid !== rule.relation || !rule.isReturn);
  return named.flatMap((oid): [number, number | undefined][] => {
    const own = used.filter(({ usedObject }) => usedObject === oid);
    if (rule.wholeRows !== false || own.length === 0) return [[oid, undefined]];
    return own.filter(({ usedPart }) => usedPart > 0).map(({ usedPart }) => [oid, usedPart]);
  });
}

/** Which of the relations that a rule names it writes to is not read from its tree: any but those it stands on. */
function writtenBy(rule: RewriteRow, source: number, relations: Relations): number[] {
  return (rule.relations ?? []).filter(
    (oid) => oid !== rule.relation && oid !== source && relations.has(oid),
  );
}

/** Generated columns show what they are made of; a sequence shows the last value of its column. */
function* columnEdges(tables: CatalogTables, relations: Relations): Generator<Edge> {
  for (const { class: catalog, object, part, usedClass, usedObject, usedPart } of tables.pg_depend.values()) {
    if (usedClass !== CATALOG_OIDS.pg_class) continue;
    if (catalog === CATALOG_OIDS.pg_attrdef) {
      const own = tables.pg_attrdef.get(`${object}`);
      if (own === undefined) continue;
      const { relation, attnum } = own;
      if (usedPart > 0) yield [usedObject, { from: usedPart, relation, attribute: attnum }];
      else yield [relation, { from: attnum, relation: usedObject, attribute: undefined }];
    } else if (catalog === CATALOG_OIDS.pg_class) {
      if (part > 0) yield [usedObject, { from: usedPart, relation: object, attribute: part }];
      else if (relations.get(object)?.kind === 'sequence')
        yield [usedObject, { from: usedPart, relation: object, attribute: undefined }];
    }
  }
}

/** What refers to a key holds values of it. */
function keyEdges({ type, relation, referenced, keys, columns }: ConstraintRow): Edge[] {
  if (type !== 'f') return [];
  return keys.map((from, index) => [referenced, { from, relation, attribute: columns[index] }]);
}

function* rowTypeEdges(relations: Relations, types: TypeGraph): Generator<Edge> {
  for (const { oid, columns } of relations.values()) {
    for (const { attnum, typeOid } of columns.values()) {
      if (typeOid < FIRST_USER_OID) continue;
      for (const type of types.within(typeOid)) {
        const row = types.rowOf(type);
        if (row !== undefined) yield [row, { from: undefined, relation: oid, attribute: attnum }];
      }
    }
  }
}
