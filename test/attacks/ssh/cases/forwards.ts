/** S5: connections that the host makes for a client, to whatever it can reach. */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { string, uint32 } from '../../../../src/wire/ssh/fields.ts';
import { must } from '../../attack.ts';
import { servesOn } from '../attack.ts';
import type { SshClient } from '../client.ts';
import { Listener } from '../listener.ts';
import type { SshAttack, SshGroup, SshWorld } from '../world.ts';

const PROHIBITED = 1;

/** Tries it where no gateway stands, then through it; nobody is reached, and the client is served as before. */
function reaches(
  what: string,
  attempt: (client: SshClient, world: SshWorld, listener: Listener) => Promise<unknown>,
  where: (world: SshWorld) => string | 0 = () => 0,
): SshAttack {
  return {
    case: what,
    run: async (world) => {
      world.place.reset();
      const listener = await Listener.on(where(world));
      try {
        await attempt(await world.direct(), world, listener).catch(() => undefined);
        must(listener.reached > 0, 'dead: nothing is reached where no gateway stands');
        listener.reached = 0;
        const refusal = await attempt(await world.through(), world, listener).then(
          () => undefined,
          (error: Error & { reason?: number }) => error,
        );
        must(listener.reached === 0, 'it was reached');
        must(refusal !== undefined, 'the client was not told');
        const { reason = PROHIBITED } = refusal;
        must(reason === PROHIBITED, `it was refused for the reason ${reason}: ${refusal.message}`);
        await servesOn(world);
      } finally {
        listener.stop();
      }
    },
  };
}

/** Names of the host itself, as somebody writes them who wants not to be understood. */
const LOOPBACK = [
  ...[
    '127.0.0.1',
    'localhost',
    '::1',
    '0',
    '0.0.0.0',
    '::',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
  ],
  ...[
    '017700000001',
    '0177.0.0.1',
    '127.0.0.2',
    '127.255.255.254',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    'LOCALHOST',
  ],
  ...['0:0:0:0:0:0:0:1', '0000::0001', hostname()],
];

async function opened(client: SshClient, host: string, port: number): Promise<void> {
  const channel = await client.forward(host, port);
  channel.on('error', () => undefined).resume();
  channel.end();
  await once(channel, 'close');
}

/** By bare message; the answer says whether it was opened. */
async function openedAny(client: SshClient, type: string, ...fields: readonly Buffer[]): Promise<void> {
  const {
    name,
    fields: [, reason, text],
  } = await client.openAny(type, ...fields);
  if (name === 'CHANNEL_OPEN_FAILURE')
    throw Object.assign(new Error(String(text)), { reason: Number(reason) });
}

/** A program of OpenSSH, which speaks for itself. */
function byProgram(
  what: string,
  args: (port: number, place: string) => readonly string[],
  then?: string,
): SshAttack {
  return {
    case: what,
    run: async (world) => {
      world.place.reset();
      const listener = await Listener.on(0);
      const local = world.place.at('local');
      try {
        const run = async (by: 'program' | 'programDirect') => {
          const all = [...args(listener.port, local), 'box', ...(then === undefined ? [] : [then])];
          return world[by]('ssh', all);
        };
        await run('programDirect');
        must(listener.reached > 0, 'dead: nothing is reached where no gateway stands');
        listener.reached = 0;
        world.place.reset();
        const { code, stderr } = await run('program');
        must(listener.reached === 0, 'it was reached');
        must(code !== 0, `ssh ended well: ${stderr}`);
      } finally {
        listener.stop();
      }
    },
  };
}

/** Something else than commands may go on, and somewhere to go there is. */
const ONE_PLACE = (place: string) => `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"ssh.exec"], resource);
@id("one") permit (principal, action == Action::"ssh.forward-local", resource is Address) when { resource.host == "192.0.2.1" };
@id("data") permit (principal, action in Action::"sftp", resource is Path) when { resource.path like "${place}/*" };
`;

