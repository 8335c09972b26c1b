import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eq, sql as raw } from 'drizzle-orm';
import { drizzle as overNodePostgres } from 'drizzle-orm/node-postgres';
import { integer, jsonb, pgTable, serial, text, timestamp } from 'drizzle-orm/pg-core';
import { drizzle as overPostgresJs } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { locatePostgres } from '../../src/demo/postgres-home.ts';
import { MANY_KINDS } from '../support/postgres/many-kinds.ts';
import { untilRunning } from '../support/postgres/server.ts';
import { ALLOW_ALL, type Stack, startStack, type Tunnel } from '../support/stack.ts';
import { eventually, timePasses } from '../support/waiting.ts';

const run = promisify(execFile);
/** A terminal for psql. */
const SCRIPT = '/usr/bin/script';
const client = (file: string) => fileURLToPath(new URL(`../support/clients/${file}`, import.meta.url));

/** Debian's 15, and 18 as npm brings it: a server without psql, pg_dump or pgbench of its own. */
const VERSIONS = [15, 18] as const;

describe.each(VERSIONS)('clients that nobody changed, before PostgreSQL %i', (version) => {
  let stack: Stack;
  let tunnel: Tunnel;
  let folder: string;
  let throughTunnel: NodeJS.ProcessEnv;
  let direct: NodeJS.ProcessEnv;
  let url: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hoop-compat-'));
    await run('chmod', ['755', folder]);
    const bin = version === 18 ? dirname((await locatePostgres(folder)).postgres) : undefined;
    stack = await startStack({
      policy: ALLOW_ALL,
      asAdmin: true,
      sql: MANY_KINDS,
      ...(bin === undefined ? {} : { bin }),
    });
    tunnel = await stack.tunnel();
    const place = (host: string, port: number, user: string, password: string) => ({
      ...process.env,
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGDATABASE: 'shop',
    });
    throughTunnel = place(tunnel.host, tunnel.port, tunnel.user, tunnel.password);
    const { host, port, admin } = stack.postgres;
    direct = place(host, port, admin.user, admin.password);
    url = `${tunnel.user}:${tunnel.password}@${tunnel.host}:${tunnel.port}/${tunnel.database}`;
  });

  afterAll(async () => {
    await tunnel?.close();
    await stack?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function tool(env: NodeJS.ProcessEnv, command: string, ...args: string[]): Promise<string> {
    const limits = { timeout: 100_000, maxBuffer: 64 * 1024 * 1024 };
    const { stdout, stderr } = await run(command, args, { env, ...limits }).catch((error) => error);
    return stdout + stderr;
  }

  const both = (command: string, ...args: string[]) =>
    Promise.all([tool(direct, command, ...args), tool(throughTunnel, command, ...args)]);

  test('psql prints the very same: descriptions, errors with their position, meta-commands', async () => {
    const file = join(folder, 'script.sql');
    writeFileSync(file, PSQL_SCRIPT);
    const [here, there] = await both('psql', '-Xw', '-f', file);
    expect(withoutPids(there)).toBe(withoutPids(here));
    expect(here).toContain('LINE 1: selec 1');
    expect(here).toContain('Partition key: RANGE (at)');
  });

  test('psql: \\copy both ways gives back what went in', async () => {
    const file = join(folder, 'rows.csv');
    writeFileSync(file, '1,"a,b"\n2,\n3,"quo""ted"\n');
    const out = await tool(
      throughTunnel,
      'psql',
      ...['-XAtqw', '-c', 'create temp table c (i int, t text)', '-c', `\\copy c from '${file}' csv`],
      ...['-c', '\\copy (select * from c order by i) to stdout csv'],
    );
    expect(out).toBe('1,"a,b"\n2,\n3,"quo""ted"\n');
  });

  test('psql: Ctrl-C ends \\watch and a slow query, and the session goes on', async () => {
    const keys = spawn(SCRIPT, ['-qec', 'psql -Xw -P pager=off', '/dev/null'], { env: throughTunnel });
    let seen = '';
    keys.stdout.setEncoding('utf8').on('data', (more: string) => {
      seen += more;
    });
    const until = async (pattern: RegExp) => {
      await eventually(`${pattern}`, () => pattern.test(seen));
    };
    keys.stdin.write("select 'round' || 1 as watched \\watch 0.2\n");
    await until(/(round1[\s\S]*){3}/);
    keys.stdin.write('\x03');
    await timePasses(300, 'psql is back at its prompt');
    keys.stdin.write('select pg_sleep(60);\n');
    await untilRunning(stack.postgres, 'pg_sleep(60)');
    keys.stdin.write('\x03');
    await until(/canceling statement due to user request/);
    keys.stdin.write("select 'still ' || 'here';\n");
    await until(/still here/);
    keys.stdin.end('\\q\n');
    await new Promise((resolve) => keys.once('close', resolve));
  });

  test('PGOPTIONS and PGTZ set what a client may set; anything else in them is refused aloud', async () => {
    const with_ = (PGOPTIONS: string) =>
      tool(
        { ...throughTunnel, PGOPTIONS, PGTZ: 'Asia/Tokyo' },
        'psql',
        '-XAtw',
        '-c',
        'show statement_timeout',
        '-c',
        'show timezone',
      );
    expect(await with_('-c statement_timeout=7s')).toBe('7s\nAsia/Tokyo\n');
    expect(await with_('-c search_path=x')).toContain('the startup setting "search_path" is not supported');
  });

  test('pgbench in its three modes, with a pipeline', async () => {
    await tool(throughTunnel, 'pgbench', '-i', '-q', '-s', '1');
    for (const mode of ['simple', 'extended', 'prepared']) {
      const report = await tool(throughTunnel, 'pgbench', '-n', '-c', '4', '-j', '2', '-t', '50', '-M', mode);
      expect(report).toContain('number of transactions actually processed: 200/200');
    }
    const script = join(folder, 'pipeline.sql');
    writeFileSync(
      script,
      '\\set n random(1, 1000)\n\\startpipeline\nselect :n;\nselect abalance from pgbench_accounts where aid = :n;\n\\endpipeline\n',
    );
    const report = await tool(throughTunnel, 'pgbench', '-n', '-M', 'prepared', '-t', '50', '-f', script);
    expect(report).toContain('number of transactions actually processed: 50/50');
  });

  // pg_dump refuses a server newer than itself, and the only one to be had is Debian's 15.
  if (version === 15)
    test('pg_dump -Fc and pg_restore -j4: the restored database is the original', async () => {
      const archive = join(folder, 'shop.dump');
      const dump = () => tool(direct, 'pg_dump');
      const before = withoutRestrictKeys(await dump());
      expect(await tool(throughTunnel, 'pg_dump', '-Fc', '-f', archive)).toBe('');
      expect(withoutRestrictKeys(await tool(throughTunnel, 'pg_dump'))).toBe(before);
      await stack.postgres.psql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop';
       ALTER DATABASE shop RENAME TO shop_before; CREATE DATABASE shop;`,
        { database: 'postgres' },
      );
      expect(await tool(throughTunnel, 'pg_restore', '-j4', '-d', 'shop', archive)).toBe('');
      expect(withoutRestrictKeys(await dump())).toBe(before);
    });

  test('JDBC: named statements, batches, cursors, COPY, generated keys, every query mode', async () => {
    const jdbc = `jdbc:postgresql://${tunnel.host}:${tunnel.port}/${tunnel.database}?sslmode=disable`;
    const args = [
      '-cp',
      '/usr/share/java/postgresql.jar',
      client('Jdbc.java'),
      jdbc,
      tunnel.user,
      tunnel.password,
    ];
    expect(await tool(process.env, 'java', ...args)).toBe('fine\n');
  });

  test('psycopg 2 and 3: pipelines, binary, COPY, server-side cursors, large objects', async () => {
    // psycopg 3.1 itself may add a warning on leaving a pipeline that failed.
    expect(await tool(throughTunnel, '/usr/bin/python3', client('drivers.py'))).toMatch(/^fine\n/);
  });

  test('SQLAlchemy: an ORM, upserts, reflection', async () => {
    const args = [client('orm.py'), `postgresql+psycopg2://${url}`];
    expect(await tool(throughTunnel, '/usr/bin/python3', '-W', 'ignore', ...args)).toBe('fine\n');
  });

  test('Drizzle over node-postgres and postgres.js', async () => {
    const pool = new pg.Pool({ connectionString: `postgres://${url}`, max: 3 });
    const driver = postgres(`postgres://${url}`, { max: 3, onnotice: () => undefined });
    for (const db of [overNodePostgres(pool), overPostgresJs(driver)]) {
      await db.execute(
        raw`create table if not exists notes (id serial primary key, title text not null, body jsonb, stars int default 0, at timestamp default now())`,
      );
      await db.delete(notes);
      const made = await db
        .insert(notes)
        .values([{ title: 'a', body: { n: 1 } }, { title: "it's b" }])
        .returning();
      expect(made.map((one) => one.title)).toEqual(['a', "it's b"]);
      const first = made[0]?.id ?? 0;
      await db
        .insert(notes)
        .values({ id: first, title: 'c' })
        .onConflictDoUpdate({ target: notes.id, set: { stars: 5 } });
      await db.transaction(async (tx) => {
        await tx
          .update(notes)
          .set({ stars: raw`${notes.stars} + 1` })
          .where(eq(notes.id, first));
        await tx
          .transaction(async (nested) => nested.delete(notes).then(() => nested.rollback()))
          .catch(() => undefined);
      });
      const rows = await db.select().from(notes).where(eq(notes.id, first));
      expect(rows).toMatchObject([{ title: 'a', body: { n: 1 }, stars: 6 }]);
      expect(rows[0]?.at).toBeInstanceOf(Date);
    }
    await pool.end();
    await driver.end();
  });
});

