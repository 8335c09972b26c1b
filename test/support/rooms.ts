/** One room of a folder: what it may import of that folder's other rooms. */
interface Room {
  readonly may: readonly string[];
  /** Printed when the rule breaks. */
  readonly because: string;
}

/** A room is a folder or a file, named from the folder whose rooms are listed; `.` is what lies there itself. */
export type Rooms = Readonly<Record<string, Room>>;

const SERVER = ['core', 'api', 'storage', 'identity', 'policy', 'audit', 'masking', 'recording'];

/** Rooms of src, lowest first: each can be read, tested and replaced without the ones behind it. */
const OF_SRC: Rooms = {
  core: { may: [], because: 'core is the floor: whatever it imported, everything would depend on' },
  api: { may: ['core'], because: 'the contract is read by both halves and must drag neither into the other' },
  wire: {
    may: ['core'],
    because: 'both halves read and write the same bytes, and neither belongs to the other',
  },
  storage: { may: ['core', 'api'], because: 'a store keeps bytes and rows; it must not know what they mean' },
  search: {
    may: ['core', 'api', 'storage'],
    because: 'the index is made of chains as anybody reads them: it needs none of their writers',
  },
  identity: {
    may: ['core', 'api', 'storage'],
    because: 'who somebody is must not depend on what they may do',
  },
  policy: {
    may: ['core', 'api', 'storage', 'identity'],
    because: 'rules speak of principals, never of protocols',
  },
  audit: {
    may: ['core', 'api', 'storage', 'identity', 'policy'],
    because: 'evidence must not depend on the enforcer',
  },
  masking: {
    may: ['core', 'api', 'storage', 'identity', 'policy'],
    because: 'a mask knows values, not protocols',
  },
  recording: {
    may: ['core', 'api', 'storage', 'identity', 'policy'],
    because: 'a recording is bytes that were masked',
  },
  approval: {
    may: [...SERVER],
    because: 'what people are asked and said is kept for the engine alone to ask',
  },
  enforcement: {
    may: [...SERVER, 'approval'],
    because: 'the engine is asked by adapters and must know none of them',
  },
  protocols: {
    may: [...SERVER, 'wire', 'enforcement'],
    because: 'an adapter serves a stream and must not know who accepted it',
  },
  gateway: {
    may: [...SERVER, 'search', 'approval', 'enforcement', 'protocols'],
    because: 'hoopd composes the server half',
  },
  client: { may: ['core', 'api', 'wire'], because: "hoopctl's half must run without a line of the server's" },
  cli: {
    may: ['core', 'api', 'wire', 'client'],
    because: 'a command talks to hoopd through client, never around it',
  },
  demo: {
    may: [...SERVER, 'wire', 'approval', 'enforcement', 'protocols', 'gateway', 'client', 'cli'],
    because: 'the demo plays every part',
  },
};

const OF_CORE: Rooms = {
  '.': { may: [], because: 'an error, a clock, a limit must be usable by what moves bytes' },
  config: { may: ['.'], because: 'a value of a configuration is read alike, whoever is configured' },
  bytes: { may: ['.'], because: 'moving and holding bytes is the same for what is proven and what is not' },
  ids: { may: [], because: 'what things are called is known before what they are' },
  disk: { may: [], because: 'both halves make their folders alike, whatever they keep in them' },
  terminal: { may: ['.'], because: 'both programs talk to people alike, whatever they have to say' },
  evidence: {
    may: ['.', 'bytes'],
    because: 'the format of proof is checked by both halves, and by nothing else of ours',
  },
};

const OF_WIRE: Rooms = {
  scram: { may: [], because: 'a proof of a password belongs to no protocol that carries it' },
  postgres: { may: ['scram'], because: "a protocol's bytes are read without another's" },
  http: { may: [], because: "a protocol's bytes are read without another's" },
  ssh: { may: [], because: "a protocol's bytes are read without another's" },
};

const OF_PROTOCOLS: Rooms = {
  stream: { may: [], because: 'what sessions of any protocol are made of must know none of them' },
  'session-times.ts': {
    may: [],
    because: 'how long a session may last is configured alike for every protocol',
  },
  'member-tags.ts': {
    may: [],
    because: 'members of documents are classified alike for every protocol that has any',
  },
  'adapter.ts': { may: ['stream'], because: 'the contract names no protocol that keeps it' },
  'protocol.ts': { may: ['adapter.ts'], because: 'what a protocol brings is said without one' },
  postgres: {
    may: ['stream', 'session-times.ts', 'member-tags.ts', 'adapter.ts', 'protocol.ts'],
    because: 'a protocol can be removed without touching another',
  },
  http: {
    may: ['stream', 'session-times.ts', 'member-tags.ts', 'adapter.ts', 'protocol.ts'],
    because: 'a protocol can be removed without touching another',
  },
  kubernetes: {
    may: ['stream', 'session-times.ts', 'member-tags.ts', 'adapter.ts', 'protocol.ts', 'http'],
    because: 'a cluster is an API over HTTP of which the requests mean something of their own',
  },
  ssh: {
    may: ['stream', 'session-times.ts', 'adapter.ts', 'protocol.ts'],
    because: 'a protocol can be removed without touching another',
  },
  'index.ts': {
    may: ['protocol.ts', 'postgres', 'http', 'kubernetes', 'ssh'],
    because: 'the list is the one place that knows which there are',
  },
};

