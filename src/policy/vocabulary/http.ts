import type { ContextKind, VerbRow, VocabularyPart } from './row.ts';
import { RPC_ENTITIES, RPC_GROUPS, rpcVerbs } from './rpc.ts';

const REQUEST: ContextKind = {
  type: 'HttpContext',
  facts: `
  // Parameters of the query, decoded: "page=2"; their names; names that are there more than once.
  query: Set<String>, queryNames: Set<String>, repeated: Set<String>,
  // "application/json"; empty: there is no body.
  contentType: String,
  // The chosen members of the body, "$.amount=5", and whether the body was read whole for them.
  fields: Set<String>, bodyWhole: Bool,
  // Of a message of JSON-RPC: every argument, "$.amount=5".
  arguments: Set<String>,`,
  worstCase: {
    query: [],
    queryNames: [],
    repeated: [],
    contentType: '',
    fields: [],
    bodyWhole: false,
    arguments: [],
  },
  recorded: ['bodyWhole'],
};

/** Of an upgrade, and of each message behind it where rules look at messages. */
const UPGRADE: ContextKind = {
  type: 'HttpUpgradeContext',
  facts: `${REQUEST.facts}
  // "websocket"; what may be spoken over it; whether this is a message, with its chosen members in fields.
  upgrade: String, subprotocols: Set<String>, message: Bool,`,
  worstCase: { ...REQUEST.worstCase, upgrade: '', subprotocols: [], message: false },
  recorded: ['bodyWhole', 'message'],
};

const ON = ['Endpoint'];

const verbs = (group: string, rows: readonly Pick<VerbRow, 'verb' | 'reads'>[]): VerbRow[] =>
  rows.map((row) => ({ ...row, group, on: ON, context: REQUEST, limited: 'octets' }));

/** What is asked of HTTP APIs: a verb for each method, done to a path. */
export const HTTP_VOCABULARY: VocabularyPart = {
  name: 'http',
  groups: { http: undefined, 'http.read': 'http', 'http.write': 'http', ...RPC_GROUPS },
  entities: `
// An operation of the API's description, by its name there.
entity Operation in [Resource] = { name: String, tags: Set<String> };
// A path as it is forwarded, decoded, without a slash at its end: "/orders/7", with its 2 segments "orders" and "7".
entity Endpoint in [Operation, Resource] = { path: String, segments: Set<String>, depth: Long };
${RPC_ENTITIES}`,
  attributes: { Endpoint: { path: { form: /^\/(?:.*[^/])?$/s, like: '"/orders/7"' } } },
  verbs: [
    ...verbs('http.read', [
      { verb: 'http.get', reads: true },
      { verb: 'http.head', reads: true },
      { verb: 'http.options', reads: true },
    ]),
    ...verbs('http.write', [
      { verb: 'http.post' },
      { verb: 'http.put' },
      { verb: 'http.patch' },
      { verb: 'http.delete' },
    ]),
    // A connection that is upgraded: what follows is no request.
    { verb: 'http.connect', group: 'http', on: ON, context: UPGRADE },
    ...rpcVerbs(REQUEST),
  ],
};