/** Everywhere but to the host itself. */
const NOT_HERE = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal", Action::"ssh.exec", Action::"ssh.forward"], resource);
@id("not-here") forbid (principal, action in Action::"ssh.forward", resource is Address)
when { ["127.0.0.1", "localhost", "::1"].contains(resource.host) };
`;

const fromHere = [string('127.0.0.1'), uint32(1)];

const OPENINGS: readonly (readonly [string, ...Buffer[]])[] = [
  ['tun@openssh.com', uint32(1), uint32(0x7fffffff)],
  ['forwarded-tcpip', string('127.0.0.1'), uint32(22), ...fromHere],
  ['forwarded-streamlocal@openssh.com', string('/tmp/x'), string('')],
  ['x11', ...fromHere],
  ['auth-agent@openssh.com'],
  ['session\0'],
  ['SESSION'],
  [''],
  ['direct-tcpip\0', string('127.0.0.1'), uint32(22), ...fromHere],
];

/** No server opens it, for anybody. */
function notOpened(type: string, fields: readonly Buffer[]): SshAttack {
  return {
    case: `a channel of the kind ${JSON.stringify(type)}`,
    run: async (world) => {
      const client = await world.through();
      const { name } = await client.openAny(type, ...fields);
      must(name === 'CHANNEL_OPEN_FAILURE', 'it was opened');
      must((await client.exec('true')).code === 0, 'the connection does not go on');
    },
  };
}

/** Where clouds tell machines who they are, by their addresses and by names of them. */
const METADATA = [
  ...[
    '169.254.169.254',
    '[169.254.169.254]',
    '169.254.169.254.',
    '169.254.43518',
    '2852039166',
    '0xa9fea9fe',
  ],
  ...[
    '0xa9.0xfe.0xa9.0xfe',
    '0251.0376.0251.0376',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
  ],
  ...[
    'fd00:ec2::254',
    'FD00:0EC2::0254',
    'fe80::1',
    '100.100.100.200',
    '192.0.2.1.',
    '192.0.2.1%0',
    ' 192.0.2.1',
    '192.0.2.1 ',
  ],
  ...[
    'metadata.google.internal',
    'METADATA.google.internal.',
    '169.254.169.254.nip.io',
    'instance-data',
    '192.0.2.1\0x',
  ],
  ...[
    '192.0.2.01',
    '192.0.2.1:80',
    '192.0.2.1/x',
    '192.0.2.1,169.254.169.254',
    'user@192.0.2.1',
    '-oProxyCommand=x',
  ],
];

/** The one place that is permitted is called as policy calls it; nothing else is asked of the host. */
function notReached(host: string): SshAttack {
  return {
    case: `a connection to ${JSON.stringify(host)}`,
    run: async (world) => {
      const client = await world.through();
      const answer = (to: string) =>
        openedAny(client, 'direct-tcpip', string(to), uint32(80), ...fromHere).then(
          () => ({ reason: 0, message: '' }),
          (error: Error & { reason: number }) => error,
        );
      const allowed = await answer('localhost.invalid');
      must(allowed.reason === PROHIBITED, `dead: a denial is ${allowed.reason}`);
      const { reason, message } = await answer(host);
      must(reason === PROHIBITED, `it was answered by ${reason}: ${message}`);
      must(!message.includes('ERR_TARGET'), `the host was asked: ${message}`);
      must((await client.exec('true')).code === 0, 'the connection does not go on');
    },
  };
}

export const S5: SshGroup = {
  id: 'S5',
  policy: ONE_PLACE,
  attacks: [
    ...LOOPBACK.map((host) =>
      reaches(`a connection to ${host}`, (client, _, { port }) => opened(client, host, port)),
    ),
    reaches('by a bare message', (client, _, { port }) =>
      openedAny(client, 'direct-tcpip', string('127.0.0.1'), uint32(port), ...fromHere),
    ),
    reaches('beside a command that is permitted', async (client, _, { port }) => {
      const { end } = await client.open('sleep 0.2');
      await Promise.all([end, opened(client, '127.0.0.1', port)]);
    }),
    reaches(
      'a socket of the file system',
      (client, { place }) =>
        new Promise<void>((resolve, reject) => {
          client.client.openssh_forwardOutStreamLocal(place.at('data/socket'), (error, channel) => {
            if (error !== undefined) reject(error);
            else channel.on('close', resolve).resume().end();
          });
        }),
      (world) => world.place.at('data/socket'),
    ),
    byProgram('ssh -W', (port) => ['-W', `127.0.0.1:${port}`]),
    byProgram('ssh -W, of a name', (port) => ['-W', `localhost:${port}`]),
    byProgram('ssh -W, in capitals', (port) => ['-W', `LOCALHOST:${port}`]),
    byProgram('ssh -W, of IPv6', (port) => ['-W', `[::1]:${port}`]),
    ...METADATA.map(notReached),
    ...OPENINGS.map(([type, ...fields]) => notOpened(type, fields)),
  ],
};

/** Aliases of what a rule names, where anything else is permitted. */
export const S5_ALIASES: SshGroup = {
  id: 'S5',
  policy: () => NOT_HERE,
  attacks: [
    ...LOOPBACK.filter((host) => !['127.0.0.2', '127.255.255.254', hostname()].includes(host)),
    '0:0:0:0:0:0:0:0',
    '::ffff:0.0.0.0',
  ].map((host) => reaches(`${host}, which is here too`, (client, _, { port }) => opened(client, host, port))),
};
