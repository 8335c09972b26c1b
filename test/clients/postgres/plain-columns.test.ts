/**
 * `freeText: { show: plain }`: what detectors cannot find in a value that SQL has made unrecognisable is not shown there. Each trick is
 * tried at two resources of one database: where it is off, it brings the secret to light; where it is on, nothing comes back.
 */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bind,
  describePortal,
  execute,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const PAN = '4111111111111111';
const BODY = `pay ${PAN} now`;
const reversed = (text: string) => [...text].reverse().join('');
const REVERSED = reversed(BODY);
const HEX = Buffer.from(BODY).toString('hex');

const SQL = `
CREATE TABLE notes (id int PRIMARY KEY, body text, title varchar(80), code char(20), doc jsonb, raw json, tags text[], n int, amount numeric, at timestamptz, state text);
INSERT INTO notes VALUES
  (1, '${BODY}', 'title ${PAN}', '${PAN}', '{"a": "${BODY}", "b": 1}', '{"a":"${BODY}"}', ARRAY['${BODY}', 'x'], 3, 12.50, '2024-05-06', 'paid'),
  (2, 'likes tea', 'Tea', 'x', '{"a": "x"}', '{"a":"x"}', ARRAY['y'], 4, 7.50, '2024-06-06', 'new');
CREATE TABLE lines (id int PRIMARY KEY, note int REFERENCES notes, body text, n int DEFAULT 0);
INSERT INTO lines VALUES (10, 1, 'one', 0), (11, 1, 'two', 0), (12, 2, 'likes tea', 0);
CREATE TABLE made (id int PRIMARY KEY, body text, turned text GENERATED ALWAYS AS (reverse(body)) STORED);
INSERT INTO made VALUES (1, '${BODY}');
CREATE VIEW turned AS SELECT id, reverse(body) AS body FROM notes;
CREATE VIEW turned_twice AS SELECT id, body FROM turned UNION ALL SELECT id, title FROM notes;
CREATE VIEW shown AS SELECT n.id, n.body, l.body AS line, to_char(n.at, 'YYYY') AS year, n.amount * 2 AS double FROM notes n LEFT JOIN lines l ON l.note = n.id;
CREATE MATERIALIZED VIEW kept AS SELECT id, reverse(body) AS body FROM notes;
CREATE FUNCTION turned_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT reverse(body) FROM notes WHERE id = $1';
CREATE FUNCTION initials(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left($1, 3)';
CREATE FUNCTION plus(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE SEQUENCE steps;
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO hoop; GRANT CREATE ON SCHEMA public TO hoop; ALTER TABLE lines OWNER TO hoop;
`;

/** Everything may be done and every column is shown; what detectors find in them is not. */
const POLICY = `
@id("use") permit (principal, action, resource) unless { action == Action::"reveal" };
@id("show") permit (principal, action == Action::"reveal", resource is Column);
`;

/** What is asked, and what of the secret comes back for it where nothing stands in the way. */
type Trick = readonly [sql: string, told: string];
const LETTERS = [...BODY];

