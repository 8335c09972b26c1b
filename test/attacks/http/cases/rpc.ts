/** H24: JSON-RPC and the Model Context Protocol. */
import { gzipSync } from 'node:zlib';
import { mcpAnswers } from '../../../support/http/mcp-upstream.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { servesOn } from '../attack.ts';
import { call, message, octetsOf, opened, SESSION, type Sent, text, told } from '../rpc.ts';
import { calls } from '../rpc-readings.ts';
import { type HttpAttack, type HttpGroup, MASKED } from '../world.ts';
import { SHOWN } from './rpc-shown.ts';

/** Two tools and nothing else; the stream of news may be read. */
const POLICY = `${MASKED}
@id("mcp") permit (principal, action == Action::"mcp.use", resource);
@id("stream") permit (principal, action in [Action::"http.get", Action::"http.delete"], resource is Endpoint)
when { resource.path == "/mcp" || resource.path == "/other" };
@id("tools") permit (principal, action == Action::"mcp.call", resource is McpTool)
when { resource.name == "lookup" || resource.name == "search" };
@id("note") permit (principal, action == Action::"mcp.read", resource is McpResource)
when { resource.uri like "note://open/*" };
`;

/** Some server would call the tool that policy permits nobody; behind the gateway none is sent anything. */
function uncalled(
  what: string,
  body: string | Buffer,
  sent: Sent = {},
  status: readonly number[] = [400],
): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      world.upstream.answer = mcpAnswers;
      await told(await world.direct(), octetsOf(world.authorization, body, sent));
      const live = world.upstream.heard.some((one) => calls(one) !== undefined);
      must(live, 'dead: no server takes it for the call');
      world.upstream.heard = [];
      const before = world.upstream.octets.length;
      const got = await told(await world.through(), octetsOf(world.authorization, body, sent));
      must(world.upstream.octets.length === before, 'the target was sent something');
      must(status.includes(statusOf(got)), `answered with ${statusOf(got)}: ${got.body.toString()}`);
      must(/"(?:error|rule)":/.test(got.body.toString()), `no refusal: ${got.body.toString()}`);
      await servesOn(world);
    },
  };
}

const STATELESS = 'MCP-Protocol-Version: 2026-07-28';
const inMeta = (version: string) => ({ _meta: { 'io.modelcontextprotocol/protocolVersion': version } });
const DENIED = [200, 400, 403];

