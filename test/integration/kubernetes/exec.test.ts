/** Exec by WebSocket before a cluster of raw frames: what goes on, what does not, and how it ends. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { LocalEnd } from '../../support/http/local-end.ts';
import { ASKS, RawWebSocket, RawWebSocketTarget, switching } from '../../support/http/raw-websocket.ts';
import { RawCluster } from '../../support/kubernetes/raw-cluster.ts';
import type { Caller, RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("see") permit (principal, action == Action::"reveal", resource) unless { resource.tags.contains("pii.email") };
@id("ls-only") forbid (principal, action == Action::"k8s.exec", resource) when { resource.name == "strict" }
unless { context.argv == ["0=ls", "1=-l"] };
@id("no-shells") forbid (principal, action == Action::"k8s.shell", resource) when { resource.name == "strict" || resource.name == "quiet" };
`;
const CLOSED = `${POLICY}
@id("closed") forbid (principal, action == Action::"k8s.exec", resource) when { resource.name == "closing" };
`;
const V5 = 'Sec-WebSocket-Protocol: v5.channel.k8s.io';
const SUCCESS = '{"metadata":{},"status":"Success"}';

let target: RawWebSocketTarget;
let cluster: RawCluster;
let running: RunningGateway;
let caller: Caller;
let local: LocalEnd;

beforeAll(async () => {
  target = await RawWebSocketTarget.start();
  cluster = await RawCluster.start(target.port, POLICY);
  ({ running, caller, local } = cluster);
});

beforeEach(() => {
  target.clear();
  target.takes = (key) => switching(key, V5);
});

afterAll(async () => {
  await cluster?.stop();
  await target?.stop();
});

const path = (pod: string, query: string, part = 'exec') =>
  `/api/v1/namespaces/shop/pods/${pod}/${part}?${query}`;

function open(target: string, lines: readonly string[] = [V5], early?: Buffer): Promise<RawWebSocket> {
  return RawWebSocket.open(
    local.port,
    target,
    [`Authorization: ${local.authorization}`, ...ASKS, ...lines],
    early,
  );
}

const on = (channel: number, text: string | Buffer) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

const ruleOf = ({ answer }: RawWebSocket) =>
  (JSON.parse(answer!.body.toString()) as { readonly hoop: { readonly rule: string } }).hoop.rule;

/** What the client heard in one channel. */
const heard = ({ said }: RawWebSocket, channel: number) =>
  said
    .filter((one) => one.startsWith(`binary ${String.fromCharCode(channel)}`))
    .map((one) => one.slice(8))
    .join('');

