/**
 * Tries what is masked from two sides: that nothing of it is told, and that nothing else is kept back.
 *
 *   npm run masking [-- --json] [-- --major 15] [-- chance [--cases N] [--seed N] [--computed mask]] [-- queries] [-- clinic] [-- work] [-- tpch] [-- tpcds] [-- tools] [-- places] [-- --refused]
 *
 * `chance`: statements made at random are asked, through the gateway, of two databases in which only what is masked differs; every
 * octet that a client is sent must be the same. The others are honest statements: each must give exactly what it gives directly,
 * or the same rows with masks where it only carries what is masked. What is refused or withheld is counted, and told with
 * `--refused`. Exits 1 where something leaks, or an honest answer is a wrong one.
 */
import { parseArgs } from 'node:util';
import { MAJORS, type Major } from '../attacks/world.ts';
import { type ChanceReport, chance } from './chance/run.ts';
import { type Corpus, clinic, places, shops, tpc, work } from './honest/corpus.ts';
import { countsOf, type HonestReport, honest } from './honest/run.ts';
import { tools } from './honest/tools.ts';

const CORPORA: Readonly<Record<string, () => Corpus>> = {
  queries: shops,
  clinic,
  work,
  tpch: () => tpc('tpch'),
  tpcds: () => tpc('tpcds'),
  tools,
  places,
};
const CHANCE = 'chance';
const CASES = 10_000;
const SHOWN_LEAKS = 10;
const SHOWN_CHARS = 500;

interface Shown {
  readonly json: boolean;
  readonly refused: boolean;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      refused: { type: 'boolean', default: false },
      major: { type: 'string' },
      cases: { type: 'string', default: String(CASES) },
      seed: { type: 'string', default: '1' },
      computed: { type: 'string', default: 'refuse' },
    },
  });
  const known = [CHANCE, ...Object.keys(CORPORA)];
  for (const name of positionals) if (!known.includes(name)) throw new Error(`nothing is called ${name}`);
  const chosen = positionals.length === 0 ? known : positionals;
  let good = true;
  for (const major of MAJORS.filter((one) => values.major === undefined || Number(values.major) === one)) {
    const options = {
      major,
      cases: Number(values.cases),
      seed: Number(values.seed),
      computed: computedOf(values.computed),
    };
    for (const name of chosen)
      good =
        (name === CHANCE ? await tryChance(options, values) : await tryHonest(name, major, values)) && good;
  }
  return good ? 0 : 1;
}

function computedOf(value: string): 'refuse' | 'mask' {
  if (value === 'refuse' || value === 'mask') return value;
  throw new Error(`--computed takes refuse or mask, not ${value}`);
}

async function tryChance(options: Parameters<typeof chance>[0], shown: Shown): Promise<boolean> {
  const report = await chance(options);
  say(shown.json ? chanceJson(report) : chanceText(report));
  if (shown.refused) for (const steps of report.refusedHarmless) say(`  refused: ${inWords(steps)}`);
  return report.leaks.length === 0;
}

async function tryHonest(name: string, major: Major, shown: Shown): Promise<boolean> {
  const corpus = CORPORA[name];
  if (corpus === undefined) throw new Error(name);
  const { majors = MAJORS, ...wanted } = corpus();
  if (!majors.includes(major)) {
    say(`${name}, PostgreSQL ${major}: not tried, what it wants is not there`);
    return true;
  }
  const report = await honest(wanted, major);
  const counts = countsOf(report);
  say(shown.json ? JSON.stringify({ kind: 'honest', corpus: name, major, ...counts }) : honestText(report));
  return counts.differs === 0 && counts.same > 0;
}

function chanceJson({ leaks, refusedHarmless, ...counts }: ChanceReport): string {
  return JSON.stringify({
    ...{ kind: CHANCE, ...counts, refusedHarmless: refusedHarmless.length },
    leaks: leaks.map(({ steps }) => steps.map(({ sql }) => sql)),
  });
}

function chanceText(report: ChanceReport): string {
  const { major, cases, live, refused, refusedHarmless, failed, masked, leaks } = report;
  const counts =
    `chance, PostgreSQL ${major}: ${cases} cases, of which ${live} tell what is masked where no gateway stands; ` +
    `${refused} refused (${refusedHarmless.length} of those tell nothing), ${failed} failed, ${masked} answered with masks; ` +
    `${leaks.length} leak`;
  const shown = leaks
    .slice(0, SHOWN_LEAKS)
    .flatMap(({ steps, answers }) => [
      `  leaks: ${inWords(steps)}`,
      ...answers.map((answer) => `    ${JSON.stringify(answer.toString('latin1')).slice(0, SHOWN_CHARS)}`),
    ]);
  return [counts, ...shown].join('\n');
}

/** What is refused or withheld is told by its reason; what differs, and what is no test, one by one. */
function honestText(report: HonestReport): string {
  const { same, masked, withheld, refused, differs, unfit } = countsOf(report);
  const counts =
    `${report.corpus}, PostgreSQL ${report.major}: ${same} as directly, ${masked} with masks where they carry what is masked, ` +
    `${withheld} with masks elsewhere, ${refused} refused, ${differs} wrong (${unfit} no test: failing, or never the same)`;
  const reasons = new Map<string, { count: number; readonly first: string }>();
  for (const { statement, verdict } of report.all) {
    if (!('why' in verdict) || verdict.kind === 'unfit') continue;
    const reason = `${verdict.kind}: ${verdict.why}`;
    const known = reasons.get(reason) ?? { count: 0, first: `${statement.at}: ${oneLine(statement.sql)}` };
    known.count++;
    reasons.set(reason, known);
  }
  const rows = [...reasons].sort((one, other) => other[1].count - one[1].count);
  return [counts, ...rows.map(([reason, { count, first }]) => `  ${count} ${reason}   e.g. ${first}`)].join(
    '\n',
  );
}

function inWords(steps: ChanceReport['leaks'][number]['steps']): string {
  return steps.map(({ sql }) => sql).join('; ');
}

function oneLine(sql: string): string {
  return sql.replace(/\s+/g, ' ').slice(0, SHOWN_CHARS / 3);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main();
