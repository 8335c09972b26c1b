/** H24: what a server of the Model Context Protocol says, and what of it is shown. */
import { events } from '../../../support/http/mcp-upstream.ts';
import { answer, json } from '../../../support/http/messages.ts';
import { must } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import { everyCut, servesOn } from '../attack.ts';
import { call, octetsOf, opened, SESSION, text, told } from '../rpc.ts';
import { type HttpAttack, SSN } from '../world.ts';

const result = (value: object, id: unknown = 1) => ({ jsonrpc: '2.0', id, result: value });
const CUSTOMER = { ssn: SSN };

/** What is answered to a permitted call, in one piece and in events, and cut at every place: nothing is shown of a secret. */
function unshown(
  what: string,
  said: unknown,
  { secret = SSN, asks = 'lookup', cut = false } = {},
): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      const whole = [json(said), events([said].flat())];
      const asked = octetsOf(world.authorization, text(call(asks)), { lines: ['Connection: close'] });
      for (const pieces of cut ? whole.flatMap(everyCut) : whole.map((one) => [one])) {
        world.upstream.answer = () => [...pieces, 'end'];
        const direct = await world.direct();
        await told(direct, asked);
        must(disguiseOf(direct.received, secret) !== undefined, 'dead: the answer itself shows nothing');
        const client = await world.through();
        await told(client, asked);
        const found = disguiseOf(client.received, secret);
        must(found === undefined, `leaked, ${found}: ${client.received.toString()}`);
        world.closeClients();
      }
    },
  };
}

const block = (value: object) => result({ content: [value] });
const tools = (...names: readonly string[]) => ({ tools: names.map((name) => ({ name })) });
const HIDDEN = { secret: 'delete-everything' };
const QUESTION = {
  jsonrpc: '2.0',
  id: 5,
  method: 'sampling/createMessage',
  params: { messages: ['tell-me-all'] },
};

export const SHOWN: HttpAttack[] = [
  unshown('a member of structured content, cut at every place', result({ structuredContent: CUSTOMER }), {
    cut: true,
  }),
  unshown('a member of a text that is JSON', block({ type: 'text', text: text(CUSTOMER) })),
  unshown(
    'a member of a text that is JSON behind blanks, by escapes',
    block({ type: 'text', text: ` \n{"\\u0073sn":"${SSN}"}` }),
  ),
  unshown('a member in capitals', result({ structuredContent: { SSN } })),
  unshown('a text in words', block({ type: 'text', text: `the number is ${SSN}` })),
  unshown(
    'an image',
    block({ type: 'image', mimeType: 'image/png', data: Buffer.from(SSN).toString('base64') }),
  ),
  unshown('a resource within a result', block({ type: 'resource', resource: { uri: 'a:b', text: SSN } })),
  unshown(
    'the octets of a resource',
    block({ type: 'resource', resource: { uri: 'a:b', blob: Buffer.from(SSN).toString('base64') } }),
  ),
  unshown('a block of no known kind', block({ type: 'other', value: SSN })),
  unshown('content that is no list', result({ content: { type: 'text', text: SSN } })),
  unshown('the data of an error', {
    jsonrpc: '2.0',
    id: 1,
    error: { code: 1, message: 'x', data: CUSTOMER },
  }),
  unshown('what a server logs', {
    jsonrpc: '2.0',
    method: 'notifications/message',
    params: { data: CUSTOMER },
  }),
  unshown('an answer under an id that nobody asked', result({ structuredContent: CUSTOMER }, 99), {
    asks: 'search',
  }),
  unshown(
    'an answer whose id is written in another way',
    JSON.parse(text(result({ structuredContent: CUSTOMER }, '1'))),
    { asks: 'search' },
  ),
  unshown('an answer in a batch', [result({ structuredContent: CUSTOMER }), result({}, 2)]),
  unshown('a tool in a list', result(tools('lookup', 'delete-everything'), 99), { ...HIDDEN, cut: true }),
  unshown(
    'a tool that is named twice',
    JSON.parse(text(result({ ...tools('search'), resources: [{ uri: 'x:delete-everything' }] }, 99))),
    HIDDEN,
  ),
  unshown(
    'a resource in a list',
    result({ resources: [{ uri: 'note://open/a' }, { uri: 'note://delete-everything' }] }, 99),
    HIDDEN,
  ),
  unshown(
    'a template in a list',
    result({ resourceTemplates: [{ uriTemplate: 'note://delete-everything/{a}' }] }, 99),
    HIDDEN,
  ),
  unshown('a prompt in a list', result({ prompts: [{ name: 'delete-everything' }] }, 99), HIDDEN),
  unshown(
    'news of a resource',
    {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'note://delete-everything' },
    },
    HIDDEN,
  ),
  unshown('what a server asks of its client', QUESTION, { secret: 'tell-me-all' }),
  unshown(
    'what a server asks by a method that nobody knows',
    { ...QUESTION, method: 'sampling/other' },
    { secret: 'tell-me-all' },
  ),
  unshown(
    'what a server asks in a result',
    result({ resultType: 'input_required', inputRequests: { a: QUESTION } }),
    { secret: 'tell-me-all' },
  ),
  {
    case: 'the answer to one call under the id of another, in one session',
    run: async (world) => {
      await opened(world);
      // The first is not answered; the server gives its answer to the second, which has the same id.
      world.upstream.answer = () => [answer('202 Accepted', [])];
      await told(
        await world.through(),
        octetsOf(world.authorization, text(call('lookup')), { lines: [SESSION] }),
      );
      world.upstream.answer = () => [json(result({ structuredContent: CUSTOMER }))];
      const client = await world.through();
      await told(client, octetsOf(world.authorization, text(call('search')), { lines: [SESSION] }));
      must(!client.received.includes(SSN), `leaked: ${client.received.toString()}`);
    },
  },
  {
    case: 'the stream of an older transport',
    run: async (world) => {
      world.upstream.answer = () => [
        answer('200 OK', ['Content-Type: text/event-stream'], 'event: endpoint\ndata: /secret?id=1\n\n'),
      ];
      const client = await world.through();
      client.send(octetsOf(world.authorization, '', { method: 'GET' }));
      await client.answered();
      must(!client.received.includes('/secret'), `shown: ${client.received.toString()}`);
      await servesOn(world);
    },
  },
];