const CALLS: HttpAttack[] = [
  uncalled('a tool that is denied', text(call('delete')), {}, [200]),
  uncalled(
    'a denied call in a batch behind a list',
    text([message('tools/list', {}), call('delete', { id: 2 })]),
    {},
    [200],
  ),
  uncalled(
    'a denied call in a batch before a permitted one',
    text([call('delete'), call('search', { id: 2 })]),
    {},
    [200],
  ),
  uncalled('a denied call as a notification', text(call('delete', {})), {}, [403]),
  uncalled('a denied notification in a batch', text([call('search'), call('delete', {})]), {}, [200]),
  uncalled('a list in a list', text([[call('delete')]])),
  uncalled(
    'two methods, the permitted last',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete"},"method":"ping"}',
  ),
  uncalled(
    'two methods, the permitted first',
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"delete"}}',
  ),
  uncalled(
    'a method twice, once escaped',
    '{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/call","params":{"name":"delete"}}',
  ),
  uncalled(
    'a method twice, in two cases',
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"delete"}}',
  ),
  uncalled(
    'a method in another case alone',
    '{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"delete"}}',
  ),
  uncalled(
    'a name twice',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","name":"delete"}}',
  ),
  uncalled(
    'params twice',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete"},"params":{"name":"search"}}',
  ),
  uncalled(
    'a method of the protocol in another case',
    text(message('Tools/Call', { name: 'delete' })),
    {},
    [403],
  ),
  uncalled('a method with a blank', text(message('tools/call ', { name: 'delete' }))),
  uncalled('a tool in capitals', text(call('DELETE')), {}, [200]),
  uncalled('a tool in wide letters', text(call('ｄｅｌｅｔｅ'))),
  uncalled('a tool in letters that look alike', text(call('dеlеtе'))),
  uncalled('a tool with marks that are not seen', text(call('del\u200bete'))),
  uncalled('a tool with a blank', text(call('delete '))),
  uncalled('a tool that ends at NUL', text(call('delete\0'))),
  uncalled('an answer that is a call too', text({ ...call('delete'), result: {} })),
  uncalled('no version', text({ id: 1, method: 'tools/call', params: { name: 'delete' } })),
  uncalled('another version', text({ ...call('delete'), jsonrpc: '1.0' })),
  uncalled(
    'an id that nobody keeps',
    `{"jsonrpc":"2.0","id":${'9'.repeat(400)},"method":"tools/call","params":{"name":"delete"}}`,
  ),
  uncalled(
    'an id beyond all numbers',
    '{"jsonrpc":"2.0","id":1e999,"method":"tools/call","params":{"name":"delete"}}',
  ),
  uncalled('an id that is an object', text(call('delete', { id: { a: 1 } }))),
  uncalled('an id of 4 KiB', text(call('delete', { id: 'x'.repeat(4096) }))),
  uncalled('one id for two requests', text([call('search'), call('delete')])),
  uncalled(
    'octets that are not UTF-8',
    Buffer.from(text(call('delete')).replace('}}}', ',"a":"\xff"}}}'), 'latin1'),
  ),
  uncalled('a byte order mark', `\ufeff${text(call('delete'))}`),
  uncalled('UTF-16', Buffer.from(text(call('delete')), 'utf16le')),
  uncalled(
    'UTF-16 that is told',
    Buffer.from(text(call('delete')), 'utf16le'),
    { type: 'application/json; charset=utf-16le' },
    [415],
  ),
  uncalled('something behind the message', `${text(call('search'))}\n${text(call('delete'))}`),
  uncalled(
    'a comment that hides the permitted',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete"}/*,"x":1*/}',
  ),
  uncalled('as text', text(call('delete')), { type: 'text/plain' }, [415]),
  uncalled('as a form', text(call('delete')), { type: 'application/x-www-form-urlencoded' }, [415]),
  uncalled('as JSON of some vendor', text(call('delete')), { type: 'application/vnd.rpc+json' }, [415]),
  uncalled('by PUT', text(call('delete')), { method: 'PUT' }, [403]),
  uncalled('by another spelling of the path', text(call('delete')), { path: '/MCP/' }, DENIED),
  uncalled('a header that names another tool', text(call('search')), { lines: ['Mcp-Name: delete'] }),
  uncalled('a header that names another tool in base64', text(call('search')), {
    lines: ['Mcp-Method: tools/call', `Mcp-Name: delete`, 'Mcp-Name: search'],
  }),
  uncalled('a header that names another method', text(message('ping', { name: 'delete' })), {
    lines: ['Mcp-Method: tools/call'],
  }),
  uncalled(
    'since 2026 without its headers',
    text(message('tools/call', { name: 'delete', ...inMeta('2026-07-28') })),
    { lines: [STATELESS] },
  ),
  uncalled(
    'since 2026 in a batch',
    text([
      message('ping', inMeta('2026-07-28')),
      message('tools/call', { name: 'delete', ...inMeta('2026-07-28') }, { id: 2 }),
    ]),
    { lines: [STATELESS, 'Mcp-Method: ping'] },
  ),
  uncalled(
    'another version in the message than in the header',
    text(message('tools/call', { name: 'delete', ...inMeta('2025-11-25') })),
    { lines: [STATELESS, 'Mcp-Method: tools/call', 'Mcp-Name: delete'] },
  ),
  uncalled('a version that nobody knows', text(call('delete')), {
    lines: ['MCP-Protocol-Version: 2030-01-01'],
  }),
  uncalled(
    '10,000 levels',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete","arguments":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`,
    {},
    [413],
  ),
];

/** It goes nowhere, whoever would do what with it. */
function refused(
  what: string,
  body: string | Buffer,
  sent: Sent = {},
  status: readonly number[] = [400],
): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      world.upstream.answer = mcpAnswers;
      const got = await told(await world.through(), octetsOf(world.authorization, body, sent));
      must(world.upstream.octets.length === 0, 'the target was sent something');
      must(status.includes(statusOf(got)), `answered with ${statusOf(got)}: ${got.body.toString()}`);
      must(/"(?:error|rule)":/.test(got.body.toString()), `no refusal: ${got.body.toString()}`);
      await servesOn(world);
    },
  };
}