const TRICKS: readonly Trick[] = [
  ['SELECT reverse(body) FROM notes WHERE id = 1', REVERSED],
  ["SELECT encode(body::bytea, 'hex') || 'z' FROM notes WHERE id = 1", HEX],
  [
    "SELECT encode(encode(body::bytea, 'hex')::bytea, 'hex') FROM notes WHERE id = 1",
    Buffer.from(HEX).toString('hex'),
  ],
  ["SELECT translate(body, '0123456789', 'abcdefghij') FROM notes WHERE id = 1", 'pay ebbbbbbbbbbbbbbb now'],
  ["SELECT replace(body, '1', 'I') FROM notes WHERE id = 1", `pay ${PAN.replaceAll('1', 'I')} now`],
  ["SELECT regexp_replace(body, '(\\d)', '\\1.', 'g') FROM notes WHERE id = 1", '4.1.1.1.'],
  ['SELECT left(body, 12) FROM notes WHERE id = 1', 'pay 41111111'],
  ['SELECT substr(body, 5, 8) FROM notes WHERE id = 1', '41111111'],
  ['SELECT body::varchar(12) FROM notes WHERE id = 1', 'pay 41111111'],
  ['SELECT body::name::char(12) FROM notes WHERE id = 1', 'pay 41111111'],
  ['SELECT ascii(substr(body, 5, 1)) FROM notes WHERE id = 1', '52'],
  ['SELECT get_byte(body::bytea, 4) FROM notes WHERE id = 1', '52'],
  [
    "SELECT ('x' || encode(substr(body, 5, 4)::bytea, 'hex'))::bit(32)::int FROM notes WHERE id = 1",
    '875639089',
  ],
  ["SELECT to_number(body, 'XXXX9999') FROM notes WHERE id = 1", '4111'],
  ["SELECT split_part(body, ' ', 2)::numeric + 1 FROM notes WHERE id = 1", '4111111111111112'],
  ["SELECT length(replace(body, '1', '')) FROM notes WHERE id = 1", '9'],
  ["SELECT position('4' IN body) FROM notes WHERE id = 1", '5'],
  ["SELECT body LIKE 'pay 4%' FROM notes WHERE id = 1", 't'],
  ["SELECT body > 'pay 4' FROM notes WHERE id = 1", 't'],
  ["SELECT CASE WHEN body LIKE '%4111%' THEN 'yes' ELSE 'no' END FROM notes WHERE id = 1", 'yes'],
  ["SELECT sum((body LIKE '%4111%')::int) FROM notes", '1'],
  ["SELECT string_agg(c, '-') FROM notes, string_to_table(body, NULL) c WHERE id = 1", LETTERS.join('-')],
  ["SELECT array_to_string(regexp_split_to_array(body, ''), '_') FROM notes WHERE id = 1", LETTERS.join('_')],
  ['SELECT string_to_array(body, NULL) FROM notes WHERE id = 1', '4,1,1,1,1'],
  ['SELECT c FROM notes, unnest(string_to_array(body, NULL)) c WHERE id = 1', '4'],
  ["SELECT format('%s', left(body, 10)) FROM notes WHERE id = 1", 'pay 411111'],
  ["SELECT concat_ws('~', left(body, 8), substr(body, 9)) FROM notes WHERE id = 1", 'pay 4111~1'],
  ["SELECT left(body, 8) || '.' || substr(body, 9) FROM notes WHERE id = 1", 'pay 4111.1'],
  ['SELECT row_to_json(r) FROM (SELECT reverse(body) AS b FROM notes WHERE id = 1) r', REVERSED],
  ["SELECT json_build_object('b', reverse(body)) FROM notes WHERE id = 1", REVERSED],
  ["SELECT reverse(doc->>'a') FROM notes WHERE id = 1", REVERSED],
  ['SELECT left(doc::text, 19) FROM notes WHERE id = 1', '{"a": "pay 41111111'],
  ["SELECT reverse(raw->>'a') FROM notes WHERE id = 1", REVERSED],
  ['SELECT reverse(tags[1]) FROM notes WHERE id = 1', REVERSED],
  ["SELECT array_to_string(tags, '')::char(12) FROM notes WHERE id = 1", 'pay 41111111'],
  ['SELECT ARRAY[reverse(body)] FROM notes WHERE id = 1', REVERSED],
  ['SELECT ROW(reverse(body)) FROM notes WHERE id = 1', REVERSED],
  ['SELECT max(reverse(body)) FROM notes WHERE id = 1', REVERSED],
  ['SELECT array_agg(reverse(body)) FROM notes WHERE id = 1', REVERSED],
  [`SELECT md5(body) = md5('${BODY}') FROM notes WHERE id = 1`, 't'],
  ['SELECT (SELECT reverse(body)) FROM notes WHERE id = 1', REVERSED],
  ['SELECT b FROM (SELECT reverse(body) b, id FROM notes) q WHERE id = 1', REVERSED],
  ['WITH q AS (SELECT reverse(body) b FROM notes) SELECT b FROM q', REVERSED],
  ['SELECT reverse(title) FROM notes UNION ALL SELECT reverse(body) FROM notes', REVERSED],
  ['SELECT b FROM notes, LATERAL (VALUES (reverse(body))) v (b) WHERE id = 1', REVERSED],
  ['SELECT coalesce(NULL, reverse(body)) FROM notes WHERE id = 1', REVERSED],
  ["SELECT greatest(body, 'pay 4') = body FROM notes WHERE id = 1", 't'],
  // One letter of every row at once: a join of each place with each sign.
  [
    "SELECT string_agg(chr(a), '.' ORDER BY p) FROM notes t JOIN generate_series(1, 24) p ON true JOIN generate_series(32, 126) a ON ascii(substr(t.body, p, 1)) = a WHERE t.id = 1",
    LETTERS.join('.'),
  ],
  [
    "SELECT string_agg(chr(a), '.' ORDER BY p) FROM notes t, generate_series(1, 24) p, generate_series(33, 126) a WHERE t.id = 1 AND starts_with(substr(t.body, p), chr(a))",
    LETTERS.filter((letter) => letter !== ' ').join('.'),
  ],
  [
    "SELECT string_agg(v.d, '.' ORDER BY p) FROM notes t, generate_series(5, 20) p, (VALUES ('1'), ('4')) v (d) WHERE t.id = 1 AND t.body LIKE repeat('_', p - 1) || v.d || '%'",
    [...PAN].join('.'),
  ],
  [
    "SELECT string_agg(d, '.' ORDER BY p) FROM (SELECT body, p FROM notes, generate_series(5, 20) p WHERE id = 1) q, (VALUES ('1'), ('4')) v (d) WHERE EXISTS (SELECT 1 WHERE substr(q.body, q.p, 1) = v.d)",
    [...PAN].join('.'),
  ],
  [
    "WITH RECURSIVE r AS (SELECT body, 5 AS p FROM notes WHERE id = 1 UNION ALL SELECT body, p + 1 FROM r WHERE p < 20) SELECT string_agg(p::text, '.' ORDER BY p) FROM r WHERE substr(body, p, 1) = '4'",
    '5',
  ],
  [
    'SELECT p, (SELECT count(*) FROM generate_series(1, ascii(substr(body, p, 1)))) FROM notes, generate_series(5, 6) p WHERE id = 1',
    '52',
  ],
  ['SELECT count(*) FROM notes, generate_series(1, ascii(substr(body, 5, 1))) WHERE id = 1', '52'],
  [
    'SELECT g FROM generate_series(1, 100) g LIMIT (SELECT ascii(substr(body, 5, 1)) FROM notes WHERE id = 1)',
    '52',
  ],
  [
    "SELECT string_agg(x, '.' ORDER BY x) FROM (SELECT substr(body, 5, 1) AS x FROM notes INTERSECT VALUES ('1'), ('4')) q",
    '4',
  ],
  [
    "SELECT id FROM (SELECT id, body FROM notes WHERE id = 1 UNION ALL VALUES (-3, 'pay 3'), (-5, 'pay 5')) q ORDER BY body",
    '1',
  ],
  ['SELECT id FROM notes ORDER BY substr(body, 5, 1)', '1'],
  ['SELECT count(*) FROM notes GROUP BY substr(body, 5, 1)', '1'],
  ['SELECT DISTINCT ON (substr(body, 5, 1)) id FROM notes', '1'],
  ['SELECT rank() OVER (ORDER BY reverse(body)) FROM notes', '1'],
  ['SELECT percentile_disc(0.0) WITHIN GROUP (ORDER BY reverse(body)) FROM notes WHERE id = 1', REVERSED],
  [
    'SELECT s - 4111111111111110 FROM generate_series(4111111111111110, 4111111111111112) s JOIN notes ON code = s::text',
    '1',
  ],
  // The same row several times, beside a count.
  [
    "SELECT string_agg(pos::text, '.') FROM notes t, unnest((SELECT array_agg(c.body) FROM notes c, generate_series(1, 6) WHERE c.id = 1)) WITH ORDINALITY u (b, pos) WHERE t.id = 1 AND substr(u.b, u.pos::int, 1) = '4'",
    '5',
  ],
  [
    "SELECT pos FROM notes t, LATERAL ROWS FROM (unnest(ARRAY[t.body, t.body, t.body, t.body, t.body]), generate_series(1, 5)) u (b, pos) WHERE t.id = 1 AND substr(u.b, u.pos, 1) = '4'",
    '5',
  ],
  [
    "SELECT pos FROM notes t, LATERAL (VALUES (t.body, 4), (t.body, 5)) v (b, pos) WHERE t.id = 1 AND substr(v.b, v.pos, 1) = '4'",
    '5',
  ],
  [
    "SELECT pos FROM (SELECT body, count(id) AS pos FROM notes, generate_series(1, 6) a, generate_series(1, 6) b WHERE b <= a AND id = 1 GROUP BY body, a) q WHERE substr(body, pos::int, 1) = '4'",
    '5',
  ],
  [
    "SELECT pos FROM (SELECT body, sum(1) OVER (ORDER BY g) AS pos FROM notes, generate_series(1, 6) g WHERE id = 1) q WHERE substr(body, pos::int, 1) = '4'",
    '5',
  ],
  [
    "SELECT g FROM notes t, generate_series(4, 6) g WHERE t.id = 1 AND substr(t.body, 4 + (EXISTS (SELECT 1 WHERE g = 5))::int, 1) = '4'",
    '5',
  ],
  [
    "SELECT g FROM notes t, generate_series(4, 6) g, LATERAL (SELECT 1) one LEFT JOIN LATERAL (SELECT 5 AS k WHERE g = 5) x ON true WHERE t.id = 1 AND substr(t.body, coalesce(x.k, 1), 1) = '4'",
    '5',
  ],
  [
    "SELECT coalesce(t.id, v.n) FROM (SELECT id, body FROM notes WHERE id = 1) t FULL JOIN (VALUES (-3, 'pay 3'), (-5, 'pay 5')) v (n, x) ON false ORDER BY coalesce(t.body, v.x)",
    '1',
  ],
  [
    "SELECT v.n FROM notes t, (VALUES (3, 'pay 3'), (5, 'pay 5')) v (n, x) WHERE t.id = 1 AND t.body > v.x",
    '3',
  ],
  [
    "SELECT coalesce(t.id, -g) FROM (SELECT id, body FROM notes WHERE id = 1) t FULL JOIN generate_series(1, 1) g ON false ORDER BY coalesce(t.body, 'pay 3')",
    '1',
  ],
  // What was compared with a series already, and is only asked for then.
  [
    "SELECT g FROM notes t, generate_series(5, 6) g WHERE t.id = 1 GROUP BY g HAVING bool_or(substr(t.body, g, 1) = '4')",
    '5',
  ],
  [
    "SELECT g FROM notes t, generate_series(5, 6) g, LATERAL (VALUES (substr(t.body, g, 1))) v (c) WHERE t.id = 1 AND v.c = '4'",
    '5',
  ],
  [
    "SELECT g FROM (SELECT g, substr(body, g, 1) AS c FROM notes, generate_series(5, 6) g UNION ALL SELECT 0, 'x') q WHERE c = '4'",
    '5',
  ],
  [
    "WITH RECURSIVE r (b, p, c) AS (SELECT body, 4, 'x' FROM notes WHERE id = 1 UNION ALL SELECT b, p + 1, substr(b, p + 1, 1) FROM r WHERE p < 6) SELECT p FROM r WHERE c = '4'",
    '5',
  ],
  [
    "SELECT g FROM (SELECT g, unnest(ARRAY[substr(body, g, 1)]) AS c FROM notes, generate_series(5, 6) g) q WHERE c = '4'",
    '5',
  ],
  [
    "SELECT g FROM (SELECT g, lag(substr(body, g, 1), 0) OVER () AS c FROM notes, generate_series(5, 6) g) q WHERE c = '4'",
    '5',
  ],
  [
    "SELECT g FROM notes t, generate_series(5, 6) g WHERE t.id = 1 AND (SELECT max(substr(t.body, h, 1)) FROM generate_series(g, g) h) = '4'",
    '5',
  ],
  [
    "SELECT g FROM notes t JOIN generate_series(5, 6) g ON (SELECT substr(t.body, h, 1) FROM generate_series(g, g) h) = '4' WHERE t.id = 1",
    '5',
  ],
  // One step after the other, of which each is asked for alone.
  [
    "WITH RECURSIVE r (b, p) AS (SELECT body, 1 FROM notes WHERE id = 1 UNION ALL SELECT substr(b, 2), p + 1 FROM r WHERE p < 6) SELECT p FROM r WHERE left(b, 1) = '4'",
    '5',
  ],
  [
    "SELECT n FROM (SELECT regexp_split_to_table(body, '') AS c, generate_series(1, 20) AS n FROM notes WHERE id = 1) q WHERE c = '4'",
    '5',
  ],
  [
    "WITH v AS (SELECT v.* FROM notes t, LATERAL (VALUES (substr(body, 4, 1), 4), (substr(body, 5, 1), 5)) v (c, n) WHERE id = 1) SELECT n, 4 FROM v WHERE c = '4' UNION ALL SELECT n, 1 FROM v WHERE c = '1'",
    '5',
  ],
  [
    "SELECT a.d || b.d || c.d || d.d FROM notes t, (VALUES ('p'), ('n')) a (d), (VALUES ('a'), ('e')) b (d), (VALUES ('i'), ('w')) c (d), (VALUES ('d'), ('')) d (d) WHERE t.state = a.d || b.d || c.d || d.d AND id = 1",
    'paid',
  ],
  // What others have made.
  ['SELECT body FROM turned WHERE id = 1', REVERSED],
  ['SELECT body FROM turned_twice WHERE id = 1', REVERSED],
  ['SELECT body FROM kept WHERE id = 1', REVERSED],
  ['SELECT turned FROM made', REVERSED],
  ['SELECT turned_of(1)', REVERSED],
  ['SELECT * FROM turned_of(1)', REVERSED],
  ['SELECT length(turned_of(1))', `${BODY.length}`],
  [
    'EXPLAIN (COSTS off) SELECT 1 FROM notes WHERE body = reverse((SELECT reverse(body) FROM notes WHERE id = 1))',
    'Filter',
  ],
];

