/** PG-W10 to PG-W20: messages, one by one and in batches, where policy permits everything: as the server itself. */

import { rssKiB } from '../../../bench/processes.ts';
import { i16, i32, message, raw, str } from '../../../support/postgres/messages.ts';
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  describePortal,
  describeStatement,
  execute,
  flush,
  functionCall,
  line,
  parse,
  query,
  type RawClient,
  startupPacket,
  sync,
} from '../../../support/postgres/raw-client.ts';
import { timePasses } from '../../../support/waiting.ts';
import { type Attack, must } from '../../attack.ts';
import { sequence } from '../../sequence.ts';
import type { World } from '../../world.ts';

/** Rows that tell whether something ran that must not. */
const RAN = { effect: 'SELECT count(*) FROM ran', reset: 'TRUNCATE ran' };
const RUN = "insert into ran values ('it ran')";

/** What is said of something that must not be sent; `closed` if nothing. */
async function refusal(client: RawClient): Promise<string> {
  for (;;) {
    const one = await client.next();
    if (one === undefined) return 'closed';
    if (one.name === 'ErrorResponse') return line(one);
  }
}

/** What ends the session, and runs nothing of what stands behind it; the server takes it as an error, too, or closes. */
function ends(id: string, what: string, octets: (world: World) => Buffer, before?: Buffer): Attack {
  return {
    id,
    case: what,
    run: async (world) => {
      const sent = async (client: RawClient, ...behind: readonly Buffer[]) => {
        if (before !== undefined) {
          client.send(before);
          await client.until('CopyInResponse');
        }
        client.send(octets(world), ...behind);
        return refusal(client);
      };
      const control = await sent(await world.direct());
      await world.look(RAN.reset);
      const client = await world.through();
      const said = await sent(client, query(RUN));
      must(said === 'ErrorResponse 08P01', `the server: ${control}; through: ${said}`);
      must((await client.next()) === undefined, 'the session goes on');
      must((await world.look(RAN.effect)) === '0', 'what stood behind it ran');
    },
  };
}

/** As the server answers it, up to a message that is no ReadyForQuery. */
function unsynced(
  what: string,
  messages: readonly Buffer[],
  last: 'CommandComplete' | 'ParseComplete',
): Attack {
  return {
    id: 'PG-W16',
    case: what,
    run: async (world) => {
      const heard = async (client: RawClient) => {
        client.send(...messages, flush);
        const lines = (await client.until(last)).map(line);
        return [...lines, ...(await client.ask(sync))].join(' / ');
      };
      const [direct, through] = [await heard(await world.direct()), await heard(await world.through())];
      must(direct === through, `direct: ${direct}\n  through: ${through}`);
    },
  };
}

const BATCH = Buffer.concat([
  query('select 1'),
  parse('s', 'select $1::text as v'),
  bind('', 's', { values: ['ä'] }),
  describePortal(''),
  execute(''),
  sync,
  query('copy ran from stdin'),
  copyData('a\n'),
  copyDone,
  query('deallocate s'),
]);

async function answers(client: RawClient, count: number): Promise<string> {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) lines.push(...(await client.untilReady()).map(line));
  return lines.join(' / ');
}

const CUTS: Attack = {
  id: 'PG-W17',
  case: 'the same octets cut at every place, and one by one',
  run: async (world) => {
    const server = await world.direct();
    server.send(BATCH);
    const whole = await answers(server, 4);
    must(!whole.includes('Error'), `dead: ${whole}`);
    const client = await world.through();
    client.socket.setNoDelay(true);
    const same = async (where: string) => {
      const got = await answers(client, 4);
      must(got === whole, `${where}, direct: ${whole}\n  through: ${got}`);
    };
    for (const octet of BATCH) {
      client.send(Buffer.of(octet));
      await new Promise(setImmediate);
    }
    await same('octet by octet');
    for (let cut = 1; cut < BATCH.length; cut++) {
      client.send(BATCH.subarray(0, cut));
      await timePasses(1, 'two segments, not one');
      client.send(BATCH.subarray(cut));
      await same(`cut at ${cut}`);
    }
  },
};

const THOUSANDS = sequence({
  id: 'PG-W17',
  case: 'ten thousand messages in one segment',
  steps: [
    [
      ...Array.from({ length: 2500 }, (_, i) => [
        parse('', `select ${i % 50}`),
        bind('', ''),
        describePortal(''),
        execute(''),
      ]).flat(),
      sync,
    ],
  ],
});

const SILENT = 16;
/** What hoopd may grow by meanwhile for any other reason, KiB. */
const GROWTH_KIB = 256 * 1024;

const ANNOUNCED: Attack = {
  id: 'PG-W19',
  case: 'sixteen clients announce 60 MiB each and fall silent: nothing is held for what has not come, others are served',
  run: async (world) => {
    const clients = await Promise.all(Array.from({ length: SILENT }, () => world.through()));
    const pid = world.stack.hoopd.child.pid ?? 0;
    const before = rssKiB(pid);
    for (const client of clients) client.send(Buffer.concat([Buffer.from('Q'), i32(60 * 1024 * 1024)]));
    const other = await world.through();
    must((await other.ask(query('select 1'))).includes('DataRow 1'), 'another session is not served');
    await timePasses(500, 'whatever is taken for what has not come is taken by then');
    must(rssKiB(pid) - before < GROWTH_KIB, `hoopd grew by ${rssKiB(pid) - before} KiB`);
    must(
      clients.every(({ closed }) => !closed),
      'dead: they are refused, not waited for',
    );
  },
};

const numbers = Array.from({ length: 65_535 }, (_, i) => String(i));
const binaryBind = (value: Buffer, format = 1) =>
  message('B', str(''), str(''), i16(1), i16(format), i16(1), i32(value.length), value, i16(0));
