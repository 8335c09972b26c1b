import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encodeStartup } from '../../../src/wire/postgres/startup.ts';
import {
  parse,
  query,
  type RawClient,
  rawConnect,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { ATTACK_COLUMNS, ATTACK_FIXTURE, GUARDED, type Tunnel } from '../../support/stack.ts';
import { eventually, timePasses } from '../../support/waiting.ts';
import { type Attack, type AttackGroup, must, send } from '../attack.ts';
import { disguiseOf } from '../leak.ts';
import { meanwhile } from '../meanwhile.ts';
import type { World } from '../world.ts';

const ADDRESS = 'a@b.cc';

/** Reads an answer of any size to its end, without keeping it. */
function drained(client: RawClient): Promise<void> {
  client.socket.removeAllListeners('data');
  return new Promise((resolve) => {
    client.socket.once('close', resolve);
    client.socket.on('data', (chunk: Buffer) => {
      if (chunk.length >= 6 && chunk.at(-6) === 0x5a && chunk.at(-2) === 5) resolve();
    });
  });
}

async function flood(world: World, sessions: number, sql: (n: number) => string): Promise<void> {
  const clients = await Promise.all(Array.from({ length: sessions }, () => world.through()));
  await meanwhile(
    world,
    Promise.all(
      clients.map((client, n) => {
        const over = drained(client);
        client.send(query(sql(n)));
        return over;
      }),
    ),
  );
}

/** Addresses where nobody looks: none may come through, though the server itself shows them. */
function unseen(what: string, sql: string): Attack {
  return {
    case: what,
    run: async (world) => {
      const control = await send(await world.direct(), sql);
      must(control.join('').includes(ADDRESS), 'dead: the server itself shows no address');
      const client = await world.through();
      const lines = await meanwhile(world, send(client, sql));
      const found = disguiseOf(client.received, ADDRESS);
      must(found === undefined, `leaked, ${found}`);
      must(lines.at(-1) === 'ReadyForQuery I', `the session is gone: ${lines.at(-1)}`);
    },
  };
}

/** Streams that hoopd has taken so far. */
function streams({ stack }: World): number {
  return stack.hoopd.log.split('"session started"').length - 1;
}

async function mustOpenNone(world: World, act: () => Promise<void>): Promise<void> {
  const first = await world.through();
  const before = await settled(() => streams(world));
  must(before > 0, 'dead: hoopd does not log its sessions');
  await act();
  await timePasses(300, 'a stream that is asked for is opened by then');
  // Logged behind all that was opened before it.
  const last = await world.through();
  const opened = await eventually(
    'hoopd logs its sessions',
    () => streams(world) - before - 1,
    (more) => more >= 0,
  );
  must(opened === 0, `${opened} streams were opened`);
  first.close();
  last.close();
}

/** The count, when it has not changed for a while: the log of hoopd is read later than it is written. */
async function settled(count: () => number): Promise<number> {
  for (let before = -1; ; ) {
    const now = count();
    if (now === before) return now;
    before = now;
    await timePasses(300, 'what is logged is read');
  }
}

async function silent(count: number, open: () => Socket): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    sockets.push(open().on('error', () => undefined));
    if (i % 50 === 49) await timePasses(20, 'not all of them in one burst');
  }
  await timePasses(500, 'they stay, and say nothing');
  return sockets;
}

/** A tunnel serves a new client although so many connections say nothing. */
async function servedBeside(world: World, sockets: Promise<Socket[]>, tunnel: () => Promise<Tunnel>) {
  const open = await sockets;
  try {
    const at = await tunnel();
    const client = await rawLogin(at);
    must((await client.ask(query('SELECT 1'))).includes('DataRow 1'), 'another client was not served');
    client.close();
    if (at !== world.tunnel) await at.close();
  } finally {
    for (const socket of open) socket.destroy();
  }
}

const HALF = Buffer.concat([Buffer.from('51', 'hex'), Buffer.from('03c00000', 'hex')]);

async function half(client: RawClient, mib: number): Promise<void> {
  client.send(HALF);
  const piece = Buffer.alloc(1024 * 1024, 0x20);
  const closed = new Promise((resolve) => client.socket.once('close', resolve));
  for (let i = 0; i < mib && !client.closed; i++) {
    if (client.socket.write(piece)) continue;
    await Promise.race([new Promise((resolve) => client.socket.once('drain', resolve)), closed]);
  }
}

