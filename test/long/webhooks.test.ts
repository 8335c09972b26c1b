import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TUNNEL_HEADERS } from '../../src/api/contract.ts';
import type { Log } from '../../src/core/log.ts';
import { Secret } from '../../src/core/secret.ts';
import { Webhook, type WebhookSettings } from '../../src/gateway/notify/webhook.ts';
import { OPEN_POLICY, RunningGateway } from '../support/running-gateway.ts';
import { eventually } from '../support/waiting.ts';
import { type Received, WebhookReceiver } from '../support/webhook-receiver.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const lines: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  error: () => undefined,
  child: () => log,
};
let receiver: WebhookReceiver;

beforeEach(async () => {
  lines.length = 0;
  receiver = await WebhookReceiver.start();
});

afterEach(() => receiver.stop());

const came = (count: number) =>
  eventually(
    `${count} deliveries`,
    () => receiver.received,
    (all) => all.length >= count,
  );
const logged = () =>
  eventually(
    'a line of the log',
    () => lines,
    (all) => all.length > 0,
  );

/** As a receiver does it, by the specification alone. */
function expectSigned({ headers, body }: Received, key = KEY): void {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const mac = createHmac('sha256', Buffer.from(key, 'base64')).update(signed).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${mac}`);
  expect(Math.abs(Number(headers['webhook-timestamp']) * 1000 - Date.now())).toBeLessThan(60_000);
}

describe('one webhook', () => {
  let webhook: Webhook;
  const settings = (more: Partial<WebhookSettings> = {}): WebhookSettings => {
    const url = new Secret(receiver.url);
    return { url, key: new Secret(`whsec_${KEY}`), format: 'json', link: undefined, ...more };
  };
  let now = 0;
  const make = (more: Partial<WebhookSettings> = {}, timeoutMs = 500) => {
    const pace = {
      timeoutMs,
      firstDelayMs: 5,
      maxRetryAfterMs: 1000,
      retryForMs: 30_000,
      dropAfterMs: 60_000,
    };
    webhook = new Webhook(settings(more), { clock: { now: () => Date.now() + now }, log, pace });
    return webhook;
  };
  const tell = (...ids: readonly string[]) => {
    for (const id of ids) webhook.tell({ id, body: JSON.stringify({ id }) });
  };

  afterEach(() => {
    webhook.close();
    now = 0;
  });

  it('is told everything once, in order, each delivery signed', async () => {
    make();
    tell('a', 'b', 'c');
    await came(3);
    expect(receiver.ids).toEqual(['a', 'b', 'c']);
    for (const one of receiver.received) expectSigned(one);
    expect(receiver.received[0]).toMatchObject({
      body: '{"id":"a"}',
      headers: { 'content-type': 'application/json' },
    });
  });

  it('that fails at first, hangs or breaks off is told again by the same id, and nothing overtakes', async () => {
    receiver.answers.push(500, 'hang', (response) => response.destroy(), 408);
    make();
    tell('a', 'b');
    await came(6);
    expect(receiver.ids).toEqual(['a', 'a', 'a', 'a', 'a', 'b']);
    for (const one of receiver.received) expectSigned(one);
    expect(lines).toEqual([]);
  });

  it('that goes on failing is given up after five attempts; the log names its host and no more', async () => {
    receiver.answers.push(500, 502, 503, 504, 500);
    make();
    tell('a', 'b');
    await came(6);
    expect(receiver.ids).toEqual(['a', 'a', 'a', 'a', 'a', 'b']);
    const { host } = new URL(receiver.url);
    expect(lines).toEqual([
      `a webhook was not told ${JSON.stringify({ host, message: 'a', said: '500', attempts: 5 })}`,
    ]);
  });

  it('that was down does not hold back what comes later: what is old is tried once, what is older not at all', async () => {
    let hung: (() => void) | undefined;
    receiver.answers.push((response) => {
      hung = () => response.writeHead(503).end();
    });
    make({}, 5000);
    tell('a', 'b');
    await came(1);
    now = 61_000;
    tell('c', 'd');
    receiver.answers.push(500, 500);
    hung?.();
    await came(5);
    expect(receiver.ids).toEqual(['a', 'c', 'c', 'c', 'd']);
    expect(lines.join()).toContain('"message":"a","said":"503","attempts":1');
    expect(lines.join()).toContain('"message":"b","attempts":0');
  });

  it('that is not there is said by a code alone', async () => {
    const { url } = receiver;
    await receiver.stop();
    receiver = await WebhookReceiver.start();
    make({ url: new Secret(url) });
    tell('a');
    const [line] = await logged();
    expect(line).toContain('"said":"ECONNREFUSED","attempts":5');
    expect(line).not.toMatch(/TOKEN|hook\//);
  });

  it.each([301, 302, 307, 308, 400, 404, 410])(
    'that answers %d is not asked again, nor is anybody else',
    async (status) => {
      const other = await WebhookReceiver.start();
      receiver.answers.push((response) => response.writeHead(status, { location: other.url }).end());
      make();
      tell('a', 'b');
      await came(2);
      expect(receiver.ids).toEqual(['a', 'b']);
      expect(other.received).toEqual([]);
      expect(lines.join()).toContain(`"message":"a","said":"${status}","attempts":1`);
      await other.stop();
    },
  );

  it.each(['1', () => new Date(Date.now() + 60_000).toUTCString()])(
    'that answers 429 is left alone as long as it asks for, within a bound',
    async (after) => {
      const value = typeof after === 'string' ? after : after();
      receiver.answers.push((response) => response.writeHead(429, { 'retry-after': value }).end());
      make();
      tell('a');
      const [first, second] = await came(2);
      expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(990);
      expect(second!.atMs - first!.atMs).toBeLessThan(10_000);
    },
  );

  it('that sends without end is not read', async () => {
    let closed = false;
    receiver.answers.push((response) => {
      const more = () => response.write(Buffer.alloc(65_536)) && setImmediate(more);
      response.on('drain', more).on('close', () => {
        closed = true;
      });
      response.writeHead(200);
      more();
    });
    make({}, 60_000);
    tell('a', 'b');
    await came(2);
    await eventually('the first is broken off', () => closed);
  });

  it('that is too slow loses its oldest messages, and the log says so', async () => {
    receiver.answers.push('hang');
    make();
    tell('a', ...Array.from({ length: 1002 }, (_, n) => `b${n}`));
    expect(lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))).message)).toEqual(['b0', 'b1']);
    await came(4);
    expect(receiver.ids.slice(0, 4)).toEqual(['a', 'a', 'b2', 'b3']);
  });

  it('is told nothing more once it is closed, and what is under way is broken off', async () => {
    receiver.answers.push('hang');
    make();
    tell('a', 'b');
    await came(1);
    webhook.close();
    tell('c');
    await eventually(
      'the connection is gone',
      () => receiver.connections(),
      (count) => count === 0,
    );
    expect(receiver.ids).toEqual(['a']);
    expect(lines).toEqual([]);
  });

  it('takes a new key with the next attempt', async () => {
    make();
    tell('a');
    await came(1);
    const key = Buffer.alloc(24, 9).toString('base64');
    webhook.settings = settings({ key: new Secret(key) });
    tell('b');
    await came(2);
    expectSigned(receiver.received[1]!, key);
  });
});

describe('hoopd', () => {
  const POLICY = `${OPEN_POLICY}
@id("door") @approval("on-call") @reason("opened for a purpose")
forbid (principal in Group::"ai-agents", action == Action::"connect", resource == Resource::"echo")
unless { context.approvals.contains("on-call") };`;
  const yaml = (entry: string) => `approvals: { wait: 0s, webhooks: [${entry}] }\n`;
  const ASKS = { headers: { [TUNNEL_HEADERS.approval]: 'ask' } };
  let running: RunningGateway;
  afterEach(() => running.remove());

  it('tells of a request, again after a restart by the same id, and takes other webhooks with a reload', async () => {
    const more = yaml(`{ url: { file: url }, secret: { file: key }, link: "https://wiki.test/?a={id}" }`);
    running = await RunningGateway.start({
      policy: POLICY,
      more: yaml(''),
      deps: { log },
    });
    running.write('url', `${receiver.url}\n`);
    running.write('key', KEY);
    running.write('hoopd.yaml', running.config().replace(yaml(''), more));
    expect(await running.gateway.reload(running.load())).toBe(true);
    const agent = await running.person(['developers'], { agent: 'copilot' });
    const refused = await agent.tunnel('echo', ASKS);
    expect(JSON.parse(await refused.until())).toMatchObject({ code: 'ERR_APPROVAL_REQUIRED' });
    const [told] = await came(1);
    expectSigned(told!);
    const message = JSON.parse(told!.body);
    expect(message).toMatchObject({
      type: 'approval.requested',
      data: { status: 'pending', actor: 'copilot', resource: 'echo', missing: ['on-call'] },
    });
    expect(message.data.link).toBe(`https://wiki.test/?a=${message.data.id}`);
    await running.stop();
    await running.restart();
    const [, again] = await came(2);
    expect(again!.headers['webhook-id']).toBe(told!.headers['webhook-id']);
    expect(again!.body).toBe(told!.body);
    const other = await WebhookReceiver.start();
    running.write(
      'hoopd.yaml',
      running.config().replace(yaml(''), yaml(`{ url: "${other.url}", format: slack }`)),
    );
    expect(await running.gateway.reload(running.load())).toBe(true);
    const later = await running.person(['developers'], { agent: 'copilot' });
    expect((await later.tunnel('echo', ASKS)).status).not.toBe(101);
    const [chat] = await eventually(
      'the other',
      () => other.received,
      (all) => all.length > 0,
    );
    expect(Object.keys(JSON.parse(chat!.body))).toEqual(['text']);
    expect(JSON.parse(chat!.body).text).toMatch(/^\*Approval wanted\*: `apr_/);
    expect(chat!.headers).not.toHaveProperty('webhook-signature');
    expect(receiver.received).toHaveLength(2);
    await other.stop();
  });
});
