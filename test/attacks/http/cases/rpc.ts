/** H24: JSON-RPC and the Model Context Protocol. */
import { gzipSync } from 'node:zlib';
import { mcpAnswers } from '../../../support/http/mcp-upstream.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import { must } from '../../attack.ts';
import { call, isRefused, message, octetsOf, opened, SESSION, type Sent, text, told } from '../rpc.ts';
import { type HttpAttack, type HttpGroup, MASKED } from '../world.ts';
import { CALLS } from './rpc-calls.ts';
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
      must(world.upstream.octets.length === 0, 'the target was sent something before');
      await isRefused(world, octetsOf(world.authorization, body, sent), status);
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
  refused('two sessions in one header', text(call('search')), { lines: [`${SESSION}, other`] }, [400, 404]),
  refused(
    'a session by an underscore',
    text(call('search')),
    { lines: ['Mcp_Session_Id: guessed', 'Mcp-Session-Id: guessed'] },
    [404],
  ),
  refused(
    'a session in letters of another case',
    text(call('search')),
    { lines: [SESSION.replace(': s', ': S')] },
    [404],
  ),
  refused('a session that holds a blank', text(call('search')), { lines: [`${SESSION} x`] }, [400, 404]),
  refused('an empty session', text(call('search')), { lines: ['Mcp-Session-Id:'] }, [400, 404]),
  refused(
    'the stream of a session that was never opened',
    '',
    { method: 'GET', lines: ['Mcp-Session-Id: guessed'] },
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
