import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { HoopError } from '../../../src/core/errors.ts';
import { silentLog } from '../../../src/core/log.ts';
import { DetectorSet } from '../../../src/masking/detectors/index.ts';
import type { StreamContext } from '../../../src/protocols/adapter.ts';
import { ApiRules } from '../../../src/protocols/http/relay/api-rules.ts';
import { HttpConnection } from '../../../src/protocols/http/relay/connection.ts';
import { problem } from '../../../src/protocols/http/relay/problem.ts';
import type { ConnectionParts } from '../../../src/protocols/http/relay/state.ts';
import { RpcRoutes } from '../../../src/protocols/http/rpc/routes.ts';
import { classification } from '../../../src/protocols/http/shown/classification.ts';
import { eventually } from '../../support/waiting.ts';

const REQUEST = 'POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n';

/** The end of a client that never reads: what it is told stays where it is. */
class Unread extends Duplex {
  override _read(): void {}
  override _write(): void {}
}

class Reading extends Duplex {
  told = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: unknown, done: () => void): void {
    this.told += chunk.toString('latin1');
    done();
  }
}

/** A connection whose requests are asked for, counted, and never allowed. @param decided Nothing is decided before. */
function connection<T extends Duplex>(stream: T, decided: Promise<void> = Promise.resolve()) {
  const end = new AbortController();
  const asked: string[] = [];
  const ask = async ({ text }: { readonly text: string }) => {
    asked.push(text);
    await decided;
    return {
      effect: 'deny',
      operation: '',
      number: 0,
      denial: { code: 'ERR_DENIED', rule: 'no', reason: '', hint: '', message: '' },
    };
  };
  const guard = {
    ask,
    closeAll: () => undefined,
    head: () => undefined,
    body: () => undefined,
    policyVersion: () => '1',
  };
  const resource = { type: 'Resource', id: 'api', attrs: {} };
  const context = {
    guard,
    session: { resource },
    signal: end.signal,
    idle: { start: () => undefined, stop: () => undefined },
    log: silentLog,
    localProof: undefined,
  };
  const parts = {
    rules: { credentialHeaders: [] },
    api: new ApiRules(undefined, '', {}),
    says: problem,
    rpc: { routes: new RpcRoutes({ mcp: [], rpc: {} }), classified: [], sessions: new WeakMap() },
    classification: classification(resource, { fields: {}, headers: {} }),
    detectors: () => ({ set: new DetectorSet([]), tags: [] }),
  };
  const served = new HttpConnection(
    stream,
    context as unknown as StreamContext,
    parts as unknown as ConnectionParts,
  ).serve();
  return { stream, end, asked, served };
}

it('whatever comes behind the end of its session is asked of nobody, while the client reads nothing of that end', async () => {
  const { stream, end, asked, served } = connection(new Unread());
  stream.push(REQUEST);
  await eventually('the first is asked', () => asked.length === 1);
  end.abort(new HoopError('ERR_SESSION_ENDED', 'the session was ended by an operator'));
  stream.push(REQUEST);
  stream.push(REQUEST);
  await new Promise((resolve) => setImmediate(resolve));
  stream.push(null);
  await served;
  expect(asked).toEqual(['POST /orders']);
});

it('what is no HTTP, behind the end of a session in which something is being decided, leaves no client without an end', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { stream, end, asked, served } = connection(new Reading(), promise);
  stream.push(REQUEST.replace('Content-Length: 0', 'Transfer-Encoding: chunked'));
  await eventually('it is asked', () => asked.length === 1);
  end.abort(new HoopError('ERR_SESSION_ENDED', 'the session was ended by an operator'));
  stream.push('x\r\n');
  await new Promise((resolve) => setImmediate(resolve));
  resolve();
  await eventually('the connection is closed', () => stream.destroyed);
  expect(stream.told).toContain('the session was ended by an operator');
  expect(await served).toMatchObject({ failure: 'ERR_SESSION_ENDED' });
});
