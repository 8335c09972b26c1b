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
  Operator,
  Relation,
  RelationKind,
  Trigger,
} from '../../../src/protocols/postgres/catalog/model/model.ts';

/** Relations whose columns we keep: tables, partitioned, views, materialized views, foreign tables, sequences, composite types. */
const KEPT = `('r','p','v','m','f','S','c')`;

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
    // What it is partitioned by depends on it.
    sql: `SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity,
        (SELECT pg_catalog.json_agg(DISTINCT d.objsubid) FROM pg_catalog.pg_depend d
          WHERE c.relkind = 'p' AND d.deptype = 'i' AND d.objsubid > 0 AND d.refobjsubid = 0
            AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
            AND d.refclassid = d.classid AND d.refobjid = c.oid)
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
          AND d.objid = p.oid AND d.deptype = 'e'),
        CASE WHEN p.oid >= 16384 THEN p.proargtypes::pg_catalog.text END,
        CASE WHEN p.oid >= 16384 THEN pg_catalog.concat_ws(' ', p.prorettype, pg_catalog.array_to_string(p.proallargtypes, ' ')) END
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang`,
  },
  {
    // The stored query names every relation and function by OID, built-in ones too, which pg_depend leaves out; operators only compute.
    name: 'views',
    sql: `SELECT DISTINCT r.ev_class, m[1] = 'relid', m[2]
      FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text,
        ':(relid|funcid|aggfnoid|winfnoid|tsmhandler) ([1-9][0-9]*)', 'g') m
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
      UNION SELECT k.confrelid, u.fn FROM used u JOIN pg_catalog.pg_constraint k ON k.oid = u.objid
        WHERE u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.confrelid <> 0`,
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
    sql: `SELECT t.tgrelid, t.tgfoid, t.tgtype, t.oid FROM pg_catalog.pg_trigger t
      WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'`,
  },
  {
    name: 'foreignKeys',
    sql: `SELECT k.confrelid, k.conrelid, k.confdeltype, k.confupdtype, k.confkey::pg_catalog.text, k.conkey::pg_catalog.text
      FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'`,
  },
  {
    name: 'operators',
    sql: `SELECT o.oprname, n.nspname, o.oprcode::pg_catalog.oid,
        o.oprleft, o.oprright, o.oprresult,
        coalesce((SELECT c.oprcode::pg_catalog.oid FROM pg_catalog.pg_operator c JOIN pg_catalog.pg_proc cp ON cp.oid = c.oprcode
          WHERE c.oid = o.oprcom AND cp.pronamespace <> 11), 0),
        coalesce((SELECT c.oprcode::pg_catalog.oid FROM pg_catalog.pg_operator c JOIN pg_catalog.pg_proc cp ON cp.oid = c.oprcode
          WHERE c.oid = o.oprnegate AND cp.pronamespace <> 11), 0)
      FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
      JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
      WHERE n.nspname <> 'pg_catalog' OR pn.nspname <> 'pg_catalog'`,
  },
  {
    name: 'casts',
    sql: `SELECT t.typname, n.nspname, k.castfunc, k.castcontext, k.casttarget, k.castsource
      FROM pg_catalog.pg_cast k JOIN pg_catalog.pg_type t ON t.oid = k.casttarget
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      JOIN pg_catalog.pg_proc p ON p.oid = k.castfunc JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
      WHERE pn.nspname <> 'pg_catalog'`,
  },
  {
    name: 'valueTypes',
    sql: `SELECT t.oid, t.typname, CASE WHEN t.typtype = 'b' AND t.typcategory = 'A' THEN 'a' ELSE t.typtype::text END,
        coalesce(nullif(t.typbasetype, 0), r.rngsubtype, m.rngtypid,
          CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END), t.typdelim
      FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
      LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = t.oid`,
  },
  {
    name: 'typeParts',
    sql: `SELECT t.oid, p.part, p.inside FROM pg_catalog.pg_type t CROSS JOIN LATERAL (
        SELECT t.typbasetype, false UNION ALL SELECT t.typelem, true
        UNION ALL SELECT r.rngsubtype, true FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
        UNION ALL SELECT r.rngtypid, true FROM pg_catalog.pg_range r
          WHERE pg_catalog.to_jsonb(r)->>'rngmultitypid' = t.oid::pg_catalog.text
        UNION ALL SELECT a.atttypid, false FROM pg_catalog.pg_attribute a
          WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS p(part, inside)
      WHERE t.oid >= 16384 AND p.part <> 0`,
  },
  {
    name: 'typeFunctions',
    sql: `WITH used AS (${USED_FUNCTIONS})
      SELECT u.objid, u.fn FROM used u WHERE u.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
      UNION SELECT k.contypid, u.fn FROM used u JOIN pg_catalog.pg_constraint k ON k.oid = u.objid
        WHERE u.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.contypid <> 0
      UNION SELECT s.amproclefttype, s.amproc::pg_catalog.oid FROM pg_catalog.pg_amproc s WHERE s.oid >= 16384`,
  },
  {
    name: 'evaluatedTypes',
    sql: `SELECT d.classid::pg_catalog.regclass, d.objid, d.refobjid FROM pg_catalog.pg_depend d
      WHERE d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.deptype IN ('n','a') AND d.objsubid = 0`,
  },
  {
    name: 'owners',
    sql: `SELECT 'pg_attrdef', a.oid, a.adrelid FROM pg_catalog.pg_attrdef a
      UNION ALL SELECT 'pg_constraint', k.oid, k.conrelid FROM pg_catalog.pg_constraint k WHERE k.conrelid <> 0
      UNION ALL SELECT 'pg_constraint', k.oid, k.confrelid FROM pg_catalog.pg_constraint k WHERE k.confrelid <> 0
      UNION ALL SELECT 'pg_class', i.indexrelid, i.indrelid FROM pg_catalog.pg_index i
      UNION ALL SELECT 'pg_class', p.partrelid, p.partrelid FROM pg_catalog.pg_partitioned_table p
      UNION ALL SELECT 'pg_rewrite', r.oid, r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.rulename = '_RETURN'
      UNION ALL SELECT 'pg_policy', p.oid, p.polrelid FROM pg_catalog.pg_policy p
      UNION ALL SELECT 'pg_trigger', t.oid, t.oid FROM pg_catalog.pg_trigger t`,
  },
  {
    name: 'triggerFunctions',
    sql: `WITH used AS (${USED_FUNCTIONS})
      SELECT u.objid, u.fn FROM used u WHERE u.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass`,
  },
  {
    name: 'viewFunctions',
    sql: `WITH used AS (${USED_FUNCTIONS})
      SELECT r.ev_class, u.fn FROM used u JOIN pg_catalog.pg_rewrite r ON r.oid = u.objid
      JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE u.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.rulename = '_RETURN'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema')`,
  },
  {
    name: 'statistics',
    sql: `WITH used AS (${USED_FUNCTIONS})
      SELECT DISTINCT d.refobjid, u.fn FROM used u JOIN pg_catalog.pg_depend d
        ON d.classid = u.classid AND d.objid = u.objid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      WHERE u.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass`,
  },
  {
    name: 'eventTriggers',
    sql: `SELECT DISTINCT e.evtfoid FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D' AND e.evtevent <> 'login'`,
  },
  {
    name: 'loginTriggers',
    sql: `SELECT 1 FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D' AND e.evtevent = 'login'`,
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
  c: 'composite',
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
  const relations = buildRelations(of('relations'), of('columns'));
  const rowTypes = new Set(of('valueTypes').flatMap((row) => (text(row, 2) === 'c' ? number(row, 0) : [])));
  const functions = new Map(of('functions').map((row) => [number(row, 0), buildFunction(row, rowTypes)]));
  const inherits = of('inherits').map((row) => [number(row, 0), number(row, 1)] as const);
  const untrusted = (one: { readonly function: number }) => functions.get(one.function)?.trusted !== true;
  const parts = multimap(of('typeParts').map((row) => [number(row, 0), number(row, 1)] as const));
  const harmless = (fn: number) =>
    functions.get(fn)?.trusted !== false || functions.get(fn)?.schema === 'pg_catalog';
  const own = multimap(of('typeFunctions').map((row) => [number(row, 0), number(row, 1)] as const));
  const made = (oid: number): number[] => {
    const seen = new Set([oid]);
    for (const one of seen) for (const part of parts.get(one) ?? []) seen.add(part);
    return [...seen].flatMap((one) => own.get(one) ?? []).filter((fn) => !harmless(fn));
  };
  const owners = multimap(
    of('owners').map((row) => [`${text(row, 0)}${text(row, 1)}`, number(row, 2)] as const),
  );
  const ofTypes = (catalog: string) =>
    of('evaluatedTypes')
      .filter((row) => text(row, 0) === catalog)
      .flatMap((row) =>
        (owners.get(`${catalog}${text(row, 1)}`) ?? []).flatMap((owner) =>
          made(number(row, 2)).map((fn) => [owner, false, fn] as const),
        ),
      );
  const triggerRuns = multimap([
    ...of('triggerFunctions').map((row) => [number(row, 0), number(row, 1)] as const),
    ...ofTypes('pg_trigger').map(([trigger, , fn]) => [trigger, fn] as const),
  ]);
  return {
    serverVersion: number(settings, 1),
    role: text(settings, 0),
    relations,
    functions,
    parents: multimap(inherits),
    children: multimap(inherits.map(([child, parent]) => [parent, child] as const)),
    views: dependencies([
      ...of('views').map((row) => [number(row, 0), flag(row, 1), number(row, 2)] as const),
      ...of('viewFunctions').map((row) => [number(row, 0), false, number(row, 1)] as const),
      ...ofTypes('pg_rewrite').filter(([owner]) => relations.get(owner)?.schema !== 'information_schema'),
    ]),
    rules: new Set(of('rules').map((row) => number(row, 0))),
    writeDependencies: dependencies([
      ...of('writeFunctions').map((row) => [number(row, 0), false, number(row, 1)] as const),
      ...['pg_attrdef', 'pg_constraint', 'pg_class'].flatMap(ofTypes),
      ...[...relations.values()].flatMap((relation) =>
        ['table', 'partitioned', 'foreign', 'matview'].includes(relation.kind)
          ? [...relation.columns.values()].flatMap(({ typeOid }) =>
              made(typeOid).map((fn) => [relation.oid, false, fn] as const),
            )
          : [],
      ),
    ]),
    statistics: dependencies(of('statistics').map((row) => [number(row, 0), false, number(row, 1)] as const)),
    policyDependencies: dependencies([
      ...of('policies').map((row) => [number(row, 0), flag(row, 1), number(row, 2)] as const),
      ...ofTypes('pg_policy'),
    ]),
    eventTriggers: of('eventTriggers').map((row) => number(row, 0)),
    loginTriggers: of('loginTriggers').length > 0,
    triggers: multimap(
      of('triggers')
        .map((row) => buildTrigger(row, triggerRuns.get(number(row, 3)) ?? []))
        .map((trigger) => [trigger.relation, trigger] as const),
    ),
    foreignKeys: multimap(
      of('foreignKeys')
        .map(buildKey)
        .map((key) => [key.referenced, key] as const),
    ),
    operators: multimap(
      of('operators')
        .map(operator)
        .filter(untrusted)
        .map((one) => [one.name, one] as const),
    ),
    casts: of('casts').map(cast).filter(untrusted),
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
        ...(row[5] === null ? {} : { partitionKey: JSON.parse(text(row, 5)) }),
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

/** Of extensions: they give chance, time and what they are given. */
const BY_CHANCE =
  /^(uuid_generate_v(1|1mc|4|7)|gen_random_(bytes|uuid)|gen_salt|pgp_(sym|pub)_encrypt(_bytea)?|normal_rand)$/;

function buildFunction(row: CatalogRow, rowTypes: ReadonlySet<number>): CatalogFunction {
  const volatility = VOLATILITY[text(row, 3) as keyof typeof VOLATILITY] ?? 'volatile';
  const language = text(row, 4);
  const takes = (text(row, 6).match(/\d+/g) ?? []).map(Number);
  const gives = (text(row, 7).match(/\d+/g) ?? []).map(Number);
  const compiled = ['c', 'internal'].includes(language);
  const readsNoRows = volatility === 'stable' && gives.every((type) => type !== 2249 && !rowTypes.has(type));
  // Only the server has what `internal` stands for.
  const byServer = language === 'c' && takes.includes(2281);
  const computes = volatility === 'immutable' ? compiled || language === 'sql' : compiled && readsNoRows;
  return {
    oid: number(row, 0),
    schema: text(row, 1),
    name: text(row, 2),
    volatility,
    language,
    trusted: flag(row, 5) && (computes || byServer || (language === 'c' && BY_CHANCE.test(text(row, 2)))),
    takes,
    gives,
    steers: false,
    reshapes: false,
    code: undefined,
    parts: undefined,
    defaultsCall: false,
  };
}

function buildTrigger(row: CatalogRow, runs: readonly number[]): Trigger {
  const type = number(row, 2);
  return {
    relation: number(row, 0),
    functions: [...new Set([number(row, 1), ...runs])].sort(),
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
    columns: (text(row, 5).match(/\d+/g) ?? []).map(Number),
    onDelete: onDelete === 'c' ? 'delete' : ['n', 'd'].includes(onDelete) ? 'update' : undefined,
    onUpdate: ['c', 'n', 'd'].includes(onUpdate) ? 'update' : undefined,
  };
}

function operator(row: CatalogRow): Operator {
  const [left, right, result] = [number(row, 3), number(row, 4), number(row, 5)];
  return {
    name: text(row, 0),
    schema: text(row, 1),
    function: number(row, 2),
    operands: [left, right],
    result,
    instead: [number(row, 6), number(row, 7)].filter((oid) => oid !== 0),
  };
}

function cast(row: CatalogRow): Cast {
  return {
    name: text(row, 0),
    schema: text(row, 1),
    function: number(row, 2),
    context: text(row, 3),
    target: number(row, 4),
    source: number(row, 5),
  };
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

function dependencies(rows: readonly (readonly [number, boolean, number])[]): Map<number, Dependencies> {
  const map = new Map<number, { relations: number[]; functions: number[] }>();
  for (const [owner, isRelation, oid] of rows) {
    const entry = map.get(owner) ?? { relations: [], functions: [] };
    map.set(owner, entry);
    const list = isRelation ? entry.relations : entry.functions;
    if (!list.includes(oid)) list.push(oid);
  }
  return map;
}

/** A catalog without its lookups, without what depends on the text of functions, and without what is read from the trees of rules. */
export type CatalogData = Omit<
  Catalog,
  | 'lookupRelation'
  | 'schemasOf'
  | 'schemaName'
  | 'mayUse'
  | 'userFunctions'
  | 'isBuiltin'
  | 'derived'
  | 'together'
  | 'viewColumns'
  | 'types'
  | 'unusable'
  | 'definers'
  | 'steering'
  | 'analysis'
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
  const { relations, functions, serverVersion, role } = catalog;
  const lines: unknown[] = [[serverVersion, role]];
  for (const { columns, ...relation } of relations.values())
    lines.push(
      ['relation', ...Object.values(relation)],
      ...[...columns].map(([, column]) => [relation.oid, ...facts(column)]),
    );
  for (const {
    steers: _,
    reshapes: __,
    code: ___,
    parts: ____,
    defaultsCall: _____,
    ...one
  } of functions.values())
    lines.push(['function', ...facts(one)]);
  for (const name of ['parents', 'children', 'triggers', 'foreignKeys', 'operators'] as const)
    for (const [key, values] of catalog[name])
      for (const value of values)
        lines.push([name, key, ...(typeof value === 'number' ? [value] : facts(value))]);
  for (const one of catalog.casts) lines.push(['cast', ...facts(one)]);
  lines.push(['eventTriggers', ...catalog.eventTriggers.toSorted()]);
  lines.push(['loginTriggers', catalog.loginTriggers]);
  for (const name of ['views', 'writeDependencies', 'statistics', 'policyDependencies'] as const)
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