/** Several statements on end, of which the last tells. */
const WAYS: readonly Trick[] = [
  [
    "BEGIN; UPDATE lines SET body = 'x' WHERE id = 10 RETURNING (SELECT reverse(body) FROM notes WHERE notes.id = 1)",
    REVERSED,
  ],
  [
    'BEGIN; WITH u AS (UPDATE notes SET n = 3 WHERE id = 1 RETURNING reverse(body) b) SELECT b FROM u',
    REVERSED,
  ],
  ['BEGIN; DECLARE c CURSOR FOR SELECT reverse(body) FROM notes WHERE id = 1; FETCH ALL FROM c', REVERSED],
  ['PREPARE p AS SELECT reverse(body) FROM notes WHERE id = $1; EXECUTE p(1)', REVERSED],
  ['COPY (SELECT reverse(body) FROM notes WHERE id = 1) TO STDOUT', REVERSED],
  ['COPY (SELECT body FROM turned WHERE id = 1) TO STDOUT (FORMAT csv)', REVERSED],
  [
    'BEGIN; INSERT INTO lines (id, body) SELECT 90, reverse(body) FROM notes WHERE id = 1; SELECT body FROM lines WHERE id = 90',
    REVERSED,
  ],
  [
    'BEGIN; UPDATE lines SET body = (SELECT reverse(body) FROM notes WHERE id = 1) WHERE id = 10; SELECT body FROM lines WHERE id = 10',
    REVERSED,
  ],
  [
    'BEGIN; UPDATE lines SET (n, body) = (SELECT ascii(substr(body, 5, 1)), title FROM notes WHERE id = 1) WHERE id = 10; SELECT n FROM lines WHERE id = 10',
    '52',
  ],
  [
    "BEGIN; UPDATE lines SET n = CASE WHEN EXISTS (SELECT 1) AND (SELECT body FROM notes WHERE id = 1) LIKE '%4%' THEN 77 END WHERE id = 10; SELECT n FROM lines WHERE id = 10",
    '77',
  ],
  [
    "BEGIN; INSERT INTO lines (id, body) VALUES (10, 'x') ON CONFLICT (id) DO UPDATE SET body = (SELECT reverse(body) FROM notes WHERE id = 1); SELECT body FROM lines WHERE id = 10",
    REVERSED,
  ],
  [
    'BEGIN; MERGE INTO lines l USING notes n ON l.note = n.id AND n.id = 1 WHEN MATCHED THEN UPDATE SET body = reverse(n.body); SELECT body FROM lines WHERE id = 10',
    REVERSED,
  ],
  [
    "BEGIN; SELECT setval('steps', ascii(substr(body, 5, 1))) FROM notes WHERE id = 1; SELECT last_value FROM steps",
    '52',
  ],
  [
    "BEGIN; SELECT 1 FROM notes WHERE id = 1 AND setval('steps', ascii(substr(body, 5, 1))) > 0; SELECT last_value FROM steps",
    '52',
  ],
  ['BEGIN; CREATE TEMP TABLE held AS SELECT reverse(body) b FROM notes WHERE id = 1', 'SELECT 1'],
  ['BEGIN; CREATE VIEW held AS SELECT reverse(body) b FROM notes', 'CREATE VIEW'],
  ['BEGIN; ALTER TABLE lines ADD COLUMN x text GENERATED ALWAYS AS (reverse(body)) STORED', 'ALTER TABLE'],
];

