import { once } from '../../../../core/later.ts';
import { named, of } from '../mirror/groups.ts';
import type { CatalogTables } from '../mirror/mirror.ts';
import type { CallingRow, DependRow, ProcRow, RewriteRow } from '../mirror/records.ts';
import { CATALOG_OIDS } from '../mirror/tables.ts';
import { storedBody } from '../stored-trees/function-body.ts';
import { EXTENSIONS_BY_CHANCE } from '../system/function-lists.ts';
import { isHarmlessBuiltin } from '../system/functions.ts';
import { FIRST_USER_OID, SYSTEM_VIEW_SCHEMAS } from '../system/objects.ts';
import { holdsSettings, mayMove } from '../system/steering.ts';
import type { AggregateParts, CatalogFunction, FunctionCode, Relation } from './model.ts';

const VOLATILITY = { i: 'immutable', s: 'stable', v: 'volatile' } as const;

const BY_CHANCE: ReadonlySet<string> = new Set(EXTENSIONS_BY_CHANCE.trim().split(/\s+/));

type Relations = ReadonlyMap<number, Relation>;
type Functions = ReadonlyMap<number, CatalogFunction>;

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
  const volatility = volatilityOf(row);
  const { oid, name } = row;
  const own = oid < FIRST_USER_OID;
  const takes = own ? NO_OIDS : oids(row.takes);
  const gives = own ? NO_OIDS : [row.returns, ...oids(row.all)];
  const compiled = language === 'c' || language === 'internal';
  const readsNoRows = volatility === 'stable' && !gives.some((type) => isRow(type, tables));
  const computes = volatility === 'immutable' ? compiled || language === 'sql' : compiled && readsNoRows;
  const byChance = language === 'c' && BY_CHANCE.has(name);
  const forTheServer = !own && language === 'c' && oids(row.takes).includes(INTERNAL_OID);
  const trusted =
    (extensions.has(oid) && (computes || byChance || forTheServer)) ||
    (computes && isOfTheServer(row, tables));
  return {
    oid,
    schema,
    name,
    volatility,
    language,
    trusted,
    takes,
    gives,
    steers: !(trusted && byChance) && steers(row, language, tables),
    reshapes: row.reshapes,
    code: codeOf(row),
    parts: partsOf(row, tables),
    defaultsCall: row.code !== null && row.defaults > 0 && defaultsCall(row, tables),
  };
}

function codeOf({ code }: ProcRow): FunctionCode | undefined {
  if (code === null) return undefined;
  const [text, tree, definer, settings] = code;
  return {
    text,
    tree: tree === null ? undefined : once(() => storedBody(tree)),
    definer,
    settings: settings ?? [],
  };
}

/**
 * Another name for code of PostgreSQL's own that only computes, which none but a superuser can give it. Defaults of its arguments may
 * call anything.
 */
function isOfTheServer({ source, defaults }: ProcRow, { pg_proc }: CatalogTables): boolean {
  if (source === null || source === '' || defaults > 0) return false;
  const same = pg_proc.in(named(source)).filter((row) => row.source === '');
  return same.length > 0 && same.every((row) => volatilityOf(row) === 'immutable');
}

/** One that users' operators carry out is not followed. */
function partsOf({ oid, kind, calls }: ProcRow, tables: CatalogTables): AggregateParts | undefined {
  if (oid < FIRST_USER_OID || kind !== 'a') return undefined;
  const used = tables.pg_depend.in(of(oid)).filter((row) => row.class === CATALOG_OIDS.pg_proc);
  const those = (catalog: number) =>
    used.filter(({ usedClass }) => usedClass === catalog).map(({ usedObject }) => usedObject);
  if (those(CATALOG_OIDS.pg_operator).some((one) => one >= FIRST_USER_OID)) return undefined;
  return {
    functions: [...(calls ?? NO_OIDS), ...those(CATALOG_OIDS.pg_proc)],
    types: those(CATALOG_OIDS.pg_type),
  };
}

