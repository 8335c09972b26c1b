/**
 * `npm run bench [-- --quick] [-- --json] [-- --only http,strict]`: what a session through hoopctl and hoopd costs, beside its peers.
 *
 * Variants are interleaved in one run (A B C … then back) and only ratios of one round are kept; the median of the
 * rounds is printed with its extremes. CPU per transaction comes from /proc, which is steadier than throughput.
 */
import { writeSync } from 'node:fs';
import { measure } from './measure.ts';
import { type Entry, judged } from './targets.ts';

const quick = process.argv.includes('--quick');
const json = process.argv.includes('--json');
const at = process.argv.indexOf('--only');
const only = at === -1 ? undefined : (process.argv[at + 1] ?? '').split(',');
const say = (text: string) => writeSync(2, `${text}\n`);

const startedAt = Date.now();
const { values, notes, fdatasyncUs } = await measure({ quick, say, only });
const entries: Entry[] = judged(values, fdatasyncUs);
if (json) {
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  writeSync(1, `${JSON.stringify({ schemaVersion: 1, quick, seconds, targets: entries, notes })}\n`);
} else {
  for (const { name, value, low, high, must, aim, met } of entries) {
    const range = low === undefined ? '' : ` (${low} … ${high})`;
    writeSync(1, `${met ? 'met ' : 'MISS'}  ${name}: ${value}${range}; must ${must}, aim ${aim}\n`);
  }
  for (const [name, value] of Object.entries(notes)) writeSync(1, `      ${name}: ${value}\n`);
}