/** Shown with the switch on as without: what is honest, and what of it must come back. */
const HONEST: readonly Trick[] = [
  ["SELECT 'hello', 1, now() IS NOT NULL, upper('x')", 'hello'],
  ['SELECT id, body, title AS t, doc, raw, tags, n FROM notes', 'likes tea'],
  ['SELECT * FROM notes n JOIN lines l ON l.note = n.id ORDER BY l.id', 'two'],
  ['SELECT m, (m).title FROM notes m WHERE id = 2', 'likes tea'],
  [
    'SELECT n.body, count(*), max(l.body) FROM notes n LEFT JOIN lines l ON l.note = n.id GROUP BY n.id, n.body ORDER BY n.body',
    'two',
  ],
  [
    "SELECT count(*) FILTER (WHERE state = 'paid'), count(DISTINCT title), sum(amount) * 2 FROM notes",
    '40.00',
  ],
  [
    "SELECT state, sum(CASE WHEN state = 'paid' THEN amount ELSE 0 END), date_trunc('month', at)::date FROM notes GROUP BY state, at ORDER BY state",
    '12.50',
  ],
  [
    "SELECT id FROM notes WHERE lower(title) = lower('TEA') AND body ILIKE '%' || 'tea' || '%' AND length(body) > 3",
    '2',
  ],
  ["SELECT id FROM notes WHERE doc->>'a' = 'x' AND doc @> '{\"a\": \"x\"}' AND 'y' = ANY (tags)", '2'],
  ['SELECT l.id FROM notes n JOIN lines l ON l.body = n.body', '12'],
  [
    "SELECT id, coalesce(body, title, '-'), nullif(title, 'x'), body IS NULL, title = 'Tea' FROM notes WHERE state IN ('new', 'open')",
    'likes tea',
  ],
  [
    'SELECT b, lag(b) OVER (ORDER BY b) FROM (SELECT body AS b FROM notes WHERE id = 2) q ORDER BY lower(b)',
    'likes tea',
  ],
  [
    'WITH q AS (SELECT id, body FROM notes) SELECT body FROM q UNION ALL SELECT body FROM lines ORDER BY body',
    'two',
  ],
  ['SELECT array_agg(body ORDER BY id), tags[1] FROM notes WHERE id = 2 GROUP BY tags', 'likes tea'],
  ['SELECT to_char(at, $$YYYY-MM$$), n + 1, amount::text, id::text || $$!$$ FROM notes', '2024-05'],
  ['SELECT id, body, line, year, double FROM shown ORDER BY id, line', '2024'],
  ["SELECT public.initials(body), initials('abcd') FROM notes WHERE id = 2", 'lik'],
  [
    'WITH RECURSIVE r (id, body, d) AS (SELECT id, body, 1 FROM notes UNION ALL SELECT id, body, d + 1 FROM r WHERE d < 2) SELECT body, d FROM r ORDER BY body, d',
    'likes tea',
  ],
  [
    "SELECT relname, length(relname) FROM pg_class WHERE relname LIKE 'note%' ORDER BY substr(relname, 2)",
    'notes',
  ],
  [
    "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'lines'::regclass AND attnum > 0",
    'id,note,body',
  ],
  ['EXPLAIN (COSTS off) SELECT body FROM notes', 'Seq Scan'],
  ['COPY (SELECT body FROM notes) TO STDOUT', 'likes tea'],
  ['COPY notes (id, body) TO STDOUT', 'likes tea'],
  [
    "BEGIN; INSERT INTO lines (id, note, body) VALUES (91, 2, 'new' || 'er') RETURNING body, upper('a')",
    'newer',
  ],
  ['BEGIN; INSERT INTO lines (id, body) SELECT 92, title FROM notes WHERE id = 2 RETURNING body', 'Tea'],
  ["BEGIN; UPDATE lines SET body = 'done', n = n + 1 WHERE body LIKE 'tw%' RETURNING id, n", '11'],
  [
    "BEGIN; INSERT INTO lines (id, body) VALUES (10, 'x') ON CONFLICT (id) DO UPDATE SET body = excluded.body RETURNING body",
    'x',
  ],
  ['BEGIN; DECLARE c CURSOR FOR SELECT body FROM notes; FETCH ALL FROM c', 'likes tea'],
  ['PREPARE q (text) AS SELECT body FROM notes WHERE title = $1; EXECUTE q($$Tea$$)', 'likes tea'],
  ["SELECT doc->>'a', json_agg(m) FROM notes m WHERE id = 2 GROUP BY doc", 'likes tea'],
  ['SELECT unnest(tags) FROM notes', 'y'],
];

