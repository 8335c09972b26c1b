import { loadModule, parseSync } from 'libpg-query';
import {
  type CatalogDelta,
  CatalogMirror,
  type TableDelta,
} from '../../../../src/protocols/postgres/catalog/mirror/mirror.ts';
import type { CatalogRows, TableName } from '../../../../src/protocols/postgres/catalog/mirror/records.ts';
import {
  CATALOG_OIDS,
  CATALOG_TABLES,
  TABLE_NAMES,
} from '../../../../src/protocols/postgres/catalog/mirror/tables.ts';
import { CatalogBuilder } from '../../../../src/protocols/postgres/catalog/model/build.ts';
import type { Catalog } from '../../../../src/protocols/postgres/catalog/model/model.ts';
import { extractFacts } from '../../../../src/protocols/postgres/sql/facts/extract.ts';
import type { StatementFacts } from '../../../../src/protocols/postgres/sql/facts/facts.ts';
import type { NameScope } from '../../../../src/protocols/postgres/sql/meaning/name-scope.ts';
import { planStatement, type StatementPlan } from '../../../../src/protocols/postgres/sql/meaning/resolve.ts';
import { masksOf, scopeOf } from '../../../support/postgres/masked-columns.ts';

await loadModule();

/** Tables of the attack sheet, and what can stand around them. Columns in order; attribute numbers from 1. */
const RELATIONS: Record<string, { oid: number; kind: string; columns: string[]; schema?: string }> = {
  customers: { oid: 1001, kind: 'r', columns: ['id', 'name', 'email', 'ssn', 'note'] },
  orders: { oid: 1002, kind: 'r', columns: ['id', 'customer_id', 'pan'] },
  items: { oid: 1003, kind: 'r', columns: ['id', 'order_id', 'email'] },
  v_cust: { oid: 1004, kind: 'v', columns: ['id', 'x'] },
  v2: { oid: 1005, kind: 'v', columns: ['a'] },
  mv: { oid: 1006, kind: 'm', columns: ['k'] },
  events: { oid: 1007, kind: 'p', columns: ['id', 'ip', 'at'] },
  events_2024: { oid: 1008, kind: 'r', columns: ['at', 'id', 'ip'] },
  child: { oid: 1009, kind: 'r', columns: ['id', 'name', 'email', 'ssn', 'note', 'extra'] },
  audited: { oid: 1010, kind: 'r', columns: ['id', 'total'] },
  ruled: { oid: 1011, kind: 'r', columns: ['id'] },
  secured: { oid: 1012, kind: 'r', columns: ['id'] },
  v_fn: { oid: 1013, kind: 'v', columns: ['id'] },
  plain: { oid: 1014, kind: 'r', columns: ['id', 'title'] },
  pg_class: {
    oid: 1259,
    kind: 'r',
    schema: 'pg_catalog',
    columns: ['oid', 'relname', 'relnamespace', 'relkind', 'relpartbound'],
  },
  pg_stats: { oid: 1300, kind: 'v', schema: 'pg_catalog', columns: ['tablename', 'most_common_vals'] },
  pg_stat_activity: { oid: 1301, kind: 'v', schema: 'pg_catalog', columns: ['pid', 'query'] },
  pg_settings: { oid: 1302, kind: 'v', schema: 'pg_catalog', columns: ['name', 'setting'] },
};

/** oid, schema, name, volatility, language; of an extension. */
const FUNCTIONS: readonly (readonly [number, string, string, string, string, boolean?])[] = [
  [2001, 'public', 'get_ssn', 's', 'sql'],
  [2002, 'public', 'purge', 'v', 'plpgsql'],
  [2003, 'public', 'lower2', 'i', 'plpgsql'],
  [2004, 'public', 'note_change', 'v', 'plpgsql'],
  [2005, 'public', 'total_of', 'i', 'sql'],
  [2006, 'public', 'may_see', 's', 'sql'],
  [2007, 'public', 'money_eq', 'i', 'plpgsql'],
  [2008, 'public', 'to_money', 'i', 'plpgsql'],
  [2009, 'public', 'replace', 'i', 'c', true],
  [2010, 'public', 'upper', 'i', 'plpgsql'],
  ...['lower', 'count', 'now', 'length', 'pg_sleep', 'query_to_xml', 'pg_read_file', 'replace', 'upper'].map(
    (name, index) => [100 + index, 'pg_catalog', name, 'v', 'internal'] as const,
  ),
];

