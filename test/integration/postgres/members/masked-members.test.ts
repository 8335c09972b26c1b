/**
 * Columns of documents of which only members are masked: whatever carries them shows all but these, in every form; whatever else
 * is done with them is refused. Judged by octets: what begins with `sec-` is nowhere in what the client gets, and all of it in
 * what somebody gets who may see it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bind,
  describePortal,
  execute,
  line,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../../support/stack.ts';

/** Documents of both types, by id. `sec-` stands at masked paths, `open-` elsewhere. */
const DOCUMENTS: readonly string[] = [
  '{"email":"sec-a","city":"open-a","contacts":[{"phone":"sec-b","kind":"open-b"}],"ssn":12345}',
  '{"EMAIL":"sec-c","Contacts":{"PHONE":"sec-d"},"city":"open-c"}',
  '[{"email":"sec-e","city":"open-e"},[{"email":"sec-f"}]]',
  '{"a":{"b":[{"ssn":{"x":"sec-g"}},{"ssn":"sec-h","y":"open-g"}]},"email":["sec-i",{"z":"sec-j"}]}',
  '{"\\u0065mail":"sec-k","city":"open-\\u006b","e\\u006d\\u0061il":"sec-l"}',
  '{"email":"\\"sec-m\\\\","city":"open-m \\" \\\\ \\u00e9 é"}',
  '{"emails":"open-n","xemail":"open-o","x":{"email":"open-p"},"ſsn":"sec-q"}',
];
/** Of which nobody can say where the members stand: hidden whole. */
const WHOLE: readonly string[] = [
  JSON.stringify('{"email":"sec-0"}'),
  '"sec-1"',
  `${'['.repeat(600)}{"ssn":"sec-2"}${']'.repeat(600)}`,
  `{"n":${'9'.repeat(3000)},"email":"sec-3"}`,
];
/** json keeps what jsonb does not take, or takes together. */
const JSON_ALONE: readonly string[] = [
  '{"email":"open","email":"sec-4","Email":"sec-5"}',
  '{"email":"sec-6\\u0000","a\\u0000":"open-6"}',
  '{ "email" :\t"sec-7" , "x" : 1.50e2 }',
];
const JSON_WHOLE: readonly string[] = ['{"\\ud800":1,"email":"sec-8"}'];

const values = (column: string, documents: readonly string[], from: number) =>
  documents.map((one, at) => `(${from + at}, $_$${one}$_$::${column})`).join(', ');

const SCHEMA = `
CREATE DOMAIN document AS jsonb; CREATE TYPE pair AS (a int, b jsonb);
CREATE TABLE docs (id int PRIMARY KEY, jb jsonb);
INSERT INTO docs VALUES ${values('jsonb', DOCUMENTS, 1)}, ${values('jsonb', WHOLE, 100)}, (99, NULL);
CREATE TABLE raws (id int PRIMARY KEY, js json);
INSERT INTO raws VALUES ${values('json', [...DOCUMENTS, ...JSON_ALONE], 1)}, ${values('json', [...WHOLE, ...JSON_WHOLE], 100)};
CREATE TABLE large (id int PRIMARY KEY, jb jsonb, js json);
INSERT INTO large SELECT 1, d, d::text::json FROM (SELECT jsonb_build_object('a', repeat('open-', 100000), 'email', repeat('sec-', 100000), 'l',
  (SELECT jsonb_agg(jsonb_build_object('ssn', 'sec-' || n, 'n', n)) FROM generate_series(1, 5000) n)) d) x;
CREATE TABLE huge (id int PRIMARY KEY, jb jsonb);
INSERT INTO huge SELECT 1, jsonb_build_object('a', repeat('x', 5000000), 'email', 'sec-');
CREATE TABLE kinds (id int, d document, l jsonb[], t text, p pair);
INSERT INTO kinds VALUES (1, '{"email":"sec-","a":"open-d"}', ARRAY['{"email":"sec-"}'::jsonb], '{"email":"sec-"}', ROW(1, '{"email":"sec-"}'));
CREATE TABLE child () INHERITS (docs); INSERT INTO child VALUES (50, '{"email":"sec-","city":"open-child"}');
CREATE TABLE parts (id int, jb jsonb) PARTITION BY RANGE (id); CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
INSERT INTO parts VALUES (1, '{"email":"sec-","city":"open-part"}');
CREATE TABLE plain (id int PRIMARY KEY, note jsonb, secret jsonb); INSERT INTO plain VALUES (1, '{"email":"open-plain"}', '{"x":"sec-"}');
CREATE VIEW seen AS SELECT id, jb AS document FROM docs;
CREATE VIEW seen_twice AS SELECT s.document FROM seen s JOIN plain p ON p.id = s.id;
CREATE VIEW seen_all AS SELECT jb FROM docs UNION ALL SELECT note FROM plain;
CREATE VIEW seen_with_secret AS SELECT jb FROM docs UNION ALL SELECT secret FROM plain;
CREATE VIEW made AS SELECT id, jsonb_build_object('x', jb) AS x, jb -> 'email' AS e, jb::text AS t FROM docs;
CREATE VIEW chosen AS SELECT jb FROM docs WHERE jb ->> 'email' LIKE 'sec-%';
CREATE MATERIALIZED VIEW kept AS SELECT id, jb FROM docs;
CREATE FUNCTION all_docs() RETURNS SETOF docs LANGUAGE sql AS 'SELECT * FROM docs';
CREATE TABLE own (id int PRIMARY KEY, jb jsonb); ALTER TABLE own OWNER TO hoop;
INSERT INTO own VALUES (1, '{"email":"sec-own","city":"open-own","contacts":[{"phone":"sec-p","kind":"open-kind"}],"x":{"email":"open-x"}}');
CREATE VIEW own_seen AS SELECT jb FROM own;
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT ALL ON SCHEMA public TO hoop;
`;