let stack: Stack;
const tunnels: Tunnel[] = [];
const clients: RawClient[] = [];
let open: RawClient;
let plain: RawClient;

beforeAll(async () => {
  stack = await startStack({
    sql: SQL,
    policy: POLICY,
    resources: ({ host, port, caFile }) => `  plain:
    protocol: postgres
    target: { host: ${host}, port: ${port}, database: shop, caFile: ${caFile} }
    credentials: { user: hoop, password: { file: ./pg.password } }
    freeText: { show: plain, functions: [public.initials, pg_catalog.jsonb_object_field_text, pg_catalog.json_agg] }
`,
  });
  for (const name of ['pg', 'plain']) {
    const tunnel = await stack.tunnelTo(name);
    tunnels.push(tunnel);
    clients.push(await rawLogin(tunnel));
  }
  [open, plain] = clients as [RawClient, RawClient];
});

afterAll(async () => {
  for (const one of clients) one.close();
  for (const one of tunnels) await one.close();
  await stack?.stop();
});

interface Said {
  /** Rows, copied lines and tags, as text. */
  readonly text: string;
  readonly rows: number;
  readonly error?: string;
  readonly told?: Record<string, unknown>;
}

async function said(client: RawClient, ...messages: readonly Buffer[]): Promise<Said> {
  client.send(...messages);
  const answer = await client.untilReady();
  const cells = answer.flatMap((one) => {
    if (one.name === 'DataRow') return one.values.map((value) => value?.toString() ?? '');
    if (one.name === 'CopyData') return [one.data.toString()];
    return one.name === 'CommandComplete' ? [one.tag] : [];
  });
  const failed = answer.find((one) => one.name === 'ErrorResponse');
  const fields =
    failed?.name === 'ErrorResponse'
      ? new Map(failed.fields.map(([code, text]) => [code, String(text)]))
      : undefined;
  const rows = answer.filter(({ name }) => name === 'DataRow' || name === 'CopyData').length;
  const hint = fields?.get('H');
  return {
    text: cells.join('\n'),
    rows,
    ...(fields === undefined ? {} : { error: `${fields.get('C')} ${fields.get('M')}` }),
    ...(hint?.startsWith('{') === true ? { told: JSON.parse(hint) as Record<string, unknown> } : {}),
  };
}

