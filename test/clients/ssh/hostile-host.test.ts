import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { string } from '../../../src/wire/ssh/fields.ts';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';
import { freshKey } from '../../support/ssh/fresh-key.ts';
import { ended, exec, sendRequest, sshInside, sshOver } from '../../support/ssh/raw-client.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh", Action::"reveal"], resource);
@id("not-killed") forbid (principal, action == Action::"ssh.signal", resource) when { context.signal == "KILL" };
`;

/** Does in a channel what a test wants, whatever is asked for. */
let serve: (channel: ServerChannel, client: Connection) => void;
/** Spoils a connection before anything is opened on it. */
let confirm: (client: Connection) => void = () => undefined;
/** Names of signals that it has got. */
const signals: string[] = [];
/** Channels that hoopd has left. */
let left = 0;

let running: RunningGateway;
let caller: Caller;
let stop: () => void;

beforeAll(async () => {
  const key = freshKey();
  const clients = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [key.text] }, (client) => {
    clients.add(client.on('error', () => undefined));
    client.on('authentication', (asked) => asked.accept());
    client.once('ready', () => confirm(client));
    client.on('session', (accept) => {
      const session = accept();
      session.on('close', () => left++);
      session.on('signal', (_accept, _reject, { name }) => signals.push(name));
      session.on('exec', (run) =>
        serve(
          run().on('error', () => undefined),
          client,
        ),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stop = () => {
    server.close();
    for (const client of clients) client.end();
  };
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `
  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${(server.address() as AddressInfo).port}, hostKeys: ["${key.line}"] }
    credentials: { user: hoop, password: { file: password } }`,
    adapter: null,
  });
  caller = await running.person(['developers'], { agent: 'copilot' });
});

afterAll(async () => {
  await running?.remove();
  stop?.();
});

const run = async (how: typeof serve) => {
  serve = how;
  const { client, socket } = await sshOver(caller, 'host-1');
  const channel = await exec(client, 'anything');
  return { client, socket, channel };
};

const wellBehaved: typeof serve = (channel) => {
  channel.write('well\n');
  channel.exit(0);
  channel.end();
};

it('tells the signal that ended a program, and nothing that the host says beside it', async () => {
  const { client, channel } = await run((host) => {
    host.exit('TERM', false, 'card 4111 1111 1111 1111');
    host.end();
  });
  const { exit } = await ended(channel);
  expect(exit).toEqual([null, 'SIGTERM', false, '']);
  client.end();
});

it('ends in good order what a signal has ended of which nobody knows, and repeats nothing of its name', async () => {
  const { client, channel } = await run((host, connection) => {
    const none = Buffer.of(0, 0, 0, 0);
    sendRequest(connection, host, 'exit-signal', string('card-4111111111111111'), Buffer.of(0), none, none);
    host.end();
  });
  expect((await ended(channel)).exit).toEqual([null, 'SIGTERM', false, '']);
  client.end();
});

it.each(['kill', 'SIGKILL', 'KILL', 'NOSUCH', 'x'.repeat(9000)])(
  'is sent no signal that policy does not permit, or that is none: %#',
  async (name) => {
    const { client, channel } = await run((host) => host.write('runs'));
    await once(channel, 'data');
    sendRequest(client, channel, 'signal', string(name));
    sendRequest(client, channel, 'signal', string('TERM'));
    await eventually('the one that may be is there', () => signals.length > 0);
    expect(signals.splice(0)).toEqual(['TERM']);
    client.end();
  },
);

it('hears that a channel is closed whose client has not got rid of all that it wrote', async () => {
  const { client, channel } = await run((host) => host.write('runs'));
  await once(channel, 'data');
  const before = left;
  channel.write(Buffer.alloc(8_000_000));
  await eventually('there is no room', () => channel.writableNeedDrain);
  channel.close();
  await eventually('the host hears of it', () => left > before);
  client.end();
});

it('is left when it opens a channel whose packets hold nothing, and the next session is served', async () => {
  serve = () => undefined;
  confirm = (connection) => {
    const inside = sshInside(connection);
    const said = inside.channelOpenConfirm;
    inside.channelOpenConfirm = (to, from, window) => said.call(inside, to, from, window, 0);
  };
  const { client } = await sshOver(caller, 'host-1');
  const channel = await exec(client, 'anything');
  channel.write('into nothing');
  expect(await ended(channel)).toMatchObject({ stderr: expect.stringContaining('ERR_TARGET_LOST') });
  confirm = () => undefined;
  const next = await run(wellBehaved);
  expect(await ended(next.channel)).toMatchObject({ stdout: 'well\n', exit: [0] });
  next.client.end();
});

it('is left when it sends more than it was told that it may', async () => {
  const { client, socket } = await run((host, connection) => {
    const { outgoing } = host as unknown as { readonly outgoing: { readonly id: number } };
    const inside = sshInside(connection);
    for (let sent = 0; sent < 12; sent++) inside.channelData(outgoing.id, Buffer.alloc(1_000_000));
  });
  await once(socket, 'close');
  client.end();
});

it('what a session leaves unread is bounded for all together: who holds most gives way, and others are served', async () => {
  // Takes nothing of what it is sent.
  confirm = (connection) => {
    const inside = sshInside(connection);
    const said = inside.channelOpenConfirm;
    inside.channelOpenConfirm = (to, from, window, packetSize) => {
      said.call(inside, to, from, serve === wellBehaved ? window : 0, packetSize);
    };
  };
  const most = await run((host) => host.write('runs'));
  const ends = new Promise<Error>((resolve) => most.client.once('error', resolve));
  const closed = new Promise((resolve) => most.client.once('close', () => resolve(undefined)));
  for (let channels = 0; channels < 80; channels++) {
    const channel = await exec(most.client, 'anything').catch(() => undefined);
    channel?.write(Buffer.alloc(2 * 1024 * 1024));
  }
  expect((await ends).message).toContain('ERR_BUSY');
  await closed;
  const other = await run(wellBehaved);
  expect(await ended(other.channel)).toMatchObject({ stdout: 'well\n', exit: [0] });
  other.client.end();
  confirm = () => undefined;
}, 30_000);