const MEMBERS = { '$.email': ['pii'], '$.contacts.phone': ['pii'], '$..ssn': ['pii'] };
const FIELDS = Object.fromEntries(
  [
    ...['docs.jb', 'raws.js', 'large.jb', 'large.js', 'huge.jb', 'parts.jb'],
    ...['kinds.d', 'kinds.l', 'kinds.t', 'kinds.p'],
  ].map((column) => [`public.${column}`, MEMBERS]),
);
/** Of which it is known what has none of them. */
const OWN = { 'public.own.jb': { '$.email': ['pii'], '$.contacts.phone': ['pii'] } };

const policy = (mask: string) => `
@id("all") permit (principal, action, resource);
@id("hidden") @mask("${mask}") forbid (principal in Group::"ai-agents", action == Action::"reveal", resource is Column)
when { resource.tags.contains("pii") };
`;

let stack: Stack;
let tunnel: Tunnel;
let trusted: Tunnel;
let client: RawClient;

beforeAll(async () => {
  stack = await startStack({
    policy: policy('redact'),
    sql: SCHEMA,
    columns: { 'public.plain.secret': ['pii'] },
    fields: { ...FIELDS, ...OWN },
  });
  tunnel = await stack.tunnel();
  trusted = await stack.tunnel([], stack.env({ repository: 'org/other' }));
  client = await rawLogin(tunnel);
});

afterAll(async () => {
  client?.close();
  await tunnel?.close();
  await trusted?.close();
  await stack?.stop();
});

const FORMS = ['simple', 'text', 'binary'] as const;
type Form = (typeof FORMS)[number];

interface Answer {
  readonly octets: string;
  readonly rows: readonly (string | null)[][];
  /** The rule of a refusal, or an error. */
  readonly error?: string | undefined;
}

/** Statements one after the other, each by itself; what came of all of them. */
async function ask(of: RawClient, form: Form, ...statements: readonly string[]): Promise<Answer> {
  const before = of.received.length;
  const rows: (string | null)[][] = [];
  let error: string | undefined;
  for (const sql of statements) {
    if (form === 'simple') of.send(query(sql));
    else
      of.send(
        parse('', sql),
        bind('', '', { binary: form === 'binary' }),
        describePortal(''),
        execute(''),
        sync,
      );
    for (const message of await of.untilReady()) {
      if (message.name === 'DataRow') rows.push(message.values.map((value) => value?.toString() ?? null));
      if (message.name === 'ErrorResponse') error ??= line(message);
    }
  }
  return { octets: of.received.subarray(before).toString('latin1'), rows, error };
}

/** The same by somebody who may see everything: there it is. */
async function openly(form: Form, ...statements: readonly string[]): Promise<Answer> {
  const other = await rawLogin(trusted);
  try {
    return await ask(other, form, ...statements);
  } finally {
    other.close();
  }
}

