import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pythonPackages } from '../../analysis/packages.ts';
import type { Major, World } from '../../attacks/world.ts';

/** A statement that nobody has a reason to refuse. */
export interface Honest {
  readonly at: string;
  readonly sql: string;
  /** Columns of its result that only carry what is masked. */
  readonly masks: readonly string[];
  /** By Parse and Bind, with these; else as a Query. */
  readonly values?: readonly (string | null)[];
  /** Asked one after another with all others of the same session, whose failures are answers too; absent: stands alone. */
  readonly session?: number;
}

/** Statements over one schema. */
export interface Corpus {
  readonly name: string;
  /** For psql, by the administrator. */
  readonly sql: string;
  /** Tags of columns. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  readonly statements: readonly Honest[] | ((world: World) => Promise<readonly Honest[]>);
  /** The gateway's own credential is a superuser's: what looks at everything in the catalogs wants that. */
  readonly superuser?: boolean;
  /** Further keys of the resource's configuration. */
  readonly resource?: string;
  /** Default `shop`. */
  readonly database?: string;
  /** Of the servers that bring what the schema wants; absent: all. */
  readonly majors?: readonly Major[];
}

const FOLDER = new URL('./queries/', import.meta.url);
/** Debian's package postgresql-15-postgis-3 brings it. */
const POSTGIS = '/usr/share/postgresql/15/extension/postgis.control';
const CLINIC = new URL('./clinic/', import.meta.url);
const WORK = new URL('./work/sessions.sql', import.meta.url);
const PLACES = new URL('./places/', import.meta.url);
const NOTE = /^-- masks: (.*)$/;

/** What analysts ask of the shops in `schema.sql`, a line each; before one that carries masked columns a comment names them. */
export function shops(): Corpus {
  const statements = readdirSync(FOLDER).flatMap((name) => statementsOf(new URL(name, FOLDER)));
  const sql = readFileSync(new URL('schema.sql', import.meta.url), 'utf8');
  return { name: 'queries', sql, columns: SHOPS_MASKED, statements };
}

/** What is asked where users have made types, functions, operators and aggregates of their own, and hand on rows as wholes. */
export function clinic(): Corpus {
  return {
    name: 'clinic',
    sql: readFileSync(new URL('schema.sql', CLINIC), 'utf8'),
    columns: CLINIC_MASKED,
    statements: statementsOf(new URL('queries.sql', CLINIC)),
  };
}

/** What applications, migrations and loads do to the shops, in sessions of several statements. */
export function work(): Corpus {
  const paragraphs = readFileSync(WORK, 'utf8').split(/\n\n+/);
  const statements = paragraphs.flatMap((paragraph, session) =>
    statementsIn(paragraph, `session ${session}`).map((statement) => ({ ...statement, session })),
  );
  const { sql, columns } = shops();
  return {
    name: 'work',
    sql: `${sql}GRANT CREATE ON SCHEMA public TO hoop; GRANT CREATE ON DATABASE shop TO hoop;\n`,
    columns,
    resource: 'session: { settings: [app.tenant] }',
    statements,
  };
}

/**
 * What is asked of a map: geometries and geographies of PostGIS, where the homes of people are masked.
 *
 * @throws {Error} This machine's PostgreSQL has no PostGIS.
 */
export function places(): Corpus {
  if (!existsSync(POSTGIS)) throw new Error(`no PostGIS here: ${POSTGIS} is missing`);
  return {
    name: 'places',
    sql: readFileSync(new URL('schema.sql', PLACES), 'utf8'),
    columns: { 'public.people.home': ['pii'] },
    statements: statementsOf(new URL('queries.sql', PLACES)),
    majors: [15],
  };
}

function statementsOf(file: URL): readonly Honest[] {
  return statementsIn(readFileSync(file, 'utf8'), basename(file.pathname));
}

function statementsIn(text: string, name: string): readonly Honest[] {
  const lines = text.split('\n');
  return lines.flatMap((sql, index) =>
    sql === '' || sql.startsWith('--')
      ? []
      : [{ at: `${name}:${index + 1}`, sql, masks: maskedBy(lines[index - 1]) }],
  );
}

function maskedBy(line = ''): string[] {
  const names = NOTE.exec(line)?.[1];
  return names === undefined ? [] : names.split(',').map((name) => name.trim());
}

const SHOPS_MASKED = {
  'public.customers.email': ['pii'],
  'public.customers.phone': ['pii'],
  'public.customers.born': ['pii'],
  'public.employees.email': ['pii'],
  'public.employees.salary': ['pii'],
  'public.payments.card': ['pii'],
  'public.events.ip': ['pii'],
};

const CLINIC_MASKED = {
  'clinic.person.email': ['pii'],
  'clinic.person.phone': ['pii'],
  'clinic.patient.ssn': ['pii'],
  'clinic.doctor.salary': ['pii'],
  'billing.invoice.iban': ['pii'],
};

const TPC = new URL('tpc.py', import.meta.url).pathname;
const TPC_VERSION = '1.5.5';

/** Of a benchmark: what is masked, and by the number of a query, from 1, which masked columns it carries. */
interface Benchmark {
  readonly columns: Corpus['columns'];
  readonly carried: Readonly<Record<number, readonly string[]>>;
}

const BENCHMARKS = {
  tpch: {
    columns: { 'public.supplier.s_phone': ['pii'], 'public.supplier.s_address': ['pii'] },
    carried: { 2: ['s_address', 's_phone'], 15: ['s_address', 's_phone'], 20: ['s_address'] },
  },
  tpcds: {
    columns: {
      'public.customer.c_email_address': ['pii'],
      'public.customer.c_login': ['pii'],
      'public.customer.c_birth_day': ['pii'],
      'public.customer_address.ca_street_name': ['pii'],
      'public.store.s_manager': ['pii'],
    },
    carried: {},
  },
} satisfies Readonly<Record<string, Benchmark>>;

/**
 * The 22 queries of TPC-H or the 99 of TPC-DS, over rows of their own.
 *
 * @throws {Error} The packages that bring them cannot be had here.
 */
export function tpc(name: keyof typeof BENCHMARKS): Corpus {
  const packages = ['duckdb', 'duckdb-extension-tpch', 'duckdb-extension-tpcds'].map(
    (one) => `${one}==${TPC_VERSION}`,
  );
  const args = [TPC, pythonPackages(`duckdb-${TPC_VERSION}`, packages), name];
  const printed = execFileSync('python3', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  const { schema, queries } = JSON.parse(printed) as { schema: string; queries: string[] };
  const { columns, carried }: Benchmark = BENCHMARKS[name];
  const statements = queries.map((sql, index) => ({
    at: `${name} ${index + 1}`,
    sql,
    masks: carried[index + 1] ?? [],
  }));
  return { name, sql: schema, columns, statements };
}