const NAMESPACES: Record<string, number> = { pg_catalog: 11, public: 2200, agent: 3000 };
const LANGUAGES: Record<string, number> = { internal: 12, c: 13, sql: 14, plpgsql: 15 };
const { pg_attrdef: ATTRDEF, pg_policy: POLICY, pg_proc: PROC } = CATALOG_OIDS;

const rewrite = { isReturn: true, enabled: true, relations: [], functions: [], wholeRows: false, made: null };
const key = {
  type: 'f',
  domain: 0,
  onDelete: 'a',
  onUpdate: 'a',
  keys: [1],
  columns: [2],
  calls: null,
  together: null,
  excludes: false,
};
const whole = { part: 0, usedPart: 0, type: 'n' };

type Rows = { readonly [N in TableName]?: readonly CatalogRows[N][] };

/** What stands around the relations: views, a rule, a trigger, a default, a row policy, foreign keys, an operator, a cast. */
const AROUND: Rows = {
  pg_namespace: Object.entries(NAMESPACES).map(([name, oid]) => ({ name, oid })),
  pg_language: Object.entries(LANGUAGES).map(([name, oid]) => ({ name, oid })),
  pg_inherits: [
    { child: 1008, parent: 1007 },
    { child: 1009, parent: 1001 },
  ],
  pg_proc: FUNCTIONS.map(([oid, schema, name, volatility, language]) => ({
    oid,
    namespace: NAMESPACES[schema] ?? 0,
    name,
    volatility,
    language: LANGUAGES[language] ?? 0,
    kind: 'f',
    takes: '',
    all: null,
    modes: null,
    names: null,
    variadic: 0,
    defaults: 0,
    returns: 25,
    returnsSet: false,
    aggregate: null,
    steers: false,
    reshapes: false,
    code: null,
    source: null,
    calls: null,
  })),
  pg_rewrite: [
    { ...rewrite, oid: 5010, relation: 1004, relations: [1001] },
    { ...rewrite, oid: 5011, relation: 1005, relations: [1004] },
    { ...rewrite, oid: 5012, relation: 1006, relations: [1002] },
    { ...rewrite, oid: 5013, relation: 1013, relations: [1014], functions: [2001] },
    { ...rewrite, oid: 5021, relation: 1011, isReturn: false },
    { ...rewrite, oid: 5022, relation: 1302, isReturn: false },
  ],
  pg_trigger: [{ oid: 5031, relation: 1010, function: 2004, type: 20, calls: null, together: null }],
  pg_attrdef: [{ oid: 5001, relation: 1010, attnum: 2, calls: null, together: null }],
  pg_policy: [{ oid: 5002, relation: 1012, calls: null }],
  pg_depend: [
    { class: ATTRDEF, object: 5001, usedClass: PROC, usedObject: 2005, ...whole },
    { class: POLICY, object: 5002, usedClass: PROC, usedObject: 2006, ...whole },
    ...FUNCTIONS.filter(([, , , , , extension]) => extension).map(([oid]) => ({
      class: PROC,
      object: oid,
      ...whole,
      usedClass: 3079,
      usedObject: 1,
      type: 'e',
    })),
  ],
  pg_constraint: [
    { ...key, oid: 6001, referenced: 1001, relation: 1002, onDelete: 'c' },
    { ...key, oid: 6002, referenced: 1002, relation: 1003, onDelete: 'n', onUpdate: 'c' },
    { ...key, oid: 6003, referenced: 1001, relation: 1014 },
  ],
  pg_operator: [
    {
      oid: 7001,
      namespace: 2200,
      name: '===',
      function: 2007,
      left: 0,
      right: 0,
      result: 0,
      commutator: 0,
      negator: 0,
    },
  ],
  pg_cast: [{ source: 25, target: 9001, function: 2008, context: 'e', method: 'f' }],
  pg_type: [
    {
      oid: 9001,
      namespace: 2200,
      name: 'money2',
      relation: 0,
      element: 0,
      base: 0,
      bound: 0,
      range: 0,
      multirange: 0,
      array: 0,
      baseModifier: -1,
      category: 'U',
      preferred: false,
      collatable: false,
      subscript: 0,
      modifierInput: 0,
      kind: 'b',
      delimiter: ',',
      calls: null,
    },
  ],
};

