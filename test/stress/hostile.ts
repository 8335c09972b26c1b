/**
 * One process of hostile sessions: started by main.ts with where to attack and how, ends with its parent or at SIGTERM.
 * What it is answered does not matter; that it goes on does.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import {
  bind,
  execute,
  flush,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../support/postgres/raw-client.ts';
import type { Tunnel } from '../support/stack.ts';

export interface Target {
  readonly tunnel: Tunnel;
  /** The gateway's own port. */
  readonly gateway: { readonly host: string; readonly port: number };
}

const SQL_BYTES = 1_500_000;
const NEVER = new Promise<never>(() => undefined);

/** What one hostile session does, again and again. */
export const ATTACKS = {
  /** One cell of 252 MB, full of e-mail addresses. */
  'one huge cell': (target) => drained(target, "SELECT repeat('a@b.cc ', 36000000)"),
  'many cells of one MB': (target) =>
    drained(target, "SELECT repeat('a@b.cc ', 140000) FROM generate_series(1, 300)"),
  'millions of rows': (target) =>
    drained(
      target,
      "SELECT 'mail x' || g || '@example.com card 4111 1111 1111 1111' FROM generate_series(1, 3000000) g",
    ),
  'rows in columns': (target) =>
    drained(
      target,
      `SELECT ${Array(500).fill("'a' || g || '@b.cc'").join(', ')} FROM generate_series(1, 20000) g`,
    ),
  'copy out': (target) =>
    drained(target, "COPY (SELECT 'x' || g || '@example.com' FROM generate_series(1, 3000000) g) TO STDOUT"),
  'large SQL': (target) => asked(target, (n) => `SELECT ${n}${' + 1'.repeat(SQL_BYTES / 4)}`),
  'large SQL of literals': (target) =>
    asked(target, (n) => `SELECT '${n}'${", 'a@b.cc'".repeat(SQL_BYTES / 10)}`),
  'large SQL of names': (target) =>
    asked(target, (n) => `SELECT c${n}${', id AS a'.repeat(SQL_BYTES / 9)} FROM customers`),
  'middling SQL': (target) => asked(target, (n) => `SELECT ${n}${", length('x')".repeat(900)}`),
  'half messages': halves,
  'a reader that never reads': neverReads,
  'named statements': named,
  pipelines,
  'silent local connections': (target) => silent(() => connect(target.tunnel.port, target.tunnel.host), 150),
  'silent connections to the gateway': ({ gateway }) =>
    silent(() => connect(gateway.port, gateway.host), 100),
  'half requests to the gateway': ({ gateway }) =>
    silent(() => {
      const socket = connectTls({ ...gateway, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
      return socket.once('secureConnect', () =>
        socket.write('GET /v1/tunnels/pg HTTP/1.1\r\nhost: x\r\nx: '),
      );
    }, 60),
  'short sessions': (target) => drained(target, 'SELECT 1'),
} as const satisfies Readonly<Record<string, (target: Target) => Promise<void>>>;

export type AttackName = keyof typeof ATTACKS;

/** Forgets what comes, but for its end or the end of the answer. */
function ended(client: RawClient): Promise<void> {
  const { socket } = client;
  socket.removeAllListeners('data');
  return new Promise((resolve) => {
    const over = () => {
      socket.off('close', over);
      resolve();
    };
    socket.once('close', over);
    socket.on('data', (chunk: Buffer) => {
      // ReadyForQuery is the last message of an answer: type, length 5, status.
      if (chunk.length >= 6 && chunk.at(-6) === 0x5a && chunk.at(-2) === 5) over();
    });
  });
}

async function drained({ tunnel }: Target, sql: string): Promise<void> {
  const client = await rawLogin(tunnel);
  client.send(query(sql));
  await ended(client);
  client.close();
}

async function asked({ tunnel }: Target, sql: (n: number) => string): Promise<void> {
  const client = await rawLogin(tunnel);
  for (let n = 0; n < 20 && !client.closed; n++) {
    const over = ended(client);
    client.send(query(sql(Math.floor(Math.random() * 1e9))));
    await over;
  }
  client.close();
}

/** Until more may be sent. */
function drain({ socket }: RawClient): Promise<void> {
  return new Promise((resolve) => socket.once('drain', () => resolve()));
}

async function halves({ tunnel }: Target): Promise<void> {
  const client = await rawLogin(tunnel);
  const over = ended(client);
  const head = Buffer.alloc(5);
  head[0] = 0x51;
  head.writeInt32BE(62 * 1024 * 1024, 1);
  client.socket.write(head);
  const mib = Buffer.alloc(1024 * 1024, 0x20);
  for (let i = 0; i < 61 && !client.closed; i++) {
    if (!client.socket.write(mib)) {
      await Promise.race([drain(client), over]);
    }
  }
  await Promise.race([sleep(2000), over]);
  client.close();
}

async function neverReads({ tunnel }: Target): Promise<void> {
  const client = await rawLogin(tunnel);
  client.socket.pause();
  client.send(query("SELECT repeat('x', 60000000) FROM generate_series(1, 10)"));
  await sleep(4000);
  client.close();
}

async function named({ tunnel }: Target): Promise<void> {
  const client = await rawLogin(tunnel);
  const over = ended(client);
  const filler = ' '.repeat(60_000);
  for (let n = 0; n < 2000 && !client.closed; n++) {
    if (!client.socket.write(parse(`s${n}`, `SELECT ${n}${filler}`))) {
      await Promise.race([drain(client), over]);
    }
  }
  client.send(sync);
  await over;
  client.close();
}

async function pipelines({ tunnel }: Target): Promise<void> {
  const client = await rawLogin(tunnel);
  const over = ended(client);
  const one = Buffer.concat([parse('', "SELECT 'a@b.cc', 1"), bind('', ''), execute(''), flush]);
  const many = Buffer.concat(Array<Buffer>(2000).fill(one));
  for (let n = 0; n < 20 && !client.closed; n++) {
    if (!client.socket.write(many)) {
      await Promise.race([drain(client), over]);
    }
  }
  client.send(sync);
  await over;
  client.close();
}

async function silent(open: () => Socket, count: number): Promise<void> {
  const sockets = Array.from({ length: count }, () => open().on('error', () => undefined));
  await sleep(5000);
  for (const socket of sockets) socket.destroy();
}

async function forEver(attack: (target: Target) => Promise<void>, target: Target): Promise<never> {
  for (;;) {
    await attack(target).catch(() => sleep(50));
  }
}

/** @param argv `[target as JSON, name of the attack per session…]` */
export async function run([target = '', ...attacks]: readonly string[]): Promise<void> {
  const where = JSON.parse(target) as Target;
  for (const name of attacks) void forEver(ATTACKS[name as AttackName], where);
  await NEVER;
}

if (process.argv[2] === 'run') await run(process.argv.slice(3));
