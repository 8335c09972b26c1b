import { execFileSync } from 'node:child_process';
import { judgeTexts } from '../cases/run.ts';
import { pythonPackages } from '../packages.ts';
import type { Server } from '../servers.ts';
import type { Tally } from '../tally.ts';

type Benchmark = 'tpch' | 'tpcds';

const VERSION = '1.5.5';
const PACKAGES = ['duckdb', 'duckdb-extension-tpch', 'duckdb-extension-tpcds'].map(
  (one) => `${one}==${VERSION}`,
);
const TEXTS = new URL('texts.py', import.meta.url).pathname;

/** The 22 queries of TPC-H over its schema; none is run. */
export const tpch = (server: Server) => benchmark(server, 'tpch');
/** The 99 queries of TPC-DS. */
export const tpcds = (server: Server) => benchmark(server, 'tpcds');

/** @throws {Error} The packages that bring the queries cannot be had here. */
async function benchmark(server: Server, name: Benchmark): Promise<Tally> {
  const args = [TEXTS, pythonPackages(`duckdb-${VERSION}`, PACKAGES), name];
  const printed = execFileSync('python3', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const { tables, queries } = JSON.parse(printed) as Record<'tables' | 'queries', string[]>;
  const numbered = queries.map((text, index) => [`${name} ${index + 1}`, text] as const);
  return judgeTexts(server, name, tables.join('\n'), new Map(numbered));
}
