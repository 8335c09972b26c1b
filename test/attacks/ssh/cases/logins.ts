/** S10, S11 and S12: who does not hold the tunnel's key, names that are tricks, and octets that are no SSH. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import ssh2 from 'ssh2';
import { string, strings, uint32 } from '../../../../src/wire/ssh/fields.ts';
import { freshKey } from '../../../support/ssh/fresh-key.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import { servesOn, unheard } from '../attack.ts';
import { SshClient } from '../client.ts';
import { RawChannel } from '../raw-channel.ts';
import type { SshAttack, SshGroup, SshWorld } from '../world.ts';

/** Of messages, RFC 4250 §4.1.2. */
const [SERVICE_REQUEST, USERAUTH_REQUEST, USERAUTH_SUCCESS, GLOBAL_REQUEST, OPEN] = [5, 50, 52, 80, 90];
const RSS_BYTES = 128 * 1024 * 1024;

/** One that has shaken hands and not logged in says something; then nothing is opened for it. */
function outside(what: string, say: (client: SshClient, world: SshWorld) => void): SshAttack {
  return {
    case: what,
    run: (world) =>
      unheard(world, async () => {
        const client = world.begin({ host: '127.0.0.1', port: world.port, authHandler: () => undefined });
        await client.heard('no service', ({ name }) => name === 'SERVICE_ACCEPT');
        say(client, world);
        client.say(
          Buffer.concat([Buffer.of(OPEN), string('session'), uint32(9), uint32(65_536), uint32(32_768)]),
        );
        const answered = () =>
          client.closed || client.received.some(({ name }) => name === 'CHANNEL_OPEN_FAILURE');
        await eventually('neither refused nor closed', answered);
        const opened = client.received.find(({ name }) =>
          /^CHANNEL_OPEN_CONF|USERAUTH_SUCCESS|REQUEST_SUCCESS/.test(name),
        );
        must(opened === undefined, `it was answered by ${opened?.name}`);
        client.close();
        await servesOnLater(world);
      }),
  };
}

/** Of the host nothing is asked: that is what `unheard` looks at. */
async function servesOnLater(world: SshWorld): Promise<void> {
  const client = await world.through();
  must((await client.exec('rm -rf /nonexistent')).code === 126, 'who holds the key is not served any more');
  client.close();
}

const publicKey = (world: SshWorld) => (ssh2.utils.parseKey(world.key) as ssh2.ParsedKey).getPublicSSH();

/** A try by public key. @param signature Undefined: it only asks whether the key would do. */
function byKey(
  blob: Buffer,
  signature?: Buffer,
  [user, service]: readonly [string, string] = ['me', 'ssh-connection'],
): Buffer {
  const signed =
    signature === undefined ? [] : [string(Buffer.concat([string('ssh-ed25519'), string(signature)]))];
  const flag = Buffer.of(signature === undefined ? 0 : 1);
  return Buffer.concat([
    ...[
      Buffer.of(USERAUTH_REQUEST),
      strings(user, service, 'publickey'),
      flag,
      string('ssh-ed25519'),
      string(blob),
    ],
    ...signed,
  ]);
}

const otherKey = () => (ssh2.utils.parseKey(freshKey().text) as ssh2.ParsedKey).getPublicSSH();

