import { against, of } from '../mirror/groups.ts';
import { type CatalogTables, MirrorGap } from '../mirror/mirror.ts';
import type { CallingRow, ConstraintRow, DependRow, TriggerRow, TypeRow } from '../mirror/records.ts';
import { CATALOG_OIDS } from '../mirror/tables.ts';
import type { ViewColumns } from '../stored-trees/view-columns.ts';
import { isHarmlessBuiltin } from '../system/functions.ts';
import { SYSTEM_VIEW_SCHEMAS } from '../system/objects.ts';
import { byRelation } from './by-relation.ts';
import { schemaOf, volatilityOf } from './functions.ts';
import type {
  ByRelation,
  Cast,
  CatalogFunction,
  CatalogType,
  Dependencies,
  ForeignKey,
  Operator,
  Relation,
  Trigger,
  TypeGraph,
} from './model.ts';

/** Bits of `pg_trigger.tgtype`. */
const TRIGGER = { insert: 4, delete: 8, update: 16, truncate: 32 } as const;

type Relations = ReadonlyMap<number, Relation>;
type Functions = ReadonlyMap<number, CatalogFunction>;

export function multimap<K, V>(pairs: Iterable<readonly [K, V]>): Map<K, V[]> {
  const map = new Map<K, V[]>();
  for (const [key, value] of pairs) {
    const known = map.get(key);
    if (known === undefined) map.set(key, [value]);
    else known.push(value);
  }
  return map;
}

/** `[child, parent]` of relations; partitioned indexes are left out. */
export function inheritance(tables: CatalogTables): (readonly [number, number])[] {
  return [...tables.pg_inherits.values()]
    .filter(({ child }) => tables.pg_class.has(`${child}`))
    .map(({ child, parent }) => [child, parent] as const);
}

/** @throws {MirrorGap} A view has left the system's schemas: what it stands on was not asked for. */
export function assertViewsRead(tables: CatalogTables, relations: Relations): void {
  for (const row of tables.pg_rewrite.values()) {
    const unread = row.isReturn && (row.relations === null || row.functions === null);
    const view = unread ? relations.get(row.relation) : undefined;
    if (view !== undefined && !SYSTEM_VIEW_SCHEMAS.includes(view.schema)) throw new MirrorGap();
  }
}

/** Of those that `assertViewsRead` has seen. */
export function viewsOf(
  tables: CatalogTables,
  relations: Relations,
  types: TypeGraph,
): Map<number, Dependencies> {
  const views = new Map<number, Dependencies>();
  for (const row of tables.pg_rewrite.values()) {
    const view = row.isReturn ? relations.get(row.relation) : undefined;
    if (view === undefined || SYSTEM_VIEW_SCHEMAS.includes(view.schema)) continue;
    const functions = new Set([
      ...(row.functions ?? []),
      ...functionsUsed(tables, types, CATALOG_OIDS.pg_rewrite, [{ oid: row.oid, calls: null }]),
    ]);
    views.set(view.oid, { relations: row.relations ?? [], functions: [...functions] });
  }
  return views;
}

export function viewColumnsOf(tables: CatalogTables): Map<number, ViewColumns> {
  const rules = [...tables.pg_rewrite.values()].filter(({ isReturn }) => isReturn);
  return new Map(rules.flatMap(({ relation, made }) => (made === null ? [] : [[relation, made] as const])));
}

export function rulesOf(tables: CatalogTables): Set<number> {
  const rules = [...tables.pg_rewrite.values()].filter((row) => !row.isReturn && row.enabled);
  return new Set(rules.map(({ relation }) => relation));
}

/** Functions that are depended on, themselves or through an operator. */
export function functionsIn(rows: readonly DependRow[], tables: CatalogTables): number[] {
  return rows
    .filter(({ type }) => type === 'n' || type === 'a')
    .flatMap(({ usedClass, usedObject }) => {
      if (usedClass === CATALOG_OIDS.pg_proc) return [usedObject];
      if (usedClass !== CATALOG_OIDS.pg_operator) return [];
      return tables.pg_operator.get(`${usedObject}`)?.function ?? [];
    });
}

