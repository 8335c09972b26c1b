import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Major } from '../servers.ts';

/** PostgreSQL's regression suite of one version, ready to run. */
export interface Suite {
  /** Folder of `sql` and `data`. */
  readonly folder: string;
  /** Names of its files, in the order in which they are run. */
  readonly tests: readonly string[];
  /** Where the library is that some of its functions are in. */
  readonly library: string;
  /** Binaries of the server that goes with it, where there are some. */
  readonly bin?: string;
  /** A copy that its server may write to, made for one run. */
  dispose(): void;
}

/** What 18 has that 15 has not, and behind what it comes. */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  generated: ['generated_stored', 'generated_virtual'],
  strings: ['strings', 'md5'],
  sqljson: [],
  misc: ['misc', 'predicate'],
  jsonb: ['jsonb', 'sqljson', 'sqljson_queryfuncs', 'sqljson_jsontable'],
  constraints: ['constraints', 'without_overlaps'],
  event_trigger: ['event_trigger', 'event_trigger_login', 'stats_import'],
  psql: ['psql', 'psql_pipeline'],
};
/** The grammar's authors keep 18's with their own tests. */
const GRAMMAR = 'pglast';
const GRAMMAR_VERSION = '8.8';
const CACHE = join(tmpdir(), 'hoop-analysis-sources');

/** @throws {Error} The sources cannot be had here. */
export function suite(major: Major): Suite {
  const script = new URL('../../regress/sources', import.meta.url).pathname;
  const cache = execFileSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'hoop-analysis-suite-'));
  cpSync(join(cache, 'src/test/regress'), folder, { recursive: true });
  if (major === 18) newerSql(folder);
  execFileSync('chown', ['-R', 'postgres:postgres', folder]);
  return {
    folder,
    tests: order(folder, major),
    library: join(cache, 'lib'),
    ...(major === 15 ? { bin: join(cache, 'server/usr/lib/postgresql/15/bin') } : {}),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The newer suite's SQL beside the older one's data. */
function newerSql(folder: string): void {
  const place = join(CACHE, `${GRAMMAR}-${GRAMMAR_VERSION}`);
  if (!existsSync(place)) {
    mkdirSync(CACHE, { recursive: true });
    const wanted = `${GRAMMAR}==${GRAMMAR_VERSION}`;
    const pip = ['-m', 'pip', 'download', '-q', '--no-deps', '--no-binary', GRAMMAR, wanted];
    execFileSync('python3', pip, { cwd: CACHE, stdio: ['ignore', 'ignore', 'pipe'] });
    execFileSync('tar', ['-xzf', `${GRAMMAR}-${GRAMMAR_VERSION}.tar.gz`], { cwd: CACHE });
  }
  rmSync(join(folder, 'sql'), { recursive: true });
  cpSync(join(place, 'libpg_query/test/sql/postgres_regress'), join(folder, 'sql'), { recursive: true });
}

function order(folder: string, major: Major): string[] {
  const schedule = readFileSync(join(folder, 'parallel_schedule'), 'utf8');
  const older = [...schedule.matchAll(/^test: (.*)$/gm)].flatMap(([, names = '']) =>
    names.trim().split(/\s+/),
  );
  const there = new Set(readdirSync(join(folder, 'sql')).map((name) => name.replace(/\.sql$/, '')));
  const tests = major === 15 ? older : older.flatMap((name) => NEWER[name] ?? [name]);
  return tests.filter((name) => there.has(name));
}
