import { encodeStartup, PROTOCOL_3_2 } from '../../../../src/wire/postgres/startup.ts';
import {
  logInRaw,
  query,
  type RawClient,
  rawConnect,
  terminate,
} from '../../../support/postgres/raw-client.ts';
import { untilRunning } from '../../../support/postgres/server.ts';
import { ALLOW_ALL } from '../../../support/stack.ts';
import { type Attack, type AttackGroup, must } from '../../attack.ts';
import type { World } from '../../world.ts';

const pidOf = (client: RawClient) => client.key?.processId ?? -1;

async function value(client: RawClient, sql: string): Promise<string> {
  const row = (await client.ask(query(sql))).find((one) => one.startsWith('DataRow'));
  return row?.slice('DataRow '.length) ?? '';
}

/** What a session reads of itself is the process id that it was told; `sql` may name it as PID. */
function tells(what: string, sql: string, expected = 'PID'): Attack {
  return {
    case: what,
    run: async (world) => {
      for (const client of [await world.direct(), await world.through()]) {
        const pid = String(pidOf(client));
        const got = await value(client, sql.replaceAll('PID', pid));
        must(got === expected.replaceAll('PID', pid), `told ${pid}, read ${got}`);
      }
    },
  };
}

async function notifier(client: RawClient, listener: RawClient): Promise<number | undefined> {
  await listener.ask(query('LISTEN c'));
  await client.ask(query('NOTIFY c'));
  listener.send(query('SELECT 1'));
  const all = await listener.untilReady();
  const one = all.find((message) => message.name === 'NotificationResponse');
  return one?.name === 'NotificationResponse' ? one.processId : undefined;
}

const SLEEP = query('SELECT pg_sleep(60)');

/** Two sessions that sleep; `act` is to end the first alone. */
async function endsTheFirst(world: World, act: (first: RawClient) => Promise<unknown>): Promise<void> {
  const [first, second] = [await world.through(), await world.through()];
  for (const one of [first, second]) one.send(SLEEP);
  await untilRunning(world.stack.postgres, 'pg_sleep(60)', 2);
  await act(first);
  const error = (await first.until('ErrorResponse')).at(-1);
  must(error?.name === 'ErrorResponse', 'the first goes on');
  await untilRunning(world.stack.postgres, 'pg_sleep(60)', 1);
}

async function cancel(at: { host: string; port: number }, client: RawClient): Promise<void> {
  const canceller = await rawConnect(at);
  const key = client.key?.key ?? Buffer.alloc(4);
  canceller.socket.write(encodeStartup({ name: 'CancelRequest', processId: pidOf(client), key }));
  await new Promise((resolve) => canceller.socket.resume().once('close', resolve));
}

/** A cancel at this place must do nothing. */
async function doesNothing(world: World, at: { host: string; port: number }): Promise<void> {
  const client = await world.through();
  client.send(SLEEP);
  await untilRunning(world.stack.postgres, 'pg_sleep(60)');
  await cancel(at, client);
  await untilRunning(world.stack.postgres, 'pg_sleep(60)');
  await cancel(world.tunnel, client);
  must((await client.until('ErrorResponse')).length > 0, 'dead: its own tunnel does not cancel it');
}