/** What the words of a refusal are. */
const WORDS = ['hints.ts', 'refusals.ts', 'limits.ts'];
const SQL = ['sql/facts', 'catalog/system', 'catalog/mirror', 'catalog/model', 'entities.ts', 'sql/meaning'];

/** Of the PostgreSQL adapter: a statement is read from the text up, and what reads it knows nothing of who sends it. */
const OF_POSTGRES: Rooms = {
  'hints.ts': { may: [], because: 'every room says what to do instead, in the same words' },
  'refusals.ts': { may: [], because: 'every room refuses, by a word of the same list' },
  'limits.ts': { may: [], because: 'a bound holds wherever it is looked at' },
  target: { may: [], because: 'the connection to the server carries bytes and judges none' },
  credentials: { may: ['target'], because: 'a login is made for a session, whatever the session then says' },
  'resource.ts': {
    may: ['credentials'],
    because: 'what a resource is does not depend on how it is served',
  },
  'sql/tokens': { may: [], because: 'a text is broken into lines by its tokens alone' },
  'sql/facts': { may: [], because: 'what a parse tree says depends on no catalog and no session' },
  'sql/analysis': {
    may: ['sql/facts'],
    because: 'what a statement means to the server follows from its tree and what it asks of a catalog',
  },
  'sql/parse': {
    may: [...WORDS, 'sql/facts', 'sql/tokens'],
    because: 'a text is parsed in threads that have nothing but the text',
  },
  'catalog/system': { may: [], because: 'what PostgreSQL brings along is known before a server is asked' },
  'catalog/stored-trees': {
    may: ['catalog/system'],
    because: 'a tree says by itself what it is made of, whoever asks',
  },
  'catalog/mirror': {
    may: ['catalog/system', 'catalog/stored-trees', 'sql/facts'],
    because: 'rows are kept as the server told them, whatever is made of them',
  },
  'catalog/analysis': {
    may: ['catalog/mirror', 'catalog/system', 'sql/analysis'],
    because: 'analysis asks of rows what the server would ask of them, whatever else is made of them',
  },
  'catalog/model': {
    may: [
      ...['catalog/mirror', 'catalog/system', 'catalog/stored-trees', 'catalog/analysis'],
      ...['sql/facts', 'sql/analysis'],
    ],
    because: 'a catalog is made of rows alone, so that the same rows give the same catalog',
  },
  'entities.ts': {
    may: ['catalog/system', 'catalog/model'],
    because: 'one maker of entities, for whoever asks policy',
  },
  'sql/meaning': {
    may: [
      ...[...WORDS, 'sql/facts', 'sql/analysis', 'catalog/system', 'catalog/mirror', 'catalog/model'],
      'entities.ts',
    ],
    because: 'what a statement does follows from its facts and a catalog: no session, no bytes, no I/O',
  },
  'shown/values': {
    may: ['catalog/model'],
    because: 'a value is written by its type, whatever statement asks for it',
  },
  catalog: {
    may: [...WORDS, ...SQL, 'catalog/stored-trees', 'shown/values'],
    because: 'one catalog serves all sessions of a database and must know none',
  },
  login: { may: SQL, because: 'who logs in is settled before a statement is there' },
  shown: {
    may: [...WORDS, ...SQL, 'shown/values', 'catalog'],
    because: 'what a client is shown depends on what was planned, not on who reads or sends it',
  },
  reading: {
    may: [...WORDS, ...SQL, 'sql/parse', 'catalog', 'shown'],
    because: 'a statement is read and judged before there is a way to send it',
  },
  trial: {
    may: [...WORDS, ...SQL, 'sql/parse', 'catalog', 'shown', 'target'],
    because: 'what is tried out has no client, and nothing of a session but what it was asked with',
  },
  relay: {
    may: [...WORDS, ...SQL, 'trial', 'sql/parse', 'catalog', 'shown', 'shown/values', 'target', 'reading'],
    because: 'only the relay has both sockets, and it sends what was judged',
  },
  '.': {
    may: [
      ...WORDS,
      ...SQL,
      ...['resource.ts', 'credentials', 'sql/parse', 'shown/values', 'catalog', 'login', 'target', 'shown'],
      ...['reading', 'relay', 'trial'],
    ],
    because: 'the adapter puts its rooms together, and none of them knows it',
  },
};