const ROLLED_BACK = (sql: string) => ['BEGIN', sql, 'ROLLBACK'];

/** Shown without their members. What each must show besides. */
const CARRIED: readonly (readonly [readonly string[], string])[] = [
  [['SELECT jb FROM docs ORDER BY id'], 'open-a'],
  [['SELECT * FROM docs'], 'open-g'],
  [['TABLE raws'], 'open-6'],
  [['SELECT js AS x, js FROM raws r'], 'open-m'],
  [['SELECT d.jb FROM docs d JOIN plain p ON p.id = d.id'], 'open-a'],
  [['SELECT s.y FROM (SELECT jb AS y, id FROM docs WHERE id < 50 ORDER BY id LIMIT 5) s'], 'open-e'],
  [['WITH c AS (SELECT id, jb FROM docs) SELECT jb FROM c WHERE id = 1'], 'open-b'],
  [['SELECT x.jb FROM plain p, LATERAL (SELECT jb FROM docs d WHERE d.id = p.id) x'], 'open-a'],
  [['SELECT document FROM seen'], 'open-a'],
  [['SELECT * FROM seen_twice'], 'open-a'],
  [['SELECT * FROM seen_all'], 'open-g'],
  [['SELECT jb FROM kept'], 'open-a'],
  [['SELECT jb FROM child'], 'open-child'],
  [['SELECT jb FROM docs WHERE id = 50'], 'open-child'],
  [['SELECT jb FROM parts'], 'open-part'],
  [['SELECT jb FROM part1'], 'open-part'],
  [['SELECT d FROM kinds'], 'open-d'],
  [['SELECT jb, js FROM large'], 'open-open-'],
  [["SELECT jb, jb ->> 'city', jb FROM own"], 'open-kind'],
  [ROLLED_BACK('UPDATE docs SET id = id RETURNING jb'), 'open-a'],
  [ROLLED_BACK('DELETE FROM docs RETURNING *'), 'open-g'],
  [ROLLED_BACK(`INSERT INTO docs VALUES (1000, '{"email":"x","a":"open-new"}') RETURNING jb`), 'open-new'],
  [['BEGIN', 'DECLARE c CURSOR FOR SELECT jb FROM docs', 'FETCH ALL c', 'ROLLBACK'], 'open-a'],
  [['PREPARE carried AS SELECT jb FROM docs', 'EXECUTE carried', 'DEALLOCATE carried'], 'open-a'],
];

/** They run, and the whole is hidden. */
const HIDDEN: readonly (readonly string[])[] = [
  ['SELECT jb FROM docs WHERE id >= 100'],
  ['SELECT js FROM raws WHERE id >= 100'],
  ['SELECT jb FROM huge'],
  ['SELECT jb FROM docs UNION ALL SELECT note FROM plain WHERE id > 1'],
  ['SELECT (SELECT jb FROM docs WHERE id = 1)'],
  ['SELECT l FROM kinds'],
  ['SELECT t FROM kinds'],
  ['SELECT p FROM kinds'],
  ['SELECT x FROM made'],
  ['SELECT e FROM made'],
  ['SELECT t FROM made'],
  ['SELECT jb FROM chosen'],
  ['SELECT jb FROM seen_with_secret'],
];