export const S10: SshGroup = {
  id: 'S10',
  attacks: [
    outside('opens a channel', () => undefined),
    outside('asks whether the key would do, and signs nothing', (client, world) =>
      client.say(byKey(publicKey(world))),
    ),
    outside('asks it three times', (client, world) => {
      for (let time = 0; time < 3; time++) client.say(byKey(publicKey(world)));
    }),
    outside('signs with zeros', (client, world) => client.say(byKey(publicKey(world), Buffer.alloc(64)))),
    outside('signs with nothing', (client, world) => client.say(byKey(publicKey(world), Buffer.alloc(0)))),
    outside('asks with the key, and signs with another', (client, world) => {
      client.say(byKey(publicKey(world)));
      client.say(byKey(otherKey(), Buffer.alloc(64)));
    }),
    outside('says that it has logged in', (client) => client.say(Buffer.of(USERAUTH_SUCCESS))),
    outside('says nothing by the method none', (client) =>
      client.say(Buffer.concat([Buffer.of(USERAUTH_REQUEST), strings('me', 'ssh-connection', 'none')])),
    ),
    outside('another user for each try', (client, world) => {
      for (const user of ['me', 'root', ''])
        client.say(byKey(publicKey(world), undefined, [user, 'ssh-connection']));
    }),
    outside('another service', (client, world) =>
      client.say(byKey(publicKey(world), undefined, ['me', 'ssh-userauth'])),
    ),
    outside('the service of connections, without a login', (client) =>
      client.say(Buffer.concat([Buffer.of(SERVICE_REQUEST), string('ssh-connection')])),
    ),
    outside('asks something of the connection', (client) =>
      client.say(
        Buffer.concat([
          Buffer.of(GLOBAL_REQUEST),
          string('tcpip-forward'),
          Buffer.of(1),
          string(''),
          uint32(0),
        ]),
      ),
    ),
    outside('a certificate', (client) =>
      client.say(
        Buffer.concat([
          ...[Buffer.of(USERAUTH_REQUEST), strings('me', 'ssh-connection', 'publickey'), Buffer.of(0)],
          ...[
            string('ssh-ed25519-cert-v01@openssh.com'),
            string(Buffer.concat([string('ssh-ed25519-cert-v01@openssh.com')])),
          ],
        ]),
      ),
    ),
    outside('two keys in one', (client, world) =>
      client.say(byKey(Buffer.concat([publicKey(world), publicKey(world)]))),
    ),
    outside('a thousand keys', (client) => {
      for (let n = 0; n < 1000; n++) client.say(byKey(otherKey()));
    }),
    outside('a thousand passwords', (client) => {
      for (let n = 0; n < 1000; n++)
        client.say(
          Buffer.concat([
            Buffer.of(USERAUTH_REQUEST),
            strings('me', 'ssh-connection', 'password'),
            Buffer.of(0),
            string('x'),
          ]),
        );
    }),
    outside('questions, a thousand times', (client) => {
      for (let n = 0; n < 1000; n++)
        client.say(
          Buffer.concat([
            Buffer.of(USERAUTH_REQUEST),
            strings('me', 'ssh-connection', 'keyboard-interactive', '', ''),
          ]),
        );
    }),
  ],
};

const USERS = [
  ...[
    'nobody',
    'daemon',
    'root%pg-prod',
    'root@host@x',
    '../root',
    '-oProxyCommand=x',
    'root\0nobody',
    'x'.repeat(10_000),
    '',
  ],
  ...['root\nAccepted', '$(id)', 'nobody ', '\u202etoor'],
];

export const S11: SshGroup = {
  id: 'S11',
  attacks: USERS.map((username) => ({
    case: `the user ${JSON.stringify(username.slice(0, 40))}`,
    run: async (world) => {
      const others = () =>
        world.host.log.match(/Invalid user|illegal user|for (?!root )\S+ from/gi)?.length ?? 0;
      const before = others();
      const client = await SshClient.login({ ...world.throughConfig, username }).catch(() => undefined);
      if (client !== undefined)
        must((await client.exec(`ls ${world.place.at('data')}`)).code === 0, 'it is not served');
      client?.close();
      must(others() === before, 'the host has heard of another user');
      await servesOn(world);
    },
  })),
};

/** Octets in place of SSH: the connection ends, and hoopd does not grow. */
function octets(what: string, parts: readonly (Buffer | string)[]): SshAttack {
  return {
    case: what,
    run: (world) =>
      unheard(world, async () => {
        const before = process.memoryUsage().rss;
        const socket = createConnection(world.port, '127.0.0.1');
        const closed = once(socket, 'close');
        socket.on('error', () => undefined).resume();
        await once(socket, 'connect');
        for (const part of parts) socket.write(part);
        socket.end();
        await closed;
        must(process.memoryUsage().rss - before < RSS_BYTES, 'hoopd has grown');
        await servesOnLater(world);
      }),
  };
}

const IDENT = 'SSH-2.0-x\r\n';
const packetOf = (length: number, ...rest: readonly Buffer[]) => Buffer.concat([uint32(length), ...rest]);

