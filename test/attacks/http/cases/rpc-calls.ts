/** H24: calls of a tool that policy permits nobody, in every form in which some server would take them. */
import { mcpAnswers } from '../../../support/http/mcp-upstream.ts';
import { must } from '../../attack.ts';
import { call, isRefused, message, octetsOf, type Sent, text, told } from '../rpc.ts';
import { calls } from '../rpc-readings.ts';
import type { HttpAttack } from '../world.ts';

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
      await isRefused(world, octetsOf(world.authorization, body, sent), status);
    },
  };
}

const STATELESS = 'MCP-Protocol-Version: 2026-07-28';
const inMeta = (version: string) => ({ _meta: { 'io.modelcontextprotocol/protocolVersion': version } });
const DENIED = [200, 400, 403];

export const CALLS: HttpAttack[] = [
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
  uncalled('a tool in letters of either case', text(call('Delete')), {}, [200]),
  uncalled('a tool with an escape', text(call('delete')).replace('delete', '\\u0064elete'), {}, [200]),
  uncalled('a tool with a mark of direction', text(call('\u202edelete'))),
  uncalled('a tool with a mark that joins', text(call('de\u2060lete'))),
  uncalled('a tool with a soft hyphen', text(call('del\u00adete'))),
  uncalled('a tool behind a byte order mark', text(call('\ufeffdelete'))),
  uncalled('a tool in mathematical letters', text(call('𝐝𝐞𝐥𝐞𝐭𝐞'))),
  uncalled('a tool in letters in circles', text(call('ⓓⓔⓛⓔⓣⓔ'))),
  uncalled('a tool behind a blank', text(call(' delete'))),
  uncalled('a tool behind a blank that does not break', text(call('\u00a0delete'))),
  uncalled(
    'a denied call behind fifty that are permitted',
    text([
      ...Array.from({ length: 49 }, (_, id) => call('search', { id: id + 10 })),
      call('delete', { id: 9 }),
    ]),
    {},
    [200],
  ),
  uncalled('a denied call between words', text([null, call('delete')]).replace('null', '"ping"')),
  uncalled('a denied call beside nothing', text([null, call('delete')])),
  uncalled(
    'a call with params in a list',
    text({ ...message('tools/call', {}), params: [{ name: 'delete' }] }),
  ),
  uncalled(
    'a method with its slash escaped',
    text(call('delete')).replace('tools/call', 'tools\\/call'),
    {},
    [200],
  ),
  uncalled('a method in wide letters', text(message('ｔｏｏｌｓ／ｃａｌｌ', { name: 'delete' }))),
  uncalled('a method behind a blank', text(message(' tools/call', { name: 'delete' }))),
  uncalled('a method that ends at NUL', text(message('tools/call\0', { name: 'delete' }))),
  uncalled(
    'a method with two slashes',
    text(message('tools//call', { name: 'delete' })).replace('tools//call', 'tools\\u002fcall'),
    {},
    [200],
  ),
  uncalled(
    'an id that is there twice',
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{"name":"delete"}}',
  ),
  uncalled('an id that is nothing', text(call('delete', { id: null }))),
  uncalled('an id that is a word', text(call('delete', { id: true }))),
  uncalled('an id with a fraction', text(call('delete', { id: 1.5 })), {}, [200, 400]),
  uncalled(
    'one id for two, as a number and in other digits',
    '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":1.0,"method":"tools/call","params":{"name":"delete"}}]',
  ),
  uncalled(
    'a name twice, with an escape',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","n\\u0061me":"delete"}}',
  ),
  uncalled(
    'a name twice, in capitals',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","Name":"delete"}}',
  ),
  uncalled(
    'a name in capitals alone',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"NAME":"delete"}}',
  ),
  uncalled(
    'arguments twice',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete","arguments":{},"arguments":{"a":1}}}',
  ),
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
  uncalled('as JSON and text', text(call('delete')), { type: 'application/json, text/plain' }, [400, 415]),
  uncalled(
    'as JSON in a charset that is not',
    text(call('delete')),
    { type: 'application/json; charset=utf-7' },
    [415],
  ),
  uncalled('as JSON lines', text(call('delete')), { type: 'application/x-ndjson' }, [415]),
  uncalled('as octets', text(call('delete')), { type: 'application/octet-stream' }, [415]),
  uncalled('by PATCH', text(call('delete')), { method: 'PATCH' }, [403]),
  uncalled('by DELETE', text(call('delete')), { method: 'DELETE' }, [403]),
  uncalled('by the path, encoded', text(call('delete')), { path: '/%6dcp' }, [200]),
  uncalled('by the path with a slash behind it', text(call('delete')), { path: '/mcp/' }, [200]),
  uncalled('by the path with a query', text(call('delete')), { path: '/mcp?x=1' }, [200]),
  uncalled('by the path with a segment behind it', text(call('delete')), { path: '/mcp/x' }, [403]),
  uncalled('by the path of another server', text(call('delete')), { path: '/other' }, [200]),
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