const simply = (client: RawClient, sql: string) => said(client, query(sql));
const extended = (client: RawClient, sql: string, binary: boolean) =>
  said(client, parse('', sql), bind('', '', { binary }), describePortal(''), execute(''), sync);
const undone = async (client: RawClient) => simply(client, 'ROLLBACK; DEALLOCATE ALL');

describe('what SQL makes of free text', () => {
  test.each(TRICKS)('%s', async (sql, told) => {
    const off = await simply(open, sql);
    expect(off.error, off.error).toBeUndefined();
    const counted = off.rows === Number(told);
    expect(off.text.includes(told) || counted, off.text).toBe(true);
    for (const one of [
      () => simply(plain, sql),
      () => extended(plain, sql, false),
      () => extended(plain, sql, true),
    ]) {
      const on = await one();
      expect(on.error).toMatch(/^42501 /);
      expect(on.rows).toBe(0);
    }
  });

  test.each(WAYS)('%s', async (sql, told) => {
    const off = await simply(open, sql);
    await undone(open);
    expect(off.error).toBeUndefined();
    expect(off.text).toContain(told);
    const on = await simply(plain, sql);
    await undone(plain);
    expect(on.error).toMatch(/^42501 /);
    expect(on.text).not.toContain(told);
  });
});

describe('what is honest', () => {
  test.each(HONEST)('%s', async (sql, told) => {
    for (const client of [open, plain]) {
      const { error, text } = await simply(client, sql);
      await undone(client);
      expect(error).toBeUndefined();
      expect(text).toContain(told);
      expect(text).not.toContain(PAN);
    }
  });

  test('a driver with parameters, in text and in binary', async () => {
    const { host, port, user, password, database } = tunnels[1] as Tunnel;
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    const { rows } = await client.query('SELECT id, body FROM notes WHERE body ILIKE $1 AND title = $2', [
      '%tea%',
      'Tea',
    ]);
    expect(rows).toEqual([{ id: 2, body: 'likes tea' }]);
    await expect(client.query('SELECT substr(body, $1) FROM notes', [2])).rejects.toThrow(/function substr/);
    await client.end();
    const binary = await extended(plain, 'SELECT id, body FROM notes WHERE id = 1', true);
    expect(binary.text).toContain('pay *** now');
  });
});

