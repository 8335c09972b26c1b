import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PATHS } from '../../../src/api/contract.ts';
import { LocalEnd } from '../../support/http/local-end.ts';
import { events, MCP_SSN, mcpAnswers } from '../../support/http/mcp-upstream.ts';
import { head, json } from '../../support/http/messages.ts';
import { headerOf, RawHttp, statusOf } from '../../support/http/raw-http.ts';
import { RecordingUpstream } from '../../support/http/recording-upstream.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { eventually } from '../../support/waiting.ts';
import { person } from '../../unit/policy/support.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"mcp.use"], resource);
@id("stream") permit (principal, action in [Action::"http.get", Action::"http.delete"], resource is Endpoint)
when { resource.path == "/mcp" };
@id("tools") permit (principal, action == Action::"mcp.call", resource is McpTool)
when { ["lookup", "search"].contains(resource.name) };
@id("no-drop") forbid (principal, action == Action::"mcp.call", resource)
when { context.arguments.contains("$.query=drop") };
@id("money") @approval("finance") forbid (principal, action == Action::"mcp.call", resource)
when { context.arguments.contains("$.query=money") } unless { context.approvals.contains("finance") };
@id("audit") permit (principal in Group::"auditors", action == Action::"audit.search", resource);
@id("greet") permit (principal, action == Action::"mcp.prompt", resource is McpPrompt)
when { resource.name == "greet" };
@id("notes") permit (principal, action == Action::"mcp.read", resource is McpResource)
when { resource.uri == "note://open" };
@id("roots") permit (principal, action == Action::"mcp.answer", resource is McpMethod)
when { resource.name == "roots/list" };
@id("forms") permit (principal, action == Action::"mcp.answer", resource is McpMethod)
when { resource.name == "elicitation/create" };
@id("forms-held") @approval("finance") forbid (principal, action == Action::"mcp.answer", resource is McpMethod)
when { resource.name == "elicitation/create" } unless { context.approvals.contains("finance") };
@id("orders") permit (principal, action == Action::"rpc.call", resource is RpcMethod)
when { resource.name == "orders.get" };
@id("show") permit (principal, action == Action::"reveal", resource);
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource)
when { resource.tags.contains("pii.national-id") };
`;

const BOSS = person('boss', ['finance']);

let upstream: RecordingUpstream;
let running: RunningGateway;
let locals: LocalEnd[];

beforeAll(async () => {
  upstream = await RecordingUpstream.start(mcpAnswers);
  running = await RunningGateway.start({
    policy: POLICY,
    adapter: null,
    resources: `
  tools:
    protocol: http
    target: { url: 'http://127.0.0.1:${upstream.port}' }
    credentials: {}
    api: { mcp: [/mcp, /other], rpc: { /rpc: [orders.get, orders.drop] } }
    classification: { results: { lookup: { $.ssn: [pii.national-id] } } }`,
  });
  const callers = [await running.machine(), await running.machine()];
  locals = await Promise.all(callers.map((caller) => LocalEnd.open(caller, 'tools')));
});

beforeEach(() => upstream.clear());

afterAll(async () => {
  for (const local of locals ?? []) local.close();
  await running?.remove();
  await upstream?.stop();
});

interface Recorded {
  readonly text: string;
  readonly decision: string;
  readonly outcome?: string;
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly lines?: readonly string[];
  readonly local?: LocalEnd;
}

async function send(
  body: unknown,
  { path = '/mcp', method = 'POST', lines = [], local = locals[0]! }: Sent = {},
) {
  const client = await RawHttp.connect(local.port);
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  const ofBody =
    text === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`];
  const auth = `Authorization: Bearer ${local.secret}`;
  client.send(
    Buffer.from(head(`${method} ${path} HTTP/1.1`, 'Host: localhost', auth, ...ofBody, ...lines) + text),
  );
  const [answer] = await client.answered();
  client.close();
  return {
    status: statusOf(answer!),
    text: answer!.body.toString(),
    session: headerOf(answer!, 'mcp-session-id'),
    heard: upstream.heard.map((one) => one.body.toString()),
  };
}

async function sending(body: unknown, lines: readonly string[]): Promise<RawHttp> {
  const { port, secret } = locals[0]!;
  const client = await RawHttp.connect(port);
  const octets = Buffer.from(JSON.stringify(body));
  const type = ['Content-Type: application/json', `Content-Length: ${octets.length}`];
  const start = head(
    'POST /mcp HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${secret}`,
    ...type,
    ...lines,
  );
  client.send(Buffer.concat([Buffer.from(start), octets]));
  return client;
}

