/**
 * Compares what `analyse` makes of statements with what PostgreSQL itself makes of them, node by node.
 *
 *   npm run analysis [-- --json] [-- --diff N] [-- --major 15] [-- CORPUS… | regress:TEST… | FILE.sql…]
 *
 * Of files that are named the statements are judged over the schema of the cases. `--diff N` shows N differences of each
 * corpus, whole; `--refused` what the server does not accept. Exits 1 where anything differs.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadModule } from 'libpg-query';
import { apps } from './apps/run.ts';
import { cases, judgeTexts, schemaOfCases } from './cases/run.ts';
import { generated } from './generated/run.ts';
import { regress } from './regress/run.ts';
import { asJson, asText } from './report.ts';
import { MAJORS, type Server, startServer } from './servers.ts';
import type { Tally } from './tally.ts';
import { asked } from './tools/asked.ts';
import { pgadmin } from './tools/pgadmin.ts';
import { tools } from './tools/run.ts';
import { tpcds, tpch } from './tpc/run.ts';

type Corpus = (server: Server, only: readonly string[]) => Promise<Tally>;
const CORPORA: Readonly<Record<string, Corpus>> = {
  apps,
  asked,
  cases,
  generated,
  pgadmin,
  regress,
  tools,
  tpch,
  tpcds,
};
const DIFFERENCES = 5;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      refused: { type: 'boolean', default: false },
      diff: { type: 'string' },
      major: { type: 'string' },
    },
  });
  await loadModule();
  const shown = { differences: Number(values.diff ?? DIFFERENCES), whole: values.diff !== undefined };
  const majors = MAJORS.filter((major) => values.major === undefined || Number(values.major) === major);
  let agree = true;
  for (const major of majors) {
    const server = await startServer(major);
    try {
      for (const run of chosen(positionals)) {
        const tally = await run(server);
        say(values.json ? asJson(tally) : asText(tally, shown));
        if (values.refused) for (const { at, sql, error } of tally.refusals) say(`  ${at}: ${error}: ${sql}`);
        agree &&= tally.differing.length === 0 && tally.broken.length === 0;
      }
    } finally {
      await server.stop();
    }
  }
  return agree ? 0 : 1;
}

function chosen(names: readonly string[]): ((server: Server) => Promise<Tally>)[] {
  const files = names.filter((name) => name.endsWith('.sql'));
  const corpora = new Map<string, string[]>();
  for (const name of names.filter((one) => !one.endsWith('.sql'))) {
    const [corpus = '', part] = name.split(':');
    corpora.set(corpus, [...(corpora.get(corpus) ?? []), ...(part === undefined ? [] : [part])]);
  }
  for (const name of corpora.keys()) if (!(name in CORPORA)) throw new Error(`no corpus is called ${name}`);
  const runs = Object.entries(CORPORA).filter(([name]) => names.length === 0 || corpora.has(name));
  const over = (server: Server) =>
    judgeTexts(
      server,
      'files',
      schemaOfCases(),
      new Map(files.map((name) => [name, readFileSync(name, 'utf8')])),
    );
  return [
    ...runs.map(
      ([name, run]) =>
        (server: Server) =>
          run(server, corpora.get(name) ?? []),
    ),
    ...(files.length === 0 ? [] : [over]),
  ];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
