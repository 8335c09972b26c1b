import type { Catalog, Derived, Relation } from '../../catalog/model/model.ts';
import { isDefinition, writesOutRules } from '../../catalog/system/functions.ts';
import { FIRST_USER_OID } from '../../catalog/system/objects.ts';
import { resolveOid } from './functions.ts';

/** A column, by its relation's OID and its number in it. */
export interface ColumnAt {
  readonly relation: number;
  readonly attribute: number;
}

/** Where a column's data can be seen. */
export interface ShownAt extends ColumnAt {
  /** Each value there is one of the column's as it is, or has nothing of it: none was made of it. */
  readonly asIs: boolean;
}

/** Says whether one column of a relation is masked for the principal. */
export type IsMasked = (relation: number, attribute: number) => boolean;

export function columnKey({ relation, attribute }: ColumnAt): string {
  return `${relation}.${attribute}`;
}

/**
 * Names of a relation's columns that are masked. Whether one is, `spread` has settled: nothing is inferred here.
 *
 * Expressions of the system's catalogs are not counted: tools write them out, and what they give is tainted then.
 */
export function maskedColumns(relation: Relation, isMasked: IsMasked): ReadonlySet<string> {
  const names = new Set<string>();
  const system = relation.oid < FIRST_USER_OID;
  for (const { name, attnum } of relation.columns.values()) {
    if (isMasked(relation.oid, attnum) && !(system && EXPRESSION_COLUMNS.has(name))) names.add(name);
  }
  return names;
}

/**
 * Columns in which a column's data can be seen directly besides in itself: the column of that name in the relation's
 * parents and children, what the catalog derives from it, and the system's own columns that hold values of it.
 */
export function shownIn(catalog: Catalog, column: ColumnAt): ShownAt[] {
  const relation = catalog.relations.get(column.relation);
  const own = [...(relation?.columns.values() ?? [])].find(({ attnum }) => attnum === column.attribute);
  const family = own === undefined ? [] : relatives(catalog, column.relation, own.name);
  const derived = (catalog.derived.get(column.relation) ?? [])
    .filter(({ from }) => from === undefined || from === column.attribute)
    .flatMap((one) => columnsOf(catalog, one).map((at) => ({ ...at, asIs: one.asIs === true })));
  const system = systemColumns(relation, own).flatMap(([schema, name, attribute]) =>
    columnNamed(catalog.lookupRelation(schema, name), attribute),
  );
  return [
    ...family.map((one) => ({ ...one, asIs: true })),
    ...derived,
    ...system.map((one) => ({ ...one, asIs: false })),
  ];
}

function relatives(catalog: Catalog, oid: number, name: string): ColumnAt[] {
  const near = [...(catalog.parents.get(oid) ?? []), ...(catalog.children.get(oid) ?? [])];
  return near.flatMap((one) => columnNamed(catalog.relations.get(one), name));
}

function columnsOf(catalog: Catalog, { relation, attribute }: Derived): ColumnAt[] {
  if (attribute !== undefined) return [{ relation, attribute }];
  const columns = catalog.relations.get(relation)?.columns.values() ?? [];
  return [...columns].map(({ attnum }) => ({ relation, attribute: attnum }));
}

/** The column of that name, if there is one. */
export function columnNamed(relation: Relation | undefined, name: string): ColumnAt[] {
  const column = relation?.columns.get(name);
  return relation === undefined || column === undefined
    ? []
    : [{ relation: relation.oid, attribute: column.attnum }];
}

type SystemColumn = readonly [schema: string, relation: string, column: string];

/** Defaults, the value that rows older than a column show, bounds of partitions. */
function systemColumns(
  relation: Relation | undefined,
  column:
    | { readonly hasDefault: boolean; readonly generated: boolean; readonly hasMissing: boolean }
    | undefined,
): SystemColumn[] {
  const found: SystemColumn[] = [];
  if (column?.hasMissing === true) found.push(['pg_catalog', 'pg_attribute', 'attmissingval']);
  if (column?.hasDefault === true && !column.generated) found.push(...DEFAULTS);
  if (relation?.kind === 'partitioned') found.push(BOUNDS);
  return found;
}

const DEFAULTS: readonly SystemColumn[] = [
  ['pg_catalog', 'pg_attrdef', 'adbin'],
  ['information_schema', 'columns', 'column_default'],
];
const BOUNDS: SystemColumn = ['pg_catalog', 'pg_class', 'relpartbound'];

/** Definitions of views and rules, written out. */
export const DEFINITION_COLUMNS: readonly SystemColumn[] = [
  ['pg_catalog', 'pg_views', 'definition'],
  ['pg_catalog', 'pg_matviews', 'definition'],
  ['pg_catalog', 'pg_rules', 'definition'],
  ['information_schema', 'views', 'view_definition'],
];
/** The same as trees. */
const RULE_TREES: readonly SystemColumn[] = [
  ['pg_catalog', 'pg_rewrite', 'ev_action'],
  ['pg_catalog', 'pg_rewrite', 'ev_qual'],
];

/** Columns of the system's own that hold expressions, whose constants may be taken from data; by name. */
const EXPRESSION_COLUMNS: ReadonlySet<string> = new Set(
  [...DEFAULTS, BOUNDS, ...DEFINITION_COLUMNS, ...RULE_TREES].map(([, , column]) => column),
);