test('psql, as people use it, and \\copy', async () => {
  const psql = (...args: string[]) => stack.hoopctl(['connect', 'plain', '--', 'psql', '-Xw', ...args]);
  const described = await psql(
    '-c',
    '\\d notes',
    '-c',
    '\\d shown',
    '-c',
    '\\dt',
    '-c',
    '\\df',
    '-c',
    '\\l',
    '-c',
    '\\du',
  );
  expect([described.exitCode, described.stderr]).toEqual([0, '']);
  expect(described.stdout).toContain('"notes_pkey" PRIMARY KEY');
  const copied = await psql('-c', '\\copy notes (id, body) to stdout');
  expect(copied.stdout).toBe('1\tpay *** now\n2\tlikes tea\n');
  const made = await psql('-c', '\\copy (select reverse(body) from notes) to stdout');
  expect(made.exitCode).not.toBe(0);
  expect(made.stderr).toContain('what function reverse makes of column public.notes.body is not shown');
});

test('a refusal names the column and the function, and what follows', async () => {
  const { error, told } = await simply(plain, 'SELECT id, reverse(body) FROM notes');
  expect(error).toContain('what function reverse makes of column public.notes.body is not shown');
  expect(told).toMatchObject({ rule: 'computed-text', next: 'leave-out', leaveOut: ['public.notes.body'] });
  const unlisted = await simply(plain, 'SELECT plus(1, 2)');
  expect(unlisted.told).toMatchObject({ rule: 'unlisted-function', next: 'instead' });
  const made = await simply(plain, 'CREATE TABLE x (id int)');
  expect(made.told).toMatchObject({ rule: 'text-definition', next: 'report' });
});

test('whoever is masked nothing is shown what they make of it', async () => {
  const policy = readFileSync(`${stack.directory}/policies/test.cedar`, 'utf8');
  await stack.reload('@id("all") permit (principal, action, resource);');
  const { text } = await simply(plain, 'SELECT reverse(body) FROM notes WHERE id = 1');
  expect(text).toContain(REVERSED);
  await stack.reload(policy);
  expect((await simply(plain, 'SELECT reverse(body) FROM notes WHERE id = 1')).error).toMatch(/^42501 /);
});