/** PostgreSQL's own functions that an expression calls, without those that are harmless. */
export function callsOf({ calls }: CallingRow, tables: CatalogTables): readonly number[] {
  return (calls ?? []).filter((oid) => {
    const row = tables.pg_proc.get(`${oid}`);
    const schema = row === undefined ? undefined : schemaOf(row, tables);
    if (row === undefined || schema === undefined) return true;
    return !isHarmlessBuiltin({ schema, name: row.name, volatility: volatilityOf(row) });
  });
}

/** The functions that objects of one catalog call: themselves, through operators, or by the types they evaluate. */
function functionsUsed(
  tables: CatalogTables,
  types: TypeGraph,
  catalog: number,
  objects: readonly ExpressionRow[],
): number[] {
  return objects.flatMap((object) => {
    const rows = tables.pg_depend.in(of(object.oid)).filter((row) => row.class === catalog);
    const inTypes = rows.filter(({ usedClass }) => usedClass === CATALOG_OIDS.pg_type);
    return [
      ...functionsIn(rows, tables),
      ...callsOf(object, tables),
      ...inTypes.flatMap(({ usedObject }) => types.functions(usedObject)),
    ];
  });
}

interface ExpressionRow extends CallingRow {
  readonly oid: number;
}

/** What is run when a relation is written: defaults, checks, generated columns, indexes, partition keys, its types. */
export function writeDependencies(
  tables: CatalogTables,
  relations: Relations,
  types: TypeGraph,
): ByRelation<Dependencies> {
  return byRelation(relations, ({ oid, kind, columns }) => {
    // A foreign key compares on both sides.
    const constraints = [...tables.pg_constraint.in(of(oid)), ...tables.pg_constraint.in(against(oid))];
    const classes = [
      ...tables.pg_index.in(of(oid)),
      ...(kind === 'partitioned' ? [{ oid, calls: null }] : []),
    ];
    const used = (catalog: number, rows: readonly ExpressionRow[]) =>
      functionsUsed(tables, types, catalog, rows);
    const values = STORED.has(kind) ? [...columns.values()] : [];
    return dependenciesOn([
      ...used(CATALOG_OIDS.pg_constraint, constraints),
      ...used(CATALOG_OIDS.pg_class, classes),
      ...used(CATALOG_OIDS.pg_attrdef, tables.pg_attrdef.in(of(oid))),
      ...values.flatMap(({ typeOid }) => types.functions(typeOid)),
    ]);
  });
}

const STORED: ReadonlySet<string> = new Set(['table', 'partitioned', 'foreign', 'matview']);

/** Functions in expressions of statistics, by the relation they are of. */
export function statisticsOf(
  tables: CatalogTables,
  relations: Relations,
  types: TypeGraph,
): ByRelation<Dependencies> {
  return byRelation(relations, ({ oid }) => {
    const statistics = tables.pg_statistic_ext.in(of(oid));
    return dependenciesOn(functionsUsed(tables, types, CATALOG_OIDS.pg_statistic_ext, statistics));
  });
}

/** What row security policies use. */
export function policyDependencies(
  tables: CatalogTables,
  relations: Relations,
  types: TypeGraph,
): ByRelation<Dependencies> {
  return byRelation(relations, ({ oid }) => {
    const policies = tables.pg_policy.in(of(oid));
    const read = policies.flatMap((policy) =>
      tables.pg_depend
        .in(of(policy.oid))
        .filter((row) => row.class === CATALOG_OIDS.pg_policy && row.usedClass === CATALOG_OIDS.pg_class)
        .map(({ usedObject }) => usedObject),
    );
    return dependenciesOn(
      functionsUsed(tables, types, CATALOG_OIDS.pg_policy, policies),
      read.filter((one) => one !== oid),
    );
  });
}

/** Each once; undefined if there are none. */
function dependenciesOn(
  functions: readonly number[],
  relations: readonly number[] = [],
): Dependencies | undefined {
  if (functions.length + relations.length === 0) return undefined;
  return { relations: [...new Set(relations)], functions: [...new Set(functions)] };
}

