/**
 * The question for what a statement of known names has changed: the rows of some objects and their parts, found by
 * indexes alone, so that it costs the same in a database of any size.
 */
import type { TableName } from './records.ts';
import { CATALOG_OIDS, CATALOG_TABLES, TABLE_NAMES } from './tables.ts';

type TextRow = readonly (string | null)[];

/** What is asked for: names that may be new, and what is known of them already, which may be gone. */
export interface NamedObjects {
  readonly relationNames: readonly string[];
  readonly typeNames: readonly string[];
  readonly functionNames: readonly string[];
  readonly schemaNames: readonly string[];
  readonly relations: readonly number[];
  readonly types: readonly number[];
  /** What may depend on something else: functions, constraints, defaults, indexes, rules, triggers, policies, statistics. */
  readonly dependants: readonly number[];
  /** Relations of which it is to be told whether they are still there. */
  readonly doubtful: readonly number[];
}

/** Rows of the objects that were found or known. What is of these and was not told is gone. */
export interface NamedAnswer {
  readonly server: string;
  readonly next: bigint;
  /** Whatever is named: code of somebody's own runs with each change, and may change more. */
  readonly eventTriggers: boolean;
  readonly relations: readonly number[];
  readonly types: readonly number[];
  readonly dependants: readonly number[];
  /** `[key, settled when everything was last asked for, ...columns]`. */
  readonly rows: { readonly [N in TableName]: readonly (readonly unknown[])[] };
}

/** Where `pg_depend` tells of functions, operators and columns that they use. */
const DEPENDANTS = [
  CATALOG_OIDS.pg_class,
  CATALOG_OIDS.pg_proc,
  CATALOG_OIDS.pg_attrdef,
  CATALOG_OIDS.pg_constraint,
  CATALOG_OIDS.pg_rewrite,
  CATALOG_OIDS.pg_policy,
  CATALOG_OIDS.pg_trigger,
  CATALOG_OIDS.pg_type,
  CATALOG_OIDS.pg_statistic_ext,
];

export function isDependant(catalog: number): boolean {
  return DEPENDANTS.includes(catalog as (typeof DEPENDANTS)[number]);
}

const any = (set: string) => `ANY (ARRAY(SELECT oid FROM ${set}))`;

/** Parts of relations: their own OID, and their relation's. */
const PARTS = [
  ['pg_index', 'indexrelid', 'indrelid'],
  ['pg_attrdef', 'oid', 'adrelid'],
  ['pg_constraint', 'oid', 'conrelid'],
  ['pg_rewrite', 'oid', 'ev_class'],
  ['pg_policy', 'oid', 'polrelid'],
  ['pg_trigger', 'oid', 'tgrelid'],
  ['pg_statistic_ext', 'oid', 'stxrelid'],
] as const;

/** Which rows of each table belong to what was found; none of the others, which only change with anything. */
const OF_FOUND: Partial<Readonly<Record<TableName, string>>> = {
  pg_namespace: `x.nspname = ANY ($7) OR x.oid = ${any(
    `(SELECT c.relnamespace AS oid FROM pg_catalog.pg_class c WHERE c.oid = ${any('rel')}
      UNION SELECT p.pronamespace FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($5)
      UNION SELECT t.typnamespace FROM pg_catalog.pg_type t WHERE t.oid = ${any('typ')}) n`,
  )}`,
  pg_class: `x.oid = ${any('rel')}`,
  pg_attribute: `x.attrelid = ${any('rel')}`,
  pg_inherits: `x.inhrelid = ${any('rel')}`,
  pg_proc: 'x.proname = ANY ($5)',
  pg_rewrite: `x.ev_class = ${any('rel')}`,
  pg_depend: `x.classid = ANY ('{${DEPENDANTS.join(',')}}'::pg_catalog.oid[]) AND x.objid = ${any('dep')}`,
  pg_attrdef: `x.adrelid = ${any('rel')}`,
  pg_constraint: `x.conrelid = ${any('rel')} OR x.contypid = ${any('typ')}`,
  pg_index: `x.indrelid = ${any('rel')}`,
  pg_policy: `x.polrelid = ${any('rel')}`,
  pg_trigger: `x.tgrelid = ${any('rel')}`,
  pg_type: `x.oid = ${any('typ')}`,
  pg_statistic_ext: `x.stxrelid = ${any('rel')}`,
};

