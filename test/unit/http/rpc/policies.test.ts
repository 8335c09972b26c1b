import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CedarEngine } from '../../../../src/policy/engine.ts';
import type { Pair } from '../../../../src/policy/model.ts';
import { askedBy } from '../../../../src/protocols/http/rpc/asked.ts';
import { readMessages } from '../../../../src/protocols/http/rpc/message.ts';
import { agent, policySet } from '../../policy/support.ts';

const page = readFileSync(new URL('../../../../docs/protocols/mcp.md', import.meta.url), 'utf8');
const [text = ''] = [...page.matchAll(/```cedar\n(.*?)```/gs)].map((match) => match[1]!);

const resource = { type: 'Resource', id: 'tools', attrs: { protocol: 'http' } };
const endpoint = {
  type: 'Endpoint',
  id: 'tools/mcp',
  attrs: { path: '/mcp', segments: ['mcp'], depth: 1 },
  parent: resource,
};

describe('the rules of docs/protocols/mcp.md', () => {
  const engine = new CedarEngine(policySet(text));
  const principal = agent('bot', ['ai-agents']);

  function decided(method: string, params: object): string {
    const read = readMessages(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })));
    if (!('messages' in read)) return read.rule;
    const asked = askedBy(read.messages[0]!, { methods: undefined }, { endpoint, clean: String });
    if ('rule' in asked) return asked.rule;
    const context = { arguments: asked.arguments };
    const each = asked.pairs.map((pair: Pair) => engine.decide({ principal, context, ...pair }));
    return each.find(({ effect }) => effect !== 'allow')?.effect ?? 'allow';
  }

  it.each([
    ['initialize', {}, 'allow'],
    ['tools/list', {}, 'allow'],
    ['tools/call', { name: 'lookup_customer', arguments: { id: 7 } }, 'allow'],
    ['tools/call', { name: 'Lookup_Customer' }, 'deny'],
    ['tools/call', { name: 'refund', arguments: { amount: 5.0 } }, 'allow'],
    ['tools/call', { name: 'refund', arguments: { amount: 500 } }, 'hold'],
    ['tools/call', { name: 'refund', arguments: { amount: [5, 500] } }, 'hold'],
    ['tools/call', { name: 'Delete_Customer' }, 'deny'],
    ['resources/read', { uri: 'note://public/a' }, 'allow'],
    ['resources/read', { uri: 'note://public/../secret' }, 'rpc-name'],
    ['resources/read', { uri: 'note://secret' }, 'deny'],
    ['prompts/get', { name: 'greet' }, 'deny'],
  ])('%s %j: %s', (method, params, expected) => expect(decided(method, params)).toBe(expected));
});
