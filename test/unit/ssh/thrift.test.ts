import { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import ssh2, { type Client, type ClientChannel, type Connection, type ServerChannel } from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { BulkMemory } from '../../../src/core/bytes/bulk-memory.ts';
import { thrifty } from '../../../src/protocols/ssh/thrift.ts';
import { freshKey } from '../../support/ssh/fresh-key.ts';

/** One end of a pair: counts how often it was given something to write. */
class End extends Duplex {
  other!: End;
  writes = 0;

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.writes++;
    this.other.push(bytes);
    setImmediate(done);
  }

  override _writev(parts: readonly { chunk: Buffer }[], done: () => void): void {
    this.writes++;
    for (const { chunk } of parts) this.other.push(chunk);
    setImmediate(done);
  }
}

function pair(): readonly [End, End] {
  const ends = [new End(), new End()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.end();
});

/** A server that runs everything, a client of it, and a channel from both sides. */
async function joined(cipher: 'aes128-gcm@openssh.com' | 'aes128-ctr', thrift: boolean) {
  const [near, far] = pair();
  const ran = Promise.withResolvers<ServerChannel>();
  const server = Promise.withResolvers<Connection>();
  new ssh2.Server({ hostKeys: [freshKey().text] }, (connection) => {
    if (thrift) thrifty(connection, far, new BulkMemory());
    server.resolve(connection);
    connection.on('authentication', (asked) => asked.accept());
    connection.on('session', (accept) => accept().on('exec', (take) => ran.resolve(take())));
    connection.on('error', () => undefined);
  }).injectSocket(far as never);
  const client = new ssh2.Client();
  clients.push(client);
  client.connect({ sock: near as never, username: 'a', password: 'b', algorithms: { cipher: [cipher] } });
  await once(client, 'ready');
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.exec('x', (error, opened) => (error === undefined ? resolve(opened) : reject(error))),
  );
  return { far, connection: await server.promise, client, channel, local: await ran.promise };
}

/** What `count` packets that are made in one turn are written in. */
async function writesOf({ far, local, channel }: Awaited<ReturnType<typeof joined>>, count: number) {
  await expect.poll(() => far.writableLength).toBe(0);
  const before = far.writes;
  let came = '';
  channel.on('data', (chunk: Buffer) => (came += chunk.toString()));
  for (let n = 0; n < count; n++) local.write(`${n};`);
  await expect.poll(() => came).toBe(Array.from({ length: count }, (_, n) => `${n};`).join(''));
  return far.writes - before;
}

describe.each(['aes128-gcm@openssh.com', 'aes128-ctr'] as const)('%s', (cipher) => {
  it('writes what is made in one turn in one write, where ssh2 begins with the first octets', async () => {
    expect(await writesOf(await joined(cipher, true), 20)).toBe(1);
    expect(await writesOf(await joined(cipher, false), 20)).toBeGreaterThan(1);
  });

  it('makes keys once, also when they are exchanged anew', async () => {
    const at = await joined(cipher, true);
    const { _protocol: protocol } = at.connection as unknown as {
      _protocol: Record<'_cipher' | '_decipher', Record<string, unknown>>;
    };
    const keys = () =>
      [protocol._cipher, protocol._decipher].flatMap((one) =>
        ['_encKey', '_decipherKey', '_macKey'].flatMap((name) =>
          one[name] === undefined ? [] : [one[name]],
        ),
      );
    const first = keys();
    expect(first).toEqual([expect.any(KeyObject), expect.any(KeyObject)]);
    const again = once(at.connection, 'rekey');
    at.connection.rekey();
    await again;
    await expect.poll(() => keys()[0]).not.toBe(first[0]);
    await expect.poll(keys).toEqual([expect.any(KeyObject), expect.any(KeyObject)]);
    expect(await writesOf(at, 3)).toBe(1);
  });
});