/** Of a function in SQL with a tree, `pg_depend` tells of the tree as well. */
function defaultsCall({ oid, calls }: ProcRow, tables: CatalogTables): boolean {
  const uses = ({ class: catalog, usedClass, usedObject, type }: DependRow) =>
    catalog === CATALOG_OIDS.pg_proc &&
    CALLABLE.has(usedClass) &&
    usedObject >= FIRST_USER_OID &&
    type !== 'e';
  const isHarmless = (one: number) => {
    const row = tables.pg_proc.get(`${one}`);
    return (
      row !== undefined && isHarmlessBuiltin({ ...row, schema: 'pg_catalog', volatility: volatilityOf(row) })
    );
  };
  return tables.pg_depend.in(of(oid)).some(uses) || !(calls ?? NO_OIDS).every(isHarmless);
}

const CALLABLE: ReadonlySet<number> = new Set([CATALOG_OIDS.pg_proc, CATALOG_OIDS.pg_operator]);

const RECORD_OID = 2249;
/**
 * No value of it can be made in SQL: what takes one is called by the server alone, to index, sort or gather statistics of what it
 * is given. Extensions seldom say of such a function that it is immutable.
 */
const INTERNAL_OID = 2281;

/** What gives rows and is merely stable may read them by SQL that it is given as text: crosstab, connectby, xpath_table. */
function isRow(type: number, { pg_type }: CatalogTables): boolean {
  return type === RECORD_OID || pg_type.get(`${type}`)?.kind === 'c';
}

/**
 * Compiled code may do anything unless it says that it only computes; other languages are not read. An aggregate has no code of
 * its own, and any function runs what the defaults of its arguments call.
 */
function steers(row: ProcRow, language: string, tables: CatalogTables): boolean {
  if (movesBy(row, tables)) return true;
  if (language === 'sql' || language === 'plpgsql') return row.steers;
  const compiled = language === 'c' || (language === 'internal' && row.oid >= FIRST_USER_OID);
  if (compiled) return volatilityOf(row) !== 'immutable';
  return language !== 'internal';
}

/** Whether something that is stored calls one of PostgreSQL's own functions that may move the path. */
function movesBy({ calls }: CallingRow, tables: CatalogTables): boolean {
  return (calls ?? NO_OIDS).some((oid) => {
    const row = tables.pg_proc.get(`${oid}`);
    if (row === undefined) return true;
    return mayMove({ schema: schemaOf(row, tables) ?? '', name: row.name, volatility: volatilityOf(row) });
  });
}

/** Catalogs whose rows hold expressions that functions reach by what they read, write, or make values of. */
export const EXPRESSIONS = [
  'pg_attrdef',
  'pg_constraint',
  'pg_index',
  'pg_policy',
  'pg_trigger',
  'pg_type',
  'pg_statistic_ext',
] as const;

/**
 * Whether any function outside of extensions steers, or anything stored that users made: functions may reach each other, and
 * these, in ways that nobody follows.
 */
export function anySteers(functions: Functions, tables: CatalogTables, relations: Relations): boolean {
  const extensions = extensionFunctions(tables);
  const called = [...functions.values()].some(
    (one) =>
      (one.steers || one.reshapes) && !SYSTEM_VIEW_SCHEMAS.includes(one.schema) && !extensions.has(one.oid),
  );
  if (called || [...tables.pg_rewrite.values()].some((rule) => ruleSteers(rule, functions, relations)))
    return true;
  return EXPRESSIONS.some((name) => [...tables[name].values()].some((row) => movesBy(row, tables)));
}

function ruleSteers(rule: RewriteRow, functions: Functions, relations: Relations): boolean {
  if (SYSTEM_VIEW_SCHEMAS.includes(relations.get(rule.relation)?.schema ?? '')) return false;
  const named = (rule.relations ?? []).flatMap((oid) => relations.get(oid) ?? []);
  const called = (rule.functions ?? []).flatMap((oid) => functions.get(oid) ?? []);
  return named.some(holdsSettings) || called.some(mayMove);
}

function oids(list: string | null): readonly number[] {
  return list === null || list === '' ? NO_OIDS : list.split(' ').map(Number);
}

const NO_OIDS: readonly number[] = [];

export function volatilityOf({ volatility }: ProcRow): CatalogFunction['volatility'] {
  return VOLATILITY[volatility as keyof typeof VOLATILITY] ?? 'volatile';
}

export function schemaOf(row: { readonly namespace: number }, tables: CatalogTables): string | undefined {
  return tables.pg_namespace.get(`${row.namespace}`)?.name;
}
