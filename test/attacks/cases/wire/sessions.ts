/** PG-W8, PG-W21 to PG-W25, PG-W28, PG-W30: sessions that run, side by side, and how they end. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { encodeStartup, PROTOCOL_3_0, PROTOCOL_3_2 } from '../../../../src/wire/postgres/startup.ts';
import { growthOf, MiB } from '../../../support/memory.ts';
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  execute,
  line,
  parse,
  query,
  type RawClient,
  sync,
} from '../../../support/postgres/raw-client.ts';
import { untilRunning } from '../../../support/postgres/server.ts';
import { ALLOW_ALL, pgEnv, type Tunnel } from '../../../support/stack.ts';
import { timePasses } from '../../../support/waiting.ts';
import { type Attack, must } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import type { World } from '../../world.ts';
import { closed } from './octets.ts';

const run = promisify(execFile);
/** What hoopd may take, or hoopctl, for data that flows through it, KiB: far less than the data. */
const FLOW_KIB = 160 * MiB;
const GONE_MS = 5_000;

const cancel = (processId: number, key: Buffer) => encodeStartup({ name: 'CancelRequest', processId, key });

async function cancelled(world: World, at: Pick<Tunnel, 'host' | 'port'>, request: Buffer): Promise<void> {
  const client = await world.dial(at);
  client.send(request);
  await closed(client);
  must(client.received.length === 0, 'a cancel is answered');
}

const running = (world: World, text: string) =>
  world.look(`select count(*) from pg_stat_activity where query = '${text}' and state = 'active'`);

/** Guesses, and keys of others, do nothing; the session's own key cancels. */
function cancels(what: string, version: number): Attack {
  return {
    id: 'PG-W8',
    case: what,
    run: async (world) => {
      const sql = `select pg_sleep(30), '${version}'`;
      const client = await world.through({ version });
      const answer = client.ask(query(sql));
      const { postgres } = world.stack;
      await untilRunning(postgres, `pg_sleep(30), ''${version}''`);
      const { processId, key } = client.key ?? { processId: 0, key: Buffer.alloc(4) };
      const bystander = await world.through({ version });
      const theirs = bystander.key ?? { processId: 0, key: Buffer.alloc(4) };
      const wrong = Buffer.from(key.map((octet) => octet ^ 1));
      const guesses = Array.from({ length: 100 }, (_, i) => {
        const guess = Buffer.alloc(key.length, i);
        return cancel(processId, guess);
      });
      for (const request of [
        cancel(processId, wrong),
        cancel(processId, key.length > 4 ? key.subarray(0, 4) : Buffer.concat([key, key])),
        cancel(processId + 1, key),
        cancel(processId, theirs.key),
      ])
        await cancelled(world, world.tunnel, request);
      // (b) What the client was told is no key of the server's own.
      await cancelled(world, world.target, cancel(processId, key));
      // (c) Somebody else shows the right key.
      const other = await world.also('pg', world.stack.env({ repository: 'org/other' }));
      await cancelled(world, other, cancel(processId, key));
      const quoted = sql.replaceAll("'", "''");
      must((await running(world, quoted)) === '1', 'somebody else has cancelled it');
      // (a) Its own, and it goes on.
      await cancelled(world, world.tunnel, cancel(processId, key));
      const lines = await answer;
      must(lines.includes('ErrorResponse 57014'), `dead: its own key does nothing: ${lines.join(' / ')}`);
      must((await client.ask(query('select 1'))).includes('DataRow 1'), 'the session is gone');
      // (d) Guesses, a hundred of them; another session is served meanwhile.
      const again = client.ask(query(sql));
      await untilRunning(postgres, `pg_sleep(30), ''${version}''`);
      await Promise.all(guesses.map((guess) => cancelled(world, world.tunnel, guess)));
      must((await bystander.ask(query('select 1'))).includes('DataRow 1'), 'others are not served');
      must((await running(world, quoted)) === '1', 'a guess has cancelled it');
      client.close();
      await again.catch(() => undefined);
    },
  };
}