/** Columns of the system's own that tell what views and rules are made of, with the constants in them. */
export function ruleColumns(catalog: Catalog): ColumnAt[] {
  return [...DEFINITION_COLUMNS, ...RULE_TREES].flatMap(([schema, name, column]) =>
    columnNamed(catalog.lookupRelation(schema, name), column),
  );
}

/** Whether a view or a rule may name a relation, whatever it reads of it; one that is a view itself may be made of anything. */
export function isInRules(catalog: Catalog, relation: number): boolean {
  const isView = (oid: number) => VIEWS.has(catalog.relations.get(oid)?.kind);
  const derived = catalog.derived.get(relation) ?? [];
  // The server has rules of its own, on `pg_settings`.
  const hasRules = [...catalog.rules].some((oid) => oid >= FIRST_USER_OID);
  return hasRules || isView(relation) || derived.some((one) => isView(one.relation));
}

const VIEWS: ReadonlySet<string | undefined> = new Set(['view', 'matview']);

/** Functions that write out expressions of the catalog, where one may hold a constant of what is masked. */
export function writesOutMasked(
  { schema, name }: { readonly schema: string; readonly name: string },
  catalog: Catalog,
  isMasked: IsMasked,
): boolean {
  if (schema !== 'pg_catalog' || !isDefinition(name)) return false;
  return name === 'current_query' || masksAny([...DEFAULTS, BOUNDS], catalog, isMasked);
}

/** Whether what a function of that name gives is the definition of a view or rule, and one may hold a constant beside what is masked. */
export function tellsOfRules(
  { schema, name }: { readonly schema: string; readonly name: string },
  catalog: Catalog,
  isMasked: IsMasked,
): boolean {
  return schema === 'pg_catalog' && writesOutRules(name) && masksRules(catalog, isMasked);
}

/** Whether definitions of views and rules may hold such a constant: `SessionMasks` has settled that. */
export function masksRules(catalog: Catalog, isMasked: IsMasked): boolean {
  return masksAny(DEFINITION_COLUMNS, catalog, isMasked);
}

function masksAny(columns: readonly SystemColumn[], catalog: Catalog, isMasked: IsMasked): boolean {
  return columns.some(([schema, name, column]) =>
    columnNamed(catalog.lookupRelation(schema, name), column).some((one) =>
      isMasked(one.relation, one.attribute),
    ),
  );
}

/**
 * Names of a relation's columns that hold expressions with constants of masked columns: what `maskedColumns` leaves out.
 *
 * @param isTraced Definitions of views and rules are followed otherwise, and left out too.
 */
export function maskedExpressions(relation: Relation, isMasked: IsMasked, isTraced: boolean): string[] {
  if (relation.oid >= FIRST_USER_OID) return [];
  return [...EXPRESSION_COLUMNS].filter(
    (name) =>
      !(isTraced && DEFINITION_NAMES.has(name)) &&
      columnNamed(relation, name).some((one) => isMasked(one.relation, one.attribute)),
  );
}

const DEFINITION_NAMES: ReadonlySet<string> = new Set(DEFINITION_COLUMNS.map(([, , column]) => column));

/**
 * Spreads what is known of some columns to every column in which their data can be seen, to the end.
 *
 * @param seeds By column.
 * @param join What holds of a column of which `known` was said, if `more` comes to it; `known` itself if that says nothing
 *   new.
 * @param next Where a column's data can be seen directly besides, and what holds of it there.
 * @returns By `columnKey`. Pure.
 */
export function spread<T>(
  seeds: Iterable<readonly [ColumnAt, T]>,
  join: (known: T, more: T) => T,
  next: (column: ColumnAt, value: T) => readonly (readonly [ColumnAt, T])[],
): Map<string, readonly [ColumnAt, T]> {
  const found = new Map<string, readonly [ColumnAt, T]>();
  const queue = [...seeds];
  for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
    const [column, value] = entry;
    const key = columnKey(column);
    const known = found.get(key);
    const joined = known === undefined ? value : join(known[1], value);
    if (known !== undefined && joined === known[1]) continue;
    found.set(key, [column, joined]);
    queue.push(...next(column, joined));
  }
  return found;
}

/**
 * Columns of views that call what the gateway cannot see into: a user's function may have taken what it gives from
 * anywhere, and so may built-in ones that run SQL given as text.
 */
export function unknownSources(catalog: Catalog): ColumnAt[] {
  return [...catalog.views].flatMap(([relation, { functions }]) =>
    functions.some((oid) => seesAnything(catalog, oid))
      ? columnsOf(catalog, { relation, from: undefined, attribute: undefined })
      : [],
  );
}

/** Some run SQL given as text, others give text of which no column tells. */
const RUNS_TEXT = /_to_xml|^(pg_read_|pg_ls_|lo_get|loread|ts_stat|current_query|pg_get_(rule|view)def$)/;

function seesAnything(catalog: Catalog, oid: number): boolean {
  const known = catalog.functions.get(oid);
  const resolved = resolveOid(oid, catalog);
  if (known === undefined || resolved === undefined || known.trusted) return false;
  return resolved.class === 'user' || (oid < FIRST_USER_OID && RUNS_TEXT.test(known.name));
}
