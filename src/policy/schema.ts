import { type SchemaJson, schemaToJson } from '@cedar-policy/cedar-wasm/nodejs';

/**
 * The closed vocabulary of policies, and the Cedar schema made from it.
 *
 * Verbs are fixed here; tables, functions and settings are entities with attributes, so that new ones need no new schema.
 */

/** Verbs of SQL by group; a group is an action too, for `action in Action::"sql.write"`. */
const SQL_GROUPS = {
  'sql.read': ['sql.select', 'sql.show'],
  'sql.write': ['sql.insert', 'sql.update', 'sql.delete', 'sql.merge', 'sql.truncate', 'sql.copy-in'],
  'sql.ddl': ['sql.create', 'sql.alter', 'sql.drop', 'sql.comment'],
  sql: [
    'sql.copy-out',
    'sql.lock',
    'sql.grant',
    'sql.call',
    'sql.do',
    'sql.set',
    'sql.set-unsafe',
    'sql.transaction',
    'sql.maintain',
    'sql.listen',
    'sql.notify',
    'sql.replicate',
    'sql.admin',
  ],
} as const;

/** Changes whose rows a server counts, and says how many there were. */
const COUNTED: ReadonlySet<string> = new Set([
  'sql.insert',
  'sql.update',
  'sql.delete',
  'sql.merge',
  'sql.copy-in',
]);
/** What may change rows that nobody counts. */
const UNCOUNTED: ReadonlySet<string> = new Set(['sql.truncate', 'sql.call', 'sql.do']);

/** Whether a permit's `@rows` bounds the verb, and whether its rows can be counted at all. Pure; never throws. */
export function rowsOf(verb: string): 'counted' | 'uncounted' | 'none' {
  if (COUNTED.has(verb)) return 'counted';
  return UNCOUNTED.has(verb) ? 'uncounted' : 'none';
}

const ON_DEFINITIONS = ['Resource', 'Schema', 'Table', 'Function'];

/**
 * What each SQL verb is done to; all others to a table. The narrower, the more a rule may ask without `is`: a rule on
 * `sql.update` reads `resource.sensitive` at once.
 */
const SQL_OBJECTS: Readonly<Record<string, readonly string[]>> = {
  'sql.show': ['Setting'],
  'sql.set': ['Setting'],
  'sql.set-unsafe': ['Setting'],
  'sql.call': ['Function'],
  'sql.copy-out': ['Table', 'Resource'],
  'sql.create': ON_DEFINITIONS,
  'sql.alter': ON_DEFINITIONS,
  'sql.drop': ON_DEFINITIONS,
  'sql.comment': ON_DEFINITIONS,
  'sql.grant': ON_DEFINITIONS,
  'sql.maintain': ON_DEFINITIONS,
  'sql.do': ['Resource'],
  'sql.transaction': ['Resource'],
  'sql.listen': ['Resource'],
  'sql.notify': ['Resource'],
  'sql.replicate': ['Resource'],
  'sql.admin': ['Resource'],
};

/** What people do at hoopd itself, and to which entities. */
const GATEWAY_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  'audit.search': ['AuditLog'],
  'audit.export': ['AuditLog'],
  'cleartext.view': ['AuditLog', 'Recording'],
  'recording.view': ['Recording'],
  'session.list': ['Gateway', 'Resource', 'Recording'],
  'session.kill': ['Gateway', 'Resource', 'Recording'],
  'approval.grant': ['Gateway', 'Resource'],
};

const SQL_ACTIONS: readonly string[] = Object.values(SQL_GROUPS).flat();

/** Every verb that a request may name: `sql.select`, `connect`, `reveal`, … Groups are not among them. */
export const ACTIONS: readonly string[] = [
  'connect',
  'reveal',
  ...SQL_ACTIONS,
  ...Object.keys(GATEWAY_ACTIONS),
];

const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.entries(SQL_GROUPS),
  ['sql', SQL_ACTIONS],
]);

/**
 * The verbs that a word of the vocabulary stands for. Pure; never throws.
 *
 * @returns A verb alone, a group's verbs (`sql` is all of them), undefined for a word that is neither.
 */
export function verbsOf(word: string): readonly string[] | undefined {
  return GROUPS.get(word) ?? (ACTIONS.includes(word) ? [word] : undefined);
}

/** The shortest way to name these verbs: a group in the place of all its verbs. Pure; never throws. */
export function foldVerbs(verbs: readonly string[]): string[] {
  const left = new Set(verbs);
  const groups: string[] = [];
  for (const [group, members] of [...GROUPS].reverse()) {
    if (!members.every((verb) => left.has(verb))) continue;
    groups.push(group);
    for (const verb of members) left.delete(verb);
  }
  return [...groups, ...left].sort();
}