/** Whatever computes with the document, compares it, or puts it elsewhere. */
const REFUSED: readonly string[] = [
  "SELECT jb ->> 'email' FROM docs",
  "SELECT jb -> 'contacts' -> 0 FROM docs",
  "SELECT jb #>> '{email}' FROM docs",
  "SELECT jb['email'] FROM docs",
  'SELECT jb::text FROM docs',
  'SELECT jb::json FROM docs',
  'SELECT js::jsonb FROM raws',
  'SELECT js::text FROM raws',
  "SELECT jb - 'city' FROM docs",
  "SELECT jb || '{}' FROM docs",
  "SELECT jsonb_build_object('x', jb) FROM docs",
  'SELECT jsonb_pretty(jb) FROM docs',
  'SELECT to_jsonb(d) FROM docs d',
  'SELECT row_to_json(d) FROM docs d',
  'SELECT d FROM docs d',
  'SELECT ROW(jb) FROM docs',
  'SELECT ARRAY[jb] FROM docs',
  'SELECT ARRAY(SELECT jb FROM docs)',
  'SELECT array_agg(jb) FROM docs',
  'SELECT jsonb_agg(jb) FROM docs',
  'SELECT any_value(jb) FROM docs',
  'SELECT coalesce(jb, jb) FROM docs',
  'SELECT CASE WHEN id = 1 THEN jb END FROM docs',
  'SELECT first_value(jb) OVER () FROM docs',
  'SELECT e.* FROM docs, jsonb_each(jb) e',
  'SELECT e.* FROM docs, jsonb_each_text(jb) e',
  'SELECT jsonb_object_keys(jb) FROM docs',
  "SELECT jsonb_path_query(jb, '$.email') FROM docs",
  'SELECT p.* FROM docs, jsonb_to_record(jb) AS p(email text)',
  "SELECT id FROM docs WHERE jb ->> 'email' = 'x'",
  'SELECT id FROM docs WHERE jb @> \'{"email":"x"}\'',
  "SELECT id FROM docs WHERE jb ? 'email'",
  'SELECT id FROM docs WHERE jb IS NULL',
  'SELECT id FROM docs ORDER BY jb',
  'SELECT jb FROM docs ORDER BY 1',
  'SELECT count(*) FROM docs GROUP BY jb',
  'SELECT DISTINCT jb FROM docs',
  'SELECT jb FROM docs UNION SELECT note FROM plain',
  'SELECT jb FROM docs INTERSECT SELECT note FROM plain',
  'SELECT d.id FROM docs d JOIN plain p ON p.note = d.jb',
  'COPY docs TO STDOUT',
  'COPY docs (jb) TO STDOUT',
  'COPY (SELECT jb FROM docs) TO STDOUT',
  'COPY (SELECT jb FROM docs) TO STDOUT (FORMAT binary)',
  "UPDATE own SET jb = jsonb_build_object('x', jb)",
  "UPDATE own SET jb['x'] = jb['email']",
  "UPDATE plain SET note = (SELECT jsonb_build_object('x', jb) FROM docs LIMIT 1)",
  'INSERT INTO plain (id, note) SELECT id + 1000, jb FROM docs',
  "INSERT INTO own VALUES (1, '{}') ON CONFLICT (id) DO UPDATE SET jb = jsonb_build_object('x', own.jb)",
  "MERGE INTO own o USING plain p ON o.id = p.id WHEN MATCHED THEN UPDATE SET jb = jsonb_build_object('x', o.jb)",
  "ALTER TABLE own ALTER COLUMN jb TYPE jsonb USING jsonb_build_object('x', jb)",
  'ALTER TABLE own ALTER COLUMN jb TYPE text',
  'ALTER TABLE own RENAME COLUMN jb TO other',
  "ALTER TABLE own ADD COLUMN g jsonb GENERATED ALWAYS AS (jsonb_build_object('x', jb)) STORED",
  'CREATE TABLE made_of AS SELECT jb FROM docs',
  'SELECT jb INTO made_of FROM docs',
];

describe.each(FORMS)('in %s', (form) => {
  test.each(CARRIED)('%j shows the rest', async (statements, rest) => {
    const open = await openly(form, ...statements);
    expect(open.error).toBeUndefined();
    const shown = await ask(client, form, ...statements);
    expect(shown.error).toBeUndefined();
    expect(shown.octets).toContain(rest);
    expect(shown.octets).not.toMatch(/sec-|12345/);
    expect(shown.rows.length).toBe(open.rows.length);
    if (!statements.join().includes('open-new')) expect(open.octets).toContain('sec-');
  });

  test.each(HIDDEN.map((one) => [one] as const))('%j hides the whole', async (statements) => {
    const open = await openly(form, ...statements);
    expect([open.error, open.octets.includes('sec-')]).toEqual([undefined, true]);
    const shown = await ask(client, form, ...statements);
    expect(shown.error).toBeUndefined();
    expect(shown.octets).not.toMatch(/sec-|open-|12345/);
    expect(shown.rows.length).toBe(open.rows.length);
  });

  test.each(REFUSED.map((one) => [one] as const))('%s is refused', async (sql) => {
    const shown = await ask(client, form, ...ROLLED_BACK(sql));
    expect(shown.error).toBe('ErrorResponse 42501');
    expect(shown.octets).toContain('refused: ');
    expect(shown.octets).not.toMatch(/sec-|open-|12345/);
  });
});