/** COPY IN that comes to an end in another way than by its end: nothing of it stays, the session goes on. */
function copyEnds(what: string, end: (world: World, client: RawClient) => Promise<void>): Attack {
  return {
    id: 'PG-W21',
    case: what,
    run: async (world) => {
      await world.look('TRUNCATE ran');
      const client = await world.through();
      client.send(query('copy ran from stdin'));
      await client.until('CopyInResponse');
      client.send(copyData('a\n'));
      // The server looks for a cancel between two messages.
      const goOn = setInterval(() => client.send(copyData('b\n')), 50);
      await end(world, client);
      const lines = (await client.untilReady()).map(line).join(' / ');
      clearInterval(goOn);
      must(lines === 'ErrorResponse 57014 / ReadyForQuery I', lines);
      const after = await client.ask(copyData('c\n'), copyDone, query('select count(*) from ran'));
      must(after.includes('DataRow 0'), after.join(' / '));
    },
  };
}

const growth = (world: World, act: () => Promise<void>) =>
  growthOf({ hoopd: world.stack.hoopd.child.pid, hoopctl: world.tunnel.running.child.pid }, act);

async function mustStayFlat(world: World, act: () => Promise<void>): Promise<void> {
  const grown = await growth(world, act);
  for (const [who, kib] of Object.entries(grown)) must(kib < FLOW_KIB, `${who} grew by ${kib} KiB`);
}

const COPY_MB = 24;

const COPY_IN: Attack = {
  id: 'PG-W21',
  case: `COPY in, bounded to ${COPY_MB} MB: every row arrives, and memory does not follow it`,
  run: async (world) => {
    await world.look('TRUNCATE ran');
    const rows = copyData(`${'x'.repeat(999)}\n`.repeat(100));
    const client = await world.through();
    await mustStayFlat(world, async () => {
      client.send(query('copy ran from stdin'));
      await client.until('CopyInResponse');
      for (let i = 0; i < COPY_MB * 10; i++) {
        if (!client.socket.write(rows)) await new Promise((resolve) => client.socket.once('drain', resolve));
      }
      client.send(copyDone);
      const lines = (await client.untilReady(60_000)).map(line);
      must(lines.includes(`CommandComplete COPY ${COPY_MB * 1000}`), lines.join(' / '));
    });
    await world.look('TRUNCATE ran');
  },
};

const SLOW_READER: Attack = {
  id: 'PG-W21',
  case: 'COPY out to a reader of a kilobyte in a second, bounded to two seconds: the target waits, nobody else does',
  run: async (world) => {
    const client = await world.through();
    const other = await world.through();
    client.socket.removeAllListeners('data');
    client.socket.pause();
    const sql = "copy (select repeat('x', 1000) from generate_series(1, 200000)) to stdout";
    await mustStayFlat(world, async () => {
      client.send(query(sql));
      for (let i = 0; i < 8; i++) {
        await timePasses(250, 'a client that reads slowly');
        client.socket.read(256);
        must(
          (await other.ask(query(`select ${i}`))).includes(`DataRow ${i}`),
          'another session is not served',
        );
      }
    });
    must((await running(world, sql.replaceAll("'", "''"))) === '1', 'dead: it is over already');
    client.socket.resetAndDestroy();
    await untilRunning(world.stack.postgres, 'copy (select repeat', 0, GONE_MS);
  },
};

/** How much a big answer holds. */
async function total(client: RawClient, sql: string): Promise<string> {
  client.send(query(sql));
  const messages = await client.untilReady(60_000);
  const rows = messages.filter((one) => one.name === 'DataRow');
  const octets = rows.reduce((sum, { values }) => sum + (values[0]?.length ?? 0), 0);
  return `${rows.length} rows, ${octets} octets, ${messages.map(line).at(-2)}`;
}

