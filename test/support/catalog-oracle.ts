/**
 * The catalog read in another way, to compare with: whole, each time, and put together by the server's own joins.
 */
import type {
  Cast,
  Catalog,
  CatalogFunction,
  Column,
  Dependencies,
  ForeignKey,
  OperatorOrCast,
  Relation,
  RelationKind,
  Trigger,
} from '../../src/protocols/postgres/sql/catalog-model.ts';

/** Relations whose columns we keep: tables, partitioned, views, materialized views, foreign tables, sequences. */
const KEPT = `('r','p','v','m','f','S')`;

/** Functions that an object depends on, itself or through an operator: `(objid, function)`. */
const USED_FUNCTIONS = `
  SELECT d.classid, d.objid,
         CASE WHEN d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid
              ELSE (SELECT o.oprcode::pg_catalog.oid FROM pg_catalog.pg_operator o WHERE o.oid = d.refobjid) END AS fn
  FROM pg_catalog.pg_depend d
  WHERE d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
    AND d.deptype IN ('n','a')`;

const QUERIES: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: 'settings',
    sql: `SELECT current_user, pg_catalog.current_setting('server_version_num')`,
  },
  {
    name: 'relations',
    sql: `SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ${KEPT}`,
  },
  {
    name: 'columns',
    sql: `SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.atthasdef, a.attgenerated, a.atthasmissing
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ${KEPT}
      ORDER BY a.attrelid, a.attnum`,
  },
  {
    name: 'inherits',
    sql: `SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ${KEPT}`,
  },
  {
    name: 'functions',
    sql: `SELECT p.oid, n.nspname, p.proname, p.provolatile, l.lanname,
        EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          AND d.objid = p.oid AND d.deptype = 'e')
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang`,
  },
  {
    // The stored query names every relation and function by OID, built-in ones too, which pg_depend leaves out.
    name: 'views',
    sql: `SELECT DISTINCT r.ev_class, m[1] = 'relid', m[2]
      FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text,
        ':(relid|funcid|opfuncid|aggfnoid|winfnoid|tsmhandler) ([1-9][0-9]*)', 'g') m
      WHERE r.rulename = '_RETURN' AND c.relkind IN ('v','m')
        AND n.nspname NOT IN ('pg_catalog', 'information_schema')`,
  },
  {
    name: 'rules',
    sql: `SELECT r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'D'`,
  },
  {
    name: 'writeFunctions',
    sql: `WITH used AS (${USED_FUNCTIONS})
      SELECT a.adrelid, u.fn FROM used u JOIN pg_catalog.pg_attrdef a ON a.oid = u.objid
        WHERE u.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
      UNION SELECT k.conrelid, u.fn FROM used u JOIN pg_catalog.pg_constraint k ON k.oid = u.objid
        WHERE u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.conrelid <> 0
      UNION SELECT i.indrelid, u.fn FROM used u JOIN pg_catalog.pg_index i ON i.indexrelid = u.objid
        WHERE u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      UNION SELECT p.partrelid, u.fn FROM used u JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = u.objid
        WHERE u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      UNION SELECT a.attrelid, u.fn FROM used u JOIN pg_catalog.pg_constraint k ON k.oid = u.objid
        JOIN pg_catalog.pg_attribute a ON a.atttypid = k.contypid
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r','p','f')
        WHERE u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.contypid <> 0`,
  },
  {
    name: 'policies',
    sql: `WITH used AS (${USED_FUNCTIONS})
      SELECT p.polrelid, false, u.fn FROM used u JOIN pg_catalog.pg_policy p ON p.oid = u.objid
        WHERE u.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
      UNION SELECT p.polrelid, true, d.refobjid FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_policy p ON p.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> p.polrelid`,
  },
  {
    name: 'triggers',
    sql: `SELECT t.tgrelid, t.tgfoid, t.tgtype FROM pg_catalog.pg_trigger t
      WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'`,
  },
  {
    name: 'foreignKeys',
    sql: `SELECT k.confrelid, k.conrelid, k.confdeltype, k.confupdtype, k.confkey::pg_catalog.text
      FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'`,
  },
  {
    name: 'operators',
    sql: `SELECT o.oprname, n.nspname, o.oprcode::pg_catalog.oid
      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
      JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
      WHERE n.nspname <> 'pg_catalog' OR pn.nspname <> 'pg_catalog'`,
  },
  {
    name: 'casts',
    sql: `SELECT t.typname, n.nspname, k.castfunc, k.castcontext, k.casttarget, k.castsource,
        (SELECT s.typname FROM pg_catalog.pg_type s WHERE s.oid = k.castsource)
      FROM pg_catalog.pg_cast k JOIN pg_catalog.pg_type t ON t.oid = k.casttarget
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      JOIN pg_catalog.pg_proc p ON p.oid = k.castfunc JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
      WHERE pn.nspname <> 'pg_catalog'`,
  },
  {
    name: 'domains',
    sql: `WITH used AS (${USED_FUNCTIONS})
      SELECT t.typname, n.nspname, u.fn FROM used u JOIN pg_catalog.pg_constraint k ON k.oid = u.objid
        JOIN pg_catalog.pg_type t ON t.oid = k.contypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass`,
  },
  {
    name: 'valueTypes',
    sql: `SELECT t.oid, t.typname, CASE WHEN t.typtype = 'b' AND t.typcategory = 'A' THEN 'a' ELSE t.typtype::text END,
        coalesce(nullif(t.typbasetype, 0), r.rngsubtype, m.rngtypid,
          CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END), t.typdelim
      FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
      LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid`,
  },
];

