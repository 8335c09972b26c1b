import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalEnd } from '../../support/http/local-end.ts';
import { head, json } from '../../support/http/messages.ts';
import { RawHttp, statusOf } from '../../support/http/raw-http.ts';
import { RecordingUpstream } from '../../support/http/recording-upstream.ts';
import { RunningGateway } from '../../support/running-gateway.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("look") permit (principal, action in Action::"http", resource in Operation::"api/listPayments");
@id("pay") permit (principal, action == Action::"http.post", resource in Operation::"api/pay")
when { context.bodyWhole && ["$.currency=EUR", "$.currency=USD"].containsAll(context.fields) };
`;

const PAYMENTS = `
openapi: 3.1.0
servers: [{url: /v1}]
paths:
  /payments:
    get: {operationId: listPayments, parameters: [{name: page, in: query, schema: {type: integer}}]}
    post: {operationId: pay, requestBody: {content: {application/json: {}}}}
    delete: {operationId: clear}
`;

let upstream: RecordingUpstream;
let running: RunningGateway;
let local: LocalEnd;

beforeAll(async () => {
  upstream = await RecordingUpstream.start(({ target }) => [json({ target })]);
  running = await RunningGateway.start({
    policy: POLICY,
    adapter: null,
    files: { 'payments.yaml': PAYMENTS },
    resources: `
  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${upstream.port}/v1' }
    credentials: {}
    api: { openapi: payments.yaml, fields: { 'POST /payments': [$.currency] } }`,
  });
  local = await LocalEnd.open(await running.machine(), 'api');
});

beforeEach(() => upstream.clear());

afterAll(async () => {
  local?.close();
  await running?.remove();
  await upstream?.stop();
});

/** What is answered, and what of it the target heard. */
async function ask(start: string, body = ''): Promise<string> {
  const client = await RawHttp.connect(local.port);
  const lines = body === '' ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`];
  client.send(
    head(`${start} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${local.secret}`, ...lines) + body,
  );
  const [answer] = await client.answered();
  client.close();
  const heard = upstream.heard.map(({ method, target, body: sent }) =>
    `${method} ${target} ${sent.toString()}`.trim(),
  );
  const { rule } = JSON.parse(answer!.body.toString()) as { readonly rule?: string };
  return [statusOf(answer!), rule ?? '', ...heard].join(' ').trim();
}

describe('an API whose OpenAPI file and fields are configured', () => {
  it.each([
    ['GET /payments', '', '200  GET /v1/payments'],
    ['GET /payments?page=2', '', '200  GET /v1/payments?page=2'],
    ['POST /payments', '{"currency":"EUR"}', '200  POST /v1/payments {"currency":"EUR"}'],
    ['POST /payments', '{"currency":"XXX"}', '403 default-deny'],
    ['POST /payments', '{"currency":["EUR","XXX"]}', '403 default-deny'],
    ['POST /payments', '{"currency":"EUR","Currency":"XXX"}', '400 body-malformed'],
    ['DELETE /payments', '', '403 default-deny'],
    ['GET /payments', '', '200  GET /v1/payments'],
    ['GET /payments/1', '', '403 operation-not-described'],
    ['GET /payments?limit=1', '', '400 parameter-not-described'],
    ['GET /v1/payments', '', '403 operation-not-described'],
  ])('%s %s: %s', async (start, body, expected) => expect(await ask(start, body)).toBe(expected));

  it('is told where its file is wrong', () => {
    writeFileSync(
      join(running.dir, 'payments.yaml'),
      PAYMENTS.replace('{operationId: clear}', '{operationId: pay}'),
    );
    const loaded = running.load();
    expect(loaded).toMatchObject({ ok: false });
    expect(JSON.stringify(loaded)).toMatch(
      /payments\.yaml:8: paths\.\/payments\.delete\.operationId is there twice: pay/,
    );
  });
});
