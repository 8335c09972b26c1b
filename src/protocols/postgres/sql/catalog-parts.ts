import { type CatalogTables, MirrorGap } from './catalog-mirror.ts';
import {
  type Cast,
  type CatalogFunction,
  type CatalogType,
  type Dependencies,
  type ForeignKey,
  type OperatorOrCast,
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
  return { oid, schema, name, volatility, language, trusted: extensions.has(oid) && (compiled || sql) };
}

function schemaOf(row: { readonly namespace: number }, tables: CatalogTables): string | undefined {
  return tables.pg_namespace.get(`${row.namespace}`)?.name;
}

/** `[child, parent]` of relations; partitioned indexes are left out. */
export function inheritance(tables: CatalogTables): (readonly [number, number])[] {
  return [...tables.pg_inherits.values()]
    .filter(({ child }) => tables.pg_class.has(`${child}`))
    .map(({ child, parent }) => [child, parent] as const);
}

/** @throws {MirrorGap} A view has left the system's schemas: what it stands on was not asked for. */
export function viewsOf(tables: CatalogTables, relations: Relations): Map<number, Dependencies> {
  const views = new Map<number, Dependencies>();
  for (const row of tables.pg_rewrite.values()) {
    const view = row.isReturn ? relations.get(row.relation) : undefined;
    if (view === undefined || SYSTEM_VIEW_SCHEMAS.includes(view.schema)) continue;
    if (row.relations === null || row.functions === null) throw new MirrorGap();
    views.set(view.oid, { relations: row.relations, functions: row.functions });
  }
  return views;
}

export function rulesOf(tables: CatalogTables): Set<number> {
  const rules = [...tables.pg_rewrite.values()].filter((row) => !row.isReturn && row.enabled);
  return new Set(rules.map(({ relation }) => relation));
}

/** Functions that an object depends on, itself or through an operator: `(class, object, function)`. */
function* usedFunctions(tables: CatalogTables): Generator<readonly [number, number, number]> {
  for (const row of tables.pg_depend.values()) {
    if (row.type !== 'n' && row.type !== 'a') continue;
    if (row.usedClass === CATALOG_OIDS.pg_proc) yield [row.class, row.object, row.usedObject];
    if (row.usedClass !== CATALOG_OIDS.pg_operator) continue;
    const operator = tables.pg_operator.get(`${row.usedObject}`);
    if (operator !== undefined) yield [row.class, row.object, operator.function];
  }
}

/** What is run when a relation is written: defaults, checks, generated columns, indexes, partition keys, domains. */
export function writeDependencies(tables: CatalogTables, relations: Relations): Map<number, Dependencies> {
  const used: [number, boolean, number][] = [];
  for (const [catalog, object, fn] of usedFunctions(tables)) {
    for (const owner of writtenRelations(catalog, `${object}`, tables, relations))
      used.push([owner, false, fn]);
  }
  return dependencies(used);
}

/** The relations whose writing runs what the object stands for. */
function writtenRelations(
  catalog: number,
  object: string,
  tables: CatalogTables,
  relations: Relations,
): readonly number[] {
  const constraint = catalog === CATALOG_OIDS.pg_constraint ? tables.pg_constraint.get(object) : undefined;
  if (constraint !== undefined) return constrained(constraint, relations);
  const isClass = catalog === CATALOG_OIDS.pg_class;
  const partitioned = isClass && tables.pg_class.get(object)?.kind === 'p' ? Number(object) : undefined;
  const index = isClass ? tables.pg_index.get(object)?.relation : undefined;
  const fallback = catalog === CATALOG_OIDS.pg_attrdef ? tables.pg_attrdef.get(object)?.relation : undefined;
  return [partitioned, index, fallback].filter((oid) => oid !== undefined);
}

const STORED: ReadonlySet<string> = new Set(['table', 'partitioned', 'foreign']);

function constrained({ relation, domain }: ConstraintRow, relations: Relations): number[] {
  if (relation !== 0) return [relation];
  return [...relations.values()]
    .filter(({ kind }) => STORED.has(kind))
    .filter(({ columns }) => [...columns.values()].some(({ typeOid }) => typeOid === domain))
    .map(({ oid }) => oid);
}

/** What row security policies use. */
export function policyDependencies(tables: CatalogTables): Map<number, Dependencies> {
  const used: [number, boolean, number][] = [];
  const relationOf = (object: number) => tables.pg_policy.get(`${object}`)?.relation;
  for (const [catalog, object, fn] of usedFunctions(tables)) {
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

export function triggersOf(tables: CatalogTables): Map<number, Trigger[]> {
  return multimap([...tables.pg_trigger.values()].map((row) => [row.relation, triggerOf(row)] as const));
}

function triggerOf({ relation, function: fn, type }: TriggerRow): Trigger {
  return {
    relation,
    function: fn,
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

type ByName<T extends OperatorOrCast = OperatorOrCast> = Map<string, T[]>;

/** Those that are not PostgreSQL's own, or are carried out by a function that is not. */
export function operatorsOf(tables: CatalogTables, functions: Functions): ByName {
  const found = [...tables.pg_operator.values()].flatMap((row): OperatorOrCast[] => {
    const schema = schemaOf(row, tables);
    const fn = functions.get(row.function);
    if (schema === undefined || fn === undefined || fn.trusted) return [];
    if (schema === 'pg_catalog' && fn.schema === 'pg_catalog') return [];
    return [{ name: row.name, schema, function: row.function }];
  });
  return byName(found);
}

/** By target type; only those that call a function outside of pg_catalog. */
export function castsOf(tables: CatalogTables, functions: Functions): ByName<Cast> {
  const found = [...tables.pg_cast.values()].flatMap((row): Cast[] => {
    const type = typeOf(row.target, tables);
    const fn = functions.get(row.function);
    if (type === undefined || fn === undefined || fn.trusted || fn.schema === 'pg_catalog') return [];
    const { source, target, context } = row;
    const sourceName = typeOf(source, tables)?.name;
    return [{ ...type, function: row.function, context, source, target, sourceName }];
  });
  return byName(found);
}

/** Functions that the checks of domains call. */
export function domainsOf(tables: CatalogTables, functions: Functions): ByName {
  const found = [...usedFunctions(tables)].flatMap(([catalog, object, fn]): OperatorOrCast[] => {
    const constraint =
      catalog === CATALOG_OIDS.pg_constraint ? tables.pg_constraint.get(`${object}`) : undefined;
    const type = constraint === undefined ? undefined : typeOf(constraint.domain, tables);
    return type === undefined || functions.get(fn)?.trusted === true ? [] : [{ ...type, function: fn }];
  });
  return byName(found);
}

/** By OID. */
export function valueTypesOf(tables: CatalogTables): Map<number, CatalogType> {
  return new Map([...tables.pg_type.values()].map((row) => [row.oid, typeMade(row)]));
}

function typeMade({ name, kind, delimiter, ...made }: TypeRow): CatalogType {
  const of = { a: made.element, d: made.base, r: made.bound, m: made.range }[kind] ?? 0;
  return { name, kind, of, delimiter };
}

function typeOf(oid: number, tables: CatalogTables): { name: string; schema: string } | undefined {
  const type = tables.pg_type.get(`${oid}`);
  const schema = type === undefined ? undefined : schemaOf(type, tables);
  return type === undefined || schema === undefined ? undefined : { name: type.name, schema };
}

function byName<T extends OperatorOrCast>(values: readonly T[]): ByName<T> {
  return multimap(values.map((value) => [value.name, value] as const));
}