/** After a login; the connection may end, nobody else's does, and hoopd does not grow. */
function inside(what: string, act: (client: SshClient, world: SshWorld) => Promise<void>): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const before = process.memoryUsage().rss;
      const client = await world.through();
      await act(client, world);
      must(process.memoryUsage().rss - before < RSS_BYTES, 'hoopd has grown');
      client.close();
      await servesOn(world);
    },
  };
}

export const S12: SshGroup = {
  id: 'S12',
  attacks: [
    octets('a packet of 4 GiB', [IDENT, packetOf(0xffffffff, Buffer.alloc(64))]),
    octets('a packet of 256 KiB', [IDENT, packetOf(262_144, Buffer.alloc(262_144))]),
    octets('a packet of none', [IDENT, packetOf(0, Buffer.alloc(64))]),
    octets('a packet that is all padding', [IDENT, packetOf(12, Buffer.of(255), Buffer.alloc(11))]),
    octets(
      '64 MiB without a line end',
      Array.from({ length: 64 }, () => Buffer.alloc(1024 * 1024, 'x')),
    ),
    octets('lines before the version', ['x\r\n'.repeat(100_000), IDENT]),
    octets('version 1', ['SSH-1.5-x\r\n', packetOf(12, Buffer.alloc(12))]),
    octets('HTTP', ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n']),
    octets('TLS', [Buffer.from('16030100ff010000fb0303', 'hex'), Buffer.alloc(256)]),
    octets('a list of algorithms that ends within itself', [
      IDENT,
      packetOf(28, Buffer.of(4, 20), Buffer.alloc(16), uint32(0xfffffff0), Buffer.alloc(2)),
    ]),
    octets('new keys before any', [IDENT, packetOf(12, Buffer.of(10, 21), Buffer.alloc(10))]),
    octets('a login before any keys', [IDENT, packetOf(12, Buffer.of(10, 52), Buffer.alloc(10))]),
    inside('2,000 channels', async (client) => {
      for (let n = 0; n < 2000; n++)
        client.say(
          Buffer.concat([
            Buffer.of(OPEN),
            string('session'),
            uint32(20_000 + n),
            uint32(65_536),
            uint32(32_768),
          ]),
        );
      await client.ask('keepalive@openssh.com');
      const opened = client.received.filter(({ name }) => name === 'CHANNEL_OPEN_CONFIRMATION').length;
      must(opened <= 256, `${opened} of them were opened`);
    }),
    inside('12 MiB to a channel that takes none', async (client) => {
      const channel = (await RawChannel.open(client))!;
      channel.exec('ls -R /');
      for (let n = 0; n < 400 && !client.closed; n++) channel.data(Buffer.alloc(32_000, 'x'));
      await client.ended;
    }),
    inside('data to channels that nobody opened', async (client) => {
      for (let n = 0; n < 1000; n++) client.say(Buffer.concat([Buffer.of(94), uint32(n + 3), string('x')]));
      await client.ask('keepalive@openssh.com');
    }),
    inside('messages of kinds that nobody knows', async (client) => {
      for (let type = 101; type < 255; type++) client.say(Buffer.concat([Buffer.of(type), Buffer.alloc(16)]));
      await Promise.race([client.ended, client.ask('keepalive@openssh.com').catch(() => undefined)]);
    }),
    inside('strings that are longer than their messages', async (client) => {
      for (const type of [80, 90, 94, 98])
        client.say(Buffer.concat([Buffer.of(type), uint32(0xfffffff0), uint32(0xfffffff0), Buffer.alloc(8)]));
      await Promise.race([client.ended, client.ask('keepalive@openssh.com').catch(() => undefined)]);
    }),
    inside('a login again', async (client, world) => {
      client.say(byKey(publicKey(world)));
      await Promise.race([client.ended, client.ask('keepalive@openssh.com').catch(() => undefined)]);
    }),
    inside('IGNORE and DEBUG, ten thousand times', async (client) => {
      for (let n = 0; n < 10_000; n++)
        client.say(
          n % 2 === 0
            ? Buffer.concat([Buffer.of(2), string('x')])
            : Buffer.concat([Buffer.of(4, 0), strings('x', '')]),
        );
      await client.ask('keepalive@openssh.com');
    }),
  ],
};
