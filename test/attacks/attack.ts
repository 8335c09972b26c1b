/** What an attack is, and the common kinds of it. Each is judged by its effect, beside a control that shows it is live. */
import {
  bind,
  describePortal,
  execute,
  line,
  parse,
  query,
  type RawClient,
  type RawLogin,
  sync,
} from '../support/postgres/raw-client.ts';
import type { StackOptions } from '../support/stack.ts';
import { disguiseOf } from './leak.ts';
import { type AnyAttack, type Trials, trials } from './trials.ts';
import { MAJORS, type Major, startWorld, type World } from './world.ts';

export interface Attack extends AnyAttack<World> {
  /** Where it is live; default all. */
  readonly majors?: readonly Major[];
}

/** Attacks that share a server, a policy and a fixture. Groups of the same id are numbered on. */
export interface AttackGroup {
  /** `RT1` … */
  readonly id: string;
  readonly scenario: StackOptions;
  readonly attacks: readonly Attack[];
}

/** Each group is tried with each version of the server. */
export function ofPostgres({ id, scenario, attacks }: AttackGroup): Trials {
  const grounds = MAJORS.map((major) => ({
    name: `PostgreSQL ${major}`,
    live: ({ majors = MAJORS }: Attack) => majors.includes(major),
    start: () => startWorld(major, scenario),
  }));
  return trials<World, Attack>(id, attacks, grounds);
}

/** How a statement is sent. */
export type Form = 'simple' | 'extended, text' | 'extended, binary';
export const FORMS: readonly Form[] = ['simple', 'extended, text', 'extended, binary'];

/** Sends one statement and gives what came back up to ReadyForQuery, a line per message (see `line`). */
export function send(client: RawClient, sql: string, form: Form = 'simple'): Promise<string[]> {
  if (form === 'simple') return client.ask(query(sql));
  const binary = form === 'extended, binary';
  return client.ask(parse('', sql), bind('', '', { binary }), describePortal(''), execute(''), sync);
}

/** Several statements one after the other on one session; all that came back. */
async function sendAll(client: RawClient, steps: readonly string[], form: Form): Promise<string[]> {
  const lines: string[] = [];
  for (const sql of steps) {
    if (client.closed) break;
    lines.push(...(await send(client, sql, form)));
  }
  return lines;
}

/** All forms, unless a case says otherwise. */
interface Common {
  readonly id?: string;
  readonly case: string;
  readonly majors?: readonly Major[];
  readonly forms?: readonly Form[];
  readonly login?: RawLogin;
}

function attack(common: Common, run: (world: World, form: Form) => Promise<void>): Attack {
  return {
    case: common.case,
    ...(common.id === undefined ? {} : { id: common.id }),
    ...(common.majors === undefined ? {} : { majors: common.majors }),
    run: async (world) => {
      for (const form of common.forms ?? FORMS) {
        await run(world, form).catch((error: Error) => {
          throw new Error(`${form}: ${error.message}`);
        });
      }
    },
  };
}

/** A secret that must reach the client in no disguise, though the same steps show it where no gateway stands. */
export function leak(
  common: Common & {
    readonly steps: readonly string[];
    readonly secret: string;
    /** Run by the administrator before and after each form, past the gateway. */
    readonly before?: string;
    readonly after?: string;
  },
): Attack {
  return attack(common, async (world, form) => {
    const { steps, secret, login = {} } = common;
    const seen = async (client: RawClient) => {
      if (common.before !== undefined) await world.admin(common.before);
      const lines = await sendAll(client, steps, form);
      if (common.after !== undefined) await world.admin(common.after);
      return { found: disguiseOf(client.received, secret), lines };
    };
    const control = await seen(await world.direct(login));
    if (control.found === undefined)
      throw new Error(`dead: the server itself shows nothing: ${control.lines.join(' / ')}`);
    const { found, lines } = await seen(await world.through(login));
    if (found !== undefined) throw new Error(`leaked, ${found}: ${lines.join(' / ')}`);
  });
}

