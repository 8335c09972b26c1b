/** A client of a command that waits for people, as long as that takes. */
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readStream } from '../../../src/protocols/kubernetes/request/stream.ts';
import { HeldCommand } from '../../../src/protocols/kubernetes/streams/held-command.ts';
import { WebSocketChannels } from '../../../src/protocols/kubernetes/streams/websocket-side.ts';
import { frame } from '../../../src/wire/http/websocket/frames.ts';
import { RawPeer } from '../../support/http/raw-websocket.ts';

/** kubectl hears nothing for so long, and gives up. */
const GIVES_UP_MS = 61_000;
const MIB = 1024 * 1024;
const MASK = Buffer.from([1, 2, 3, 4]);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const turns = async () => {
  for (let n = 0; n < 50; n++) await new Promise<void>((resolve) => setImmediate(resolve));
};

function held() {
  const [near, far] = duplexPair();
  const asked = readStream(
    [
      ['command', 'cat'],
      ['stdin', 'true'],
    ],
    'k8s.exec',
  );
  const nothing = () => undefined;
  const left: Error[] = [];
  const on = {
    guard: { output: nothing, stderr: nothing, ended: nothing },
    left: (why: Error) => left.push(why),
  };
  const side = new WebSocketChannels('client', near, 5);
  const command = new HeldCommand(side, asked as never, 'stderr', on as never);
  const client = new RawPeer(far, 'client');
  far.on('data', (chunk: Buffer) => client.take(chunk));
  return { command, client, left, far };
}

it('hears that somebody is there, though what it says is not read any more', async () => {
  const { client, left, far } = held();
  const piece = frame('binary', true, Buffer.concat([Buffer.of(0), Buffer.alloc(16_384, 'x')]), MASK);
  for (let sent = 0; sent < MIB; sent += 16_384) far.write(piece);
  await turns();
  expect(far.writableLength).toBeGreaterThan(MIB / 2);
  vi.advanceTimersByTime(GIVES_UP_MS);
  await turns();
  expect(client.said.filter((one) => one === 'pong').length).toBeGreaterThanOrEqual(3);
  expect(left).toEqual([]);
});

it('hears no more of that once it goes on', async () => {
  const { command, client } = held();
  command.goOn();
  vi.advanceTimersByTime(GIVES_UP_MS);
  await turns();
  expect(client.said).toEqual([]);
});