type CatalogRow = readonly (string | null)[];
type CatalogRows = Readonly<Record<string, readonly CatalogRow[]>>;

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
 * Makes a catalog of the answers to `QUERIES`. Pure.
 *
 * @param rows By query name, as text; a missing name counts as no rows.
 */
function buildCatalog(rows: CatalogRows): CatalogData {
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
    valueTypes: new Map(
      of('valueTypes').map((row) => [
        number(row, 0),
        { name: text(row, 1), kind: text(row, 2), of: number(row, 3), delimiter: text(row, 4) },
      ]),
    ),
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
    hasMissing: flag(row, 7),
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

function cast(row: CatalogRow): Cast {
  const [target, source, sourceName] = [number(row, 4), number(row, 5), text(row, 6)];
  return { ...named(row), context: text(row, 3), source, target, sourceName };
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

function byName<T extends OperatorOrCast>(values: readonly T[]): Map<string, T[]> {
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

/** A catalog without its lookups, and without what is read from the trees of rules. */
export type CatalogData = Omit<
  Catalog,
  'lookupRelation' | 'userFunctions' | 'isBuiltin' | 'derived' | 'types'
>;

/** @param query Runs one statement. */
export async function readWhole(
  query: (sql: string) => Promise<readonly CatalogRow[]>,
): Promise<CatalogData> {
  const rows: Record<string, readonly CatalogRow[]> = {};
  for (const { name, sql } of QUERIES) rows[name] = await query(sql);
  return buildCatalog(rows);
}

/** As text that is equal if the catalogs say the same, whatever the order. */
export function catalogText(catalog: CatalogData): string[] {
  const { relations, functions, serverVersion, searchPath } = catalog;
  const lines: unknown[] = [[serverVersion, searchPath]];
  for (const { columns, ...relation } of relations.values())
    lines.push(
      ['relation', ...Object.values(relation)],
      ...[...columns].map(([, column]) => [relation.oid, ...facts(column)]),
    );
  for (const one of functions.values()) lines.push(['function', ...facts(one)]);
  for (const name of [
    'parents',
    'children',
    'triggers',
    'foreignKeys',
    'operators',
    'casts',
    'domains',
  ] as const)
    for (const [key, values] of catalog[name])
      for (const value of values)
        lines.push([name, key, ...(typeof value === 'number' ? [value] : facts(value))]);
  for (const name of ['views', 'writeDependencies', 'policyDependencies'] as const)
    for (const [key, used] of catalog[name])
      lines.push([name, key, ...used.relations.toSorted(), 'functions', ...used.functions.toSorted()]);
  for (const oid of catalog.rules) lines.push(['rule', oid]);
  return lines.map((line) => JSON.stringify(line)).sort();
}

function facts(value: object): unknown[] {
  return Object.entries(value)
    .sort(([a], [b]) => a.localeCompare(b))
    .flat();
}
