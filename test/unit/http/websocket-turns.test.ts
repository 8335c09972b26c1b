import { duplexPair } from 'node:stream';
import { expect, it } from 'vitest';
import { Turns } from '../../../src/core/turns.ts';
import type { Carrying } from '../../../src/protocols/http/relay/upgrade/carried.ts';
import { MessageInspector } from '../../../src/protocols/http/relay/upgrade/websocket/messages.ts';
import { WebSocketRelay } from '../../../src/protocols/http/relay/upgrade/websocket/relay.ts';
import { FrameReader, frame } from '../../../src/wire/http/websocket/frames.ts';

const MASKS = { any: false, fields: undefined, detects: undefined, headers: new Map() };
const GUARD = { policyVersion: () => 'v1', pendingBytes: 0, input: () => undefined, output: () => undefined };

it('many small messages that come at once are carried in turns: others are heard between them', async () => {
  const leaving = new AbortController();
  const on = {
    guard: GUARD,
    operation: { policyVersion: 'v1', bytes: 0, maskedValues: 0 },
    question: { pairs: [], context: {} },
    paths: [],
    idle: { start: () => undefined },
    signal: leaving.signal,
    sight: () => ({ masks: MASKS, secrets: { any: false } }),
    hides: () => MASKS,
  } as unknown as Carrying;
  const [client, ours] = duplexPair();
  const [target, theirs] = duplexPair();
  // Each message takes a whole turn.
  const relay = new WebSocketRelay(
    { client: ours, target: theirs },
    on,
    new MessageInspector(on),
    new Turns(0),
  );
  const over = relay.run();
  const reader = new FrameReader('client');
  let heard = 0;
  target.on('data', (chunk: Buffer) => {
    heard += [...reader.push(chunk)].length;
  });
  const mask = Buffer.from([1, 2, 3, 4]);
  const one = frame('text', true, Buffer.from('a'), mask);
  client.write(Buffer.concat(Array.from({ length: 200 }, () => one)));
  let turns = 0;
  while (heard < 200) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  expect(turns).toBeGreaterThan(20);
  leaving.abort(new Error('enough'));
  client.resume();
  await over;
});
