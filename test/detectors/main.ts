/**
 * Measures the built-in detectors: how often they are wrong about honest values, and how much they find of what they name.
 *
 *   npm run detectors [-- --json | --markdown] [-- --values N]     N values of each corpus; default 100,000
 *
 * The same in every run. Exits 1 where a figure is worse than docs/masking.md promises.
 */
import { DetectorSet } from '../../src/masking/detectors/index.ts';
import { falsePositives, measurePrecision, measureRecall, type Precision, type Recall } from './measure.ts';
import { corpusRows, detectorRows, formRows } from './tables.ts';

const VALUES = 100_000;
const MOST_FALSE_PER_100_000 = 1;
const LEAST_FOUND = 0.99;

function main(args: readonly string[]): number {
  const at = args.indexOf('--values');
  const values = at === -1 ? VALUES : Number(args[at + 1]);
  const detectors = new DetectorSet();
  const precision = measurePrecision(detectors, values);
  const recall = measureRecall(detectors);
  const wrong = falsePositives(precision);
  if (args.includes('--json')) say(JSON.stringify(asJson(precision, recall, wrong)));
  else if (args.includes('--markdown'))
    say([...detectorRows(precision), '', ...formRows(recall), '', ...corpusRows(precision)].join('\n'));
  else print(precision, recall, wrong);
  const precise = [...wrong.values()].every((one) => one < MOST_FALSE_PER_100_000);
  return precise && recall.every((one) => one.found / one.values >= LEAST_FOUND) ? 0 : 1;
}

function asJson(
  precision: readonly Precision[],
  recall: readonly Recall[],
  wrong: ReadonlyMap<string, number>,
): unknown {
  return {
    schemaVersion: 1,
    falsePositivesPer100000: Object.fromEntries(wrong),
    corpora: precision.map(({ corpus, values, found }) => ({
      corpus: corpus.name,
      values,
      found: Object.fromEntries(found),
      ...(corpus.alike === undefined ? {} : { alike: corpus.alike }),
    })),
    forms: recall.map(({ form, values, found }) => ({
      detector: form.detector,
      form: form.name,
      values,
      found,
    })),
  };
}

function print(
  precision: readonly Precision[],
  recall: readonly Recall[],
  wrong: ReadonlyMap<string, number>,
): void {
  say('Wrongly found, of 100,000 honest values:');
  for (const [name, rate] of wrong) say(`  ${name.padEnd(20)} ${rate.toFixed(2)}`);
  say('\nBy corpus:');
  for (const { corpus, values, found } of precision) {
    const what = [...found].map(([name, count]) => `${name} ${count}`).join(', ');
    say(
      `  ${corpus.name.padEnd(24)} ${String(values).padStart(7)}  ${what || '-'}${corpus.alike === undefined ? '' : `   (${corpus.alike})`}`,
    );
  }
  say('\nFound, of each form:');
  for (const { form, values, found } of recall) {
    say(`  ${form.detector.padEnd(20)} ${((found * 100) / values).toFixed(1).padStart(6)} %  ${form.name}`);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = main(process.argv.slice(2));