export function triggersOf(
  tables: CatalogTables,
  relations: Relations,
  types: TypeGraph,
): ByRelation<readonly Trigger[]> {
  return byRelation(relations, ({ oid }) => {
    const rows = tables.pg_trigger.in(of(oid));
    const made = rows.map((row) =>
      triggerOf(row, functionsUsed(tables, types, CATALOG_OIDS.pg_trigger, [row])),
    );
    return made.length === 0 ? undefined : made;
  });
}

function triggerOf({ relation, function: fn, type }: TriggerRow, run: Iterable<number> = []): Trigger {
  return {
    relation,
    functions: [...new Set([fn, ...run])],
    onInsert: (type & TRIGGER.insert) !== 0,
    onUpdate: (type & TRIGGER.update) !== 0,
    onDelete: (type & TRIGGER.delete) !== 0,
    onTruncate: (type & TRIGGER.truncate) !== 0,
  };
}

/** By the relation that is referenced. */
export function foreignKeysOf(
  tables: CatalogTables,
  relations: Relations,
): ByRelation<readonly ForeignKey[]> {
  return byRelation(relations, ({ oid }) => {
    const keys = tables.pg_constraint.in(against(oid)).filter(({ type }) => type === 'f');
    return keys.length === 0 ? undefined : keys.map(foreignKeyOf);
  });
}

function foreignKeyOf(row: ConstraintRow): ForeignKey {
  const { referenced, relation, keys, columns, onDelete, onUpdate } = row;
  return {
    referenced,
    referencing: relation,
    keys,
    columns,
    onDelete: onDelete === 'c' ? 'delete' : ['n', 'd'].includes(onDelete) ? 'update' : undefined,
    onUpdate: ['c', 'n', 'd'].includes(onUpdate) ? 'update' : undefined,
  };
}

/** Those that are not PostgreSQL's own, or are carried out by a function that is not; by name. */
export function operatorsOf(tables: CatalogTables, functions: Functions): Map<string, Operator[]> {
  const found = [...tables.pg_operator.values()].flatMap((row): Operator[] => {
    const schema = schemaOf(row, tables);
    const fn = functions.get(row.function);
    if (schema === undefined || fn === undefined || fn.trusted) return [];
    if (schema === 'pg_catalog' && fn.schema === 'pg_catalog') return [];
    const { name, left, right, result, function: carriedOutBy } = row;
    const instead = [row.commutator, row.negator]
      .map((oid) => tables.pg_operator.get(`${oid}`)?.function ?? 0)
      .filter((oid) => oid !== 0 && functions.get(oid)?.schema !== 'pg_catalog');
    return [{ name, schema, function: carriedOutBy, operands: [left, right], result, instead }];
  });
  return multimap(found.map((value) => [value.name, value] as const));
}

/** Those that call a function which may do more than compute. */
export function castsOf(tables: CatalogTables, functions: Functions): Cast[] {
  return [...tables.pg_cast.values()].flatMap((row): Cast[] => {
    const type = tables.pg_type.get(`${row.target}`);
    const schema = type === undefined ? undefined : schemaOf(type, tables);
    const fn = functions.get(row.function);
    if (type === undefined || schema === undefined || fn === undefined) return [];
    if (fn.trusted || isHarmlessBuiltin(fn)) return [];
    const { source, target, context } = row;
    return [{ source, target, context, name: type.name, schema, function: row.function }];
  });
}

/** What any change of the schema runs; a login trigger has run when a session is there. */
export function eventTriggersOf(tables: CatalogTables): number[] {
  const rows = [...tables.pg_event_trigger.values()].filter(({ event }) => event !== 'login');
  return [...new Set(rows.map((row) => row.function))];
}

/** Whether something runs at each login that may set what a session goes on with. */
export function hasLoginTriggers(tables: CatalogTables): boolean {
  return [...tables.pg_event_trigger.values()].some(({ event }) => event === 'login');
}

/** By OID. */
export function valueTypesOf(tables: CatalogTables): Map<number, CatalogType> {
  return new Map([...tables.pg_type.values()].map((row) => [row.oid, typeMade(row)]));
}

function typeMade({ name, kind, delimiter, ...made }: TypeRow): CatalogType {
  const of = { a: made.element, d: made.base, r: made.bound, m: made.range }[kind] ?? 0;
  return { name, kind, of, delimiter };
}
