import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '../psql/client.ts';
import { Script } from '../psql/script.ts';
import { type Server, startServer } from '../servers.ts';
import { Tally } from '../tally.ts';
import { type Suite, suite } from './sources.ts';

const DATABASE = 'regression';
/** What pg_regress gives its clients and its database. */
const OPTIONS = '-c intervalstyle=postgres_verbose -c datestyle=Postgres,MDY -c timezone=PST8PDT';
const DATABASE_SETTINGS = ['lc_messages', 'lc_monetary', 'lc_numeric', 'lc_time']
  .map((name) => `ALTER DATABASE ${DATABASE} SET ${name} TO 'C'`)
  .concat(
    `ALTER DATABASE ${DATABASE} SET bytea_output TO 'hex'`,
    `ALTER DATABASE ${DATABASE} SET timezone_abbreviations TO 'Default'`,
  );
/** They stop or end the server's sessions, or wait for several. */
const LEFT_OUT: ReadonlySet<string> = new Set(['psql_pipeline']);

/**
 * PostgreSQL's own regression suite: each statement is judged in the state in which it runs, and then run.
 *
 * @param only Names of tests, run behind `test_setup`; none: all.
 */
export async function regress(started: Server, only: readonly string[]): Promise<Tally> {
  const sources = suite(started.major);
  const server = await startServer(started.major, sources.bin);
  const tally = new Tally('regress', server.major);
  try {
    await prepare(server);
    const tests = sources.tests.filter(
      (name) => only.length === 0 || name === 'test_setup' || only.includes(name),
    );
    for (const test of tests) {
      if (LEFT_OUT.has(test)) continue;
      tally.at = test;
      await runTest(server, sources, test, tally);
    }
    return tally;
  } finally {
    await server.stop();
    sources.dispose();
  }
}

async function prepare(server: Server): Promise<void> {
  await server.make(DATABASE);
  const session = await server.open({ database: DATABASE });
  for (const sql of DATABASE_SETTINGS) await session.run(sql);
  session.close();
}

async function runTest(
  server: Server,
  { folder, library }: Suite,
  test: string,
  tally: Tally,
): Promise<void> {
  const environment = {
    PG_ABS_SRCDIR: folder,
    PG_ABS_BUILDDIR: folder,
    PG_LIBDIR: library,
    PG_DLSUFFIX: '.so',
  };
  const client = await Client.open(server, tally, { database: DATABASE, options: OPTIONS, environment });
  try {
    const variables = new Map([['HIDE_TABLEAM', 'on']]);
    await new Script(
      client,
      readFileSync(join(folder, 'sql', `${test}.sql`), 'utf8'),
      folder,
      variables,
    ).run();
  } catch (error) {
    // As for psql: with its session a script ends.
    if (!client.session().closed) throw error;
    process.stderr.write(`${test}: ${(error as Error).message}\n`);
  } finally {
    client.session().close();
  }
}
