import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askedBy } from '../../../../src/protocols/http/rpc/asked.ts';
import { checkHeaders } from '../../../../src/protocols/http/rpc/headers.ts';
import { readMessages } from '../../../../src/protocols/http/rpc/message.ts';
import { isPlainUri } from '../../../../src/protocols/http/rpc/names.ts';

const endpoint = { type: 'Endpoint', id: 'api/mcp', attrs: { path: '/mcp', segments: ['mcp'], depth: 1 } };
const at = { endpoint, clean: String };
const VERSION = 'io.modelcontextprotocol/protocolVersion';

function read(body: unknown) {
  return readMessages(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

const message = (method: string, params: object) => ({ jsonrpc: '2.0', id: 1, method, params });

describe('messages', () => {
  it('keep their octets, whatever else stands in the body', () => {
    const text = '{ "id" : 7,"jsonrpc":"2.0","method":"a\\/b","params":[1.0] }';
    expect(read(` [ ${text} , ${text.replace('7', '"7"')} ] `)).toMatchObject({
      batch: true,
      messages: [{ text, method: 'a/b', id: '7', kind: 'request' }, { id: '"7"' }],
    });
  });

  it('H24: are read as JSON is, whatever their params are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 3 })),
        (params) => {
          const found = read(message('m', params));
          if ('rule' in found) return found.rule === 'body-malformed';
          const { text, params: place } = found.messages[0]!;
          return JSON.stringify(JSON.parse(text.slice(place!.start, place!.end))) === JSON.stringify(params);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['{}', 'rpc-message'],
    ['[]', 'rpc-message'],
    ['{"jsonrpc":"2.0","id":null,"method":"a"}', 'rpc-message'],
    ['{"jsonrpc":"2.0","id":1.0,"method":"a"}', 'rpc-message'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","extra":1}', 'rpc-message'],
    ['{"jsonrpc":"2.0","id":1,"result":1,"error":{}}', 'rpc-message'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"b":1,"B":2}}', 'body-malformed'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"s":1,"\u017f":2}}', 'body-malformed'],
    ['{"jsonrpc":"2.0","id":1,"method":"a","params":{"k":1,"\\u212a":2}}', 'body-malformed'],
    ['{"jsonrpc":"2.0","id":1,"method":"a"', 'body-malformed'],
  ])('%s is refused by %s', (body, rule) => expect(read(body)).toMatchObject({ rule }));
});

describe('arguments', () => {
  it('are told by the names that lead to them, numbers in plain form', () => {
    const args = { amount: 5.0, to: [{ iban: 'DE1' }, { iban: 'DE2' }], 'a.b': true, long: 'x'.repeat(300) };
    const found = read(message('tools/call', { name: 'pay', arguments: args }));
    const asked = 'messages' in found && askedBy(found.messages[0]!, { methods: undefined }, at);
    expect(asked).toMatchObject({
      arguments: ['$.amount=5', '$.to.iban=DE1', '$.to.iban=DE2', '$["a.b"]=true', '$.long…'],
      pairs: [{ action: 'mcp.call', object: { attrs: { name: 'pay', path: '/mcp' } } }],
      text: 'tools/call pay',
    });
  });
});

describe('members of the protocol', () => {
  const askedFor = (method: string, params: object) => {
    const found = read(message(method, params));
    return 'rule' in found ? found : askedBy(found.messages[0]!, { methods: undefined }, at);
  };
  const many = Object.fromEntries(Array.from({ length: 65_537 }, (_, at) => [at, 0]));

  it.each<[string, string, object, string]>([
    ['arguments in capitals', 'tools/call', { name: 'pay', Arguments: { amount: 500 } }, 'rpc-message'],
    [
      'arguments by a long s',
      'tools/call',
      { name: 'pay', 'argument\u017f': { amount: 500 } },
      'rpc-message',
    ],
    [
      'answers in capitals',
      'tools/call',
      { name: 'pay', InputResponses: { a: { action: 'accept' } } },
      'rpc-message',
    ],
    [
      'resources in capitals',
      'subscriptions/listen',
      { notifications: { ResourceSubscriptions: ['note://a'] } },
      'rpc-message',
    ],
    ['a version in capitals', 'ping', { _Meta: { [VERSION]: '2026-07-28' } }, 'rpc-message'],
  ])('have their own letters, and are seen: %s', (_, method, params, rule) =>
    expect(askedFor(method, params)).toMatchObject({ rule }),
  );

  it('are seen among however many others', () => {
    const inputResponses = { ...many, a: { action: 'accept' } };
    expect(askedFor('tools/call', { name: 'pay', inputResponses })).toMatchObject({
      pairs: [{ action: 'mcp.call' }, {}, { object: { attrs: { name: 'elicitation/create' } } }],
    });
    expect(read(`[${'0,'.repeat(262_144)}0]`)).toMatchObject({ rule: 'body-too-large' });
  });

  it('H24: are no names of arguments', () => {
    expect(askedFor('tools/call', { name: 'pay', arguments: { Name: 'a', Arguments: 1 } })).toMatchObject({
      arguments: ['$.Name=a', '$.Arguments=1'],
    });
    expect(askedFor('logging/setLevel', { level: 'info', Cursor: 'x' })).toMatchObject({
      text: 'logging/setLevel',
    });
  });
});

describe('headers', () => {
  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'größe' };
  const said = (more: object, params: object = {}) => {
    const named = {
      name: 'pay',
      arguments: { region: 'eu west', n: 42 },
      _meta: { [VERSION]: '2026-07-28' },
      ...params,
    };
    const found = read(message('tools/call', named));
    if ('rule' in found) return found.rule;
    const asked = askedBy(found.messages[0]!, { methods: undefined }, at);
    if ('rule' in asked) return asked.rule;
    const headers = Object.entries({ ...modern, 'mcp-name': 'pay', ...more }).filter((one) => one[1] !== '');
    return checkHeaders({ headers } as never, found, [asked])?.rule ?? 'fits';
  };

  it.each<[object, object, string]>([
    [{}, {}, 'fits'],
    [{ 'mcp-name': '=?base64?cGF5?=' }, {}, 'fits'],
    [{ 'mcp-param-region': 'eu west', 'mcp-param-n': '42.0' }, {}, 'fits'],
    [{ 'mcp-param-region': 'us' }, {}, 'rpc-headers'],
    [{ 'mcp-name': '=?base64?cGF5!?=' }, {}, 'rpc-headers'],
    [{ 'mcp-name': 'Pay' }, {}, 'rpc-headers'],
    [{ 'mcp-name': '' }, {}, 'rpc-headers'],
    [{ 'mcp-method': '' }, {}, 'rpc-headers'],
    [{ 'mcp-method': 'ping' }, {}, 'rpc-headers'],
    [{ 'mcp-protocol-version': '2025-11-25' }, {}, 'rpc-headers'],
    [{ 'mcp-protocol-version': '2030-01-01' }, {}, 'rpc-version'],
    [{}, { _meta: {} }, 'rpc-headers'],
    [{ 'mcp-protocol-version': '2025-11-25', 'mcp-method': '', 'mcp-name': '' }, { _meta: {} }, 'fits'],
    [{ 'mcp-protocol-version': '', 'mcp-method': '', 'mcp-name': '' }, { _meta: {} }, 'fits'],
  ])('%j beside %j: %s', (more, params, expected) => expect(said(more, params)).toBe(expected));
});

it.each<[string, boolean]>([
  ['note://open/a%20b?c=d#e', true],
  ['file:///tmp/größe.txt', true],
  ['customer:7', true],
  ['note://open/..', false],
  ['note://open/%2E', false],
  ['note://open/a%2Fb', false],
  ['note://open/%c3%a4', false],
  ['note:// open', false],
  ['open', false],
  ['Note://open', false],
])('%s leads to one place: %s', (uri, expected) => expect(isPlainUri(uri)).toBe(expected));