/** As `leak`, by messages that are sent at once, without waiting for any answer. */
export function leakAtOnce(parts: {
  readonly id?: string;
  readonly case: string;
  readonly secret: string;
  /** A statement that is answered before. */
  readonly before?: string;
  /** One that takes back what was done. */
  readonly undo?: string;
  readonly messages: () => Buffer[];
}): Attack {
  const { secret, before, undo = '', messages } = parts;
  const seen = async (client: RawClient) => {
    if (before !== undefined) await client.ask(query(before));
    const lines = await client.ask(...messages());
    // More answers may be due: what was asked last is answered last.
    client.send(query(`${undo}; SELECT 'the end'`));
    while (!lines.some((one) => one.includes('the end')) && !client.closed)
      lines.push(...(await client.untilReady()).map(line));
    return { found: disguiseOf(client.received, secret), lines };
  };
  return {
    case: parts.case,
    ...(parts.id === undefined ? {} : { id: parts.id }),
    run: async (world) => {
      const control = await seen(await world.direct());
      must(control.found !== undefined, `dead: ${control.lines.join(' / ')}`);
      const { found, lines } = await seen(await world.through());
      must(found === undefined, `leaked, ${found}: ${lines.join(' / ')}`);
    },
  };
}

/** Something that must not happen in the world, though the same steps do it where no gateway stands. */
export function act(
  common: Common & {
    readonly steps: readonly string[];
    /** SQL whose answer changes when the attack has had its effect; asked by the administrator. */
    readonly effect: string;
    /** Puts the world back, before each try. */
    readonly reset: string;
  },
): Attack {
  return attack(common, async (world, form) => {
    const { steps, effect, reset, login = {} } = common;
    const changed = async (client: RawClient) => {
      await world.look(reset);
      const before = await world.look(effect);
      const lines = await sendAll(client, steps, form);
      return { changed: (await world.look(effect)) !== before, lines };
    };
    const control = await changed(await world.direct(login));
    if (!control.changed)
      throw new Error(`dead: no effect on the server itself: ${control.lines.join(' / ')}`);
    const through = await changed(await world.through(login));
    if (through.changed) throw new Error(`it had its effect: ${through.lines.join(' / ')}`);
    await world.look(reset);
  });
}

/** As `act`, by bare messages. */
export function actBy(parts: {
  readonly id?: string;
  readonly case: string;
  readonly send: (client: RawClient) => Promise<unknown>;
  readonly effect: string;
  readonly reset: string;
}): Attack {
  const { send: attempt, effect, reset } = parts;
  return {
    case: parts.case,
    ...(parts.id === undefined ? {} : { id: parts.id }),
    run: async (world) => {
      const changes = async (client: RawClient) => {
        await world.look(reset);
        const before = await world.look(effect);
        await attempt(client);
        return (await world.look(effect)) !== before;
      };
      must(await changes(await world.direct()), 'dead: no effect on the server itself');
      must(!(await changes(await world.through())), 'it had its effect');
      await world.look(reset);
    },
  };
}

/** Something that the server does and the gateway refuses, where the effect is not to be seen from outside. */
export function refused(
  common: Common & {
    readonly steps: readonly string[];
    /** Default 42501. */
    readonly sqlstate?: RegExp;
  },
): Attack {
  return attack(common, async (world, form) => {
    const { steps, sqlstate = /42501/, login = {} } = common;
    const errors = (lines: readonly string[]) => lines.filter((one) => one.startsWith('ErrorResponse'));
    const control = await sendAll(await world.direct(login), steps, form);
    must(errors(control).length === 0, `dead: the server itself refuses: ${control.join(' / ')}`);
    const lines = await sendAll(await world.through(login), steps, form);
    must(
      errors(lines).some((one) => sqlstate.test(one)),
      `not refused: ${lines.join(' / ')}`,
    );
  });
}

/** An honest statement that must be answered as the server itself does, message by message. */
export function same(
  common: Common & {
    readonly steps: readonly string[];
    readonly reset?: string;
    /** Takes out what may differ, such as a time. */
    readonly ignore?: RegExp;
  },
): Attack {
  return attack(common, async (world, form) => {
    const { steps, reset, ignore, login = {} } = common;
    const ask = async (client: RawClient) => {
      if (reset !== undefined) await world.admin(reset);
      const text = (await sendAll(client, steps, form)).join(' / ');
      return ignore === undefined ? text : text.replace(ignore, '…');
    };
    const [direct, through] = [await ask(await world.direct(login)), await ask(await world.through(login))];
    if (direct !== through) throw new Error(`direct: ${direct}\n  through: ${through}`);
  });
}

/** Says what is wrong unless it holds. */
export function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}