/** Attributes that an issuer may attest, as `principal.attested.model`; any other is `principal.getTag("…")`. */
export const ATTESTED_NAMES = [
  'model',
  'modelVersion',
  'repository',
  'repositoryOwner',
  'ref',
  'sha',
  'workflow',
  'jobWorkflowRef',
  'runId',
  'runAttempt',
  'eventName',
  'environment',
  'actor',
  'projectPath',
  'pipelineId',
  'jobId',
] as const;

/** What a caller may say of itself, as `principal.declared.model`. */
export const DECLARED_NAMES = ['model', 'modelVersion'] as const;

/** Which facts a request carries: the adapter's own for SQL, none for `reveal`, whose answers are remembered. */
export function contextKind(action: string): 'sql' | 'connect' | 'none' {
  if (action === 'connect') return 'connect';
  return action.startsWith('sql.') ? 'sql' : 'none';
}

const ENTITIES = `
entity Group;
type Attested = { ${ATTESTED_NAMES.map((name) => `${name}?: String`).join(', ')} };
type Declared = { ${DECLARED_NAMES.map((name) => `${name}?: String`).join(', ')} };
// Tags of a principal: everything that its issuer attests, by name.
entity Agent in [Group] = {
  name: String, issuer: String, attested: Attested, declared: Declared, person?: Person
} tags String;
entity Person in [Group] = {
  name: String, issuer: String, attested: Attested, declared: Declared, agent?: Agent
} tags String;

entity Gateway;
entity AuditLog in [Gateway] = { resource?: String };
entity Recording in [Resource] = { owner?: String, resource?: String };

entity Resource = { name?: String, protocol?: String, tags?: Set<String> };
entity Schema in [Resource] = { name?: String, system?: Bool };
entity Table in [Schema] = {
  schema: String, name: String, kind: String, system: Bool, sensitive: Bool, tags: Set<String>
};
entity Column in [Table] = { schema: String, table: String, name: String, tags: Set<String>, detected: Bool };
entity Function in [Schema, Resource] = { schema: String, name: String, class: String };
entity Setting in [Resource] = { name: String, safe: Bool };
`;

const CONTEXTS = `
type SqlContext = {
  // Whether every UPDATE and DELETE in the request has a WHERE, and whether one of them holds for all rows.
  hasWhere: Bool, tautology: Bool,
  // What UPDATE, INSERT, MERGE and COPY give values to, "public.customers.email"; tags of those columns, with their groups;
  // whether one of them is masked for the principal.
  columns: Set<String>, columnTags: Set<String>, writesMasked: Bool,
  // Qualified names of the functions called: "pg_catalog.lower".
  functions: Set<String>,
  approvals: Set<String>,
  // An agent acting for a person; both are asked.
  delegated: Bool
};
type ConnectContext = { approvals: Set<String>, delegated: Bool };
`;

/**
 * Writes the schema that policies are validated against, in Cedar's own syntax.
 *
 * @returns The same text for one version of hoopd. Never throws.
 * @see https://docs.cedarpolicy.com/schema/human-readable-schema.html
 */
export function cedarSchema(): string {
  const groups = ['action "sql";', ...subgroups().map((group) => `action "${group}" in ["sql"];`)];
  const sql = Object.entries(SQL_GROUPS).flatMap(([group, verbs]) =>
    verbs.map((verb) => action(verb, SQL_OBJECTS[verb] ?? ['Table'], 'SqlContext', group)),
  );
  const own = Object.entries(GATEWAY_ACTIONS).map(([verb, on]) => action(verb, on, '{}'));
  return [
    ENTITIES,
    CONTEXTS,
    ...groups,
    ...sql,
    action('connect', ['Resource'], 'ConnectContext'),
    action('reveal', ['Column'], '{}'),
    ...own,
    '',
  ].join('\n');
}

/**
 * The schema as Cedar reads it fastest; made once.
 *
 * @throws {Error} The schema is not one: never expected.
 */
export const parsedSchema: () => SchemaJson<string> = once(() => {
  const answer = schemaToJson(cedarSchema());
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '));
  return answer.json;
});

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function subgroups(): string[] {
  return Object.keys(SQL_GROUPS).filter((group) => group !== 'sql');
}

function action(verb: string, on: readonly string[], context: string, group?: string): string {
  const parent = group === undefined ? '' : ` in ["${group}"]`;
  const applies = `principal: [Agent, Person], resource: [${on.join(', ')}], context: ${context}`;
  return `action "${verb}"${parent} appliesTo { ${applies} };`;
}
