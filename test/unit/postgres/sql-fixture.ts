import { loadModule, parseSync } from 'libpg-query';
import { buildCatalog, type Catalog } from '../../../src/protocols/postgres/sql/catalog-model.ts';
import { extractFacts } from '../../../src/protocols/postgres/sql/extract.ts';
import type { StatementFacts } from '../../../src/protocols/postgres/sql/facts.ts';
import { planStatement, type StatementPlan } from '../../../src/protocols/postgres/sql/resolve.ts';

await loadModule();

type Row = (string | null)[];

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
    columns: ['oid', 'relname', 'relnamespace', 'relkind'],
  },
  pg_stats: { oid: 1300, kind: 'v', schema: 'pg_catalog', columns: ['tablename', 'most_common_vals'] },
  pg_stat_activity: { oid: 1301, kind: 'v', schema: 'pg_catalog', columns: ['pid', 'query'] },
  pg_settings: { oid: 1302, kind: 'v', schema: 'pg_catalog', columns: ['name', 'setting'] },
};

/** oid, schema, name, volatility, language, of an extension. */
const FUNCTIONS: Row[] = [
  ['2001', 'public', 'get_ssn', 's', 'sql', 'f'],
  ['2002', 'public', 'purge', 'v', 'plpgsql', 'f'],
  ['2003', 'public', 'lower2', 'i', 'plpgsql', 'f'],
  ['2004', 'public', 'note_change', 'v', 'plpgsql', 'f'],
  ['2005', 'public', 'total_of', 'i', 'sql', 'f'],
  ['2006', 'public', 'may_see', 's', 'sql', 'f'],
  ['2007', 'public', 'money_eq', 'i', 'plpgsql', 'f'],
  ['2008', 'public', 'to_money', 'i', 'plpgsql', 'f'],
  ['2009', 'public', 'replace', 'i', 'c', 't'],
  ['2010', 'public', 'upper', 'i', 'plpgsql', 'f'],
  ...['lower', 'count', 'now', 'length', 'pg_sleep', 'query_to_xml', 'pg_read_file', 'replace', 'upper'].map(
    (name, index): Row => [String(100 + index), 'pg_catalog', name, 'v', 'internal', 'f'],
  ),
];

/** A small catalog as `CATALOG_QUERIES` would give it. */
export function fixtureCatalog(more: Record<string, Row[]> = {}): Catalog {
  const entries = Object.entries(RELATIONS);
  return buildCatalog({
    settings: [['agent', '150004']],
    relations: entries.map(([name, { oid, kind, schema }]) => [
      `${oid}`,
      schema ?? 'public',
      name,
      kind,
      'f',
    ]),
    columns: entries.flatMap(([, { oid, columns }]) =>
      columns.map((name, index) => [`${oid}`, `${index + 1}`, name, '25', 'f', 'f', '']),
    ),
    inherits: [
      ['1008', '1007'],
      ['1009', '1001'],
    ],
    functions: FUNCTIONS,
    views: [
      ['1004', 't', '1001'],
      ['1005', 't', '1004'],
      ['1006', 't', '1002'],
      ['1013', 't', '1014'],
      ['1013', 'f', '2001'],
    ],
    rules: [['1011'], ['1302']],
    triggers: [['1010', '2004', '20']],
    writeFunctions: [['1010', '2005']],
    policies: [['1012', 'f', '2006']],
    foreignKeys: [
      ['1001', '1002', 'c', 'a', '{1}'],
      ['1002', '1003', 'n', 'c', '{1}'],
      ['1001', '1014', 'a', 'a', '{1}'],
    ],
    operators: [['===', 'public', '2007']],
    casts: [['money2', 'public', '2008', 'e', '9001', '25']],
    ...more,
  });
}

const CLASSIFICATION = new Map([
  ['public.customers.email', ['pii.email']],
  ['public.customers.ssn', ['pii.national-id']],
  ['public.orders.pan', ['pii.card']],
  ['public.events.ip', ['pii.ip']],
]);

const MASKED = new Set(['1001.3', '1001.4', '1002.3', '1007.2']);
const RESOURCE = { type: 'Resource', id: 'pg', attrs: {} };

export function factsOf(sql: string): StatementFacts[] {
  return extractFacts(parseSync(sql), sql);
}

/** Plans of every statement in the text, for a principal who sees customers.email, .ssn, orders.pan, events.ip masked. */
export function plansOf(sql: string, options: { masks?: boolean; catalog?: Catalog } = {}): StatementPlan[] {
  const catalog = options.catalog ?? fixtureCatalog();
  const masks = options.masks ?? true;
  return factsOf(sql).map((facts) =>
    planStatement(facts, catalog, {
      resource: RESOURCE,
      classification: CLASSIFICATION,
      isMasked: (oid, attnum) => masks && MASKED.has(`${oid}.${attnum}`),
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
    if (plan.refusal !== undefined) return plan.refusal.rule;
    const pair = plan.pairs.find(({ action }) => !READ_ONLY.has(action));
    if (pair !== undefined) return pair.action;
    if (plan.pairs.length === 0) return 'no pairs';
  }
  return undefined;
}
