import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilRunning } from '../support/postgres/server.ts';
import { ALLOW_ALL, pgEnv, type Stack, startStack, type Tunnel } from '../support/stack.ts';

const run = promisify(execFile);

let stack: Stack;
let tunnel: Tunnel;
let env: NodeJS.ProcessEnv;
let url: string;

beforeAll(async () => {
  stack = await startStack({ policy: ALLOW_ALL, superuser: true });
  tunnel = await stack.tunnel();
  env = pgEnv(tunnel);
  url = `postgres://${tunnel.user}:${tunnel.password}@${tunnel.host}:${tunnel.port}/${tunnel.database}`;
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

async function tool(command: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(command, args, { env, timeout: 100_000, maxBuffer: 64 * 1024 * 1024 });
  return stdout + stderr;
}

/** Resident memory, KiB. */
function memory(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

describe('clients that nobody changed', () => {
  test('psql: queries, description of tables, a script, COPY both ways', async () => {
    expect(
      await tool(
        'psql',
        '-XAtw',
        '-c',
        'create table t (id int primary key, name text)',
        '-c',
        "insert into t values (1, 'a')",
      ),
    ).toContain('INSERT 0 1');
    expect(await tool('psql', '-Xw', '-c', '\\d t')).toContain('PRIMARY KEY');
    expect(
      await tool('psql', '-Xw', '-c', '\\dt', '-c', '\\l', '-c', '\\du', '-c', '\\df', '-c', '\\dn+'),
    ).toContain('public');
    expect(
      await tool('sh', '-c', "printf '2\\tb\\n3\\tc\\n' | psql -XAtw -c '\\copy t from stdin' -c 'table t'"),
    ).toContain('3|c');
    expect(await tool('psql', '-XAtw', '-c', '\\copy t to stdout')).toContain('2\tb');
  });

  test('pgbench in its three modes', async () => {
    await tool('pgbench', '-i', '-q', '-s', '1');
    for (const mode of ['simple', 'extended', 'prepared']) {
      const report = await tool('pgbench', '-n', '-c', '4', '-t', '50', '-M', mode);
      expect(report).toContain('number of transactions actually processed: 200/200');
      expect(report).toContain('number of failed transactions: 0');
    }
  });

  test('node-postgres: parameters, prepared statements, errors, notifications of types', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect((await client.query('select $1::int + 1 as n', [41])).rows).toEqual([{ n: 42 }]);
    for (let i = 0; i < 3; i++) {
      const { rows } = await client.query({
        name: 'by-id',
        text: 'select $1::text as t, now() as at',
        values: [`v${i}`],
      });
      expect(rows[0].t).toBe(`v${i}`);
      expect(rows[0].at).toBeInstanceOf(Date);
    }
    await expect(client.query('select nothing_there')).rejects.toMatchObject({ code: '42703' });
    await expect(client.query('selec')).rejects.toMatchObject({ code: '42601' });
    const many = await Promise.all(
      Array.from({ length: 50 }, (_, i) => client.query('select $1::int as n', [i])),
    );
    expect(many.map((one) => one.rows[0].n)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    await client.end();
  });

  test('postgres.js: pipelines, transactions, cursors', async () => {
    const sql = postgres(url, { max: 4 });
    const rows = await Promise.all(Array.from({ length: 40 }, (_, i) => sql`select ${i}::int as n`));
    expect(rows.map(([row]) => row?.['n'])).toEqual(Array.from({ length: 40 }, (_, i) => i));
    await expect(
      sql.begin(async (tx) => {
        await tx`create table gone (id int)`;
        throw new Error('back');
      }),
    ).rejects.toThrow('back');
    expect(await sql`select to_regclass('gone') as oid`).toEqual([{ oid: null }]);
    let seen = 0;
    await sql`select generate_series(1, 100) as n`.cursor(30, (batch) => {
      seen += batch.length;
    });
    expect(seen).toBe(100);
    await sql.end();
  });

  test('psycopg 2 and 3, with server-side cursors and a pipeline', async () => {
    const script = `
import psycopg2, psycopg
c = psycopg2.connect("")
k = c.cursor()
k.execute("select %s::int + 1", (41,))
assert k.fetchone() == (42,)
n = c.cursor("named")
n.execute("select generate_series(1, 5000)")
assert len(n.fetchall()) == 5000
c.commit(); c.close()
with psycopg.connect("") as c:
    with c.pipeline():
        results = [c.execute("select %s::int", (i,)) for i in range(100)]
        assert [r.fetchone()[0] for r in results] == list(range(100))
    with c.cursor().copy("copy (select generate_series(1, 1000)) to stdout") as copy:
        assert sum(1 for _ in copy.rows()) == 1000
    try:
        c.execute("select 1/0")
        raise SystemExit("no error")
    except psycopg.errors.DivisionByZero:
        pass
print("fine")
`;
    expect(await tool('/usr/bin/python3', '-c', script)).toContain('fine');
  });

  test('Ctrl-C cancels the query and leaves the session usable', async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const slow = client.query('select pg_sleep(60)');
    await untilRunning(stack.postgres, 'pg_sleep(60)');
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const cancel = new pg.Client({ connectionString: url }) as unknown as {
      connection: {
        connect(port: number, host: string): void;
        cancel(pid: number, key: number): void;
        on(e: string, f: () => void): void;
      };
    };
    cancel.connection.on('connect', () => cancel.connection.cancel(processID, secretKey));
    cancel.connection.connect(tunnel.port, tunnel.host);
    await expect(slow).rejects.toMatchObject({ code: '57014' });
    expect((await client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
    await client.end();
  });

  test('a million rows stream with flat memory in both processes', async () => {
    const warm = 'select repeat(md5(g::text), 3) from generate_series(1, 100000) g';
    await tool('sh', '-c', `psql -XAtw -c "${warm}" > /dev/null`);
    const before = { hoopd: memory(stack.hoopd.child.pid), hoopctl: memory(tunnel.running.child.pid) };
    const peak = { ...before };
    const watch = setInterval(() => {
      peak.hoopd = Math.max(peak.hoopd, memory(stack.hoopd.child.pid));
      peak.hoopctl = Math.max(peak.hoopctl, memory(tunnel.running.child.pid));
    }, 50);
    // Bytes go to a counter: psql itself holds the whole result.
    const copy = 'copy (select g, repeat(md5(g::text), 3) from generate_series(1, 1000000) g) to stdout';
    const rows = await tool('sh', '-c', `psql -XAtw -c "${copy}" | wc -l`);
    const plain = await tool(
      'sh',
      '-c',
      `psql -XAtw --set=FETCH_COUNT=10000 -c "select g from generate_series(1, 1000000) g" | wc -l`,
    );
    clearInterval(watch);
    expect([rows.trim(), plain.trim()]).toEqual(['1000000', '1000000']);
    expect(peak.hoopd - before.hoopd).toBeLessThan(96 * 1024);
    expect(peak.hoopctl - before.hoopctl).toBeLessThan(64 * 1024);
  });
});
