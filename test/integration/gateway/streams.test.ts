import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PATHS, TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import { expected, section } from '../../../src/core/config/shape.ts';
import { toHoopError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { SessionEnd, StreamContext } from '../../../src/protocols/adapter.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import type { Protocol } from '../../../src/protocols/protocol.ts';
import { sessionTimes } from '../../../src/protocols/session-times.ts';
import { type Caller, RunningGateway, type Tunnel } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

/** Answers each chunk with itself; `fail` breaks the stream, and its end is told to whoever still reads. */
const lines: Protocol = {
  ...PROTOCOLS[0]!,
  name: 'lines',
  session: 'tunnel',
  config: () =>
    section(
      {
        protocol: z.literal('lines', expected('lines', 'write protocol: lines')),
        session: section(sessionTimes(), 'write {max: 8h}').prefault({}),
      },
      'write protocol: lines',
    ),
  secrets: () => [],
  authorities: () => [],
  check: () => undefined,
  describe: () => ({ connect: {}, classified: [] }),
  create: () => ({ protocol: 'lines', serve, close: async () => undefined }),
};

function serve(stream: Duplex, { signal, idle, guard }: StreamContext): Promise<SessionEnd> {
  return new Promise((resolve) => {
    let bytes = 0;
    const end = (reason: string, failure?: SessionEnd['failure']) => {
      resolve({ reason, bytesIn: bytes, bytesOut: bytes, ...(failure === undefined ? {} : { failure }) });
    };
    idle.start();
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      idle.start();
      if (chunk.includes('fail')) return end('broken', 'ERR_TARGET_LOST');
      guard.shown(chunk);
      stream.write(chunk);
    });
    stream.on('close', () => end('client-left'));
    stream.on('error', () => end('client-left'));
    const stop = () => {
      const { code } = toHoopError(signal.reason);
      stream.end(`bye ${code}`, () => end(code, code));
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}

const RESOURCES = `
  web: { protocol: lines }
  other: { protocol: lines }
  short: { protocol: lines, session: { idle: 1s } }
  pg:
    protocol: postgres
    target: { host: 127.0.0.1, port: 1, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: password } }
`;

let running: RunningGateway;
let agent: Caller;
let operator: Caller;
let auditor: Caller;

beforeAll(async () => {
  const protocols = [...PROTOCOLS, lines];
  running = await RunningGateway.start({ resources: RESOURCES, protocols, adapter: null });
  agent = await running.person(['developers'], { agent: 'copilot' });
  operator = await running.person(['operators'], { name: 'olga' });
  auditor = await running.person(['auditors'], { name: 'ada' });
});

afterAll(() => running.remove());

const newId = () => randomBytes(16).toString('base64url');
const sessionOf = (tunnel: Tunnel) => /hoop-session: (\S+)/.exec(tunnel.head)?.[1] ?? '';

/** One stream of a tunnel, known to be up. */
async function stream(id: string, resource = 'web', caller = agent): Promise<Tunnel> {
  const tunnel = await caller.tunnel(resource, { headers: { [TUNNEL_HEADERS.tunnel]: id } });
  expect(tunnel.status).toBe(101);
  tunnel.socket.write('up');
  await tunnel.until('up');
  return tunnel;
}

// biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of an event.
async function events(query: string): Promise<Record<string, any>[]> {
  return (await auditor.get(`${PATHS.auditEvents}?${query}&limit=1000`)).json.events;
}

/** The event of a session's end, once there is one. */
async function ended(session: string) {
  const found = () => events(`session=${session}&type=session.ended`);
  await eventually(`the end of ${session}`, async () => (await found()).length === 1);
  return (await found())[0];
}

// Side by side: each waits for a session that lingers.
describe.concurrent('streams of one tunnel', () => {
  it('are one session: one question, one start, one end, one recording, counts together', async () => {
    const id = newId();
    const [one, two, three] = await Promise.all([stream(id), stream(id), stream(id)]);
    const session = sessionOf(one);
    expect([two, three].map(sessionOf)).toEqual([session, session]);
    for (const { socket } of [one, two, three]) socket.destroy();
    expect(await ended(session)).toMatchObject({
      outcome: 'success',
      bytes: 6,
      facts: { streams: 3, bytesIn: 6, recordingComplete: true },
    });
    expect(await events(`session=${session}&type=session.started`)).toHaveLength(1);
    const [asked] = await events(`session=${session}&type=operation.decided`);
    expect(asked).toMatchObject({ text: 'connect', decision: 'allow', outcome: 'success' });
  });

  it('may come one after the other: the session lingers for the next', async () => {
    const id = newId();
    const first = await stream(id);
    first.socket.destroy();
    const second = await stream(id);
    expect(sessionOf(second)).toBe(sessionOf(first));
    second.socket.destroy();
    expect(await ended(sessionOf(first))).toMatchObject({ facts: { streams: 2 } });
    const later = await stream(id);
    expect(sessionOf(later)).not.toBe(sessionOf(first));
    later.socket.destroy();
  });

  it('fail alone', async () => {
    const id = newId();
    const [bad, good] = [await stream(id), await stream(id)];
    bad.socket.write('fail');
    await bad.until();
    good.socket.write('alive');
    expect(await good.until('alive')).toBe('upalive');
    good.socket.destroy();
    expect(await ended(sessionOf(good))).toMatchObject({ outcome: 'success', facts: { streams: 2 } });
  });

  it('that all fail are a session that failed', async () => {
    const only = await stream(newId());
    only.socket.write('fail');
    expect(await ended(sessionOf(only))).toMatchObject({ outcome: 'failure', reason: 'broken' });
  });

  it('end together from outside, and one that lingers is not waited for', async () => {
    const id = newId();
    const [one, two] = [await stream(id), await stream(id)];
    const path = `${PATHS.sessions}/${sessionOf(one)}`;
    expect((await operator.call('DELETE', path)).json.sessions).toBe(1);
    expect([await one.until(), await two.until()]).toEqual([
      'upbye ERR_SESSION_ENDED',
      'upbye ERR_SESSION_ENDED',
    ]);
    expect(await ended(sessionOf(one))).toMatchObject({ outcome: 'failure' });
    const again = await stream(id);
    expect(sessionOf(again)).not.toBe(sessionOf(one));
    again.socket.destroy();
    await operator.call('DELETE', `${PATHS.sessions}/${sessionOf(again)}`);
    await ended(sessionOf(again));
  });

  it('are idle together', async () => {
    const id = newId();
    const [one, two] = [await stream(id, 'short'), await stream(id, 'short')];
    expect([await one.until(), await two.until()]).toEqual([
      'upbye ERR_SESSION_ENDED',
      'upbye ERR_SESSION_ENDED',
    ]);
    expect(await ended(sessionOf(one))).toMatchObject({ facts: { streams: 2 } });
  });

  it(`are at most ${LIMITS.streamsPerSession}`, async () => {
    const id = newId();
    const all = [];
    for (let i = 0; i < LIMITS.streamsPerSession; i++) all.push(await stream(id));
    const refused = await agent.tunnel('web', { headers: { [TUNNEL_HEADERS.tunnel]: id } });
    expect(JSON.parse(await refused.until())).toMatchObject({ code: 'ERR_LIMIT' });
    for (const { socket } of all) socket.destroy();
    expect(await ended(sessionOf(all[0]!))).toMatchObject({ facts: { streams: LIMITS.streamsPerSession } });
  });
});

describe('a tunnel joins nothing', () => {
  it('of another instance, whoever names its id', async () => {
    const id = newId();
    const other = await running.person(['developers'], { agent: 'copilot' });
    const [mine, theirs] = [await stream(id), await stream(id, 'web', other)];
    expect(sessionOf(theirs)).not.toBe(sessionOf(mine));
    mine.socket.destroy();
    theirs.socket.destroy();
  });

  it('at another resource, without an id, or where each connection is a session', async () => {
    const id = newId();
    const [web, other] = [await stream(id), await stream(id, 'other')];
    expect(sessionOf(other)).not.toBe(sessionOf(web));
    const [one, two] = [await agent.tunnel('web'), await agent.tunnel('web')];
    expect(sessionOf(one)).not.toBe(sessionOf(two));
    const headers = { [TUNNEL_HEADERS.tunnel]: id };
    const [first, second] = [await agent.tunnel('pg', { headers }), await agent.tunnel('pg', { headers })];
    expect(sessionOf(first)).not.toBe(sessionOf(second));
    for (const { socket } of [web, other, one, two, first, second]) socket.destroy();
  });

  it('by an id that is none', async () => {
    const refused = await agent.tunnel('web', { headers: { [TUNNEL_HEADERS.tunnel]: 'short' } });
    expect(JSON.parse(await refused.until())).toMatchObject({ code: 'ERR_USAGE' });
  });

  it('once policy does not let it in any more: the streams that are there go on, a further one is refused on record', async () => {
    const id = newId();
    const first = await stream(id);
    const policy = running.read('policies/test.cedar');
    running.write(
      'policies/test.cedar',
      `${policy}\n@id("closed") @reason("closed for tonight")\n` +
        'forbid (principal, action == Action::"connect", resource == Resource::"web");',
    );
    const headers = { [TUNNEL_HEADERS.tunnel]: id };
    try {
      expect(await running.gateway.reload(running.load())).toBe(true);
      const refused = await agent.tunnel('web', { headers });
      expect(JSON.parse(await refused.until())).toMatchObject({ code: 'ERR_DENIED', rule: 'closed' });
      first.socket.write('on');
      expect(await first.until('on')).toBe('upon');
      const [denied] = await events('type=operation.decided&decision=deny');
      expect(denied).toMatchObject({ text: 'connect', rules: [{ id: 'closed' }] });
    } finally {
      running.write('policies/test.cedar', policy);
      await running.gateway.reload(running.load());
      first.socket.destroy();
    }
    (await stream(id)).socket.destroy();
  });

  it('that policy does not let in: each of its streams is told why', async () => {
    const stranger = await running.person(['nobody'], { name: 'eve' });
    const id = newId();
    const headers = { [TUNNEL_HEADERS.tunnel]: id };
    const both = await Promise.all([
      stranger.tunnel('web', { headers }),
      stranger.tunnel('web', { headers }),
    ]);
    for (const tunnel of both)
      expect(JSON.parse(await tunnel.until())).toMatchObject({ code: 'ERR_NO_ACCESS' });
  });
});
