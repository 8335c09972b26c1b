import { type Duplex, duplexPair } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Turns } from '../../../src/core/turns.ts';
import { readStream } from '../../../src/protocols/kubernetes/request/stream.ts';
import { CommandRelay } from '../../../src/protocols/kubernetes/streams/command-relay.ts';
import { WebSocketChannels } from '../../../src/protocols/kubernetes/streams/websocket-side.ts';
import { ShownOutput } from '../../../src/protocols/stream/terminal/output.ts';
import { frame } from '../../../src/wire/http/websocket/frames.ts';

const PRINTED = 300_000;
const READS_MS = 20_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function relayed(signal: AbortSignal): { readonly client: Duplex; readonly target: Duplex } {
  const [client, toClient] = duplexPair();
  const [target, toTarget] = duplexPair();
  const nothing = () => undefined;
  const shows = { masks: false, masked: () => [], nextRecord: nothing };
  const guard = {
    policyVersion: () => 'v1',
    weighs: () => ({ effect: 'allow', rules: [] }),
    output: nothing,
    stderr: nothing,
    ended: nothing,
    pendingBytes: 0,
  };
  const on = {
    guard,
    operation: { policyVersion: 'v1', bytes: 0, maskedValues: 0 },
    question: { pairs: [], context: {} },
    outputs: { shown: () => new ShownOutput(shows) },
    idle: { start: nothing, stop: nothing },
    signal,
  };
  const asked = readStream([['command', 'cat']], 'k8s.exec');
  const ends = {
    client: new WebSocketChannels('client', toClient, 5),
    target: new WebSocketChannels('target', toTarget, 5),
  };
  void new CommandRelay(ends, on as never, asked as never, new Turns()).run();
  return { client, target };
}

/** All at once, so that the exit status is read while the client has room for a part only. */
async function prints(target: Duplex): Promise<void> {
  const said = (channel: number, bytes: Buffer) =>
    frame('binary', true, Buffer.concat([Buffer.of(channel), bytes]));
  target.write(
    Buffer.concat([
      said(1, Buffer.alloc(PRINTED, 'x')),
      said(3, Buffer.from('{"status":"Success"}')),
      frame('close', true, Buffer.of(3, 232)),
    ]),
  );
  for (let turns = 0; turns < 20; turns++) await turn();
}

async function readBy(client: Duplex): Promise<number> {
  let [read, closed] = [0, false];
  client.on('data', (chunk: Buffer) => (read += chunk.length));
  client.once('close', () => (closed = true)).on('error', () => undefined);
  for (let turns = 0; turns < 200 && !closed; turns++) await turn();
  return read;
}

it('gives a client that is slow to read all that was printed', async () => {
  const { client, target } = relayed(new AbortController().signal);
  await prints(target);
  await vi.advanceTimersByTimeAsync(READS_MS);
  expect(await readBy(client)).toBeGreaterThan(PRINTED);
});

it('does not wait for it where the session is ended', async () => {
  const over = new AbortController();
  const { client, target } = relayed(over.signal);
  await prints(target);
  over.abort(new Error('over'));
  await vi.advanceTimersByTimeAsync(READS_MS);
  expect(await readBy(client)).toBeLessThan(PRINTED);
});