const SETS = `WITH named AS MATERIALIZED (
    SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relname = ANY ($1) UNION SELECT pg_catalog.unnest($2)),
  rel AS MATERIALIZED (
    SELECT oid FROM named
    UNION SELECT d.objid FROM pg_catalog.pg_depend d WHERE d.refclassid = ${CATALOG_OIDS.pg_class}
      AND d.refobjid = ${any('named')} AND d.classid = ${CATALOG_OIDS.pg_class} AND d.deptype IN ('a', 'i')
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = ${any('named')}
    UNION SELECT u.oid FROM pg_catalog.unnest($8) u(oid)
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = u.oid)),
  own AS MATERIALIZED (
    SELECT c.reltype AS oid FROM pg_catalog.pg_class c WHERE c.oid = ${any('rel')} AND c.reltype <> 0
    UNION SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typname = ANY ($4) UNION SELECT pg_catalog.unnest($3)),
  typ AS MATERIALIZED (
    SELECT oid FROM own
    UNION SELECT t.typarray FROM pg_catalog.pg_type t WHERE t.oid = ${any('own')} AND t.typarray <> 0),
  dep AS MATERIALIZED (
    SELECT oid FROM rel UNION SELECT oid FROM typ UNION SELECT pg_catalog.unnest($6)
    ${PARTS.map(([table, oid, relation]) => `UNION SELECT p.${oid} FROM pg_catalog.${table} p WHERE p.${relation} = ${any('rel')}`).join('\n    ')}
    UNION SELECT p.oid FROM pg_catalog.pg_constraint p WHERE p.contypid = ${any('typ')}
    UNION SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($5))`;

const PARAMETERS = ['name[]', 'oid[]', 'oid[]', 'name[]', 'name[]', 'oid[]', 'name[]', 'oid[]', 'xid'];

/** @param server SQL that tells servers, roles and databases apart. */
function namedQuery(server: string): string {
  const oids = (set: string) => `(SELECT pg_catalog.json_agg(oid::pg_catalog.int8) FROM ${set})`;
  const told = TABLE_NAMES.map((table) => {
    const { key, where, columns } = CATALOG_TABLES[table];
    const found = OF_FOUND[table];
    if (found === undefined) return 'NULL';
    const settled = 'pg_catalog.age(x.xmin) > pg_catalog.age($9)';
    const row = [`(${key})::pg_catalog.text`, settled, ...Object.values<string>(columns)].join(', ');
    return `(SELECT pg_catalog.json_agg(pg_catalog.json_build_array(${row})) FROM pg_catalog.${table} x
      WHERE (${found}) AND (${where ?? 'true'}))`;
  });
  return `${SETS}
  SELECT ${server}, pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()),
    EXISTS (SELECT FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D'),
    ${oids('rel')}, ${oids('typ')}, ${oids('dep')}, ${told.join(',\n    ')}`;
}

/**
 * One string of statements that asks for some objects.
 *
 * @param name Of the prepared statement: planning takes longer than answering.
 * @param prepared Whether it is there already.
 * @param since The `oldest` of the answer that everything was last known by.
 */
export function namedQuestion(
  objects: NamedObjects,
  { name, prepared, since, server }: { name: string; prepared: boolean; since: bigint; server: string },
): string {
  const types = PARAMETERS.map((type) => `pg_catalog.${type}`).join(', ');
  const values = [
    nameArray(objects.relationNames),
    oidArray(objects.relations),
    oidArray(objects.types),
    nameArray(objects.typeNames),
    nameArray(objects.functionNames),
    oidArray(objects.dependants),
    nameArray(objects.schemaNames),
    oidArray(objects.doubtful),
    `'${BigInt.asUintN(32, since)}'`,
  ];
  return [
    'BEGIN READ ONLY',
    // Catalogs are small when it is planned, and may grow.
    'SET LOCAL enable_seqscan = off',
    'SET LOCAL plan_cache_mode = force_generic_plan',
    'SET LOCAL jit = off',
    // As for the question for everything: operators must be PostgreSQL's own.
    'SET LOCAL search_path = pg_catalog',
    ...(prepared ? [] : [`PREPARE ${name} (${types}) AS ${namedQuery(server)}`]),
    `EXECUTE ${name} (${values.join(', ')})`,
    'COMMIT',
  ].join(';\n');
}

/** Text that means the same whatever the server takes a backslash for. */
function nameArray(names: readonly string[]): string {
  const quoted = names.map((name) => `E'${name.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`);
  return `ARRAY[${quoted.join(', ')}]::pg_catalog.name[]`;
}

function oidArray(oids: readonly number[]): string {
  return `'{${oids.join(',')}}'::pg_catalog.oid[]`;
}

/**
 * @param results The rows of each statement of `namedQuestion`, in order.
 * @throws {SyntaxError} It is no such answer.
 */
export function readNamedAnswer(results: readonly (readonly TextRow[])[]): NamedAnswer {
  const [answer, ...more] = results.filter((rows) => rows.length > 0).map((rows) => rows[0] as TextRow);
  if (answer === undefined || more.length > 0 || answer.length !== 6 + TABLE_NAMES.length)
    throw new SyntaxError('not the answer that was asked for');
  const [server, next, eventTriggers, relations, types, dependants, ...tables] = answer;
  const rows = TABLE_NAMES.map((name, index) => [name, JSON.parse(tables[index] ?? '[]')] as const);
  return {
    server: server ?? '',
    next: BigInt(next ?? ''),
    eventTriggers: eventTriggers !== 'f',
    relations: JSON.parse(relations ?? '[]') as number[],
    types: JSON.parse(types ?? '[]') as number[],
    dependants: JSON.parse(dependants ?? '[]') as number[],
    rows: Object.fromEntries(rows) as NamedAnswer['rows'],
  };
}
