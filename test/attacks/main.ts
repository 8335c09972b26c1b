/**
 * Tries every attack against real servers, through hoopctl and hoopd, and says of each whether it was held off.
 *
 *   npm run attacks [-- --json] [-- ID…]     ID: a kind (RT1, H1, S1, K1) or one case of it (RT1.3)
 *
 * Exits 1 if any came through, or if a case is dead: one that does nothing where no gateway stands proves nothing. What needs a real
 * cluster is told as not tried where `HOOP_TEST_CLUSTER_ENV` names none (`npm run attacks:cluster` starts one), and counts for nothing.
 */
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

/** With the number of each case's first one: groups of the same kind are numbered on. */
function numbered(all: readonly Trials[]): [Trials, number][] {
  const counts = new Map<string, number>();
  return all.map((one) => {
    const before = counts.get(one.id) ?? 0;
    counts.set(one.id, before + one.cases.length);
    return [one, before + 1];
  });
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const chosen = (id: string) =>
    wanted.length === 0 || wanted.some((one) => id === one || id.startsWith(`${one}.`));
  let [passed, failed, left] = [0, 0, 0];
  for (const [trials, first] of numbered([
    ...GROUPS.map(ofPostgres),
    ...HTTP_TRIALS,
    ...SSH_TRIALS,
    ...KUBERNETES_TRIALS,
  ])) {
    const idOf = (index: number) => `${trials.id}.${first + index}`;
    const indices = [...trials.cases.keys()].filter((index) => chosen(idOf(index)));
    if (indices.length === 0) continue;
    for (const [index, { failures, untried }] of await trials.run(indices)) {
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