/** Unbounded work on what all sessions share. */
export const RT2: readonly AttackGroup[] = [
  {
    id: 'RT2',
    scenario: { policy: GUARDED, sql: ATTACK_FIXTURE, columns: ATTACK_COLUMNS },
    attacks: [
      unseen('more findings in a cell than anyone looks at', `SELECT repeat('${ADDRESS} ', 100000)`),
      unseen(
        'an address behind more octets than detectors look at',
        `SELECT repeat('x', 3000000) || ' ${ADDRESS} ' AS t`,
      ),
      unseen(
        'an address in the last cell of a row that is too large',
        `SELECT repeat('x', 900000), repeat('y', 900000), repeat('z', 900000), '${ADDRESS} '`,
      ),
      unseen(
        'an array of more pieces than are looked at',
        `SELECT array_fill('${ADDRESS}'::text, ARRAY[100000])`,
      ),
      unseen(
        'a line of COPY that is too large',
        `COPY (SELECT repeat('x', 3000000), '${ADDRESS}') TO STDOUT`,
      ),
      {
        case: 'cells of 252 MB, eight at once',
        run: (world) => flood(world, 8, () => `SELECT repeat('${ADDRESS} ', 36000000)`),
      },
      {
        case: 'rows without end, eight at once',
        run: (world) =>
          flood(
            world,
            8,
            () => `SELECT 'x' || g || '@example.com 4111 1111 1111 1111' FROM generate_series(1, 100000) g`,
          ),
      },
      {
        case: 'eight texts of 1.5 MB each: others are parsed beside them',
        run: (world) => flood(world, 8, (n) => `SELECT ${n}${' + 1'.repeat(375_000)}`),
      },
      {
        case: 'texts that say more than their length',
        run: (world) => flood(world, 8, (n) => `SELECT ${n};`.repeat(100_000)),
      },
      {
        case: 'half messages: together they hold no more than all may, and the largest gives way',
        run: async (world) => {
          const clients = await Promise.all(Array.from({ length: 8 }, () => world.through()));
          await meanwhile(world, Promise.all(clients.map((client) => half(client, 40))));
          await timePasses(1000, 'the largest of them are told to go');
          const ended = clients.filter(({ received }) => received.includes('C53200'));
          must(ended.length > 0, 'all of them are still held');
        },
      },
      {
        case: 'texts of named statements',
        run: async (world) => {
          const client = await world.through();
          const filler = ' '.repeat(1_000_000);
          const lines = await meanwhile(
            world,
            client.ask(...Array.from({ length: 20 }, (_, n) => parse(`s${n}`, `SELECT ${n}${filler}`)), sync),
          );
          must(lines.includes('ErrorResponse 53300'), `they are all kept: ${lines.length}`);
        },
      },
      {
        case: 'silent connections to the local port open no stream, and keep nobody out',
        run: (world) =>
          mustOpenNone(world, async () => {
            const { port, host } = world.tunnel;
            for (const socket of await silent(1020, () => connect(port, host))) socket.destroy();
          }).then(() =>
            servedBeside(
              world,
              silent(1020, () => connect(world.tunnel.port, world.tunnel.host)),
              async () => world.tunnel,
            ),
          ),
      },
      {
        case: 'who does not know the secret opens no stream',
        run: (world) =>
          mustOpenNone(world, async () => {
            for (let i = 0; i < 20; i++) {
              const refusal = await rawLogin(world.tunnel, { password: 'guessed' }).then(
                () => 'let in',
                (error: Error) => error.message,
              );
              must(refusal.includes('28P01'), refusal);
            }
          }),
      },
      {
        case: 'a cancel request with a key that nobody was given opens no stream',
        run: (world) =>
          mustOpenNone(world, async () => {
            for (let i = 0; i < 20; i++) {
              const client = await rawConnect(world.tunnel);
              client.send(encodeStartup({ name: 'CancelRequest', processId: i, key: Buffer.alloc(4, i) }));
              await drained(client);
            }
          }),
      },
      {
        case: "silent connections to the gateway's port keep nobody out",
        run: (world) => {
          const { hostname, port } = new URL(world.stack.url);
          return servedBeside(
            world,
            silent(1100, () => connect(Number(port), hostname)),
            () => world.stack.tunnel(),
          );
        },
      },
      {
        case: "half requests to the gateway's port keep nobody out",
        run: (world) => {
          const { hostname, port } = new URL(world.stack.url);
          const open = () => {
            const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
            return socket.once('secureConnect', () => socket.write('GET /v1/tunnels/pg HTTP/1.1\r\nx: '));
          };
          return servedBeside(world, silent(300, open), () => world.stack.tunnel());
        },
      },
    ],
  },
  {
    id: 'RT2',
    scenario: {
      policy: GUARDED,
      sql: ATTACK_FIXTURE,
      columns: ATTACK_COLUMNS,
      yaml: 'limits: { sessionsPerInstance: 20 }',
    },
    attacks: [
      {
        case: 'one instance takes no more sessions than it may, and none of another',
        run: async (world) => {
          const mine = await Promise.all(Array.from({ length: 20 }, () => world.through()));
          must(mine.length === 20, 'dead');
          const more = await world.through().then(
            () => 'let in',
            (error: Error) => error.message,
          );
          must(more.includes('53300'), more);
          await servedBeside(world, Promise.resolve([]), () => world.stack.tunnel());
        },
      },
    ],
  },
];