const MANY_ROWS: Attack = {
  id: 'PG-W22',
  case: 'bounded to 20,000 rows of a kilobyte, and sixteen sessions at once: all as the server itself',
  run: async (world) => {
    const sql = "select repeat('x', 1000) || g from generate_series(1, 20000) g";
    const [direct, through] = [
      await total(await world.direct(), sql),
      await total(await world.through(), sql),
    ];
    must(direct === through, `direct: ${direct}\n  through: ${through}`);
    const clients = await Promise.all(Array.from({ length: 16 }, () => world.through()));
    await Promise.all(
      clients.map(async (client, n) => {
        for (let i = 0; i < 20; i++) {
          const mine = n * 1000 + i;
          const simple = await client.ask(query(`select ${mine}`));
          must(simple.includes(`DataRow ${mine}`), `crosstalk: ${simple.join(' / ')}`);
          const values = [String(mine)];
          const bound = await client.ask(
            parse('', 'select $1::int'),
            bind('', '', { values }),
            execute(''),
            sync,
          );
          must(bound.includes(`DataRow ${mine}`), `crosstalk: ${bound.join(' / ')}`);
        }
      }),
    );
  },
};

const TOOLS: Attack = {
  id: 'PG-W22',
  case: 'bounded to psql and pg_dump, unchanged: what they show is the same',
  // Debian's tools are of that version.
  majors: [15],
  run: async (world) => {
    const shown = async (at: Tunnel) => {
      const options = { env: pgEnv(at), timeout: 60_000 };
      const psql = await run('psql', ['-XAtw', '-c', '\\d customers', '-c', 'table customers'], options);
      const dump = await run('pg_dump', ['-w', '-t', 'customers'], options);
      // Newer ones mark their output against injection with a word drawn anew.
      return `${psql.stdout}${dump.stdout.replace(/^\\(un)?restrict .*$/gm, '')}`;
    };
    const [direct, through] = [await shown(world.target), await shown(world.tunnel)];
    must(direct.includes('123-45-6789') && direct.includes('COPY public.customers'), `dead: ${direct}`);
    must(direct === through, `direct: ${direct}\n  through: ${through}`);
  },
};

const POLICY_CHANGES: Attack = {
  id: 'PG-W23',
  case: 'a session idle for a while, bounded to two seconds, lives; another policy holds from its next statement on',
  run: async (world) => {
    const secret = '123-45-6789';
    const client = await world.through();
    const shown = await client.ask(parse('s', 'select ssn from customers'), bind('', 's'), execute(''), sync);
    must(shown.includes(`DataRow ${secret}`), `dead: ${shown.join(' / ')}`);
    await timePasses(2000, 'a session that says nothing');
    must((await client.ask(query('select 1'))).includes('DataRow 1'), 'the session is gone');
    client.take();
    await world.stack.reload(
      `${ALLOW_ALL}\n@id("no-more") forbid (principal, action in Action::"sql.read", resource);`,
    );
    try {
      for (const again of [[query('select ssn from customers')], [bind('', 's'), execute(''), sync]]) {
        const lines = await client.ask(...again);
        must(lines.includes('ErrorResponse 42501'), `still permitted: ${lines.join(' / ')}`);
      }
    } finally {
      await world.stack.reload(ALLOW_ALL);
    }
    must(disguiseOf(client.take(), secret) === undefined, 'it is shown still');
    const back = await client.ask(bind('', 's'), execute(''), sync);
    must(back.includes(`DataRow ${secret}`), `it stays refused: ${back.join(' / ')}`);
  },
};

/** A client that is gone leaves nothing running. */
function vanishes(what: string, sql: string, leave: (client: RawClient) => void): Attack {
  return {
    id: 'PG-W24',
    case: what,
    run: async (world) => {
      const client = await world.through();
      client.send(query(sql));
      await untilRunning(world.stack.postgres, sql);
      leave(client);
      await untilRunning(world.stack.postgres, sql, 0, GONE_MS);
    },
  };
}

const DEADLINE: Attack = {
  id: 'PG-W25',
  case: 'the absolute deadline comes in the middle of a query: told why, ended, and nothing runs on',
  run: async (world) => {
    const tunnel = await world.also('short');
    const client = await world.at(tunnel);
    client.send(query('select pg_sleep(60.5)'));
    await untilRunning(world.stack.postgres, 'pg_sleep(60.5)');
    const lines = (await client.until('ErrorResponse')).map(line);
    must(lines.at(-1) === 'ErrorResponse 57P01', `it goes on: ${lines.join(' / ')}`);
    must(client.received.includes('the longest time this resource allows'), 'it does not say why');
    must((await client.next()) === undefined, 'the connection stays');
    await untilRunning(world.stack.postgres, 'pg_sleep(60.5)', 0, GONE_MS);
    const patient = await world.through();
    must((await patient.ask(query('select pg_sleep(0.1)'))).length === 4, 'dead: no query is answered');
  },
};

