/** How attacks of one kind are tried: in a world, or in several of them at once. */
import { setTimeout as sleep } from 'node:timers/promises';

const CASE_MS = 120_000;

/** What attacks are tried in; started for a group, and stopped behind it. */
export interface AnyWorld {
  /** Closes every client that the last case has opened. */
  closeClients(): void;
  stop(): Promise<void>;
}

export interface AnyAttack<W extends AnyWorld> {
  /** The row that it tries, where that is not its group's. */
  readonly id?: string;
  /** One line, for people. */
  readonly case: string;
  /** @throws {Error} It came through, or what is honest was harmed; or the case itself is dead. */
  readonly run: (world: W) => Promise<void>;
}

/** A place for attacks: a version of a server, say. */
export interface Ground<W extends AnyWorld, A extends AnyAttack<W>> {
  /** What failures here are told under. */
  readonly name: string;
  readonly live: (attack: A) => boolean;
  /** Why nothing can be tried here; undefined: it can. */
  readonly missing?: string | undefined;
  readonly start: () => Promise<W>;
}

/** What became of a case. */
interface Outcome {
  /** Why it failed, by the place; none: it was held off. */
  readonly failures: readonly string[];
  /** Why it was tried nowhere; undefined: it was. */
  readonly untried?: string;
}

/** Attacks that share their worlds. */
export interface Trials {
  /** Of each case, the row that it tries: `RT1`, `H1` … */
  readonly ids: readonly string[];
  readonly cases: readonly string[];
  /** Tries some, by their index. */
  readonly run: (chosen: readonly number[]) => Promise<ReadonlyMap<number, Outcome>>;
}

export function trials<W extends AnyWorld, A extends AnyAttack<W>>(
  id: string,
  attacks: readonly A[],
  grounds: readonly Ground<W, A>[],
): Trials {
  const run = async (chosen: readonly number[]) => {
    const failures = new Map<number, string[]>(chosen.map((index) => [index, []]));
    const tryAt = async (ground: Ground<W, A>) => {
      if (ground.missing !== undefined) return;
      const live = chosen.filter((index) => ground.live(attacks[index]!));
      if (live.length === 0) return;
      const fails = (index: number, failure: string | undefined) => {
        if (failure !== undefined) failures.get(index)?.push(`${ground.name}: ${failure}`);
      };
      const world = await ground.start().catch(messageOf);
      // Others are tried all the same.
      if (typeof world === 'string') {
        for (const index of live) fails(index, `not started: ${world}`);
        return;
      }
      try {
        for (const index of live) fails(index, await tryOne(world, attacks[index]!));
      } finally {
        await world.stop();
      }
    };
    await Promise.all(grounds.map(tryAt));
    return new Map(
      [...failures].map(([index, found]) => [index, { failures: found, ...untried(attacks[index]!) }]),
    );
  };
  const untried = (attack: A) => {
    const live = grounds.filter((ground) => ground.live(attack));
    const there = live.some(({ missing }) => missing === undefined);
    return there ? {} : { untried: live.map(({ name, missing }) => `${name}: ${missing}`).join() };
  };
  return { ids: attacks.map((attack) => attack.id ?? id), cases: attacks.map((attack) => attack.case), run };
}

async function tryOne<W extends AnyWorld>(world: W, attack: AnyAttack<W>): Promise<string | undefined> {
  try {
    const late = sleep(CASE_MS, undefined, { ref: false }).then(() => {
      throw new Error('no end in two minutes');
    });
    await Promise.race([attack.run(world), late]);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    world.closeClients();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
