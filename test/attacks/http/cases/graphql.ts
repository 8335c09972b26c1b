/** H23: GraphQL, under the rule that the documentation offers for it. */
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { head } from '../../../support/http/messages.ts';
import { statusOf } from '../../../support/http/raw-http.ts';
import type { Heard } from '../../../support/http/recording-upstream.ts';
import { must } from '../../attack.ts';
import { answers, type Octets, servesOn } from '../attack.ts';
import { octetsOf, type Sent, text } from '../rpc.ts';
import { type HttpAttack, type HttpGroup, MASKED } from '../world.ts';

const PAGE = readFileSync(new URL('../../../../docs/protocols/http.md', import.meta.url), 'utf8');
const RULE = /## GraphQL\n.*?```cedar\n(.*?)```/s.exec(PAGE)?.[1] ?? '';
/** What the rule permits. */
const ORDERS = 'query Orders($after: ID) { orders(after: $after) { id total } }';
const HASH = '9d3f6ab1c2';

const MUTATION = 'mutation { deleteUser(id: 1) }';
/** Of a mutation that the server knows already. */
const OTHER_HASH = 'feedface01';
const persisted = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });

/** Some server would take what it heard for the mutation: wherever and however its text or its hash stands there. */
function mutates({ target, body }: Heard): boolean {
  const said = [decodeURIComponent(target.replaceAll('+', ' ')), ...readings(body)].join('\n');
  return said.includes('deleteUser') || said.includes(OTHER_HASH);
}

function readings(body: Buffer): string[] {
  const found = [body.toString(), body.toString('utf16le')];
  try {
    found.push(gunzipSync(body).toString());
  } catch {}
  try {
    found.push(decodeURIComponent(body.toString().replaceAll('+', ' ')));
  } catch {}
  const escapes = (one: string) =>
    one.replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return found.flatMap((one) => [one, escapes(one)]);
}

const GRAPHQL = { path: '/graphql' };
const FORM = { ...GRAPHQL, type: 'application/x-www-form-urlencoded' };

/** It is a mutation to some server, and the target is sent nothing of it. */
function unasked(
  what: string,
  body: string | Buffer,
  sent: Sent = GRAPHQL,
  status: readonly number[] = [403],
): HttpAttack {
  return unsent(what, (auth) => [octetsOf(auth, body, sent)], status);
}

function unsent(what: string, octets: Octets, status: readonly number[] = [403]): HttpAttack {
  return {
    case: what,
    run: async (world) => {
      const parts = octets(world.authorization, world);
      const direct = await world.direct();
      await direct.sendApart(...parts);
      direct.end();
      await direct.answered();
      must(world.upstream.heard.some(mutates), 'dead: no server takes it for the mutation');
      direct.close();
      world.upstream.clear();
      const client = await world.through();
      await client.sendApart(...parts);
      const [got] = await client.answered();
      must(world.upstream.octets.length === 0, `the target was sent ${world.upstream.octets}`);
      must(got !== undefined && status.includes(statusOf(got)), `answered with ${got?.start}`);
      await servesOn(world);
    },
  };
}

/** What the rule names goes, so that a refusal of the others says something. */
function asked(what: string, body: string, sent: Sent = GRAPHQL): HttpAttack {
  return answers(
    what,
    (auth) => [octetsOf(auth, body, sent)],
    (got, { upstream }) => {
      must(got !== undefined && statusOf(got) === 200, `answered with ${got?.start}: ${got?.body}`);
      must(upstream.heard.map((one) => one.body.toString()).join() === body, 'the target heard another');
    },
  );
}

const get = (query: string): Octets => {
  return (auth) => [head(`GET /graphql?${query} HTTP/1.1`, 'Host: localhost', auth)];
};
const uri = encodeURIComponent;

