import { reportText } from '../../../../src/wire/postgres/report.ts';
import {
  bind,
  copyData,
  copyDone,
  execute,
  flush,
  functionCall,
  line,
  logInRaw,
  parse,
  query,
  type RawClient,
  rawConnect,
  startupPacket,
  sync,
} from '../../../support/postgres/raw-client.ts';
import { ALLOW_ALL } from '../../../support/stack.ts';
import { timePasses } from '../../../support/waiting.ts';
import { type Attack, type AttackGroup, must } from '../../attack.ts';
import type { World } from '../../world.ts';

/** More than twice what the resource allows in silence. */
const LONG_MS = 2500;
const longer = () => timePasses(LONG_MS, 'longer than a session may be idle');
const LONG_SLEEP = 'SELECT pg_sleep(2.5)';
const FOREVER_MS = 15_000;

/** What must not be taken for idleness: the session answers afterwards. */
function busy(what: string, act: (client: RawClient, world: World) => Promise<unknown>): Attack {
  return {
    case: `not idle: ${what}`,
    run: async (world) => {
      const client = await world.through();
      await act(client, world);
      const after = await client.ask(query('SELECT 77'));
      must(after.includes('DataRow 77'), `ended: ${after.join(' / ')}`);
    },
  };
}

/** What is idleness: the session ends, and says why. */
function idle(what: string, act: (client: RawClient) => Promise<unknown>): Attack {
  return {
    case: `idle: ${what}`,
    run: async (world) => {
      const client = await world.through();
      await act(client);
      const last = (await client.until('ErrorResponse', FOREVER_MS)).at(-1);
      must(last?.name === 'ErrorResponse', 'it does not end');
      const said = `${reportText(last, 'C')} ${reportText(last, 'M')}`;
      must(said === '57P01 the session was idle for too long', `it says: ${said}`);
      must((await client.next(FOREVER_MS)) === undefined, 'it goes on behind the end');
    },
  };
}

const attacks: Attack[] = [
  busy('a statement that runs', (client) => client.ask(query(LONG_SLEEP))),
  busy('a statement that runs, by the extended protocol', (client) =>
    client.ask(parse('', LONG_SLEEP), bind('', ''), execute(''), sync),
  ),
  busy('statements behind one another, each shorter', (client) =>
    client.ask(
      parse('', 'SELECT pg_sleep(1.5)'),
      bind('', ''),
      execute(''),
      execute(''),
      bind('', ''),
      execute(''),
      sync,
    ),
  ),
  busy('a string of statements', (client) => client.ask(query(`SELECT 1; ${LONG_SLEEP}; SELECT 2`))),
  busy('a statement in a transaction', async (client) => {
    await client.ask(query('BEGIN'));
    await client.ask(query(LONG_SLEEP));
    await client.ask(query('COMMIT'));
  }),
  busy('a function call', async (client) => {
    await client.ask(
      query("CREATE FUNCTION pg_temp.slow() RETURNS int LANGUAGE sql AS 'SELECT pg_sleep(2.5); SELECT 1'"),
    );
    const oid = (await client.ask(query("SELECT 'pg_temp.slow'::regproc::oid")))[1] ?? '';
    await client.ask(functionCall(Number(oid.replace('DataRow ', ''))));
  }),
  busy('a wait for a lock', async (client, world) => {
    const holder = await world.direct();
    await holder.ask(query('BEGIN; LOCK TABLE t'));
    const answer = client.ask(query('SELECT count(*) FROM t'));
    await longer();
    await holder.ask(query('ROLLBACK'));
    await answer;
  }),
  busy('COPY IN whose data come slowly', async (client) => {
    client.send(query('COPY t FROM STDIN'));
    await client.until('CopyInResponse');
    await longer();
    client.send(copyData('1\n'));
    await longer();
    const answer = await client.ask(copyDone);
    must(answer.includes('CommandComplete COPY 1'), answer.join(' / '));
  }),
  busy('an answer that is read slowly', async (client) => {
    client.send(query("SELECT repeat('x', 1000) FROM generate_series(1, 60000)"));
    client.socket.pause();
    await longer();
    client.socket.resume();
    const rows = (await client.untilReady()).filter(({ name }) => name === 'DataRow').length;
    must(rows === 60_000, `${rows} rows`);
  }),
  busy('a message that comes slowly', async (client) => {
    const whole = query(`SELECT '${'x'.repeat(5000)}'`);
    for (let from = 0; from < whole.length; from += 1000) {
      client.send(whole.subarray(from, from + 1000));
      await timePasses(500, 'a message in pieces');
    }
    await client.untilReady();
  }),
  busy('a batch without its Sync', async (client) => {
    client.send(parse('', 'SELECT 5'), bind('', ''), execute(''), flush);
    await client.until('CommandComplete');
    await longer();
    await client.ask(sync);
  }),
  busy('silence shorter than allowed, behind a statement that is longer', async (client) => {
    await client.ask(query(LONG_SLEEP));
    await timePasses(400, 'silence, shorter than allowed');
    await client.ask(query(LONG_SLEEP));
    await timePasses(400, 'silence, shorter than allowed');
  }),
  {
    case: 'not idle: a login that takes its time',
    run: async ({ tunnel }) => {
      const client = await rawConnect(tunnel);
      await longer();
      const packet = startupPacket(tunnel);
      client.send(packet.subarray(0, 6));
      await longer();
      await logInRaw(client, tunnel, { startup: packet.subarray(6) });
      must((await client.ask(query('SELECT 1'))).includes('DataRow 1'), 'no session');
      client.close();
    },
  },
  idle('nothing is said after the login', async () => undefined),
  idle('nothing is said after an answer', (client) => client.ask(query('SELECT 1'))),
  idle('nothing is said in a transaction', (client) => client.ask(query('BEGIN'))),
  idle('nothing is said in a failed transaction', (client) => client.ask(query('BEGIN; SELECT 1/0'))),
  idle('nothing is said after an error', (client) => client.ask(query('SELEC'))),
  idle('nothing is said after a long statement', (client) => client.ask(query(LONG_SLEEP))),
  idle('nothing is said after a COPY', (client) =>
    client.ask(query('COPY t FROM STDIN'), copyData('1\n'), copyDone),
  ),
  idle('half a message is said', async (client) => client.send(query('SELECT 1').subarray(0, 7))),
  {
    case: 'what is said in time is answered, and the rest is silence',
    run: async (world) => {
      const client = await world.through();
      for (let i = 0; i < 6; i++) {
        await timePasses(400, 'silence, shorter than allowed');
        must((await client.ask(query('SELECT 8'))).includes('DataRow 8'), 'ended too early');
      }
      const rest = (await client.until('ErrorResponse', FOREVER_MS)).map(line);
      must(rest.join() === 'ErrorResponse 57P01', rest.join(' / '));
    },
  },
];

/** Deadlines that count a running statement as idle. */
export const RT12: readonly AttackGroup[] = [
  {
    id: 'RT12',
    scenario: {
      policy: ALLOW_ALL,
      sql: 'CREATE TABLE t (id int); GRANT ALL ON t TO hoop;',
      resource: 'session: { idle: 1s }',
    },
    attacks,
  },
];
