import { duplexPair } from 'node:stream';
import { expect, it } from 'vitest';
import { Turns } from '../../../src/core/turns.ts';
import { ForwardRelay } from '../../../src/protocols/kubernetes/streams/forward-relay.ts';
import { SpdyWriter } from '../../../src/wire/http/spdy/frames.ts';

const CONNECTIONS = 20_000;
/** Octets of what one of them is answered. */
const ANSWER = 64;

it('takes no more of a client that does not read what it is answered', async () => {
  const [client, toClient] = duplexPair();
  const [, toTarget] = duplexPair();
  const nothing = () => undefined;
  const denial = { code: 'ERR_DENIED', message: 'no' };
  let asked = 0;
  const guard = {
    policyVersion: () => 'v1',
    ask() {
      asked++;
      return { effect: 'deny', denial };
    },
    pendingBytes: 0,
  };
  const on = {
    guard,
    operation: { policyVersion: 'v1' },
    question: { pairs: [], context: {}, text: '', original: {} },
    idle: { start: nothing, stop: nothing },
    signal: new AbortController().signal,
  };
  const run = new ForwardRelay({ client: toClient, target: toTarget }, on as never, new Turns()).run();
  const writer = new SpdyWriter();
  const opens = (id: number) =>
    writer.open(id, [
      ['streamtype', 'data'],
      ['port', '22'],
      ['requestid', String(id)],
    ]);
  client.write(Buffer.concat(Array.from({ length: CONNECTIONS }, (_one, at) => opens(2 * at + 1))));
  let before: number;
  do {
    before = asked;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  } while (asked > before);
  expect(asked).toBeGreaterThan(0);
  expect(toClient.writableLength).toBeLessThan(toClient.writableHighWaterMark + ANSWER);
  toClient.destroy();
  await run;
});