const read = (uri: string) => text(message('resources/read', { uri }));
const REFUSED: HttpAttack[] = [
  refused('a resource above the permitted, by dots', read('note://open/../secret')),
  refused('a resource by encoded dots', read('note://open/%2e%2e/secret')),
  refused('a resource by dots that are encoded twice', read('note://open/%252e%252e/secret')),
  refused('a resource by a backslash', read('note://open/..\\secret')),
  refused('a resource that ends at NUL', read('note://open/a\0secret')),
  refused('a resource with its scheme in capitals', read('NOTE://secret')),
  refused(
    'completions for a prompt that is denied',
    text(
      message('completion/complete', {
        ref: { type: 'ref/prompt', name: 'secret' },
        argument: { name: 'a', value: 'b' },
      }),
    ),
    {},
    [200],
  ),
  refused(
    'a subscription to a resource that is denied',
    text(
      message('subscriptions/listen', {
        notifications: { resourceSubscriptions: ['note://open/a', 'note://secret'] },
      }),
    ),
    {},
    [200],
  ),
  refused(
    'an answer to what was never asked',
    text({ jsonrpc: '2.0', id: 7, result: { role: 'assistant' } }),
  ),
  refused(
    'an answer to sampling within a call',
    text(
      message('tools/call', { name: 'search', inputResponses: { a: { role: 'assistant', content: {} } } }),
    ),
    {},
    [200],
  ),
  refused('an empty batch', '[]'),
  refused('a batch of 1,000', text(Array.from({ length: 1000 }, (_, id) => message('ping', {}, { id })))),
  refused('no body', '', {}, [415]),
  refused('gzip', gzipSync(text(call('search'))), { lines: ['Content-Encoding: gzip'] }, [415]),
  refused('a method of the old transport', text(message('sse/endpoint', {})), {}, [403]),
];

function notTheirs(what: string, body: string, sent: Sent): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      await opened(world);
      const { client, authorization } = await world.stranger();
      const got = await told(client, octetsOf(authorization, body, { lines: [SESSION], ...sent }));
      must(world.upstream.octets.length === 0, 'the target was sent it');
      must(statusOf(got) === 404, `answered with ${got.start}`);
    },
  };
}

const SESSIONS: HttpAttack[] = [
  notTheirs("a call in somebody else's session", text(call('search')), {}),
  notTheirs("the stream of somebody else's session", '', { method: 'GET' }),
  notTheirs("the stream of somebody else's session, from an event on", '', {
    method: 'GET',
    lines: [SESSION, 'Last-Event-ID: 1'],
  }),
  notTheirs("the end of somebody else's session", '', { method: 'DELETE' }),
  notTheirs("an answer in somebody else's session", text({ jsonrpc: '2.0', id: 1, result: {} }), {}),
  {
    case: 'a session on another route',
    run: async (world) => {
      await opened(world);
      const octets = octetsOf(world.authorization, text(call('search')), {
        path: '/other',
        lines: [SESSION],
      });
      const got = await told(await world.through(), octets);
      must(world.upstream.octets.length === 0 && statusOf(got) === 404, `answered with ${got.start}`);
    },
  },
  refused(
    'a session that was never opened',
    text(call('search')),
    { lines: ['Mcp-Session-Id: guessed'] },
    [404],
  ),
  refused('two sessions at once', text(call('search')), { lines: [SESSION, 'Mcp-Session-Id: other'] }, [400]),
];

const AS_IT_IS: HttpAttack = {
  case: 'a method in _meta is none: what the server reads is what was decided',
  run: async (world) => {
    world.upstream.answer = mcpAnswers;
    const body = text(message('ping', { _meta: { method: 'tools/call', params: { name: 'delete' } } }));
    const got = await told(await world.through(), octetsOf(world.authorization, body));
    must(statusOf(got) === 200 && world.upstream.heard.length === 1, `answered with ${got.start}`);
    must(world.upstream.heard[0]!.body.toString() === body, 'the target was sent something else');
  },
};

export const H24: HttpGroup = {
  id: 'H24',
  policy: POLICY,
  attacks: [...CALLS, ...REFUSED, ...SESSIONS, ...SHOWN, AS_IT_IS],
};
