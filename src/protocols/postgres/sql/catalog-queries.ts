/**
 * What is read from a target's catalog, over a connection of the gateway's own. All answers are text.
 *
 * Everything here is readable by any role. Only `pg_catalog` names are used, qualified, so that no `search_path` and no
 * user object can change what is read. Works on PostgreSQL 13 to 18.
 */
export interface CatalogQuery {
  readonly name: string;
  readonly sql: string;
}

/** Relations whose columns we keep: tables, partitioned, views, materialized views, foreign tables, sequences. */
const KINDS = `('r','p','v','m','f','S')`;

/** Functions that an object depends on, itself or through an operator: `(objid, function)`. */
const USED_FUNCTIONS = `
  SELECT d.classid, d.objid,
         CASE WHEN d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid
              ELSE (SELECT o.oprcode::pg_catalog.oid FROM pg_catalog.pg_operator o WHERE o.oid = d.refobjid) END AS fn
  FROM pg_catalog.pg_depend d
  WHERE d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
    AND d.deptype IN ('n','a')`;

export const CATALOG_QUERIES: readonly CatalogQuery[] = [
  {
    name: 'settings',
    sql: `SELECT current_user, pg_catalog.current_setting('server_version_num')`,
  },
  {
    name: 'relations',
    sql: `SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ${KINDS}`,
  },
  {
    name: 'columns',
    sql: `SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.atthasdef, a.attgenerated
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ${KINDS}
      ORDER BY a.attrelid, a.attnum`,
  },
  {
    name: 'inherits',
    sql: `SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ${KINDS}`,
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
    sql: `SELECT t.typname, n.nspname, k.castfunc, k.castcontext, t.oid, k.castsource
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
];

/** Counts and newest writers of one catalog: any committed change of its rows shows. */
function trace(from: string, where = 'true'): string {
  return `SELECT pg_catalog.count(*)::pg_catalog.text || '/' ||
    coalesce(pg_catalog.max(x.xmin::pg_catalog.text::pg_catalog.int8), 0)::pg_catalog.text || '/' ||
    coalesce(pg_catalog.sum(x.xmin::pg_catalog.text::pg_catalog.int8), 0)::pg_catalog.text AS part
    FROM pg_catalog.${from} x WHERE ${where}`;
}

/**
 * One row of text that changes when a committed DDL changes anything that `CATALOG_QUERIES` read. Temporary tables are
 * left out, since every session makes its own.
 */
export const EPOCH_QUERY = `SELECT ${[
  trace('pg_class', `x.relpersistence <> 't'`),
  trace(
    'pg_attribute',
    `EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = x.attrelid AND c.relpersistence <> 't')`,
  ),
  trace('pg_namespace', `x.nspname !~ '^pg_(toast_)?temp_'`),
  ...[
    'pg_proc',
    'pg_trigger',
    'pg_rewrite',
    'pg_constraint',
    'pg_operator',
    'pg_cast',
    'pg_inherits',
    'pg_attrdef',
    'pg_index',
    'pg_policy',
  ].map((catalog) => trace(catalog)),
]
  .map((part) => `(${part})`)
  .join(`,\n  `)}`;
