/** S6: ports and sockets at which the host listens for a client, and what else is asked of a connection. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { hostname } from 'node:os';
import { string, uint32 } from '../../../../src/wire/ssh/fields.ts';
import { freePort } from '../../../support/postgres/server.ts';
import { eventually } from '../../../support/waiting.ts';
import { must } from '../../attack.ts';
import type { SshClient } from '../client.ts';
import type { SshAttack, SshGroup } from '../world.ts';

/** The host listens where no gateway stands, and does not where one does. */
function listens(
  what: string,
  request: (place: string, port: number) => readonly [string, ...Buffer[]],
  is: (place: string, port: number) => boolean | Promise<boolean>,
): SshAttack {
  return {
    case: what,
    run: async (world) => {
      const { place } = world;
      const attempt = async (client: SshClient) => {
        place.reset();
        const port = await freePort();
        const done = await client.ask(...request(place.path, port));
        return done && (await is(place.path, port));
      };
      const direct = await world.direct();
      must(await attempt(direct), 'dead: the host does not listen');
      direct.close();
      const client = await world.through();
      must(!(await attempt(client)), 'the host listens');
      must((await client.exec('true')).code === 0, 'the connection does not go on');
    },
  };
}

async function reachable(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = createConnection(port, host);
  const found = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return found;
}

const ADDRESSES = ['0.0.0.0', '127.0.0.1', '', 'localhost', '::', '::1', '*'];

/** One that is refused changes nothing; the answer says so. */
function notDone(name: string, ...fields: readonly Buffer[]): SshAttack {
  return {
    case: `${name} is answered, and not done`,
    run: async (world) => {
      const client = await world.through();
      must(!(await client.ask(name, ...fields)), 'it is said to be done');
      must((await client.exec('true')).code === 0, 'the connection does not go on');
    },
  };
}

/** Where the resource has hosts listen on loopback, and policy permits all that may be permitted. */
export const S6_LOOPBACK: SshGroup = {
  id: 'S6',
  policy: () => '@id("all") permit (principal, action, resource);',
  resource: '    session: { listens: loopback }',
  attacks: [
    {
      case: 'a port on loopback, which is permitted, and is gone with its client',
      run: async (world) => {
        const port = await freePort();
        const client = await world.through();
        must(
          await client.ask('tcpip-forward', string('127.0.0.1'), uint32(port)),
          'dead: the host does not listen where it may',
        );
        must(await reachable(port), 'dead: nobody listens');
        client.close();
        await eventually('the host listens on', async () => !(await reachable(port)));
      },
    },
    ...[
      '0.0.0.0',
      '',
      '::',
      '*',
      '0',
      '0:0::0',
      '::ffff:0.0.0.0',
      '::ffff:127.0.0.1',
      '127.1',
      hostname(),
    ].map((address) => notDone('tcpip-forward', string(address), uint32(28_082))),
    ...[
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.evil.example',
      '192.0.2.1',
      'localhost\0',
      ' localhost',
    ].map((address) => notDone('tcpip-forward', string(address), uint32(28_082))),
    ...[65_536, 0xffffffff].map((port) => notDone('tcpip-forward', string('localhost'), uint32(port))),
    notDone('streamlocal-forward@openssh.com', string('/tmp/hoop-listening')),
    notDone('cancel-tcpip-forward', string('localhost'), uint32(22)),
  ],
};

export const S6: SshGroup = {
  id: 'S6',
  policy: () => '@id("all") permit (principal, action, resource);',
  attacks: [
    ...ADDRESSES.map((address) =>
      listens(
        `tcpip-forward of ${JSON.stringify(address)}`,
        (_, port) => ['tcpip-forward', string(address), uint32(port)],
        (_, port) => reachable(port, address.includes(':') ? '::1' : '127.0.0.1'),
      ),
    ),
    listens(
      'tcpip-forward of a port that the host chooses',
      () => ['tcpip-forward', string('127.0.0.1'), uint32(0)],
      () => true,
    ),
    listens(
      'streamlocal-forward',
      (place) => ['streamlocal-forward@openssh.com', string(`${place}/listening`)],
      (place) => existsSync(`${place}/listening`),
    ),
    notDone('cancel-tcpip-forward', string('127.0.0.1'), uint32(22)),
    notDone('cancel-streamlocal-forward@openssh.com', string('/tmp/x')),
    notDone('hostkeys-prove-00@openssh.com', string('x')),
    {
      case: 'ssh -R',
      run: async (world) => {
        const attempt = async (by: 'program' | 'programDirect') => {
          const port = await freePort();
          const end = await world[by]('ssh', [
            '-o',
            'ExitOnForwardFailure=yes',
            '-R',
            `${port}:127.0.0.1:9`,
            'box',
            'echo done',
          ]);
          return end.stdout === 'done\n';
        };
        must(await attempt('programDirect'), 'dead: the host does not listen');
        must(!(await attempt('program')), 'the host listens');
      },
    },
    {
      case: 'ssh -A, so that the host may use the keys of the client',
      run: async (world) => {
        const socket = async (by: 'program' | 'programDirect') => {
          const { stdout } = await world.withAgent(by, [
            '-A',
            'box',
            'test -S "$SSH_AUTH_SOCK" && echo agent',
          ]);
          return stdout === 'agent\n';
        };
        must(await socket('programDirect'), 'dead: the host has no agent');
        must(!(await socket('program')), 'the host has the agent');
      },
    },
  ],
};
