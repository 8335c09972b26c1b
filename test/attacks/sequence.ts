/** A sequence of messages that must be answered as the server itself answers it, message by message. */
import type { BackendMessage } from '../../src/wire/postgres/backend.ts';
import { line, type RawClient } from '../support/postgres/raw-client.ts';
import type { Attack } from './attack.ts';
import type { Major } from './world.ts';

/** What a server with nothing else to do has not said by then, it never says, ms. */
const SILENCE_MS = 1000;
/** The same of the gateway, on a busy machine. */
const PATIENCE_MS = 20_000;
/** Messages that ReadyForQuery answers: Query, Sync, FunctionCall. */
const ANSWERED = ['Q', 'S', 'F'].map((type) => type.charCodeAt(0));

export function sequence(options: {
  readonly id?: string;
  readonly case: string;
  /** What is sent together; each step's answers are awaited before the next. */
  readonly steps: readonly (readonly Buffer[])[];
  readonly majors?: readonly Major[];
  /** Run by the administrator before each try. */
  readonly reset?: string;
}): Attack {
  const { steps, reset, majors } = options;
  return {
    case: options.case,
    ...(options.id === undefined ? {} : { id: options.id }),
    ...(majors === undefined ? {} : { majors }),
    run: async (world) => {
      if (reset !== undefined) await world.admin(reset);
      const server = await world.direct();
      const expected: (readonly string[])[] = [];
      for (const step of steps) expected.push(await heard(server, step));
      if (reset !== undefined) await world.admin(reset);
      const client = await world.through();
      for (const [i, step] of steps.entries()) await compare(client, step, expected[i] ?? [], i + 1);
    },
  };
}

/** What a server says to a step, a line per message, and how it ends if not in ReadyForQuery. */
async function heard(server: RawClient, step: readonly Buffer[]): Promise<string[]> {
  server.send(...step);
  const lines: string[] = [];
  for (let ready = step.filter((message) => ANSWERED.includes(message[0] ?? 0)).length; ready > 0; ) {
    const message = await next(server, SILENCE_MS);
    if (typeof message === 'string') return [...lines, message];
    if (message.name === 'ReadyForQuery') ready--;
    lines.push(line(message));
  }
  return lines;
}

async function compare(
  client: RawClient,
  step: readonly Buffer[],
  expected: readonly string[],
  number: number,
): Promise<void> {
  client.send(...step);
  const got: string[] = [];
  for (const one of expected) {
    const message = await next(client, one === SILENT ? SILENCE_MS : PATIENCE_MS);
    got.push(typeof message === 'string' ? message : line(message));
    if (got.at(-1) !== one)
      throw new Error(`step ${number}, direct: ${expected.join(' / ')}\n  through: ${got.join(' / ')}`);
  }
}

const SILENT = 'silence';

async function next(client: RawClient, ms: number): Promise<BackendMessage | string> {
  const message = await client.next(ms).catch(() => SILENT);
  return message ?? 'closed';
}