const SIDE_BY_SIDE: Attack = {
  id: 'PG-W28',
  case: 'two clients of one tunnel, one of them slow and one that breaks the protocol: the other is served',
  run: async (world) => {
    const [slow, unread, bad, quick] = await Promise.all([
      world.through(),
      world.through(),
      world.through(),
      world.through(),
    ]);
    let over = false;
    const answer = slow.ask(query("select pg_sleep(2), 'slow'")).finally(() => {
      over = true;
    });
    unread.socket.removeAllListeners('data');
    unread.socket.pause();
    unread.send(query("select repeat('y', 1000) from generate_series(1, 100000)"));
    bad.send(Buffer.from([0x7a, 0, 0, 0, 4]));
    await bad.until('ErrorResponse');
    for (let i = 0; i < 20; i++) {
      const lines = await quick.ask(query(`select 'quick ${i}'`));
      must(lines.includes(`DataRow quick ${i}`), lines.join(' / '));
    }
    must(!over, 'it waited for the slow one');
    must(
      (await answer).some((one) => one.endsWith('|slow')),
      'the slow one is not answered',
    );
    must(!quick.received.includes('slow') && !slow.received.includes('quick'), 'crosstalk');
  },
};

const NOTICES = 20_000;

const FLOOD: Attack = {
  id: 'PG-W30',
  case: 'a flood of notices, bounded to 20,000: every one arrives, in order, and memory stays flat',
  run: async (world) => {
    const client = await world.through();
    await mustStayFlat(world, async () => {
      const block = `do $$ begin for i in 1..${NOTICES} loop raise notice 'n% of it', i; end loop; end $$`;
      client.send(query(block));
      const messages = await client.untilReady(60_000);
      const notices = messages.filter((one) => one.name === 'NoticeResponse');
      const order = notices.every(({ fields }, i) =>
        fields.some(([code, text]) => code === 'M' && String(text) === `n${i + 1} of it`),
      );
      must(notices.length === NOTICES && order, `${notices.length} notices, in order: ${order}`);
    });
  },
};

const NOTIFIED: Attack = {
  id: 'PG-W30',
  case: 'notifications come between messages, as at the server: not within a transaction',
  run: async (world) => {
    const heard = async (log: () => Promise<RawClient>) => {
      const client = await log();
      const lines = [...(await client.ask(query('listen news')))];
      await world.admin("notify news, 'idle'");
      lines.push(...(await client.until('NotificationResponse')).map(line));
      lines.push(...(await client.ask(query('begin'))));
      await world.admin("notify news, 'held'");
      lines.push(...(await client.ask(query('select 1'))), ...(await client.ask(query('commit'))));
      return lines.join(' / ');
    };
    const [direct, through] = [await heard(() => world.direct()), await heard(() => world.through())];
    must(direct.includes('news held'), `dead: ${direct}`);
    must(direct === through, `direct: ${direct}\n  through: ${through}`);
  },
};

export const SESSIONS: readonly Attack[] = [
  cancels('keys of 3.0: the own, a wrong one, those of others, and guesses (bounded to 100)', PROTOCOL_3_0),
  cancels('keys of 3.2', PROTOCOL_3_2),
  COPY_IN,
  copyEnds('CopyFail in the middle', async (_, client) => client.send(copyFail('enough'))),
  copyEnds('Ctrl-C in the middle of a COPY', (world, { key }) =>
    cancelled(world, world.tunnel, cancel(key?.processId ?? 0, key?.key ?? Buffer.alloc(4))),
  ),
  SLOW_READER,
  MANY_ROWS,
  TOOLS,
  POLICY_CHANGES,
  vanishes('reset while a query runs', 'select pg_sleep(61)', (client) => client.socket.resetAndDestroy()),
  vanishes('closed while a query runs, with more sent behind it', 'select pg_sleep(62)', (client) => {
    client.send(query('select 1'));
    client.close();
  }),
  DEADLINE,
  SIDE_BY_SIDE,
  FLOOD,
  NOTIFIED,
];
