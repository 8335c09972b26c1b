/**
 * The tables of PostgreSQL's catalog that enforcement needs, and what is kept of each row.
 *
 * Everything here is readable by any role. Names are qualified, and operators by `ownOperators`, so that no `search_path` and no
 * user object can change what is read. Works on PostgreSQL 13 to 18.
 *
 * @see https://www.postgresql.org/docs/current/catalogs.html
 */

import { FIRST_USER_OID, SYSTEM_VIEW_SCHEMAS } from '../system/objects.ts';
import { RESHAPING_CODE, STEERING_CODE } from '../system/steering.ts';
import type { CatalogRows, TableName } from './records.ts';
import { columnsIn, WITHIN_PERIOD } from './stored-columns.ts';

/** OIDs of catalogs themselves, as `pg_depend` names them; the same on every server. */
export const CATALOG_OIDS = {
  pg_type: 1247,
  pg_class: 1259,
  pg_proc: 1255,
  pg_attrdef: 2604,
  pg_rewrite: 2618,
  pg_constraint: 2606,
  pg_operator: 2617,
  pg_trigger: 2620,
  pg_policy: 3256,
  pg_statistic_ext: 3381,
} as const;

export interface TableSpec<T> {
  /** Tells the rows of one moment apart. */
  readonly key: string;
  /** A condition on the row itself and nothing else: what else changes would not show. */
  readonly where?: string;
  /** SQL for each property of a row; numbers, booleans and text as JSON has them. */
  readonly columns: { readonly [K in keyof T]: string };
}

/** Access methods of which operators say what is equal and what comes first: btree and hash. */
const COMPARING = `ANY ('{403,405}')`;

/** A support function of btree, for windows over a range of values. A family never changes its access method. */
const IN_RANGE = `x.amprocnum = 3
      AND (SELECT f.opfmethod FROM pg_catalog.pg_opfamily f WHERE f.oid = x.amprocfamily) = 403`;

const oid = (column: string) => `x.${column}::pg_catalog.int8`;
/** Such a constant needs no cast from another type: whose function may be revoked from the role that asks. */
const constant = (value: number) => `'${value}'::pg_catalog.int8`;
const NO_OID = constant(0);

/** What only matters of objects that are not PostgreSQL's own. */
const ofUsers = (sql: string) => `CASE WHEN x.oid >= ${FIRST_USER_OID} THEN ${sql} END`;

/**
 * A column that older servers lack: one of their rows has it from outside of the query that asks for it.
 *
 * @param from The table and the condition that finds one row of it.
 */
function newerColumn(column: string, from: string): string {
  return `(SELECT (SELECT ${column}::pg_catalog.oid::pg_catalog.int8 FROM ${from})
      FROM (SELECT NULL::pg_catalog.oid AS ${column}) absent)`;
}

/** Before 14 whatever has elements can be subscripted: arrays by one function, what has a fixed length by another. */
const SUBSCRIPT = `coalesce(${newerColumn('typsubscript', 'pg_catalog.pg_type t WHERE t.oid = x.oid')},
      CASE WHEN x.typelem = 0 THEN ${NO_OID} WHEN x.typlen = -1 THEN ${constant(6179)} ELSE ${constant(6180)} END)`;

/** Catalogs whose rows hold expressions. */
const EVALUATED = [
  'pg_class',
  'pg_attrdef',
  'pg_constraint',
  'pg_rewrite',
  'pg_trigger',
  'pg_policy',
] as const;

/** What is asked of a view's query or a rule's actions, but not of the system's own. */
function ofUserRule(sql: string): string {
  return `CASE WHEN (SELECT n.nspname <> ALL ('{${SYSTEM_VIEW_SCHEMAS.join(',')}}')
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = x.ev_class)
    THEN ${sql} END`;
}

/** What a stored tree names: the values of these fields. */
function inTree(tree: string, fields: string): string {
  return `SELECT m[1]::pg_catalog.int8 AS oid
      FROM pg_catalog.regexp_matches(${tree}, ':(?:${fields}) ([1-9][0-9]*)', 'g') m`;
}

/** What a rule names. */
function named(fields: string): string {
  return ofUserRule(`(SELECT coalesce(pg_catalog.json_agg(DISTINCT f.oid), '[]')
      FROM (${inTree('x.ev_action::pg_catalog.text', fields)}) f)`);
}

/** Fields that name the function of a call; an operator is known by its own OID. */
const CALLS = 'funcid|aggfnoid|winfnoid|tsmhandler';

/** See `CallingRow`. */
function calls(trees: readonly string[], more = ''): string {
  const tree = `pg_catalog.concat_ws(' ', ${trees.join(', ')})`;
  return `(SELECT pg_catalog.json_agg(DISTINCT f.oid) FROM (${inTree(tree, CALLS)} ${more}) f
      WHERE f.oid > 0 AND f.oid < ${FIRST_USER_OID})`;
}

