/** New keys, by whoever of both ends is ours: before OpenSSH's server, and before a client that does as a test wants. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import ssh2, { type Connection } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SSH_LIMITS } from '../../../src/protocols/ssh/limits.ts';
import { Keys } from '../../../src/protocols/ssh/relay/keys.ts';
import { freshKey } from '../../support/ssh/fresh-key.ts';
import { ended, exec, sshInside } from '../../support/ssh/raw-client.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { eventually } from '../../support/waiting.ts';

type Limits = NonNullable<ConstructorParameters<typeof Keys>[3]>;

const { keyBytes, keyMs, exchangeMs, queuedMessages } = SSH_LIMITS;
const LIMITS: Limits = { keyBytes, keyMs, exchangeMs, queuedMessages };

interface Watched {
  readonly keys: Keys;
  renewed: number;
  stuck: number;
}

function watched(client: ssh2.Client | Connection, socket: Socket, limits: Partial<Limits>): Watched {
  const events = { renewed: () => seen.renewed++, stuck: () => seen.stuck++ };
  const all = { ...LIMITS, ...limits } as Limits;
  const seen: Watched = { keys: new Keys(client, socket, events, all), renewed: 0, stuck: 0 };
  return seen;
}

describe("with OpenSSH's server", () => {
  let sshd: Sshd;

  beforeAll(async () => {
    sshd = await startSshd();
  });

  afterAll(() => sshd?.stop());

  async function connected(limits: Partial<Limits>) {
    const client = new ssh2.Client().on('error', () => undefined);
    client.connect({
      host: '127.0.0.1',
      port: sshd.port,
      username: sshd.user,
      privateKey: sshd.text('user'),
    });
    await once(client, 'ready');
    const { _sock: socket } = client as unknown as { readonly _sock: Socket };
    return { client, seen: watched(client, socket, limits) };
  }

  it('there are new ones by octets, and nothing is lost', async () => {
    const { client, seen } = await connected({ keyBytes: 200_000 });
    for (let n = 0; n < 6; n++) {
      expect((await ended(await exec(client, 'seq 60000'))).stdout.length).toBe(348_894);
      await eventually('they may be used', () => seen.keys.ready);
    }
    expect(seen).toMatchObject({ renewed: 6, stuck: 0 });
    client.end();
  });

  it('there are new ones by time, where nothing is said', async () => {
    const { client, seen } = await connected({ keyMs: 50 });
    await eventually('there are new ones, again and again', () => seen.renewed > 3);
    expect((await ended(await exec(client, 'echo well'))).stdout).toBe('well\n');
    client.end();
    await once(client, 'close');
  });

  it('there are none before', async () => {
    const { client, seen } = await connected({ keyBytes: 10_000_000 });
    await ended(await exec(client, 'seq 60000'));
    expect(seen.keys.ready).toBe(true);
    expect(seen.renewed).toBe(0);
    client.end();
  });
});

describe('with a client that does not agree', () => {
  let server: Server | undefined;

  afterEach(() => server?.close());

  /** It says no more of any exchange. */
  async function silent(limits: Partial<Limits>) {
    const gate = new ssh2.Server({ hostKeys: [freshKey().text] });
    const accepted = new Promise<{ seen: Watched; socket: Socket }>((resolve) => {
      server = createServer((socket) => {
        gate.once('connection', (connection) => {
          connection.on('error', () => undefined).on('authentication', (asked) => asked.accept());
          connection.on('request', (_accept, reject) => reject?.());
          const seen = watched(connection, socket, limits);
          connection.once('ready', () => resolve({ seen, socket }));
        });
        gate.injectSocket(socket);
      }).listen(0, '127.0.0.1');
    });
    await once(server!, 'listening');
    const client = new ssh2.Client().on('error', () => undefined);
    client.connect({ host: '127.0.0.1', port: (server!.address() as AddressInfo).port, username: 'me' });
    const one = await accepted;
    await once(client, 'ready').catch(() => undefined);
    const { _decipher: decipher } = sshInside(client) as unknown as {
      _decipher: { _onPayload: () => void };
    };
    decipher._onPayload = () => undefined;
    return { client, ...one };
  }

  it('nothing may be written, and it is told that there is no end', async () => {
    const { client, seen } = await silent({ keyBytes: 1, exchangeMs: 100 });
    expect(seen.keys.ready).toBe(false);
    await eventually('it is told', () => seen.stuck === 1);
    expect(seen.keys.ready).toBe(false);
    client.destroy();
  });

  it('it is told so as soon as too many answers wait', async () => {
    const { client, seen } = await silent({ keyBytes: 1, queuedMessages: 500 });
    expect(seen.keys.ready).toBe(false);
    for (let n = 0; n < 400; n++) sshInside(client).ping();
    sshInside(client).ping();
    expect(seen.stuck).toBe(0);
    for (let n = 0; n < 400; n++) sshInside(client).ping();
    await eventually('it is told', () => seen.stuck === 1);
    client.destroy();
  });
});
