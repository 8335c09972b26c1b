import { type CatalogTables, MirrorGap } from './catalog-mirror.ts';
import {
  type Cast,
  type CatalogFunction,
  type CatalogType,
  type Dependencies,
  type ForeignKey,
  type Operator,
  type Relation,
  SYSTEM_VIEW_SCHEMAS,
  type Trigger,
} from './catalog-model.ts';
import {
  CATALOG_OIDS,
  type ConstraintRow,
  type DependRow,
  type ProcRow,
  type TriggerRow,
  type TypeRow,
} from './catalog-tables.ts';
import type { TypeGraph } from './catalog-types.ts';

const VOLATILITY = { i: 'immutable', s: 'stable', v: 'volatile' } as const;

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

/** Functions by OID; those whose schema or language is not there are left out. */
export function functionsOf(tables: CatalogTables): Map<number, CatalogFunction> {
  const extensions = extensionFunctions(tables);
  const functions = new Map<number, CatalogFunction>();
  for (const row of tables.pg_proc.values()) {
    const made = functionOf(row, tables, extensions);
    if (made !== undefined) functions.set(row.oid, made);
  }
  return functions;
}

export function isExtensionFunction(row: DependRow): boolean {
  return row.class === CATALOG_OIDS.pg_proc && row.type === 'e';
}

/** OIDs of the functions that are part of an extension. */
export function extensionFunctions(tables: CatalogTables): Set<number> {
  return new Set([...tables.pg_depend.values()].filter(isExtensionFunction).map(({ object }) => object));
}

/** @param extensions As `extensionFunctions` gives them. */
export function functionOf(
  row: ProcRow,
  tables: CatalogTables,
  extensions: ReadonlySet<number>,
): CatalogFunction | undefined {
  const schema = schemaOf(row, tables);
  const language = tables.pg_language.get(`${row.language}`)?.name;
  if (schema === undefined || language === undefined) return undefined;
  const volatility = VOLATILITY[row.volatility as keyof typeof VOLATILITY] ?? 'volatile';
  const compiled = (language === 'c' || language === 'internal') && volatility !== 'volatile';
  const sql = language === 'sql' && volatility === 'immutable';
  const { oid, name } = row;
  const trusted = extensions.has(oid) && (compiled || sql);
  const takes = oids(row.takes);
  const gives = oids(row.gives);
  return {
    oid,
    schema,
    name,
    volatility,
    language,
    trusted,
    takes,
    gives,
    steers: steers(row, language, volatility),
  };
}

/** Compiled code may do anything unless it says that it only computes; other languages are not read. */
function steers(row: ProcRow, language: string, volatility: CatalogFunction['volatility']): boolean {
  if (language === 'sql' || language === 'plpgsql') return row.steers;
  return language !== 'internal' && !(language === 'c' && volatility === 'immutable');
}

/** Whether any function outside of extensions steers: those of sessions may call each other in ways that nobody follows. */
export function anySteers(functions: Functions, tables: CatalogTables): boolean {
  const extensions = extensionFunctions(tables);
  return [...functions.values()].some(
    (one) => one.steers && !SYSTEM_VIEW_SCHEMAS.includes(one.schema) && !extensions.has(one.oid),
  );
}

function oids(list: string | null): readonly number[] {
  return list === null || list === '' ? NO_OIDS : list.split(' ').map(Number);
}

const NO_OIDS: readonly number[] = [];

export function schemaOf(row: { readonly namespace: number }, tables: CatalogTables): string | undefined {
  return tables.pg_namespace.get(`${row.namespace}`)?.name;
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
  const run = multimap(
    [...evaluated(tables, types)].flatMap(([catalog, object, fn]) =>
      catalog === CATALOG_OIDS.pg_rewrite ? [[object, fn] as const] : [],
    ),
  );
  for (const row of tables.pg_rewrite.values()) {
    const view = row.isReturn ? relations.get(row.relation) : undefined;
    if (view === undefined || SYSTEM_VIEW_SCHEMAS.includes(view.schema)) continue;
    const functions = new Set([...(row.functions ?? []), ...(run.get(row.oid) ?? [])]);
    views.set(view.oid, { relations: row.relations ?? [], functions: [...functions] });
  }
  return views;
}