describe('what is decided before 101', () => {
  it.each<[what: string, target: string, lines: readonly string[], status: number, rule: string]>([
    ['another argument', path('strict', 'command=ls&command=-la'), [V5], 403, 'ls-only'],
    ['one argument of two', path('strict', 'command=ls%20-l'), [V5], 403, 'ls-only'],
    ['an order that is another', path('strict', 'command=-l&command=ls'), [V5], 403, 'ls-only'],
    ['a shell with input', path('quiet', 'command=sh&stdin=true&tty=true'), [V5], 403, 'no-shells'],
    ['what runs there, with input', path('quiet', 'stdin=true', 'attach'), [V5], 403, 'no-shells'],
    ['no command', path('box', 'stdout=true'), [V5], 403, 'k8s-query'],
    [
      'another subprotocol',
      path('box', 'command=ls'),
      ['Sec-WebSocket-Protocol: v3.channel.k8s.io'],
      403,
      'k8s-stream',
    ],
    ['no subprotocol', path('box', 'command=ls'), [], 403, 'k8s-stream'],
    ['what is no stream', '/api/v1/namespaces/shop/pods?watch=true', [V5], 403, 'k8s-stream'],
  ])('%s is refused, and the cluster hears nothing', async (_what, asked, lines, status, rule) => {
    const client = await open(asked, lines);
    expect([status, 400]).toContain(client.status);
    expect(ruleOf(client)).toBe(rule);
    await eventually('the connection is closed', () => client.closed);
    expect(target.octets).toEqual([]);
  });

  it('goes on where it is permitted, without the client’s token, and echoes its subprotocol', async () => {
    const token = 'Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io';
    const client = await open(path('strict', 'command=ls&command=-l&stdout=true'), [token]);
    expect(client.status).toBe(101);
    expect(client.field('sec-websocket-protocol')).toBe('v5.channel.k8s.io');
    const octets = Buffer.concat(target.octets).toString();
    expect(octets).toContain('Sec-WebSocket-Protocol: v5.channel.k8s.io'.toLowerCase());
    expect(octets).toContain('authorization: Bearer token-of-the-cluster');
    expect(octets).not.toContain('c2VjcmV0');
  });

  it.each(['403 Forbidden', '500 Internal Server Error', '200 OK'])(
    'a cluster that answers %s ends it: what the client sends then goes nowhere',
    async (answer) => {
      target.takes = () => `HTTP/1.1 ${answer}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno`;
      const client = await open(path('box', 'command=sh&stdin=true'));
      expect(client.status).toBe(Number(answer.slice(0, 3)));
      client.raw(Buffer.from('GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n\r\n'));
      await eventually('the connection is closed', () => client.closed);
      await eventually('the target is left', () => target.open === 0);
      expect(Buffer.concat(target.octets).toString()).not.toContain('secrets');
    },
  );

  it.each([
    ['no subprotocol', []],
    ['another', ['Sec-WebSocket-Protocol: v4.channel.k8s.io']],
  ])('a cluster that agrees on %s is lost', async (_what, lines) => {
    target.takes = (key) => switching(key, ...lines);
    const client = await open(path('box', 'command=ls'));
    expect(client.status).toBe(502);
  });
});

describe('what is carried', () => {
  it('is input, output and the exit status, and values are masked in both outputs', async () => {
    const client = await open(path('box', 'command=cat&stdin=true'));
    client.send('binary', on(0, 'given'));
    client.send('binary', Buffer.of(255, 0));
    await target.peer.hears(/^binary .given$/s);
    await target.peer.hears(/^binary ÿ.$/s);
    target.peer.send('binary', on(1, ''));
    target.peer.send('binary', on(1, 'mail ann@exam'), false);
    target.peer.send('continuation', 'ple.com\n');
    target.peer.send('binary', on(2, 'and bob@example.com\n'));
    target.peer.send('binary', on(3, SUCCESS));
    target.peer.close(1000);
    await client.hears(/^close 1000/);
    expect(heard(client, 1)).toBe('mail ***\n');
    expect(heard(client, 2)).toBe('and ***\n');
    expect(JSON.parse(heard(client, 3))).toEqual(JSON.parse(SUCCESS));
  });

  it('is a terminal with its sizes, on record with what was typed and shown', async () => {
    const client = await open(path('box', 'command=sh&stdin=true&tty=true&stdout=true'), [V5]);
    client.send('binary', on(4, '{"Width":100,"Height":30}'));
    await target.peer.hears(/^binary .\{"Width":100,"Height":30\}/);
    target.peer.send('binary', on(1, '$ '));
    await client.hears(/\$ $/);
    client.send('binary', on(0, 'id\r'));
    await target.peer.hears(/id\r/);
    target.peer.send('binary', on(1, 'id\r\nuid=0\r\nPassword: '));
    await client.hears(/Password/);
    client.send('binary', on(0, 'hunter2\r'));
    await target.peer.hears(/hunter2/);
    target.peer.send('binary', on(1, '\r\n'));
    target.peer.send(
      'binary',
      on(
        3,
        '{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}',
      ),
    );
    await client.hears(/NonZeroExitCode/);
    client.close(1000);
    const own = await recorded((items) =>
      items.some(({ kind, text }) => kind === 'status' && text === 'exit 3'),
    );
    expect(own).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'resize', columns: 100, rows: 30 }),
        expect.objectContaining({ kind: 'input', bytes: 'id\r' }),
        expect.objectContaining({ kind: 'output', bytes: '$ ' }),
        expect.objectContaining({ kind: 'status', text: 'exit 3' }),
      ]),
    );
    expect(JSON.stringify(own)).not.toContain('hunter2');
  });

  it.each<[what: string, query: string, sends: Buffer]>([
    ['input that was not asked for', 'command=ls', on(0, 'x')],
    ['output of the client', 'command=cat&stdin=true', on(1, 'x')],
    ['a status of the client', 'command=cat&stdin=true', on(3, SUCCESS)],
    ['sizes without a terminal', 'command=cat&stdin=true', on(4, '{"Width":1,"Height":1}')],
    ['an unknown channel', 'command=cat&stdin=true', on(7, 'x')],
  ])('is not %s: it ends with a failure', async (_what, query, sends) => {
    const client = await open(path('box', query));
    client.send('binary', sends);
    await client.hears(/^close/);
    expect(JSON.parse(heard(client, 3))).toMatchObject({ status: 'Failure' });
    expect(target.peer.said.filter((one) => one.startsWith('binary'))).toEqual([]);
  });
});