const same = (id: string, what: string, ...steps: readonly (readonly Buffer[])[]) =>
  sequence({ id, case: what, steps, reset: RAN.reset });

export const MESSAGES: readonly Attack[] = [
  same('PG-W11', 'a row at a time, where nothing is masked', [
    parse('', 'select generate_series(1, 3)'),
    bind('', ''),
    execute('', 1),
    execute('', 1),
    execute('', 0),
    sync,
  ]),
  same('PG-W13', '65,535 parameters', [
    parse('', `select sum(v) from unnest(array[${numbers.map((_, i) => `$${i + 1}::int4`).join(',')}]) as v`),
    bind('', '', { values: numbers }),
    execute(''),
    sync,
  ]),
  same('PG-W13', 'NULL', [
    parse('', "select coalesce($1, 'none')"),
    bind('', '', { values: [null] }),
    execute(''),
    sync,
  ]),
  same('PG-W13', 'a binary number', [
    parse('', 'select $1::int4 + 1'),
    binaryBind(i32(42)),
    execute(''),
    sync,
  ]),
  same('PG-W13', 'a binary number too long', [
    parse('', 'select $1::int4 + 1'),
    binaryBind(Buffer.alloc(9)),
    execute(''),
    sync,
  ]),
  ends('PG-W13', 'a format that nobody knows', () => binaryBind(i32(42), 7)),
  same('PG-W13', 'text with a NUL', [
    parse('', 'select $1::text'),
    bind('', '', { values: ['a\0b'] }),
    execute(''),
    sync,
  ]),
  same('PG-W13', 'text that is no UTF-8', [
    parse('', 'select $1::text'),
    binaryBind(raw(0xc0), 0),
    execute(''),
    sync,
  ]),
  ends('PG-W13', 'a length of -2', () => message('B', str(''), str(''), i16(0), i16(1), i32(-2), i16(0))),
  ends('PG-W13', 'fewer parameters than it says', () => message('B', str(''), str(''), i16(0), i16(9))),
  same(
    'PG-W14',
    'described and executed again and again',
    [parse('s', 'select 1 as a, 2 as b'), describeStatement('s'), sync],
    [bind('p', 's'), describePortal('p'), execute('p'), execute('p'), sync],
    [bind('', 's'), execute(''), sync],
    [describePortal('nobody'), execute('nobody'), sync],
  ),
  same(
    'PG-W15',
    'a write behind an error, before Sync',
    [parse('', 'select nothing_there'), query(RUN), sync],
    [query('select count(*) from ran')],
  ),
  same('PG-W15', 'a function call and a COPY behind an error', [
    parse('', 'select nothing_there'),
    functionCall(1598),
    query('copy ran from stdin'),
    copyData('x\n'),
    copyDone,
    sync,
  ]),
  same('PG-W15', 'a statement that fails as it runs, and another behind it', [
    parse('', 'select 1/0'),
    bind('', ''),
    execute(''),
    parse('', RUN),
    bind('', ''),
    execute(''),
    sync,
  ]),
  unsynced(
    'Flush without Sync: answers come at once',
    [parse('', 'select 5'), bind('', ''), describePortal(''), execute('')],
    'CommandComplete',
  ),
  unsynced('… statement by statement', [parse('', 'select 6')], 'ParseComplete'),
  same(
    'PG-S16',
    'DISCARD ALL: what was prepared is gone, here as there',
    [parse('a', 'select 1'), sync],
    [query('discard all')],
    [bind('', 'a'), execute(''), sync],
  ),
  CUTS,
  THOUSANDS,
  ends('PG-W18', 'a type that nobody knows', () => message('z', i32(1))),
  ends('PG-W18', 'a startup packet behind the login', (world) => startupPacket(world.tunnel)),
  ends('PG-W18', 'a password behind the login', () => message('p', str('x'))),
  ends('PG-W18', 'a Sync with a body', () => message('S', raw(1))),
  ends('PG-W18', 'an Execute without its number', () => message('E', str(''))),
  ends('PG-W18', 'a Close that goes on', () => message('C', Buffer.from('S'), str('a'), raw(0))),
  ends('PG-W18', 'a function call that ends early', () => message('F', i32(1), i16(0))),
  ends('PG-W18', 'a Query in the middle of a COPY', () => query(RUN), query('copy ran from stdin')),
  same(
    'PG-W18',
    'octets behind a Parse',
    [message('P', str(''), str(RUN), i16(0), raw(7)), bind('', ''), execute(''), sync],
    [query('select count(*) from ran')],
  ),
  same(
    'PG-W18',
    'a Parse without the end of its text',
    [message('P', str(''), Buffer.from(RUN)), sync],
    [query('select count(*) from ran')],
  ),
  same('PG-W18', 'copy data outside of a COPY', [
    copyData('1\ta\n'),
    copyDone,
    copyFail('x'),
    query('select count(*) from ran'),
  ]),
  ends('PG-W19', 'a length below 4', () => Buffer.from([0x51, 0, 0, 0, 3])),
  ends('PG-W19', 'a negative length', () => Buffer.concat([Buffer.from('Q'), i32(-5)])),
  ends('PG-W19', 'a length of 1 GiB', () => Buffer.concat([Buffer.from('Q'), i32(0x4000_0000)])),
  ANNOUNCED,
  ...[';', '-- nothing', '/* */', '  ', ''].map((sql) =>
    same(
      'PG-W20',
      `nothing at all: ${JSON.stringify(sql)}`,
      [query(sql)],
      [parse('', sql), bind('', ''), execute(''), sync],
    ),
  ),
];
