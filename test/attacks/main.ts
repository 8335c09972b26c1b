/**
 * Tries every attack against real servers, through hoopctl and hoopd, and says of each whether it was held off.
 *
 *   npm run attacks [-- --json] [-- ID…]     ID: a kind (RT1, H1, S1, K1) or one case of it (RT1.3)
 *
 * Exits 1 if any came through, or if a case is dead: one that does nothing where no gateway stands proves nothing. What needs a real
 * cluster is told as not tried where `HOOP_TEST_CLUSTER_ENV` names none (`npm run attacks:cluster` starts one), and counts for nothing.
 */
import { parseArgs } from 'node:util';
import { ofPostgres } from './attack.ts';
import { GROUPS } from './cases/index.ts';
import { HTTP_TRIALS } from './http/index.ts';
import { KUBERNETES_TRIALS } from './kubernetes/index.ts';
import { SSH_TRIALS } from './ssh/index.ts';
import type { Trials } from './trials.ts';

interface Result {
  readonly id: string;
  readonly case: string;
  readonly pass: boolean;
  /** Why not, by the server it was tried with. */
  readonly failures?: readonly string[];
}

/** What could not be tried on this machine: it says nothing of whether it is held off. */
interface Untried {
  readonly id: string;
  readonly case: string;
  readonly untried: string;
}

/** With the id of each case, `RT1.3`: rows are numbered on from group to group. */
function numbered(all: readonly Trials[]): [Trials, string[]][] {
  const counts = new Map<string, number>();
  const next = (id: string) => {
    const number = (counts.get(id) ?? 0) + 1;
    counts.set(id, number);
    return `${id}.${number}`;
  };
  return all.map((one) => [one, one.ids.map(next)]);
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals: wanted } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const { json } = values;
  const chosen = (id: string) =>
    wanted.length === 0 || wanted.some((one) => id === one || id.startsWith(`${one}.`));
  let [passed, failed, left] = [0, 0, 0];
  const all = numbered([...GROUPS.map(ofPostgres), ...HTTP_TRIALS, ...SSH_TRIALS, ...KUBERNETES_TRIALS]);
  const wantedOf = ({ cases }: Trials, ids: readonly string[]) =>
    [...cases.keys()].filter((index) => chosen(ids[index]!));
  const runs = all
    .map(([trials, ids]) => ({ trials, ids, indices: wantedOf(trials, ids) }))
    .filter(({ indices }) => indices.length > 0);
  for await (const [{ trials, ids }, outcomes] of inOrder(runs)) {
    const idOf = (index: number) => ids[index]!;
    for (const [index, { failures, untried }] of outcomes) {
      if (untried !== undefined) {
        left++;
        const one = { id: idOf(index), case: trials.cases[index]!, untried };
        say(json ? JSON.stringify(one) : plainUntried(one));
        continue;
      }
      const pass = failures.length === 0;
      if (pass) passed++;
      else failed++;
      const result = { id: idOf(index), case: trials.cases[index]!, pass, ...(pass ? {} : { failures }) };
      say(json ? JSON.stringify(result) : plain(result));
    }
  }
  if (!json)
    say(`${passed} held off, ${failed} came through${left === 0 ? '' : `, ${left} could not be tried`}`);
  if (passed + failed + left === 0) say('no such attack');
  return failed === 0 && passed > 0 ? 0 : 1;
}

interface Run {
  readonly trials: Trials;
  readonly ids: readonly string[];
  readonly indices: readonly number[];
}
type Outcomes = Awaited<ReturnType<Trials['run']>>;

/** So many at once: most of their time is waiting, for what must not come. */
const AT_ONCE = 2;

/** What became of each, in their order, however they overtake each other. */
async function* inOrder(runs: readonly Run[]): AsyncGenerator<[Run, Outcomes]> {
  const started: Promise<Outcomes>[] = [];
  let active = 0;
  const startMore = () => {
    for (; active < AT_ONCE && started.length < runs.length; active++) {
      const { trials, indices } = runs[started.length]!;
      const run = trials.run(indices).finally(() => {
        active--;
        startMore();
      });
      // Awaited below, perhaps only when others have ended.
      run.catch(() => undefined);
      started.push(run);
    }
  };
  startMore();
  for (const [index, run] of runs.entries()) yield [run, await started[index]!];
}

function plain({ id, case: what, pass, failures = [] }: Result): string {
  return [`${pass ? 'ok  ' : 'FAIL'} ${id} ${what}`, ...failures.map((why) => `       ${why}`)].join('\n');
}

function plainUntried({ id, case: what, untried }: Untried): string {
  return `----- ${id} ${what}\n       not tried: ${untried}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main(process.argv.slice(2));