/** Of the HTTP adapter: a request is brought into one form before anybody looks at it. */
/** Of the HTTP adapter: a request has its one form before anything is asked, and nobody sends another. */
const OF_HTTP: Rooms = {
  request: {
    may: [],
    because: 'the form of a request depends on its octets alone: no policy, no target, no I/O',
  },
  shown: {
    may: ['request'],
    because: 'what a client is shown depends on octets and masks: no session, no target, no relay',
  },
  'entities.ts': {
    may: ['request'],
    because: 'what policy is asked of follows from the one form of a request',
  },
  rpc: {
    may: ['request', 'shown', 'entities.ts'],
    because: 'what messages ask and say follows from their text: no session of ours, no target, no I/O',
  },
  'refusals.ts': {
    may: ['request', 'shown', 'rpc'],
    because: 'every room refuses, by a word of the same list',
  },
  'limits.ts': { may: [], because: 'a bound holds wherever it is looked at' },
  credentials: {
    may: ['request', 'refusals.ts', 'limits.ts'],
    because: 'what a request is shown by is added to what was judged',
  },
  target: {
    may: ['request', 'refusals.ts', 'limits.ts', 'credentials'],
    because: 'the connection to the server carries what was judged and judges nothing',
  },
  relay: {
    may: ['request', 'shown', 'rpc', 'refusals.ts', 'limits.ts', 'entities.ts', 'target'],
    because: 'only the relay has both sides, and it sends what was judged',
  },
  '.': {
    may: [
      ...['request', 'shown', 'rpc', 'refusals.ts', 'limits.ts', 'entities.ts', 'credentials', 'target'],
      'relay',
    ],
    because: 'the adapter puts its rooms together, and none of them knows it',
  },
};

/** Of the SSH adapter: who hoopd is on a host, and who the host is, is settled before anything is asked of it. */
const OF_SSH: Rooms = {
  'algorithms.ts': { may: [], because: 'what is agreed on is the same at both ends' },
  'thrift.ts': { may: [], because: 'what a packet costs is the same at both ends' },
  credentials: { may: [], because: 'a login is made for a session, whatever the session then says' },
  target: {
    may: ['algorithms.ts', 'thrift.ts', 'credentials'],
    because: 'the connection to the host carries what was judged and judges nothing',
  },
  reading: { may: [], because: 'what a text means follows from the text alone' },
  'limits.ts': { may: [], because: 'a bound holds wherever it is looked at' },
  'refusals.ts': { may: [], because: 'every room refuses, by a word of the same list' },
  'entities.ts': { may: ['reading'], because: 'one maker of entities, for whoever asks policy' },
  'places.ts': {
    may: ['target', 'entities.ts'],
    because: 'which host is meant is settled before a session is opened',
  },
  sftp: {
    may: ['limits.ts', 'refusals.ts', 'entities.ts'],
    because: 'packets are read, asked for and answered by whoever carries their octets',
  },
  relay: {
    may: [
      ...[
        'algorithms.ts',
        'thrift.ts',
        'target',
        'reading',
        'sftp',
        'limits.ts',
        'refusals.ts',
        'entities.ts',
      ],
    ],
    because: 'only the relay has both connections, and it carries what was judged',
  },
  '.': {
    may: [
      ...[
        'algorithms.ts',
        'credentials',
        'target',
        'reading',
        'sftp',
        'limits.ts',
        'refusals.ts',
        'entities.ts',
        'places.ts',
        'relay',
      ],
    ],
    because: 'the adapter puts its rooms together, and none of them knows it',
  },
};

/**
 * Which rooms a folder has, lowest first, and what each may import of the others. Folders that are not listed have no
 * rules of their own.
 */
export const ROOMS: Readonly<Record<string, Rooms>> = {
  src: OF_SRC,
  'src/core': OF_CORE,
  'src/wire': OF_WIRE,
  'src/protocols': OF_PROTOCOLS,
  'src/protocols/postgres': OF_POSTGRES,
  'src/protocols/http': OF_HTTP,
  'src/protocols/ssh': OF_SSH,
};

/** The room of `folder` in which a file lies: the longest name that fits; undefined if the file is not below `folder`. */
export function roomIn(folder: string, path: string): string | undefined {
  if (!path.startsWith(`${folder}/`)) return undefined;
  const within = path.slice(folder.length + 1);
  const names = Object.keys(ROOMS[folder] ?? {});
  const fits = names.filter((name) => within === name || within.startsWith(`${name}/`));
  const longest = fits.toSorted((a, b) => b.length - a.length)[0];
  if (longest !== undefined) return longest;
  return within.includes('/') ? within.slice(0, within.indexOf('/')) : '.';
}
