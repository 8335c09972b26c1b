import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import ssh2, { type ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller, RunningGateway } from '../../support/running-gateway.ts';
import { gatewayBefore } from '../../support/ssh/gateway.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh", Action::"reveal"], resource);
@id("not-there") forbid (principal, action == Action::"ssh.forward-local", resource) when { resource.host == "169.254.169.254" };
`;

let sshd: Sshd;
let upper: Server;
let running: RunningGateway;
let caller: Caller;

/** Answers in capitals, and ends where its client does. */
const inCapitals = (socket: Socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => socket.write(chunk.toString('latin1').toUpperCase(), 'latin1'));
  socket.on('end', () => socket.end());
};

beforeAll(async () => {
  sshd = await startSshd();
  upper = createServer({ allowHalfOpen: true }, inCapitals).listen(0, '127.0.0.1');
  await once(upper, 'listening');
  running = await gatewayBefore(sshd, POLICY);
  caller = await running.person(['developers'], { agent: 'copilot' });
});

afterAll(async () => {
  await running?.remove();
  upper?.close();
  await sshd?.stop();
});

async function connected(): Promise<ssh2.Client> {
  const { socket } = await caller.tunnel('host-1');
  const client = new ssh2.Client()
    .on('error', () => undefined)
    .connect({ sock: socket, username: 'me', strictVendor: false });
  await once(client, 'ready');
  return client;
}

const forward = (client: ssh2.Client, host: string, port: number) =>
  new Promise<ClientChannel>((resolve, reject) =>
    client.forwardOut('127.0.0.1', 1, host, port, (error, channel) =>
      error === undefined ? resolve(channel) : reject(error),
    ),
  );

const textOf = async (channel: ClientChannel) => {
  let text = '';
  for await (const chunk of channel) text += (chunk as Buffer).toString('latin1');
  return text;
};

const port = () => (upper.address() as AddressInfo).port;

describe('what a client has the host connect to', () => {
  it('is carried both ways, to the end of each', async () => {
    const client = await connected();
    const sent = 'abc'.repeat(300_000);
    const channels = await Promise.all(Array.from({ length: 5 }, () => forward(client, '127.0.0.1', port())));
    const got = channels.map((channel) => {
      channel.end(sent);
      return textOf(channel);
    });
    for (const text of await Promise.all(got)) expect(text === sent.toUpperCase()).toBe(true);
    client.end();
  });

  it('is carried to the end of the client where the other end has ended before', async () => {
    const heard = Promise.withResolvers<string>();
    const first = createServer({ allowHalfOpen: true }, async (socket) => {
      socket.end('no more of me');
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      heard.resolve(text);
    }).listen(0, '127.0.0.1');
    await once(first, 'listening');
    const client = await connected();
    const channel = await forward(client, '127.0.0.1', (first.address() as AddressInfo).port);
    expect(await textOf(channel)).toBe('no more of me');
    channel.end('but of me');
    expect(await heard.promise).toBe('but of me');
    first.close();
    client.end();
  });

  it('is refused where policy says so, with the rule, and the connection goes on', async () => {
    const client = await connected();
    await expect(forward(client, '169.254.169.254', 80)).rejects.toMatchObject({
      reason: 1,
      message: expect.stringMatching(/denied by rule "not-there".*"rule":"not-there"/),
    });
    const channel = await forward(client, 'LOCALHOST.', port());
    channel.end('x');
    expect(await textOf(channel)).toBe('X');
    client.end();
  });

  it.each(['127.1', '::ffff:169.254.169.254', '/var/run/docker.sock'])(
    'is refused where it could be read as another: %s',
    async (host) => {
      const client = await connected();
      await expect(forward(client, host, 80)).rejects.toMatchObject({
        reason: 1,
        message: expect.stringContaining('address-ambiguous'),
      });
      client.end();
    },
  );

  it('says that the host does not reach it', async () => {
    const client = await connected();
    await expect(forward(client, '127.0.0.1', 1)).rejects.toMatchObject({
      reason: 2,
      message: expect.stringContaining('ERR_TARGET_UNREACHABLE'),
    });
    client.end();
  });
});

describe('what is never forwarded', () => {
  it('a port of the host, a socket of its file system', async () => {
    const client = await connected();
    const asked = await new Promise((resolve) => client.forwardIn('0.0.0.0', 0, (error) => resolve(error)));
    expect(asked).toBeInstanceOf(Error);
    const socket = await new Promise((resolve) =>
      client.openssh_forwardOutStreamLocal('/var/run/docker.sock', (error) => resolve(error)),
    );
    expect(socket).toMatchObject({ reason: 1, message: expect.stringContaining('not forwarded') });
    client.end();
  });
});