/** What carries out an aggregate. */
const AGGREGATED = `UNION SELECT s.oid::pg_catalog.oid::pg_catalog.int8
      FROM pg_catalog.pg_aggregate a, pg_catalog.unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
        a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]) s(oid)
      WHERE a.aggfnoid = x.oid`;

/** Longer code of functions is not kept, characters. */
const MAX_CODE = 16 * 1024;
/** A user's function in SQL; its language has the same OID on every server. */
const IN_SQL = `x.oid >= ${FIRST_USER_OID} AND x.prolang = 14 AND x.prokind = 'f'`;
/** A user's function that is carried out by code of the server, whose language has the same OID everywhere, too. */
const IN_SERVER = `x.oid >= ${FIRST_USER_OID} AND x.prolang = 12 AND x.prokind = 'f'`;
/** Not before 14. A function that has one has no text. */
const SQL_BODY = `CASE WHEN x.prosrc OPERATOR(pg_catalog.=) '' THEN pg_catalog.to_jsonb(x) ->> 'prosqlbody' END`;

export const CATALOG_TABLES: { readonly [N in TableName]: TableSpec<CatalogRows[N]> } = {
  pg_namespace: { key: 'x.oid', columns: { oid: oid('oid'), name: 'x.nspname' } },
  pg_class: {
    key: 'x.oid',
    // Relations whose columns we keep: tables, partitioned, views, materialized views, foreign tables, sequences, and
    // composite types.
    where: `x.relkind = ANY ('{r,p,v,m,f,S,c}')`,
    columns: {
      oid: oid('oid'),
      namespace: oid('relnamespace'),
      name: 'x.relname',
      kind: 'x.relkind',
      rowSecurity: 'x.relrowsecurity',
      rowType: oid('reltype'),
      width: 'x.relnatts',
      partitionKey: `CASE WHEN x.relkind = 'p' THEN (SELECT ${columnsIn(
        ['p.partexprs'],
        'UNION SELECT k.n FROM pg_catalog.unnest(p.partattrs) k(n) WHERE k.n > 0',
      )} FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = x.oid) END`,
    },
  },
  pg_attribute: {
    key: `pg_catalog.concat_ws('.', x.attrelid, x.attnum)`,
    where: 'x.attnum > 0 AND NOT x.attisdropped',
    columns: {
      relation: oid('attrelid'),
      attnum: 'x.attnum',
      name: 'x.attname',
      typeOid: oid('atttypid'),
      modifier: 'x.atttypmod',
      notNull: 'x.attnotnull',
      hasDefault: 'x.atthasdef',
      generated: `x.attgenerated <> ''`,
      hasMissing: 'x.atthasmissing',
    },
  },
  pg_inherits: {
    key: `pg_catalog.concat_ws('.', x.inhrelid, x.inhseqno)`,
    columns: { child: oid('inhrelid'), parent: oid('inhparent') },
  },
  pg_proc: {
    key: 'x.oid',
    columns: {
      oid: oid('oid'),
      namespace: oid('pronamespace'),
      name: 'x.proname',
      volatility: 'x.provolatile',
      language: oid('prolang'),
      kind: 'x.prokind',
      takes: 'x.proargtypes::pg_catalog.text',
      all: `pg_catalog.array_to_string(x.proallargtypes, ' ')`,
      modes: `pg_catalog.array_to_string(x.proargmodes, '')`,
      names: 'pg_catalog.to_json(x.proargnames)::pg_catalog.text',
      variadic: oid('provariadic'),
      defaults: 'x.pronargdefaults',
      returns: oid('prorettype'),
      returnsSet: 'x.proretset',
      aggregate: `CASE WHEN x.prokind = 'a' THEN (SELECT pg_catalog.concat(a.aggkind, a.aggnumdirectargs)
        FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = x.oid) END`,
      steers: `(x.prosrc OPERATOR(pg_catalog.=) '' OR x.prosrc OPERATOR(pg_catalog.~*) '${STEERING_CODE}')`,
      reshapes: `x.prosrc OPERATOR(pg_catalog.~*) '${RESHAPING_CODE}'`,
      calls: ofUsers(calls(['x.proargdefaults'], AGGREGATED)),
      code: `CASE WHEN ${IN_SQL} AND pg_catalog.length(x.prosrc) OPERATOR(pg_catalog.+)
          coalesce(pg_catalog.length(${SQL_BODY}), 0) OPERATOR(pg_catalog.<=) ${MAX_CODE}
        THEN pg_catalog.json_build_array(CASE WHEN ${SQL_BODY} IS NULL THEN x.prosrc END, ${SQL_BODY},
          CASE WHEN x.prosecdef THEN ${oid('proowner')} ELSE ${NO_OID} END, pg_catalog.to_json(x.proconfig)) END`,
      source: `CASE WHEN ${IN_SERVER} THEN x.prosrc
        WHEN x.oid < ${FIRST_USER_OID} AND x.prosrc OPERATOR(pg_catalog.=) x.proname THEN '' END`,
    },
  },
  pg_language: { key: 'x.oid', columns: { oid: oid('oid'), name: 'x.lanname' } },
  pg_rewrite: {
    key: 'x.oid',
    columns: {
      oid: oid('oid'),
      relation: oid('ev_class'),
      isReturn: `x.rulename = '_RETURN'`,
      enabled: `x.ev_enabled <> 'D'`,
      relations: named('relid'),
      functions: named(CALLS),
      wholeRows: ofUserRule(
        `pg_catalog.strpos(x.ev_action::pg_catalog.text, ':varattno 0 ') OPERATOR(pg_catalog.>) 0`,
      ),
      // Of a view, how long its tree is, and of which version of the row: see `readViews`.
      made: ofUserRule(`CASE WHEN x.rulename = '_RETURN' THEN
        pg_catalog.json_build_array(pg_catalog.length(x.ev_action::pg_catalog.text), x.xmin::pg_catalog.text) END`),
    },
  },
  pg_depend: {
    key: `pg_catalog.concat_ws('.', x.objid, x.classid, x.objsubid, x.refclassid, x.refobjid, x.refobjsubid, x.deptype)`,
    // Functions and operators that something uses, functions of extensions, relations that row policies read; columns that
    // users' views and rules, defaults and generated columns use (before 15 by themselves), sequences of identity columns;
    // types in what is evaluated.
    where: `(x.refclassid = ANY ('{${CATALOG_OIDS.pg_proc},${CATALOG_OIDS.pg_operator}}') AND x.deptype = ANY ('{n,a}')
      OR x.classid = ${CATALOG_OIDS.pg_proc} AND x.deptype = 'e'
      OR x.refclassid = ${CATALOG_OIDS.pg_type} AND x.deptype = ANY ('{n,a}') AND x.objsubid = 0
        AND x.classid = ANY ('{${EVALUATED.map((name) => CATALOG_OIDS[name]).join(',')}}')
      OR x.refclassid = ${CATALOG_OIDS.pg_class} AND (x.classid = ${CATALOG_OIDS.pg_policy}
        OR x.classid = ${CATALOG_OIDS.pg_rewrite} AND x.deptype = 'n' AND x.objid >= ${FIRST_USER_OID}
        OR x.classid = ${CATALOG_OIDS.pg_attrdef} AND x.deptype = 'n'
        OR x.classid = ${CATALOG_OIDS.pg_class} AND x.refobjsubid > 0 AND (x.objsubid > 0 OR x.deptype = 'i')))`,
    columns: {
      class: oid('classid'),
      object: oid('objid'),
      part: 'x.objsubid',
      usedClass: oid('refclassid'),
      usedObject: oid('refobjid'),
      usedPart: 'x.refobjsubid',
      type: 'x.deptype',
    },
  },
  pg_attrdef: {
    key: 'x.oid',
    columns: {
      oid: oid('oid'),
      relation: oid('adrelid'),
      attnum: 'x.adnum',
      calls: calls(['x.adbin']),
      together: columnsIn(['x.adbin']),
    },
  },
  pg_constraint: {
    key: 'x.oid',
    // PostgreSQL 18 has one for each NOT NULL, which calls nothing.
    where: `x.contype <> 'n'`,
    columns: {
      oid: oid('oid'),
      type: 'x.contype',
      relation: oid('conrelid'),
      domain: oid('contypid'),
      referenced: oid('confrelid'),
      onDelete: 'x.confdeltype',
      onUpdate: 'x.confupdtype',
      keys: `coalesce(pg_catalog.to_json(x.confkey), '[]')`,
      columns: `CASE WHEN x.contype = 'f' OR x.contype = 'p' AND NOT x.condeferrable
        THEN pg_catalog.to_json(x.conkey) ELSE '[]' END`,
      calls: calls(['x.conbin']),
      together: `CASE WHEN ${WITHIN_PERIOD} THEN pg_catalog.to_json(x.conkey) ELSE ${columnsIn(['x.conbin'])} END`,
      excludes: WITHIN_PERIOD,
    },
  },
  pg_index: {
    key: 'x.indexrelid',
    columns: {
      oid: oid('indexrelid'),
      relation: oid('indrelid'),
      calls: calls(['x.indexprs', 'x.indpred']),
      together: columnsIn(
        ['x.indexprs', 'x.indpred'],
        'UNION SELECT k.n FROM pg_catalog.unnest(x.indkey) k(n) WHERE x.indisexclusion AND k.n > 0',
      ),
      excludes: 'x.indisexclusion',
    },
  },
  pg_policy: {
    key: 'x.oid',
    columns: {
      oid: oid('oid'),
      relation: oid('polrelid'),
      calls: calls(['x.polqual', 'x.polwithcheck']),
    },
  },
  pg_trigger: {
    key: 'x.oid',
    where: `NOT x.tgisinternal AND x.tgenabled <> 'D'`,
    columns: {
      oid: oid('oid'),
      relation: oid('tgrelid'),
      function: oid('tgfoid'),
      type: 'x.tgtype',
      calls: calls(['x.tgqual']),
      together: columnsIn(['x.tgqual']),
    },
  },
  pg_operator: {
    key: 'x.oid',
    columns: {
      oid: oid('oid'),
      namespace: oid('oprnamespace'),
      name: 'x.oprname',
      function: 'x.oprcode::pg_catalog.oid::pg_catalog.int8',
      left: oid('oprleft'),
      right: oid('oprright'),
      result: oid('oprresult'),
      commutator: oid('oprcom'),
      negator: oid('oprnegate'),
    },
  },
  pg_cast: {
    key: 'x.oid',
    columns: {
      source: oid('castsource'),
      target: oid('casttarget'),
      function: oid('castfunc'),
      context: 'x.castcontext',
      method: 'x.castmethod',
    },
  },
  pg_type: {
    key: 'x.oid',
    columns: {
      oid: oid('oid'),
      namespace: oid('typnamespace'),
      name: 'x.typname',
      relation: oid('typrelid'),
      element: oid('typelem'),
      base: oid('typbasetype'),
      bound: `coalesce((SELECT r.rngsubtype::pg_catalog.int8 FROM pg_catalog.pg_range r WHERE r.rngtypid = x.oid), ${NO_OID})`,
      range: `coalesce((SELECT r.rngtypid::pg_catalog.int8 FROM pg_catalog.pg_range r
        WHERE pg_catalog.to_jsonb(r) ->> 'rngmultitypid' = x.oid::pg_catalog.text), ${NO_OID})`,
      multirange: `coalesce(${newerColumn('rngmultitypid', 'pg_catalog.pg_range r WHERE r.rngtypid = x.oid')}, ${NO_OID})`,
      array: oid('typarray'),
      baseModifier: 'x.typtypmod',
      category: 'x.typcategory',
      preferred: 'x.typispreferred',
      collatable: 'x.typcollation <> 0',
      subscript: SUBSCRIPT,
      modifierInput: 'x.typmodin::pg_catalog.oid::pg_catalog.int8',
      kind: `CASE WHEN x.typtype = 'b' AND x.typcategory = 'A' THEN 'a' ELSE x.typtype END`,
      delimiter: 'x.typdelim',
      calls: calls(['x.typdefaultbin']),
    },
  },
  pg_statistic_ext: {
    key: 'x.oid',
    columns: {
      oid: oid('oid'),
      relation: oid('stxrelid'),
      // Not before 14.
      calls: calls([`pg_catalog.to_jsonb(x) ->> 'stxexprs'`]),
    },
  },
  pg_amproc: {
    key: 'x.oid',
    where: `(x.oid >= ${FIRST_USER_OID} OR ${IN_RANGE})`,
    columns: {
      oid: oid('oid'),
      inRangeOf: `CASE WHEN ${IN_RANGE} THEN ${oid('amprocfamily')} ELSE ${NO_OID} END`,
      type: oid('amproclefttype'),
      right: oid('amprocrighttype'),
      function: 'x.amproc::pg_catalog.oid::pg_catalog.int8',
    },
  },
  pg_event_trigger: {
    key: 'x.oid',
    where: `x.evtenabled <> 'D'`,
    columns: { event: 'x.evtevent', function: oid('evtfoid') },
  },
  pg_opclass: {
    key: 'x.oid',
    where: `x.opcmethod = ${COMPARING}`,
    columns: {
      oid: oid('oid'),
      method: oid('opcmethod'),
      namespace: oid('opcnamespace'),
      name: 'x.opcname',
      family: oid('opcfamily'),
      type: oid('opcintype'),
      isDefault: 'x.opcdefault',
    },
  },
  pg_amop: {
    key: 'x.oid',
    where: `x.amoppurpose = 's' AND x.amopmethod = ${COMPARING}`,
    columns: {
      family: oid('amopfamily'),
      operator: oid('amopopr'),
      left: oid('amoplefttype'),
      right: oid('amoprighttype'),
      strategy: 'x.amopstrategy',
    },
  },
};

export const TABLE_NAMES = Object.keys(CATALOG_TABLES) as readonly TableName[];