export function rulesOf(tables: CatalogTables): Set<number> {
  const rules = [...tables.pg_rewrite.values()].filter((row) => !row.isReturn && row.enabled);
  return new Set(rules.map(({ relation }) => relation));
}

/** Functions that an object depends on, itself or through an operator: `(class, object, function)`. */
export function* usedFunctions(tables: CatalogTables): Generator<readonly [number, number, number]> {
  for (const row of tables.pg_depend.values()) {
    if (row.type !== 'n' && row.type !== 'a') continue;
    if (row.usedClass === CATALOG_OIDS.pg_proc) yield [row.class, row.object, row.usedObject];
    if (row.usedClass !== CATALOG_OIDS.pg_operator) continue;
    const operator = tables.pg_operator.get(`${row.usedObject}`);
    if (operator !== undefined) yield [row.class, row.object, operator.function];
  }
}

/** As `usedFunctions`, with what the types run that are named in what an object evaluates. */
function* evaluated(tables: CatalogTables, types: TypeGraph): Generator<readonly [number, number, number]> {
  yield* usedFunctions(tables);
  for (const row of tables.pg_depend.values()) {
    if (row.usedClass !== CATALOG_OIDS.pg_type) continue;
    for (const fn of types.functions(row.usedObject)) yield [row.class, row.object, fn];
  }
}

/** What is run when a relation is written: defaults, checks, generated columns, indexes, partition keys, its types. */
export function writeDependencies(
  tables: CatalogTables,
  relations: Relations,
  types: TypeGraph,
): Map<number, Dependencies> {
  const used: [number, boolean, number][] = [];
  for (const [catalog, object, fn] of evaluated(tables, types)) {
    for (const owner of writtenRelations(catalog, `${object}`, tables)) used.push([owner, false, fn]);
  }
  for (const { oid, kind, columns } of relations.values()) {
    if (!STORED.has(kind)) continue;
    for (const { typeOid } of columns.values()) {
      for (const fn of types.functions(typeOid)) used.push([oid, false, fn]);
    }
  }
  return dependencies(used);
}

/** The relations whose writing runs what the object stands for. */
function writtenRelations(catalog: number, object: string, tables: CatalogTables): readonly number[] {
  const constraint = catalog === CATALOG_OIDS.pg_constraint ? tables.pg_constraint.get(object) : undefined;
  // A foreign key compares on both sides.
  if (constraint !== undefined)
    return [constraint.relation, constraint.referenced].filter((oid) => oid !== 0);
  const isClass = catalog === CATALOG_OIDS.pg_class;
  const partitioned = isClass && tables.pg_class.get(object)?.kind === 'p' ? Number(object) : undefined;
  const index = isClass ? tables.pg_index.get(object)?.relation : undefined;
  const fallback = catalog === CATALOG_OIDS.pg_attrdef ? tables.pg_attrdef.get(object)?.relation : undefined;
  return [partitioned, index, fallback].filter((oid) => oid !== undefined);
}

const STORED: ReadonlySet<string> = new Set(['table', 'partitioned', 'foreign', 'matview']);

/** Functions in expressions of statistics, by the relation they are of. */
export function statisticsOf(tables: CatalogTables): Map<number, Dependencies> {
  const rows = [...tables.pg_depend.values()].filter((row) => row.class === CATALOG_OIDS.pg_statistic_ext);
  if (rows.length === 0) return new Map();
  const relations = multimap(
    rows.flatMap((row) =>
      row.usedClass === CATALOG_OIDS.pg_class ? [[row.object, row.usedObject] as const] : [],
    ),
  );
  const used: [number, boolean, number][] = [];
  for (const [catalog, object, fn] of usedFunctions(tables)) {
    if (catalog !== CATALOG_OIDS.pg_statistic_ext) continue;
    for (const relation of relations.get(object) ?? []) used.push([relation, false, fn]);
  }
  return dependencies(used);
}

