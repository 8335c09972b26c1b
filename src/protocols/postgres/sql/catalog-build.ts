import type {
  Catalog,
  CatalogFunction,
  Column,
  Dependencies,
  ForeignKey,
  OperatorOrCast,
  Relation,
  RelationKind,
  Trigger,
} from './catalog-model.ts';
import type { Name } from './facts.ts';

type CatalogRow = readonly (string | null)[];
export type CatalogRows = Readonly<Record<string, readonly CatalogRow[]>>;

const KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned',
  v: 'view',
  m: 'matview',
  f: 'foreign',
  S: 'sequence',
};
const VOLATILITY = { i: 'immutable', s: 'stable', v: 'volatile' } as const;

/** Bits of `pg_trigger.tgtype`. */
const TRIGGER = { insert: 4, delete: 8, update: 16, truncate: 32 } as const;

const text = (row: CatalogRow, index: number) => row[index] ?? '';
const number = (row: CatalogRow, index: number) => Number(row[index] ?? '0');
const flag = (row: CatalogRow, index: number) => row[index] === 't';

/**
 * Makes a catalog of the answers to `CATALOG_QUERIES`. Pure.
 *
 * @param rows By query name, as text; a missing name counts as no rows.
 */
export function buildCatalog(rows: CatalogRows): Catalog {
  const of = (name: string) => rows[name] ?? [];
  const settings = of('settings')[0] ?? [];
  const searchPath = [text(settings, 0), 'public'];
  const relations = buildRelations(of('relations'), of('columns'));
  const functions = new Map(of('functions').map((row) => [number(row, 0), buildFunction(row)]));
  const inherits = of('inherits').map((row) => [number(row, 0), number(row, 1)] as const);
  const untrusted = (one: OperatorOrCast) => functions.get(one.function)?.trusted !== true;
  return {
    serverVersion: number(settings, 1),
    searchPath,
    relations,
    functions,
    parents: multimap(inherits),
    children: multimap(inherits.map(([child, parent]) => [parent, child] as const)),
    views: dependencies(of('views').map((row) => [number(row, 0), flag(row, 1), number(row, 2)] as const)),
    rules: new Set(of('rules').map((row) => number(row, 0))),
    writeDependencies: dependencies(
      of('writeFunctions').map((row) => [number(row, 0), false, number(row, 1)] as const),
    ),
    policyDependencies: dependencies(
      of('policies').map((row) => [number(row, 0), flag(row, 1), number(row, 2)] as const),
    ),
    triggers: multimap(
      of('triggers')
        .map(buildTrigger)
        .map((trigger) => [trigger.relation, trigger] as const),
    ),
    foreignKeys: multimap(
      of('foreignKeys')
        .map(buildKey)
        .map((key) => [key.referenced, key] as const),
    ),
    operators: byName(of('operators').map(named).filter(untrusted)),
    casts: byName(of('casts').map(cast).filter(untrusted)),
    domains: byName(of('domains').map(named).filter(untrusted)),
    ...lookups(relations, functions, searchPath),
  };
}

function buildRelations(rows: readonly CatalogRow[], columns: readonly CatalogRow[]): Map<number, Relation> {
  const byRelation = multimap(columns.map((row) => [number(row, 0), buildColumn(row)] as const));
  return new Map(
    rows.map((row) => {
      const oid = number(row, 0);
      const own = byRelation.get(oid) ?? [];
      const relation: Relation = {
        oid,
        schema: text(row, 1),
        name: text(row, 2),
        kind: KINDS[text(row, 3)] ?? 'other',
        columns: new Map(own.map((column) => [column.name, column])),
        rowSecurity: flag(row, 4),
      };
      return [oid, relation];
    }),
  );
}

function buildColumn(row: CatalogRow): Column {
  return {
    attnum: number(row, 1),
    name: text(row, 2),
    typeOid: number(row, 3),
    notNull: flag(row, 4),
    hasDefault: flag(row, 5),
    generated: text(row, 6) !== '',
  };
}