const attacks: Attack[] = [
  tells('pg_backend_pid()', 'SELECT pg_backend_pid()'),
  tells('pg_stat_activity', "SELECT pid FROM pg_stat_activity WHERE query LIKE '%itself%' AND pid = PID"),
  tells('pg_locks', "SELECT DISTINCT pid FROM pg_locks WHERE pid = PID AND locktype = 'virtualxid'"),
  tells('a cancel of oneself by SQL is of oneself', 'SELECT pg_cancel_backend(PID), pg_sleep(30)', ''),
  {
    case: "a notification of one's own carries one's own process id",
    run: async (world) => {
      for (const client of [await world.direct(), await world.through()]) {
        client.send(query('LISTEN c; NOTIFY c'));
        const all = await client.untilReady();
        const one = all.find((message) => message.name === 'NotificationResponse');
        must(one?.name === 'NotificationResponse' && one.processId === pidOf(client), 'another process id');
      }
    },
  },
  {
    case: "a notification of another session's carries the process id that it was told",
    run: async (world) => {
      for (const open of [() => world.direct(), () => world.through()]) {
        const client = await open();
        must((await notifier(client, await open())) === pidOf(client), 'another process id');
      }
    },
  },
  {
    case: 'who waits for whom is told in the ids that sessions know',
    run: async (world) => {
      const [holder, waiter] = [await world.through(), await world.through()];
      await holder.ask(query('SELECT pg_advisory_lock(7)'));
      waiter.send(query('SELECT pg_advisory_lock(7)'));
      await untilRunning(world.stack.postgres, 'pg_advisory_lock(7)');
      const blocked = `SELECT pg_blocking_pids(${pidOf(waiter)})::text`;
      let blocking = '{}';
      for (let i = 0; i < 100 && blocking === '{}'; i++) blocking = await value(holder, blocked);
      must(blocking === `{${pidOf(holder)}}`, `${blocking} instead of ${pidOf(holder)}`);
    },
  },
  {
    case: 'a cancel by key ends the statement of its own session',
    run: (world) => endsTheFirst(world, (first) => cancel(world.tunnel, first)),
  },
  {
    case: 'a cancel by SQL with the id that was told ends the statement of its own session',
    run: (world) =>
      endsTheFirst(world, async (first) =>
        (await world.through()).ask(query(`SELECT pg_cancel_backend(${pidOf(first)})`)),
      ),
  },
  {
    case: 'pg_terminate_backend with the id that was told ends its own session',
    run: (world) =>
      endsTheFirst(world, async (first) =>
        (await world.through()).ask(query(`SELECT pg_terminate_backend(${pidOf(first)})`)),
      ),
  },
  {
    case: "the gateway's key, shown to the target itself, does nothing",
    run: (world) => doesNothing(world, world.stack.postgres),
  },
  {
    case: "the key, shown at another instance's tunnel, does nothing",
    run: async (world) => {
      const other = await world.stack.tunnel([], world.stack.env({ repository: 'org/other' }));
      try {
        await doesNothing(world, other);
      } finally {
        await other.close();
      }
    },
  },
  {
    case: 'protocol 3.2: a key of 32 octets beside the same process id',
    run: async (world) => {
      const client = await world.through({ version: PROTOCOL_3_2 });
      must(client.key?.key.length === 32, `a key of ${client.key?.key.length} octets`);
      must((await value(client, 'SELECT pg_backend_pid()')) === String(pidOf(client)), 'another process id');
    },
  },
  {
    case: 'a start-up parameter given twice: the last counts',
    run: async (world) => {
      for (const at of [world.target, world.tunnel]) {
        const pairs = ['user', at.user, 'database', at.database, 'TimeZone', 'UTC', 'timezone', 'CET'];
        const body = [...pairs, 'TimeZone', 'EST'].map((word) => `${word}\0`).join('');
        const packet = Buffer.from(`\0\0\0\0\0\x03\0\0${body}\0`, 'latin1');
        packet.writeInt32BE(packet.length, 0);
        const client = await logInRaw(await rawConnect(at), at, { startup: packet });
        must((await value(client, 'SHOW timezone')) === 'EST', 'another than the last');
        client.close();
      }
    },
  },
  {
    case: 'a goodbye before the start-up: closed without a word',
    run: async (world) => {
      for (const at of [world.stack.postgres, world.tunnel]) {
        const client = await rawConnect(at);
        client.send(terminate);
        await new Promise((resolve) => client.socket.once('close', resolve));
        must(client.received.length === 0, `it said ${client.received.toString('latin1')}`);
      }
    },
  },
];

/** The session's own identity, wherever the server shows it; process ids are small and coincide, as in containers. */
export const RT11B: readonly AttackGroup[] = [
  { id: 'RT11b', scenario: { policy: ALLOW_ALL, ownPids: process.getuid?.() === 0 }, attacks },
];
