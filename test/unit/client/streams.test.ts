import { EventEmitter } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Liveness, type WatchedStream } from '../../../src/client/network/liveness.ts';
import { relay } from '../../../src/client/relay.ts';
import { TestTime } from '../../support/test-time.ts';
import { timePasses } from '../../support/waiting.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Two ends of a real TCP connection. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const far = await accepted;
  for (const socket of [near, far]) socket.on('error', () => undefined);
  cleanups.push(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

async function relayed() {
  const [client, local] = await pair();
  const [remote, target] = await pair();
  return { client, target, done: relay(local, remote) };
}

async function all(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

describe('relay', () => {
  test('one side may end while the other still speaks', async () => {
    const { client, target, done } = await relayed();
    const asked = all(target);
    client.end('question');
    expect(await asked).toBe('question');
    target.end('answer');
    expect(await all(client)).toBe('answer');
    expect(await done).toBeUndefined();
  });

  test('what had arrived before the remote side broke still gets through', async () => {
    const { client, target, done } = await relayed();
    const heard = all(client);
    target.write('FATAL: the session was ended');
    await timePasses(20, 'what was written has arrived before the connection breaks');
    target.resetAndDestroy();
    expect(await heard).toBe('FATAL: the session was ended');
    client.end();
    await done;
  });

  test('a client that breaks drops the remote side at once', async () => {
    const { client, target, done } = await relayed();
    client.write('long query');
    await new Promise((resolve) => target.once('data', resolve));
    const gone = new Promise((resolve) => target.once('close', resolve));
    target.on('end', () => target.destroy());
    client.resetAndDestroy();
    await gone;
    await done;
  });

  test('so does one that had said its last word: who answers it learns that nobody listens', async () => {
    const { client, target, done } = await relayed();
    const asked = all(target);
    client.end('question');
    await asked;
    target.write('an answer');
    await new Promise((resolve) => client.once('data', resolve));
    client.resetAndDestroy();
    const answering = setInterval(() => target.write('more of it'), 5);
    await new Promise((resolve) => target.once('close', resolve)).finally(() => clearInterval(answering));
    await done;
  }, 4000);

  test('a reader that does not read stops the writer: nothing piles up between', async () => {
    const { client, target } = await relayed();
    client.pause();
    let written = 0;
    const chunk = Buffer.alloc(256 * 1024);
    while (written < 256 * 1024 * 1024 && target.writableLength < 1024 * 1024) {
      target.write(chunk);
      written += chunk.length;
      await timePasses(1, 'a target that writes as fast as the relay reads');
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });
});

class Stream extends EventEmitter implements WatchedStream {
  bytesRead = 0;
  bytesWritten = 0;
  closed = false;
  destroy(): void {
    this.closed = true;
    this.emit('close');
  }
}

describe('a gateway that can no longer be reached', () => {
  function setUp(answers: boolean[]) {
    const time = new TestTime();
    let probes = 0;
    const liveness = new Liveness(async () => {
      if (!(answers[probes++] ?? false)) throw new Error('unreachable');
    }, time);
    const stream = new Stream();
    liveness.watch(stream);
    return { time, stream, probes: () => probes };
  }
  const pass = async (time: TestTime, seconds: number) => {
    for (let i = 0; i < seconds; i += 10) await time.pass(10_000);
  };

  test('D5: ends a stream that waits for an answer, after two vain tries', async () => {
    const { time, stream, probes } = setUp([false, false]);
    stream.bytesWritten = 100;
    await pass(time, 30);
    expect({ probes: probes(), closed: stream.closed }).toEqual({ probes: 1, closed: false });
    await pass(time, 10);
    expect({ probes: probes(), closed: stream.closed }).toEqual({ probes: 2, closed: true });
    expect(time.next).toBeUndefined();
  });

  test('also one that asked again right behind an answer, between two looks', async () => {
    const { time, stream, probes } = setUp([false, false]);
    [stream.bytesRead, stream.bytesWritten] = [50, 200];
    await pass(time, 50);
    expect({ probes: probes(), closed: stream.closed }).toEqual({ probes: 2, closed: true });
  });

  test('which the gateway is asked about once, and then it is idle', async () => {
    const { time, stream, probes } = setUp([true]);
    [stream.bytesRead, stream.bytesWritten] = [50, 200];
    await pass(time, 300);
    expect({ probes: probes(), closed: stream.closed }).toEqual({ probes: 1, closed: false });
  });

  test('but not one whose query takes long, nor an idle one, nor one that goes on', async () => {
    const slow = setUp(Array(100).fill(true));
    slow.stream.bytesWritten = 100;
    await pass(slow.time, 300);
    expect(slow.stream.closed).toBe(false);
    expect(slow.probes()).toBeGreaterThan(5);
    const idle = setUp([]);
    await pass(idle.time, 300);
    expect({ probes: idle.probes(), closed: idle.stream.closed }).toEqual({ probes: 0, closed: false });
    const busy = setUp([]);
    for (let i = 0; i < 30; i++) {
      busy.stream.bytesRead += 1;
      busy.stream.bytesWritten += 1;
      await busy.time.pass(10_000);
    }
    expect({ probes: busy.probes(), closed: busy.stream.closed }).toEqual({ probes: 0, closed: false });
  });

  test('one vain try between good ones is forgiven', async () => {
    const { time, stream } = setUp([false, true, false, true, false, true]);
    stream.bytesWritten = 1;
    await pass(time, 80);
    expect(stream.closed).toBe(false);
  });
});
