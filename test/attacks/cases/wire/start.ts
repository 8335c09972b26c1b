/** PG-W1 to PG-W7, PG-W29: how a session begins. */
import { connect as connectTls } from 'node:tls';
import { PROTOCOL_3_0, PROTOCOL_3_2 } from '../../../../src/wire/postgres/startup.ts';
import { i32, message, raw, str } from '../../../support/postgres/messages.ts';
import {
  line,
  logInRaw,
  query,
  RawClient,
  type RawLogin,
  startupPacket,
} from '../../../support/postgres/raw-client.ts';
import type { Tunnel } from '../../../support/stack.ts';
import { type Attack, must } from '../../attack.ts';
import type { World } from '../../world.ts';
import {
  closed,
  entries,
  exchange,
  GSS,
  mustBegin,
  octet,
  packet,
  SSL,
  sqlstateIn,
  unseen,
  VERSION_3,
} from './octets.ts';

/** Refused as FATAL, before the target hears of anything. */
function fatal(id: string, what: string, sqlstate: string, octets: (tunnel: Tunnel) => Buffer): Attack {
  return {
    id,
    case: what,
    run: async (world) => {
      await mustBegin(world);
      const { tunnel } = world;
      await unseen(world, async () => {
        const received = await exchange(world, octets(tunnel));
        const said = sqlstateIn(received);
        must(said === sqlstate, `answered ${JSON.stringify(received.toString('latin1'))}`);
      });
    },
  };
}

/** Requests for encryption, each answered by N, then a login that works; the server itself takes them too. */
function declined(what: string, requests: readonly Buffer[]): Attack {
  return {
    id: 'PG-W3',
    case: what,
    run: async (world) => {
      const server = await world.dial(world.target);
      const known = await octet(server, requests[0]!);
      must(/^[NSG]$/.test(known), `dead: the server answers ${JSON.stringify(known)}`);
      const client = await world.dial();
      client.socket.removeAllListeners('data');
      for (const request of requests) {
        const answer = new Promise<Buffer>((resolve) => client.socket.once('data', resolve));
        client.socket.write(request);
        const said = (await answer).toString('latin1');
        must(said === 'N', `answered ${JSON.stringify(said)}`);
      }
      const session = await logInRaw(new RawClient(client.socket), world.tunnel);
      must((await session.ask(query('select 1'))).includes('DataRow 1'), 'it does not work behind them');
    },
  };
}

const DIRECT_TLS: Attack = {
  id: 'PG-W4',
  case: 'TLS without asking: an alert and a close, where the server itself would speak it',
  majors: [18],
  run: async (world) => {
    const spoken = ({ host, port }: Pick<Tunnel, 'host' | 'port'>) =>
      new Promise<string>((resolve) => {
        const options = { host, port, ALPNProtocols: ['postgresql'], rejectUnauthorized: false };
        const socket = connectTls(options, () => {
          socket.destroy();
          resolve('TLS');
        });
        socket.once('error', (error) => resolve(error.message));
      });
    const control = await spoken(world.target);
    must(control === 'TLS', `dead: ${control}`);
    const said = await spoken(world.tunnel);
    must(/alert|handshake failure/i.test(said), `it said ${said}`);
  },
};

/** A version or an option is negotiated as the sheet has it, and the session works. */
function negotiated(what: string, options: RawLogin, expected: string): Attack {
  return {
    id: 'PG-W5',
    case: what,
    run: async (world) => {
      const client = await world.through(options);
      const { version, unknownOptions = [] } = client.negotiated ?? {};
      const got = [client.key?.key.length, version?.toString(16) ?? '', ...unknownOptions].join(' ');
      must(got === expected, got);
      must((await client.ask(query('select 1'))).includes('DataRow 1'), 'it does not work behind them');
    },
  };
}

/** What the client calls itself and its database goes nowhere: it could be an option of something else. */
function named(name: string): Attack {
  return {
    id: 'PG-W7',
    case: `a user and a database of ${JSON.stringify(name)}`,
    run: async (world) => {
      const parameters = { user: name, database: name };
      const direct = await world.direct({ parameters }).then(
        () => 'let in',
        (error: Error) => error.message,
      );
      must(direct.startsWith('refused'), `dead: the server itself knows it: ${direct}`);
      const client = await world.through({ parameters });
      const lines = await client.ask(query('select current_user, current_database()'));
      must(lines.includes('DataRow hoop|shop'), lines.join(' / '));
    },
  };
}

/** Replication is refused, where the role could do it at the server. */
function replication(value: string): Attack {
  return {
    id: 'PG-W6',
    case: `replication=${value}`,
    run: async (world) => {
      if (value === 'database') {
        const server = await world.direct({ parameters: { replication: value } });
        const known = await server.ask(query('IDENTIFY_SYSTEM'));
        must(
          known.some((one) => one.startsWith('DataRow')),
          `dead: ${known.join(' / ')}`,
        );
      }
      await unseen(world, async () => {
        const refused = await world.through({ parameters: { replication: value } }).then(
          () => 'let in',
          (error: Error) => error.message,
        );
        must(refused.includes('0A000'), refused);
      });
    },
  };
}

/** Who does not prove the tunnel's secret gets nowhere; the target does not hear of it. */
function stranger(what: string, attempt: (world: World) => Promise<string>): Attack {
  return {
    id: 'PG-W29',
    case: what,
    run: async (world) => {
      (await world.through()).close();
      await unseen(world, async () => {
        const refused = await attempt(world);
        must(/28P01|08P01|28000/.test(refused), refused);
      });
    },
  };
}