describe('how it ends', () => {
  it.each<[what: string, ends: () => void]>([
    ['closes without a status', () => target.peer.close(1000)],
    ['breaks off', () => target.peer.socket.destroy()],
    [
      'says what is no status, and closes',
      () => {
        target.peer.send('binary', on(3, 'ok'));
        target.peer.close(1000);
      },
    ],
  ])('a cluster that %s is no success', async (_what, ends) => {
    const client = await open(path('box', 'command=ls'));
    target.peer.send('binary', on(1, 'half'));
    await client.hears(/half/);
    ends();
    await client.hears(/^close/);
    expect(JSON.parse(heard(client, 3))).toMatchObject({
      status: 'Failure',
      message: expect.stringContaining('without a status'),
    });
  });

  it('a session that is ended tells it, and leaves the cluster', async () => {
    const before = new Set(running.gateway.sessions.list().map(({ ref }) => ref.id));
    const own = await LocalEnd.open(caller, 'k8s');
    const lines = [`Authorization: ${own.authorization}`, ...ASKS, V5];
    const client = await RawWebSocket.open(own.port, path('box', 'command=sleep'), lines);
    running.gateway.sessions.endWhere(
      ({ ref }) => !before.has(ref.id),
      new HoopError('ERR_SESSION_ENDED', 'an operator ended it'),
    );
    await client.hears(/^close/);
    expect(JSON.parse(heard(client, 3))).toMatchObject({
      status: 'Failure',
      message: expect.stringContaining('an operator ended it'),
    });
    await eventually('the target is left', () => target.open === 0);
    own.close();
  });

  it('what policy does not permit any more is ended, in silence too', async () => {
    const client = await open(path('closing', 'command=sleep'));
    expect(client.status).toBe(101);
    running.write('policies/test.cedar', CLOSED);
    await running.gateway.reload(running.load());
    await client.hears(/^close/);
    expect(JSON.parse(heard(client, 3))).toMatchObject({ message: expect.stringContaining('ERR_DENIED') });
    running.write('policies/test.cedar', POLICY);
    await running.gateway.reload(running.load());
  });
});

async function recorded(
  enough: (items: readonly Record<string, unknown>[]) => boolean,
): Promise<readonly Record<string, unknown>[]> {
  const store = openRecordingStore(`${running.dir}/recordings`, systemClock);
  const { ref } = running.gateway.sessions.list().at(-1)!;
  return eventually(
    'it is on record',
    async () => {
      const items: Record<string, unknown>[] = [];
      for await (const item of (await store.read(ref.id)) ?? [])
        items.push('bytes' in item ? { ...item, bytes: item.bytes.toString() } : { ...item });
      return items;
    },
    enough,
  );
}