function buildFunction(row: CatalogRow): CatalogFunction {
  const volatility = VOLATILITY[text(row, 3) as keyof typeof VOLATILITY] ?? 'volatile';
  const language = text(row, 4);
  const compiled = (language === 'c' || language === 'internal') && volatility !== 'volatile';
  const sql = language === 'sql' && volatility === 'immutable';
  return {
    oid: number(row, 0),
    schema: text(row, 1),
    name: text(row, 2),
    volatility,
    language,
    trusted: flag(row, 5) && (compiled || sql),
  };
}

function buildTrigger(row: CatalogRow): Trigger {
  const type = number(row, 2);
  return {
    relation: number(row, 0),
    function: number(row, 1),
    onInsert: (type & TRIGGER.insert) !== 0,
    onUpdate: (type & TRIGGER.update) !== 0,
    onDelete: (type & TRIGGER.delete) !== 0,
    onTruncate: (type & TRIGGER.truncate) !== 0,
  };
}

function buildKey(row: CatalogRow): ForeignKey {
  const [onDelete, onUpdate] = [text(row, 2), text(row, 3)];
  return {
    referenced: number(row, 0),
    referencing: number(row, 1),
    keys: (text(row, 4).match(/\d+/g) ?? []).map(Number),
    onDelete: onDelete === 'c' ? 'delete' : ['n', 'd'].includes(onDelete) ? 'update' : undefined,
    onUpdate: ['c', 'n', 'd'].includes(onUpdate) ? 'update' : undefined,
  };
}

function named(row: CatalogRow): OperatorOrCast {
  return { name: text(row, 0), schema: text(row, 1), function: number(row, 2) };
}

function cast(row: CatalogRow): OperatorOrCast {
  return { ...named(row), context: text(row, 3), sourceType: number(row, 5) };
}

function multimap<K, V>(pairs: readonly (readonly [K, V])[]): Map<K, V[]> {
  const map = new Map<K, V[]>();
  for (const [key, value] of pairs) {
    const known = map.get(key);
    if (known === undefined) map.set(key, [value]);
    else known.push(value);
  }
  return map;
}

function byName(values: readonly OperatorOrCast[]): Map<string, OperatorOrCast[]> {
  return multimap(values.map((value) => [value.name, value] as const));
}

function dependencies(rows: readonly (readonly [number, boolean, number])[]): Map<number, Dependencies> {
  const map = new Map<number, { relations: number[]; functions: number[] }>();
  for (const [owner, isRelation, oid] of rows) {
    const entry = map.get(owner) ?? { relations: [], functions: [] };
    map.set(owner, entry);
    (isRelation ? entry.relations : entry.functions).push(oid);
  }
  return map;
}

type Lookups = Pick<Catalog, 'lookupRelation' | 'userFunctions' | 'isBuiltin'>;

/** PostgreSQL looks into pg_catalog first, then along the search path. */
function lookups(
  relations: ReadonlyMap<number, Relation>,
  functions: ReadonlyMap<number, CatalogFunction>,
  searchPath: readonly string[],
): Lookups {
  const key = (schema: string, name: string) => `${schema}\0${name}`;
  const relationByName = new Map([...relations.values()].map((one) => [key(one.schema, one.name), one]));
  const all = [...functions.values()];
  const user = multimap(
    all.filter((one) => one.schema !== 'pg_catalog').map((one) => [one.name, one] as const),
  );
  const builtin = new Set(all.filter((one) => one.schema === 'pg_catalog').map((one) => one.name));
  return {
    lookupRelation(schema, name) {
      const schemas = schema === undefined ? ['pg_catalog', ...searchPath] : [schema];
      for (const each of schemas) {
        const found = relationByName.get(key(each, name));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    userFunctions(name: Name) {
      const candidates = user.get(name.at(-1) ?? '') ?? [];
      const schema = name.at(-2);
      return schema === undefined ? candidates : candidates.filter((one) => one.schema === schema);
    },
    isBuiltin: (name) => builtin.has(name),
  };
}
