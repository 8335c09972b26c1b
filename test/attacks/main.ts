/**
 * Tries every attack against real servers, through hoopctl and hoopd, and says of each whether it was held off.
 *
 *   npm run attacks [-- --json] [-- ID…]     ID: a kind (RT1) or one case of it (RT1.3)
 *
 * Exits 1 if any came through, or if a case is dead: one that does nothing where no gateway stands proves nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackGroup } from './attack.ts';
import { GROUPS } from './cases/index.ts';
import { MAJORS, type Major, startWorld, type World } from './world.ts';

const CASE_MS = 120_000;

interface Numbered {
  readonly id: string;
  readonly attack: Attack;
}

interface Result {
  readonly id: string;
  readonly case: string;
  readonly pass: boolean;
  /** Why not, by major version. */
  readonly failures?: readonly string[];
}

function numbered(groups: readonly AttackGroup[]): Map<AttackGroup, Numbered[]> {
  const counts = new Map<string, number>();
  const next = (id: string) => {
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    return `${id}.${count}`;
  };
  return new Map(
    groups.map((group) => [group, group.attacks.map((attack) => ({ id: next(group.id), attack }))]),
  );
}

async function tryOne(world: World, { attack }: Numbered): Promise<string | undefined> {
  try {
    const late = sleep(CASE_MS, undefined, { ref: false }).then(() => {
      throw new Error('no end in two minutes');
    });
    await Promise.race([attack.run(world), late]);
    return undefined;
  } catch (error) {
    return `PostgreSQL ${world.major}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    world.closeClients();
  }
}

async function runGroup(group: AttackGroup, attacks: readonly Numbered[]): Promise<Result[]> {
  const failures = new Map<string, string[]>(attacks.map(({ id }) => [id, []]));
  for (const major of MAJORS) {
    const live = attacks.filter(({ attack }) => attack.majors?.includes(major) ?? true);
    if (live.length > 0) await runOn(major, group, live, failures);
  }
  return attacks.map(({ id, attack }) => {
    const why = failures.get(id) ?? [];
    return { id, case: attack.case, pass: why.length === 0, ...(why.length === 0 ? {} : { failures: why }) };
  });
}

async function runOn(
  major: Major,
  group: AttackGroup,
  attacks: readonly Numbered[],
  failures: Map<string, string[]>,
): Promise<void> {
  const world = await startWorld(major, group.scenario);
  try {
    for (const one of attacks) {
      const failure = await tryOne(world, one);
      if (failure !== undefined) failures.get(one.id)?.push(failure);
    }
  } finally {
    await world.stop();
  }
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const chosen = (id: string) =>
    wanted.length === 0 || wanted.some((one) => id === one || id.startsWith(`${one}.`));
  let [passed, failed] = [0, 0];
  for (const [group, all] of numbered(GROUPS)) {
    const attacks = all.filter(({ id }) => chosen(id));
    if (attacks.length === 0) continue;
    for (const result of await runGroup(group, attacks)) {
      if (result.pass) passed++;
      else failed++;
      say(json ? JSON.stringify(result) : plain(result));
    }
  }
  if (!json) say(`${passed} held off, ${failed} came through`);
  if (passed + failed === 0) say('no such attack');
  return failed === 0 && passed > 0 ? 0 : 1;
}

function plain({ id, case: what, pass, failures = [] }: Result): string {
  return [`${pass ? 'ok  ' : 'FAIL'} ${id} ${what}`, ...failures.map((why) => `       ${why}`)].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main(process.argv.slice(2));