/** Steps that lead past all that is masked: what is there is shown, compared and computed with. */
const BESIDE: readonly string[] = [
  "SELECT jb ->> 'city' FROM own",
  "SELECT jb -> 'x' FROM own",
  "SELECT jb -> 'contacts' -> 0 ->> 'kind' FROM own",
  "SELECT jb #> '{x}', jb #>> '{contacts,0,kind}' FROM own",
  "SELECT jb['contacts'][0]['kind'], jb['x']['email'] FROM own",
  "SELECT upper(jb ->> 'city') || 'x', length(jb ->> 'nothing') FROM own",
  "SELECT jb ->> 'city' FROM own WHERE jb -> 'x' @> '{\"email\":\"open-x\"}' ORDER BY jb ->> 'city'",
  "SELECT count(*), jb ->> 'city' FROM own GROUP BY 2",
  "SELECT DISTINCT jb -> 'x' FROM own",
  "SELECT c FROM (SELECT jb -> 'x' AS c FROM own) s",
  "SELECT s.j ->> 'city' FROM (SELECT jb AS j FROM own) s",
  "WITH c AS (SELECT jb AS j FROM own) SELECT j ->> 'city' FROM c",
  "SELECT jb ->> 'city' FROM own_seen",
  "SELECT jb ->> 'city' FROM own UNION ALL SELECT jb #>> '{x,email}' FROM own",
  "SELECT e.value FROM own, jsonb_each(jb -> 'x') e",
];

/** Steps that do not, or of which that is not certain. */
const NOT_BESIDE: readonly string[] = [
  "SELECT jb ->> 'email' FROM own",
  "SELECT jb ->> 'Email' FROM own",
  "SELECT jb -> 'contacts' FROM own",
  "SELECT jb -> 'contacts' -> 0 FROM own",
  "SELECT jb -> 'contacts' -> 0 ->> 'phone' FROM own",
  "SELECT jb #>> '{contacts,0,phone}' FROM own",
  "SELECT jb #> '{}' FROM own",
  "SELECT jb #> ARRAY['x'] FROM own",
  'SELECT jb -> 0 FROM own',
  "SELECT jb ->> lower('city') FROM own",
  "SELECT jb ->> 'cityx'::varchar(4) FROM own",
  "SELECT jb ->> c FROM own, (VALUES ('city')) v (c)",
  "SELECT jb['contacts'] FROM own",
  'SELECT jb::jsonb::text FROM own',
  "SELECT (jb || '{}') ->> 'city' FROM own",
  "SELECT coalesce(jb, '{}') ->> 'city' FROM own",
  "SELECT jb_city FROM (SELECT jb ->> 'city' AS jb_city, jb::text AS t FROM own) s",
  "SELECT id FROM own WHERE jb ->> 'city' = 'x' AND jb ->> 'email' = 'y'",
  "SELECT jb ->> 'city' FROM docs",
];

describe.each(FORMS)('steps in %s', (form) => {
  test.each(BESIDE.map((one) => [one] as const))('%s is what it is', async (sql) => {
    const open = await openly(form, sql);
    const shown = await ask(client, form, sql);
    expect([shown.error, shown.rows]).toEqual([undefined, open.rows]);
    expect(shown.octets).toMatch(/open-|OPEN-/);
    expect(shown.octets).not.toContain('sec-');
  });

  test.each(NOT_BESIDE.map((one) => [one] as const))('%s is refused', async (sql) => {
    const shown = await ask(client, form, sql);
    expect(shown.error).toBe('ErrorResponse 42501');
    expect(shown.octets).toContain('refused: ');
    expect(shown.octets).not.toMatch(/sec-|open-/);
  });
});

test('what may be copied of them is what may be read', async () => {
  for (const options of ['', ' (FORMAT csv)']) {
    const shown = await ask(client, 'simple', `COPY (SELECT jb ->> 'city' FROM own) TO STDOUT${options}`);
    expect([shown.error, shown.octets.includes('open-own')]).toEqual([undefined, true]);
  }
});