const notes = pgTable('notes', {
  id: serial('id').primaryKey(),
  title: text('title').notNull(),
  body: jsonb('body'),
  stars: integer('stars').default(0),
  at: timestamp('at').defaultNow(),
});

/** Newer minor versions of pg_dump put a random key into their output. */
function withoutRestrictKeys(dump: string): string {
  return dump.replace(/^\\(un)?restrict .*$/gm, '');
}

function withoutPids(text: string): string {
  return text.replace(/with PID \d+/g, 'with PID …');
}

const PSQL_SCRIPT = String.raw`
\set VERBOSITY verbose
\d
\d customers
\d+ customers
\d+ measurements
\d+ paid_orders
\d+ order_totals
\di+
\ds
\dT+
\df app.*
\sf app.total
\dx
\dy
\dRp
\dn+
\dp
\dd
\l shop
\z customers
selec 1;
select 1 +;
select nothing_there from customers;
select * from nowhere;
insert into customers (id, email) values (1, 'a@example.com'), (1, 'b@example.com');
select 1/0;
select 'not a number'::int;
do $$ begin raise exception 'own words' using detail = 'd', hint = 'h', errcode = 'P0042'; end $$;
do $$ begin raise notice 'a notice'; end $$;
\set VERBOSITY default
begin; select 1/0; select 2; rollback;
select format('select %s as n', g) from generate_series(1, 3) g \gexec
select r, c, r * c from generate_series(1, 3) r, generate_series(1, 3) c order by 1, 2 \crosstabview
select 41 + 1 as answer \gset
\echo :answer
select :answer as bound \gdesc
select $1::int + $2::int as sum \bind 1 2 \g
select 1 as a \; select 2 as b \; select 3 as c;
\set FETCH_COUNT 7
select g from generate_series(1, 20) g;
\unset FETCH_COUNT
\x on
select * from pg_catalog.pg_namespace where nspname = 'app';
\x off
prepare p (int) as select $1 * 2 as doubled; execute p (21); deallocate p;
declare nothing cursor for select 1;
begin; declare c scroll cursor for select g from generate_series(1, 10) g; fetch 3 from c; fetch backward 1 from c; move last from c; close c; commit;
set application_name = 'compat'; show application_name; reset application_name;
savepoint outside;
explain (costs off) select * from customers where id = 1;
vacuum analyze customers;
lock table customers;
listen news; notify news, 'payload'; unlisten *;
copy (values (1, 'x'), (2, 'y')) to stdout with (format csv, header);
\errverbose
`;