/** Starts a login, says something else than a proof, and gives what is said to that. */
async function instead(world: World, ...messages: readonly Buffer[]): Promise<string> {
  const client = await world.dial();
  client.send(startupPacket(world.tunnel));
  await client.until('Authentication');
  client.send(...messages);
  const lines = (await client.until('ErrorResponse')).map(line);
  await closed(client);
  return lines.join(' / ');
}

const long = 'x'.repeat(10_001);

export const START: readonly Attack[] = [
  fatal('PG-W1', 'a startup packet behind SSLRequest in one segment', '08P01', (at) =>
    Buffer.concat([SSL, startupPacket(at)]),
  ),
  fatal('PG-W1', 'a startup packet behind GSSENCRequest in one segment', '08P01', (at) =>
    Buffer.concat([GSS, startupPacket(at)]),
  ),
  fatal('PG-W1', 'SSLRequest twice in one segment', '08P01', () => Buffer.concat([SSL, SSL])),
  declined('SSLRequest', [SSL]),
  declined('GSSENCRequest, then SSLRequest', [GSS, SSL]),
  declined('SSLRequest, then GSSENCRequest', [SSL, GSS]),
  {
    id: 'PG-W3',
    case: 'SSLRequest asked again and again',
    run: async (world) => {
      const client = await world.dial();
      client.socket.removeAllListeners('data');
      const heard: Buffer[] = [];
      client.socket.on('data', (chunk: Buffer) => heard.push(chunk));
      client.send(SSL);
      await new Promise((resolve) => client.socket.once('data', resolve));
      client.send(SSL);
      await closed(client);
      must(sqlstateIn(Buffer.concat(heard)) === '08P01', Buffer.concat(heard).toString('latin1'));
    },
  },
  DIRECT_TLS,
  negotiated('3.0: a key of four octets', {}, '4 '),
  negotiated('3.2: a long key', { version: PROTOCOL_3_2 }, '32 '),
  negotiated('3.1, which was never released', { version: 0x0003_0001 }, `4 ${PROTOCOL_3_0.toString(16)}`),
  negotiated('3.9999', { version: 0x0003_270f }, `32 ${PROTOCOL_3_2.toString(16)}`),
  negotiated(
    'options of the protocol that nobody knows',
    { version: PROTOCOL_3_2, protocolOptions: { '_pq_.x': '1' } },
    `32 ${PROTOCOL_3_2.toString(16)} _pq_.x`,
  ),
  fatal('PG-W6', 'protocol 2.0', '0A000', () => packet(i32(0x0002_0000), Buffer.alloc(288))),
  fatal('PG-W6', 'a length of 3', '08P01', () => i32(3)),
  fatal('PG-W6', 'a length of 2 GiB', '08P01', () => Buffer.concat([i32(0x7fff_ffff), VERSION_3])),
  fatal('PG-W6', 'a negative length', '08P01', () => Buffer.concat([i32(-1), VERSION_3])),
  fatal('PG-W6', 'more than 10,000 octets', '08P01', () => packet(VERSION_3, ...entries('user', long))),
  fatal('PG-W6', 'no user', '08P01', () => packet(VERSION_3, ...entries('database', 'shop'))),
  fatal('PG-W6', 'octets behind the list', '08P01', () => packet(VERSION_3, ...entries('user', 'a'), raw(1))),
  fatal('PG-W6', 'no end of the list', '08P01', () => packet(VERSION_3, str('user'), str('a'))),
  fatal('PG-W6', 'a name without a value', '08P01', () => packet(VERSION_3, str('user'), raw(0))),
  {
    id: 'PG-W6',
    case: 'a user given twice: whichever counts, it is the tunnel’s own session, and the last setting, as at the server',
    run: async (world) => {
      const words = ['user', 'postgres', 'timezone', 'UTC', 'user', world.tunnel.user, 'TimeZone', 'CET'];
      const startup = packet(VERSION_3, ...entries(...words));
      const client = await world.through({ startup });
      const lines = await client.ask(query("select current_user, current_setting('timezone')"));
      must(lines.includes('DataRow hoop|CET'), lines.join(' / '));
    },
  },
  ...['database', 'true', 'on', '1', 'yes'].map(replication),
  ...["x' host=evil dbname='y", 'a=b c', 'ü ; drop', '../../etc', 'host=evil'].map(named),
  fatal('PG-W7', 'a NUL within the user', '08P01', () =>
    packet(VERSION_3, str('user'), Buffer.from('a\0options\0-c x=y'), raw(0, 0, 0)),
  ),
  stranger('a password that is guessed', (world) =>
    world.through({ password: 'guess' }).then(
      () => 'let in',
      (error: Error) => error.message,
    ),
  ),
  stranger('a statement instead of a proof', (world) => instead(world, query('select 1'))),
  stranger('a password in clear instead of a proof', (world) => instead(world, message('p', str('guess')))),
  stranger('another way to prove it than was asked for', (world) =>
    instead(world, message('p', str('PLAIN'), i32(4), Buffer.from('none'))),
  ),
  stranger('a message of 32 MiB instead of a proof', (world) =>
    instead(world, Buffer.concat([Buffer.from('Q'), i32(32 * 1024 * 1024)])),
  ),
];