const call = (id: number | string, name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});
const request = (id: number, method: string, params: object = {}) => ({ jsonrpc: '2.0', id, method, params });

describe('a route of the Model Context Protocol', () => {
  it('carries a permitted call octet for octet, and masks its result in both places', async () => {
    const text = `{"jsonrpc" : "2.0", "id":7,"method":"tools\\/call","params":{"name":"lookup","arguments":{"n":1.0}}}`;
    const { status, text: shown, heard } = await send(text);
    expect(heard).toEqual([text]);
    expect(status).toBe(200);
    expect(shown).not.toContain(MCP_SSN);
    expect(JSON.parse(shown)).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: {
        content: [{ type: 'text', text: '{"id":7,"name":"Ann","ssn":"***"}' }],
        structuredContent: { id: 7, name: 'Ann', ssn: '***' },
      },
    });
  });

  it('answers a denied call with an error under its id, and the server hears nothing', async () => {
    const denied = await send(call('a', 'delete'));
    expect(denied).toMatchObject({ status: 200, heard: [] });
    expect(JSON.parse(denied.text)).toMatchObject({
      jsonrpc: '2.0',
      id: 'a',
      error: { code: -32010, data: { rule: 'default-deny' } },
    });
    const byArguments = await send(call(1, 'search', { query: 'drop' }));
    expect(byArguments.heard).toEqual([]);
    expect(JSON.parse(byArguments.text)).toMatchObject({ error: { data: { rule: 'no-drop' } } });
  });

  it('H24: lists only what may be asked for', async () => {
    const names = async (method: string) =>
      Object.values((JSON.parse((await send(request(1, method))).text) as { result: object }).result).flat();
    expect(await names('tools/list')).toMatchObject([{ name: 'lookup' }, { name: 'search' }]);
    expect(await names('prompts/list')).toEqual([{ name: 'greet' }]);
    expect(await names('resources/list')).toEqual([{ uri: 'note://open' }]);
  });

  it('H24: decides each message of a batch, and sends all of them or none', async () => {
    const denied = await send([
      request(1, 'tools/list'),
      call(2, 'delete'),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
    ]);
    expect(denied).toMatchObject({ status: 200, heard: [] });
    expect(JSON.parse(denied.text)).toMatchObject([
      { id: 1, error: { message: 'another message of its batch was refused, and none was sent' } },
      { id: 2, error: { data: { rule: 'default-deny' } } },
    ]);
    const passed = await send([request(1, 'tools/list'), call(2, 'lookup')]);
    expect(passed.heard).toHaveLength(1);
    expect(passed.text).not.toContain(MCP_SSN);
    expect(JSON.parse(passed.text)).toMatchObject([{ id: 1, result: { tools: [{}, {}] } }, { id: 2 }]);
  });

  it('has each message of a batch on record, with an outcome of its own', async () => {
    const method = 'notifications/cancelled';
    await send([request(61, 'tools/list'), call(62, 'delete')]);
    upstream.answer = () => [json([{ jsonrpc: '2.0', id: 63, error: { code: -32603, message: 'no' } }])];
    await send([call(63, 'search'), { jsonrpc: '2.0', method }]);
    const auditor = await running.person(['auditors'], { name: 'ada' });
    const found = await auditor.get(`${PATHS.auditEvents}?type=operation.decided&limit=1000`);
    const events = (found.json.events as Recorded[]).map((one) => [one.text, one.decision, one.outcome]);
    expect(events).toEqual(
      expect.arrayContaining([
        ['POST /mcp tools/list', 'allow', 'failure'],
        ['POST /mcp tools/call delete', 'deny', undefined],
        ['POST /mcp tools/call search', 'allow', 'failure'],
        [`POST /mcp ${method}`, 'allow', 'success'],
      ]),
    );
  });

  it('holds a call, whose approval covers the same under the next id', async () => {
    const lines = ['Prefer: respond-async'];
    const ask = async (id: number) => {
      const held = await send(call(id, 'search', { query: 'money' }), { lines });
      expect(held).toMatchObject({ status: 202, heard: [] });
      return (JSON.parse(held.text) as { approval: string }).approval;
    };
    expect(await ask(1)).toBe(await ask(2));
  });

  const badName = { name: 'lооkup' };
  const badUri = { uri: 'note://a/../open' };
  it.each<[string, unknown, number, string, number | null]>([
    [
      'a method twice',
      '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
      400,
      'body-malformed',
      null,
    ],
    ['what is no JSON', '{"jsonrpc":"2.0","id":1,', 400, 'body-malformed', null],
    ['an id of 64 KiB', call('x'.repeat(65_536), 'lookup'), 400, 'rpc-message', null],
    ['an answer to nothing', { jsonrpc: '2.0', id: 1, result: {} }, 400, 'rpc-answer', null],
    ['a method of another server', request(5, 'Tools/Call', { name: 'delete' }), 403, 'rpc-not-described', 5],
    ['a tool in letters that look alike', request(6, 'tools/call', badName), 400, 'rpc-name', 6],
    ['a resource by dots', request(7, 'resources/read', badUri), 400, 'rpc-name', 7],
  ])('H24: refuses %s, under the id that could be read', async (_, body, status, rule, id) => {
    const refused = await send(body);
    expect(refused).toMatchObject({ status, heard: [] });
    expect(JSON.parse(refused.text)).toMatchObject({ jsonrpc: '2.0', id, error: { data: { rule } } });
  });

  it('H24: a method in _meta is none: what the server reads is what was decided', async () => {
    const meta = { _meta: { method: 'tools/call', params: { name: 'delete' } } };
    const body = JSON.stringify(request(11, 'ping', meta));
    expect(await send(body)).toMatchObject({ status: 200, heard: [body] });
    upstream.clear();
    // And the other way round: a permitted method beside the one that is meant covers nothing.
    const covered = { ...call(12, 'delete'), _meta: { method: 'ping' } };
    expect(await send(covered)).toMatchObject({ heard: [] });
  });

  it('H24: knows a session only where it was opened', async () => {
    const opened = await send(request(0, 'initialize', { protocolVersion: '2025-11-25' }));
    expect(opened.session).toBe('session-1');
    upstream.clear();
    const lines = ['Mcp-Session-Id: session-1'];
    expect(await send(call(1, 'lookup'), { lines })).toMatchObject({ status: 200 });
    upstream.clear();
    for (const elsewhere of [
      { lines, local: locals[1]! },
      { lines, path: '/other' },
      { lines: ['Mcp-Session-Id: session-2'] },
    ])
      expect(await send(call(1, 'lookup'), elsewhere)).toMatchObject({ status: 404, heard: [] });
    expect(await send(undefined, { method: 'GET', lines, local: locals[1]! })).toMatchObject({ status: 404 });
    expect(await send(undefined, { method: 'DELETE', lines })).toMatchObject({ status: 200 });
    upstream.clear();
    expect(await send(call(1, 'lookup'), { lines })).toMatchObject({ status: 404, heard: [] });
  });

  it('H24: shows what a server asks where it may be answered, and takes an answer once', async () => {
    upstream.answer = () => [
      events([
        request(90, 'sampling/createMessage'),
        request(91, 'roots/list'),
        { jsonrpc: '2.0', id: 1, result: {} },
      ]),
    ];
    const { text } = await send(call(1, 'search'));
    expect(text).not.toContain('sampling');
    expect(text).toContain('roots/list');
    upstream.clear();
    const answer = { jsonrpc: '2.0', id: 91, result: { roots: [] } };
    expect(await send(answer)).toMatchObject({ status: 202, heard: [JSON.stringify(answer)] });
    upstream.clear();
    expect(await send(answer)).toMatchObject({ status: 400, heard: [] });
    expect(await send({ ...answer, id: 90 })).toMatchObject({ status: 400, heard: [] });
  });

  it('H24: sends none of a batch of which one is forbidden while another waits for people', async () => {
    const { approvals } = running.gateway;
    const pending = () => approvals.list().find(({ state }) => state === 'pending');
    const approved = async (other?: string) => {
      const found = await eventually(
        'people are asked',
        pending,
        (one) => one !== undefined && one.id !== other,
      );
      await approvals.approve(found!.id, BOSS, ['finance']);
      return found!.id;
    };
    const waiting = await sending(
      [call(1, 'lookup'), call(2, 'search', { query: 'money' })],
      ['Prefer: hoop-approval'],
    );
    await eventually('people are asked', pending);
    const forbidden =
      '@id("no-lookup") forbid (principal, action == Action::"mcp.call", resource) when { resource.name == "lookup" };';
    running.write('policies/test.cedar', `${POLICY}${forbidden}`);
    await running.gateway.reload(running.load());
    // By other policies it is another question.
    await approved(await approved());
    const [answer] = await waiting.answered();
    waiting.close();
    running.write('policies/test.cedar', POLICY);
    await running.gateway.reload(running.load());
    expect(upstream.heard).toEqual([]);
    expect(JSON.parse(answer!.body.toString())).toMatchObject([
      { id: 1, error: { data: { rule: 'no-lookup' } } },
      { id: 2, error: {} },
    ]);
  });

  it('asks people about one answer to one question', async () => {
    upstream.answer = () => [events([93, 94].map((id) => request(id, 'elicitation/create')))];
    await send(call(1, 'search'));
    upstream.clear();
    const answer = (id: number) => ({ jsonrpc: '2.0', id, result: { action: 'accept' } });
    const asked = async (id: number) => {
      const held = await send(answer(id), { lines: ['Prefer: respond-async'] });
      expect(held).toMatchObject({ status: 202, heard: [] });
      return (JSON.parse(held.text) as { approval: string }).approval;
    };
    const first = await asked(93);
    expect(await asked(93)).toBe(first);
    expect(await asked(94)).not.toBe(first);
    // While it waits for people the question is answered; when nobody waits any more it is not.
    const waiting = await sending(answer(93), ['Prefer: hoop-approval']);
    await eventually(
      'it waits',
      () => waiting.received.toString('latin1'),
      (said) => said.includes('HTTP/1.1 102'),
    );
    expect(await send({ ...answer(93), result: { action: 'decline' } })).toMatchObject({
      status: 400,
      heard: [],
    });
    waiting.close();
    const again = () => send(answer(93), { lines: ['Prefer: respond-async'] });
    await eventually('it is asked again', again, ({ status }) => status === 202);
  });

  it('H24: masks a result in events, wherever it is answered', async () => {
    const opened = await send(request(0, 'initialize', { protocolVersion: '2025-11-25' }));
    const lines = [`Mcp-Session-Id: ${opened.session}`];
    upstream.answer = () => [
      events([{ jsonrpc: '2.0', id: 5, result: { structuredContent: { ssn: MCP_SSN } } }]),
    ];
    expect((await send(request(6, 'tools/list'), { lines })).text).not.toContain(MCP_SSN);
    expect((await send(undefined, { method: 'GET', lines })).text).not.toContain(MCP_SSN);
  });

  it('masks what is given once more by all that was asked under its id', async () => {
    const opened = await send(request(0, 'initialize', { protocolVersion: '2025-11-25' }));
    for (const session of [[`Mcp-Session-Id: ${opened.session}`], []]) {
      upstream.clear();
      const first = await send(call(1, 'lookup'), { lines: session });
      expect(JSON.parse(first.text)).toMatchObject({
        result: { structuredContent: { ssn: '***', name: 'Ann' } },
      });
      upstream.clear();
      // The same id for a tool of which nothing is masked, and no answer to it yet.
      upstream.answer = ({ method, headers }) => {
        const again = headers.some(([name]) => name.toLowerCase() === 'last-event-id');
        if (method !== 'GET' || !again) return [];
        return [events([{ jsonrpc: '2.0', id: 1, result: { structuredContent: { id: 8, ssn: MCP_SSN } } }])];
      };
      const waiting = await sending(call(1, 'search'), session);
      const heard = () => upstream.heard.length;
      await eventually('the target hears it', heard, (count) => count > 0);
      const again = await send(undefined, { method: 'GET', lines: [...session, 'Last-Event-ID: 0'] });
      expect(again.text).toContain('"id":8');
      expect(again.text).not.toContain(MCP_SSN);
      waiting.close();
    }
  });
});

describe('a route of JSON-RPC', () => {
  it('carries the methods that it is configured to have, as policy permits them', async () => {
    expect(await send(request(1, 'orders.get'), { path: '/rpc' })).toMatchObject({
      status: 200,
      heard: [{}],
    });
    upstream.clear();
    for (const [method, code] of [
      ['orders.drop', -32010],
      ['orders.pay', -32601],
    ] as const) {
      const refused = await send(request(1, method), { path: '/rpc' });
      expect(refused.heard).toEqual([]);
      expect(JSON.parse(refused.text)).toMatchObject({ error: { code } });
    }
    expect(await send(undefined, { path: '/rpc', method: 'GET' })).toMatchObject({ status: 403, heard: [] });
  });
});