test('whoever explains policy is told of each member, and of steps that lead past them', async () => {
  const explained = async (sql: string) => {
    const { stdout } = await stack.hoopctl(['policy', 'explain', 'pg', '--json', '-c', sql]);
    return JSON.parse(stdout);
  };
  const sql = "SELECT jb, jb -> 'x' AS x FROM own UNION ALL SELECT jb, jb FROM own WHERE id > 1";
  const { masked, columns } = await explained("SELECT jb, jb -> 'x' AS x FROM own");
  expect(masked).toEqual(['pg/public.own.jb$.email', 'pg/public.own.jb$.contacts.phone', 'pg/detected']);
  expect(columns).toEqual([
    {
      name: 'jb',
      from: ['pg/public.own.jb'],
      mask: 'members',
      members: { '$.email': 'redact', '$.contacts.phone': 'redact' },
    },
    { name: 'x', from: ['pg/public.own.jb'], computed: true },
  ]);
  expect((await explained(sql)).columns).toMatchObject([{ mask: 'redact' }, { mask: 'redact' }]);
  const { stdout } = await stack.hoopctl(['policy', 'explain', 'pg', '-c', 'SELECT jb FROM own']);
  expect(stdout).toContain('$.email redact, $.contacts.phone redact');
});

describe('to the letter', () => {
  test('the documents are what they were, but for their members', async () => {
    const { rows } = await ask(client, 'simple', 'SELECT js FROM raws WHERE id < 100 ORDER BY id');
    expect(rows.map(([value]) => value)).toEqual([
      '{"email":"***","city":"open-a","contacts":[{"phone":"***","kind":"open-b"}],"ssn":null}',
      '{"EMAIL":"***","Contacts":{"PHONE":"***"},"city":"open-c"}',
      '[{"email":"***","city":"open-e"},[{"email":"***"}]]',
      '{"a":{"b":[{"ssn":null},{"ssn":"***","y":"open-g"}]},"email":null}',
      '{"\\u0065mail":"***","city":"open-\\u006b","e\\u006d\\u0061il":"***"}',
      '{"email":"***","city":"open-m \\" \\\\ \\u00e9 é"}',
      '{"emails":"open-n","xemail":"open-o","x":{"email":"open-p"},"ſsn":"***"}',
      '{"email":"***","email":"***","Email":"***"}',
      '{"email":"***","a\\u0000":"open-6"}',
      '{ "email" :\t"***" , "x" : 1.50e2 }',
    ]);
  });

  test.each<[string, string, string]>([
    ['partial', '{"email":"s***","city":"open-a"', '***'],
    ['keep-format', '{"email":"xxx-x","city":"open-a"', '***'],
    ['null', '{"email":null,"city":"open-a"', ''],
    ['pseudonym', '{"email":"***","city":"open-a"', '***'],
  ])('under the mask %s', async (mask, begins, whole) => {
    await stack.reload(policy(mask));
    const { rows } = await ask(client, 'simple', 'SELECT js FROM raws WHERE id IN (1, 100) ORDER BY id');
    expect(rows[0]?.[0]).toMatch(new RegExp(`^${begins.replace(/[*{]/g, '\\$&')}`));
    expect(rows[1]?.[0] ?? '').toBe(whole === '' ? '' : `"${whole}"`);
    await stack.reload(policy('redact'));
  });

  test('a document that was shown is not written back', async () => {
    const [[document = null] = []] = (await ask(client, 'simple', 'SELECT jb FROM own')).rows;
    const sql = `UPDATE own SET jb = '${document}'`;
    const shown = await ask(client, 'simple', 'BEGIN', sql, 'ROLLBACK');
    expect(shown.octets).toContain('mask-written-back');
  });

  test('what is made of it in a transaction of one’s own is hidden whole', async () => {
    const shown = await ask(
      client,
      'simple',
      'BEGIN',
      "CREATE VIEW mine AS SELECT jsonb_build_object('x', jb) AS x FROM own",
      'SELECT x FROM mine',
      'ROLLBACK',
    );
    expect(shown.octets).not.toMatch(/sec-|open-/);
  });

  test('rows of a function are hidden, or shown without them', async () => {
    for (const sql of ['SELECT jb FROM all_docs()', 'SELECT (all_docs()).jb', 'SELECT all_docs()']) {
      expect((await openly('simple', sql)).octets).toContain('sec-');
      expect((await ask(client, 'simple', sql)).octets).not.toContain('sec-');
    }
  });

  test('a document is masked whatever pieces its row comes in, and how many rows are asked for at once', async () => {
    const before = client.received.length;
    client.send(
      parse('', 'SELECT jb FROM docs'),
      bind('', ''),
      describePortal(''),
      execute('', 1),
      execute('', 2),
      execute(''),
      sync,
    );
    await client.untilReady();
    const octets = client.received.subarray(before).toString('latin1');
    expect(octets).toContain('open-a');
    expect(octets).not.toContain('sec-');
  });
});