/** Each beside what is permitted, in one request. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  'a mutation': MUTATION,
  'a mutation without blanks': 'mutation{deleteUser(id:1)}',
  'a mutation behind a comment': `# ${ORDERS}\n${MUTATION}`,
  'a mutation behind commas and a mark of order': `\ufeff,,,${MUTATION}`,
  'a mutation behind what is permitted': `${ORDERS} ${MUTATION}`,
  'under an alias': 'mutation { orders: deleteUser(id: 1) { id total } }',
  'in a fragment': 'mutation { ...orders } fragment orders on Mutation { deleteUser(id: 1) }',
  'in a fragment without a name': 'mutation { ... on Mutation { deleteUser(id: 1) } }',
  'behind a directive': 'mutation Orders($yes: Boolean = true) { deleteUser(id: 1) @include(if: $yes) }',
  'as a query with the name of the permitted': 'query Orders { deleteUser(id: 1) }',
  'longer than a rule can name': `${MUTATION}${' '.repeat(300)}`,
};

const OF_JSON: HttpAttack[] = [
  ...Object.entries(DOCUMENTS).map(([what, query]) =>
    unasked(what, text({ query, operationName: 'Orders' })),
  ),
  unasked('in a batch, behind what is permitted', text([{ query: ORDERS }, { query: MUTATION }])),
  unasked('in a batch, before what is permitted', text([{ query: MUTATION }, { query: ORDERS }])),
  unasked('in a batch in a batch', text([[{ query: ORDERS }], [[{ query: MUTATION }]]])),
  unasked('in a list in the place of a text', text({ query: [ORDERS, MUTATION] })),
  unasked(
    'another operation of a document, by its name',
    text({ query: `${ORDERS} mutation Other { deleteUser(id: 1) }`, operationName: 'Other' }),
  ),
  unasked(
    'another operation of a document that is kept, by its name',
    text({ ...persisted(HASH), operationName: 'deleteUser' }),
  ),
  unasked('by its hash', text(persisted(OTHER_HASH))),
  unasked('by its hash, in capitals', text(persisted(OTHER_HASH)).replaceAll('extensions', 'EXTENSIONS')),
  unasked('by its hash, beside what is permitted', text({ query: ORDERS, ...persisted(OTHER_HASH) })),
  unasked('by its hash, in a batch', text([{ query: ORDERS }, persisted(OTHER_HASH)])),
  ...['id', 'documentId', 'doc_id', 'queryId', 'hash'].map((name) =>
    unasked(`by its hash, as ${name}, in a batch`, text([{ query: ORDERS }, { [name]: OTHER_HASH }])),
  ),
  unasked('with the hash of what is permitted', text({ query: MUTATION, ...persisted(HASH) })),
  unasked('under a name in capitals', text({ QUERY: MUTATION })),
  unasked('under a name with an escape', `{"\\u0071uery":${text(MUTATION)}}`),
  unasked('in a text with escapes', `{"query":"mutation { \\u0064elete\\u0055ser(id: 1) }"}`),
  unasked(
    'under a name that is there twice, last',
    `{"query":${text(ORDERS)},"query":${text(MUTATION)}}`,
    GRAPHQL,
    [400],
  ),
  unasked(
    'under a name that is there twice, first',
    `{"query":${text(MUTATION)},"query":${text(ORDERS)}}`,
    GRAPHQL,
    [400],
  ),
  unasked(
    'under a name that is there twice, with an escape',
    `{"query":${text(ORDERS)},"\\u0071uery":${text(MUTATION)}}`,
    GRAPHQL,
    [400],
  ),
  unasked(
    'under a name that is there twice, in capitals',
    `{"query":${text(ORDERS)},"Query":${text(MUTATION)}}`,
    GRAPHQL,
    [400],
  ),
  unasked('behind the value', `${text({ query: ORDERS })}\n${text({ query: MUTATION })}`, GRAPHQL, [400]),
  unasked('behind a byte order mark', `\ufeff${text({ query: MUTATION })}`, GRAPHQL, [400]),
  unasked('in UTF-16', Buffer.from(text({ query: MUTATION }), 'utf16le'), GRAPHQL, [400]),
];

const type = (name: string): Sent => ({ ...GRAPHQL, type: name });

const OTHERWISE: HttpAttack[] = [
  unasked('as GraphQL itself', MUTATION, type('application/graphql'), [415]),
  unasked('as JSON for GraphQL', text({ query: MUTATION }), type('application/graphql+json')),
  unasked('as JSON of some kind', text({ query: MUTATION }), type('application/graphql-response+json')),
  unasked('as text', text({ query: MUTATION }), type('text/plain;charset=utf-8'), [415]),
  unasked('as text that says JSON', text({ query: MUTATION }), type('text/plain; application/json'), [415]),
  unasked('in another charset', text({ query: MUTATION }), type('application/json; charset=utf-7'), [415]),
  unasked(
    'as parts of a form, as uploads are',
    `--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n${text({ query: MUTATION })}\r\n--x--\r\n`,
    type('multipart/form-data; boundary=x'),
    [415],
  ),
  unasked('as a form', `query=${uri(MUTATION)}`, FORM),
  unasked('as a form, under a name that is encoded', `q%75ery=${uri(MUTATION)}`, FORM),
  unasked('as a form, again', `query=${uri(ORDERS)}&query=${uri(MUTATION)}`, FORM),
  unasked('as a form, with brackets', `query=${uri(ORDERS)}&0[query]=${uri(MUTATION)}`, FORM),
  unasked(
    'encoded',
    gzipSync(text({ query: MUTATION })),
    { ...GRAPHQL, lines: ['Content-Encoding: gzip'] },
    [415],
  ),
  unsent('by GET', get(`query=${uri(MUTATION)}`)),
  unsent('by GET, encoded', get('qu%65ry=mutation+%7B%64eleteUser(id:1)%7D')),
  unsent('by GET, by its hash', get(`extensions=${uri(text(persisted(OTHER_HASH).extensions))}`)),
  unsent('by GET, twice', get(`query=${uri(ORDERS)}&query=${uri(MUTATION)}`)),
  unasked('in the URL, beside what is permitted', text({ query: ORDERS }), {
    path: `/graphql?query=${uri(MUTATION)}`,
  }),
  unasked('in the URL alone', '', { path: `/graphql?query=${uri(MUTATION)}` }),
  unasked('its hash in the URL', text({ query: ORDERS }), { path: `/graphql?id=${OTHER_HASH}` }),
  unasked('by PUT', text({ query: MUTATION }), { ...GRAPHQL, method: 'PUT' }),
  unasked('by another spelling of the path', text({ query: MUTATION }), { path: '/GraphQL' }),
  unasked('below the path', text({ query: MUTATION }), { path: '/graphql/batch' }),
];

export const H23: HttpGroup = {
  id: 'H23',
  policy: `${MASKED}${RULE}`,
  attacks: [
    asked('what the rule names goes', text({ query: ORDERS, operationName: 'Orders' })),
    asked('with whatever variables', text({ query: ORDERS, variables: { after: 'deleteUser' } })),
    asked('by its hash', text(persisted(HASH))),
    asked('in a batch', text([{ query: ORDERS }, persisted(HASH)])),
    asked('as a form', `query=${uri(ORDERS)}`, FORM),
    ...OF_JSON,
    ...OTHERWISE,
  ],
};