/** A small catalog, as it would be made of a server's tables. */
export function fixtureCatalog(relations = RELATIONS): Catalog {
  const entries = Object.entries(relations);
  return catalogOf({
    ...AROUND,
    pg_class: entries.map(([name, { oid, kind, schema }]) => ({
      oid,
      namespace: NAMESPACES[schema ?? 'public'] ?? 0,
      name: name.split(' ')[0] ?? '',
      kind,
      rowSecurity: false,
      rowType: 0,
      width: 0,
      partitionKey: null,
    })),
    pg_attribute: entries.flatMap(([, { oid: relation, columns }]) =>
      columns.map((name, index) => {
        const rest = {
          typeOid: 25,
          modifier: -1,
          notNull: false,
          hasDefault: false,
          generated: false,
          hasMissing: false,
        };
        return { relation, attnum: index + 1, name, ...rest };
      }),
    ),
  });
}

function catalogOf(rows: Rows): Catalog {
  const delta = TABLE_NAMES.map((table): [string, TableDelta] => {
    const names = Object.keys(CATALOG_TABLES[table].columns);
    const own = [...(rows[table] ?? [])].map((row): Readonly<Record<string, unknown>> => ({ ...row }));
    const answer = own.map((row, index) => {
      const id = table === 'pg_attribute' || !('oid' in row) ? `row ${index}` : `${row['oid']}`;
      return [id, true, ...names.map((name) => row[name])];
    });
    return [table, { survivors: undefined, rows: answer }];
  });
  const mirror = new CatalogMirror();
  const changes = mirror.apply(Object.fromEntries(delta) as CatalogDelta);
  const owner = { serverVersion: 180000, role: 'agent', unusable: [], definers: [] };
  return new CatalogBuilder().build(mirror.tables, changes, owner);
}

const CLASSIFICATION = new Map([
  ['public.customers.email', ['pii.email']],
  ['public.customers.ssn', ['pii.national-id']],
  ['public.orders.pan', ['pii.card']],
  ['public.events.ip', ['pii.ip']],
]);

/** Without their trees: judged by what they name, as statements are that cannot be analysed. */
export function factsOf(sql: string): StatementFacts[] {
  return extractFacts(parseSync(sql), sql);
}

/** Plans of every statement in the text, for a principal who sees customers.email, .ssn, orders.pan, events.ip masked. */
export function plansOf(
  sql: string,
  options: { masks?: boolean; catalog?: Catalog; names?: NameScope } = {},
): StatementPlan[] {
  const catalog = options.catalog ?? fixtureCatalog();
  const masks = options.masks ?? true;
  const masked = masksOf(catalog, CLASSIFICATION);
  const names = options.names ?? scopeOf(catalog);
  return factsOf(sql).map((facts) =>
    planStatement(facts, catalog, {
      ...masked,
      names,
      searchPaths: [['app', 'public']],
      settings: ['app.tenant'],
      beganAsItself: true,
      isMasked: (relation, attribute) => masks && masked.isMasked(relation, attribute),
    }),
  );
}

export function planOf(sql: string, options: { masks?: boolean; catalog?: Catalog } = {}): StatementPlan {
  const [plan, ...more] = plansOf(sql, options);
  if (plan === undefined || more.length > 0) throw new Error(`not one statement: ${sql}`);
  return plan;
}

/** `sql.select Table public.customers` */
export function pairTexts(plan: StatementPlan): string[] {
  return plan.pairs.map(({ action, object }) =>
    `${action} ${object.type} ${object.id.replace(/^pg\/?/, '')}`.trim(),
  );
}

/** Actions that a policy of reading alone allows. */
const READ_ONLY = new Set(['sql.select', 'sql.show', 'sql.transaction', 'sql.set', 'connect']);

/** What a reader is told: by a rule of ours, or by the default deny of some action. Undefined: allowed. */
export function deniedTo(plans: readonly StatementPlan[]): string | undefined {
  for (const plan of plans) {
    // What a function gives matters only to whom policy lets call it.
    const untraced = plan.refusal?.rule === 'unknown-source';
    if (plan.refusal !== undefined && !untraced) return plan.refusal.rule;
    const pair = plan.pairs.find(({ action }) => !READ_ONLY.has(action));
    if (pair !== undefined) return pair.action;
    if (plan.pairs.length === 0) return 'no pairs';
    if (untraced) return plan.refusal?.rule;
  }
  return undefined;
}