/** What row security policies use. */
export function policyDependencies(tables: CatalogTables, types: TypeGraph): Map<number, Dependencies> {
  const used: [number, boolean, number][] = [];
  const relationOf = (object: number) => tables.pg_policy.get(`${object}`)?.relation;
  for (const [catalog, object, fn] of evaluated(tables, types)) {
    const relation = catalog === CATALOG_OIDS.pg_policy ? relationOf(object) : undefined;
    if (relation !== undefined) used.push([relation, false, fn]);
  }
  for (const row of tables.pg_depend.values()) {
    if (row.class !== CATALOG_OIDS.pg_policy || row.usedClass !== CATALOG_OIDS.pg_class) continue;
    const relation = relationOf(row.object);
    if (relation !== undefined && relation !== row.usedObject) used.push([relation, true, row.usedObject]);
  }
  return dependencies(used);
}

/** By owner, each once. */
function dependencies(used: readonly (readonly [number, boolean, number])[]): Map<number, Dependencies> {
  const map = new Map<number, { relations: Set<number>; functions: Set<number> }>();
  for (const [owner, isRelation, oid] of used) {
    const entry = map.get(owner) ?? { relations: new Set(), functions: new Set() };
    map.set(owner, entry);
    (isRelation ? entry.relations : entry.functions).add(oid);
  }
  const lists = [...map].map(([owner, { relations, functions }]) => {
    const entry: Dependencies = { relations: [...relations], functions: [...functions] };
    return [owner, entry] as const;
  });
  return new Map(lists);
}

export function triggersOf(tables: CatalogTables, types: TypeGraph): Map<number, Trigger[]> {
  const run = new Map<number, Set<number>>();
  for (const [catalog, object, fn] of evaluated(tables, types)) {
    if (catalog === CATALOG_OIDS.pg_trigger) run.set(object, (run.get(object) ?? new Set()).add(fn));
  }
  return multimap(
    [...tables.pg_trigger.values()].map((row) => [row.relation, triggerOf(row, run.get(row.oid))] as const),
  );
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
export function foreignKeysOf(tables: CatalogTables): Map<number, ForeignKey[]> {
  const rows = [...tables.pg_constraint.values()].filter(({ type }) => type === 'f');
  return multimap(rows.map((row) => [row.referenced, foreignKeyOf(row)] as const));
}

function foreignKeyOf({ referenced, relation, keys, onDelete, onUpdate }: ConstraintRow): ForeignKey {
  return {
    referenced,
    referencing: relation,
    keys,
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
    const [left = 0, right = 0, result = 0] = row.types ?? [];
    return [{ name: row.name, schema, function: row.function, operands: [left, right], result }];
  });
  return multimap(found.map((value) => [value.name, value] as const));
}

/** Those that call a function outside of pg_catalog. */
export function castsOf(tables: CatalogTables, functions: Functions): Cast[] {
  return [...tables.pg_cast.values()].flatMap((row): Cast[] => {
    const type = tables.pg_type.get(`${row.target}`);
    const schema = type === undefined ? undefined : schemaOf(type, tables);
    const fn = functions.get(row.function);
    if (type === undefined || schema === undefined || fn === undefined) return [];
    if (fn.trusted || fn.schema === 'pg_catalog') return [];
    const { source, target, context } = row;
    return [{ source, target, context, name: type.name, schema, function: row.function }];
  });
}

/** What any change of the schema runs; a login trigger has run when a session is there. */
export function eventTriggersOf(tables: CatalogTables): number[] {
  const rows = [...tables.pg_event_trigger.values()].filter(({ event }) => event !== 'login');
  return [...new Set(rows.map((row) => row.function))];
}

/** By OID. */
export function valueTypesOf(tables: CatalogTables): Map<number, CatalogType> {
  return new Map([...tables.pg_type.values()].map((row) => [row.oid, typeMade(row)]));
}

function typeMade({ name, kind, delimiter, ...made }: TypeRow): CatalogType {
  const of = { a: made.element, d: made.base, r: made.bound, m: made.range }[kind] ?? 0;
  return { name, kind, of, delimiter };
}
