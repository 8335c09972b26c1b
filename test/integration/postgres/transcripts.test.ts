import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeBackend } from '../../../src/wire/postgres/backend.ts';
import { Framer } from '../../../src/wire/postgres/framer.ts';
import { encodeStartup } from '../../../src/wire/postgres/startup.ts';
import {
  logInRaw,
  type RawClient,
  rawConnect,
  rawLogin,
  startupPacket,
} from '../../support/postgres/raw-client.ts';
import { meant, said } from '../../support/postgres/said.ts';
import { untilRunning } from '../../support/postgres/server.ts';
import { Tap } from '../../support/postgres/tap.ts';
import { ROOT } from '../../support/source-tree.ts';
import type { Tunnel } from '../../support/stack.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Stack, startStack } from '../../support/stack.ts';
import { eventually } from '../../support/waiting.ts';

const FILES = globSync('test/transcripts/*.md', { cwd: ROOT }).filter((path) => !path.endsWith('README.md'));
/** What the client of a transcript does; everything else in a block is what came of it. */
const DONE = /^(client|other)> /;
const ENDS_TURN = /^(Query|Sync|FunctionCall|Terminate)\b/;

let tap: Tap;
let stack: Stack;
let tunnel: Tunnel;

beforeAll(async () => {
  tap = await Tap.open(() => stack.postgres);
  stack = await startStack({
    policy: GUARDED,
    sql: ATTACK_FIXTURE,
    columns: ATTACK_COLUMNS,
    targetTls: 'disable',
    target: () => ({ host: '127.0.0.1', port: tap.port }),
  });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
  tap?.close();
});

test('there are transcripts', () => {
  expect(FILES.length).toBeGreaterThanOrEqual(10);
});

test.each(FILES.map((path) => [basename(path, '.md'), path]))('%s', async (_, path) => {
  const written = readFileSync(join(ROOT, path), 'utf8');
  const play = new Play();
  const parts = written.split(/(?<=^```pg\n)([\s\S]*?)(?=^```$)/m);
  const replayed: string[] = [];
  try {
    for (const [index, part] of parts.entries()) {
      replayed.push(index % 2 === 0 ? part : `${(await play.block(part)).join('\n')}\n`);
    }
  } finally {
    await play.end();
  }
  await expect(replayed.join('')).toMatchFileSnapshot(join(ROOT, path));
});

/** One client's part in a transcript. */
class Play {
  #client: RawClient | undefined;
  /** How many ReadyForQuery are still to come. */
  #owed = 0;

  /** Does what the client does in a block, turn by turn. */
  async block(text: string): Promise<string[]> {
    const done = text.split('\n').filter((line) => DONE.test(line));
    const lines: string[] = [];
    for (let at = 0; at < done.length; ) {
      const turn = done.slice(at, at + turnLength(done.slice(at)));
      at += turn.length;
      lines.push(...turn, ...(await this.#turn(turn)));
    }
    return lines;
  }

  async end(): Promise<void> {
    this.#client?.close();
    await eventually('the session at the target ends', () => tap.sessions === 0);
    tap.take();
  }

  async #turn(turn: readonly string[]): Promise<string[]> {
    const messages = turn.map((line) => line.slice(line.indexOf('>') + 2));
    const answers: string[] = [];
    for (const [index, message] of messages.entries()) {
      if (turn[index]?.startsWith('other')) await this.#cancel();
      else if (message.startsWith('StartupMessage')) answers.push(...(await this.#start(message)));
      else {
        this.#client ??= await this.#login();
        if (ENDS_TURN.test(message)) this.#owed++;
        this.#client.send(meant(message));
      }
    }
    while (this.#client !== undefined && (this.#owed > 0 || answers.length === 0)) {
      const answer = await this.#client.next();
      if (answer === undefined) break;
      answers.push(`client< ${said(answer)}`);
      if (answer.name === 'ReadyForQuery') this.#owed--;
      if (answer.name === 'CopyInResponse') break;
    }
    const target = tap.take().map((line) => `  ${line}`);
    return [...target, ...answers];
  }

  async #login(): Promise<RawClient> {
    const client = await rawLogin(tunnel);
    tap.take();
    return client;
  }

  /** Logs in with its own proof. */
  async #start(message: string): Promise<string[]> {
    const pairs = [...message.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]);
    const client = await rawConnect(tunnel);
    const startup = startupPacket(tunnel, { parameters: Object.fromEntries(pairs) });
    await expect(logInRaw(client, tunnel, { startup })).rejects.toThrow('refused');
    const framer = new Framer('backend');
    framer.push(client.received);
    const answers: string[] = [];
    for (let frame = framer.next(); frame !== undefined; frame = framer.next())
      answers.push(`client< ${said(decodeBackend(frame.type, frame.body))}`);
    client.close();
    return answers;
  }

  /** From another connection, as clients do, once the statement runs. */
  async #cancel(): Promise<void> {
    await untilRunning(stack.postgres, 'generate_series');
    const { processId = 0, key = Buffer.alloc(4) } = this.#client?.key ?? {};
    const canceller = await rawConnect(tunnel);
    canceller.socket.write(encodeStartup({ name: 'CancelRequest', processId, key }));
  }
}

/** A turn ends with what is answered by ReadyForQuery, with the last line, or with a cancel of it. */
function turnLength(lines: readonly string[]): number {
  const end = lines.findIndex((line) => ENDS_TURN.test(line.slice(line.indexOf('>') + 2)));
  if (end === -1) return lines.length;
  return lines[end + 1]?.startsWith('other>') ? end + 2 : end + 1;
}
