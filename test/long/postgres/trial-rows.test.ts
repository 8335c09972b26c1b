import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FirstRows, ShownValue } from '../../../src/api/approvals.ts';
import type { Viewer } from '../../../src/protocols/adapter.ts';
import { SqlParser } from '../../../src/protocols/postgres/sql/parse/parser.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';
import { type How, SEES_ALL, TrialTarget } from '../../support/postgres/trials.ts';
import { eventually } from '../../support/waiting.ts';

const SQL = `
CREATE ROLE hoop LOGIN PASSWORD 'hunter2';
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE customers (id int PRIMARY KEY, email text, plan text, note text, mood mood DEFAULT 'sad',
  domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED);
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE TABLE bare (v int);
CREATE TABLE pairs ("a""x" int, b text, v int, PRIMARY KEY (b, "a""x"));
CREATE TABLE big (id int PRIMARY KEY, v text, w text);
ALTER TABLE big ALTER v SET STORAGE EXTERNAL, ALTER w SET STORAGE EXTENDED;
CREATE TABLE copied (id int PRIMARY KEY, email text, seen text);
CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := reverse(NEW.email); RETURN NEW; END $$;
CREATE TRIGGER copies BEFORE UPDATE ON copied FOR EACH ROW EXECUTE FUNCTION copies();
CREATE TABLE later (id int PRIMARY KEY, v text);
CREATE FUNCTION corrects() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN UPDATE later SET v = 'corrected' WHERE id = NEW.id AND v <> 'corrected'; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER corrects AFTER UPDATE ON later DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION corrects();
CREATE TABLE searched (id int PRIMARY KEY, email text, words tsvector);
CREATE TRIGGER searched BEFORE UPDATE ON searched FOR EACH ROW
  EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.simple', email);
CREATE TABLE owned (id int PRIMARY KEY, owner text, v int);
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY changes ON owned FOR UPDATE USING (true);
CREATE POLICY reads ON owned FOR SELECT USING (owner = current_user);
CREATE TABLE unread (id int PRIMARY KEY, v int);
CREATE TABLE parent (id int PRIMARY KEY, v int);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE days (day date, v int, PRIMARY KEY (day)) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW seen AS SELECT id, plan FROM customers;
CREATE TABLE odd (id text PRIMARY KEY, v text);
CREATE TABLE own_key (id mood PRIMARY KEY, v int);
INSERT INTO customers SELECT i, 'person' || i || '@example.com', 'free', 'call ' || i FROM generate_series(1, 9) i;
INSERT INTO plain VALUES (1, 'one'), (2, 'two'), (3, NULL);
INSERT INTO bare VALUES (1);
INSERT INTO pairs VALUES (1, 'x', 10), (2, 'x', 20), (1, 'y', 30);
INSERT INTO big VALUES (1, repeat('x', 100000), repeat('y', 3000)), (2, 'small', repeat('z', 40000000));
INSERT INTO copied VALUES (1, 'person1@example.com', 'no');
INSERT INTO later VALUES (1, 'first');
INSERT INTO searched VALUES (1, 'person1@example.com', 'no');
INSERT INTO owned VALUES (1, 'hoop', 1), (2, 'other', 2);
INSERT INTO unread VALUES (1, 1);
INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 2);
INSERT INTO days VALUES ('2025-05-05', 1), ('2026-05-05', 2);
INSERT INTO odd VALUES (E'it''s \\\\ "\\n\\u202e', E'\\x1b[2J<b>\\u202e');
INSERT INTO own_key VALUES ('sad', 1);
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop;
REVOKE SELECT ON unread FROM hoop;
`;

/** Who is shown no personal data; of `found`, nothing that detectors find. */
const MASKED: Viewer = {
  ...SEES_ALL,
  reveal: ({ attrs }) => {
    const tags = attrs['tags'];
    const hides = Array.isArray(tags) && tags.some((tag) => String(tag).startsWith('pii'));
    return hides ? { show: false, mask: 'redact', rules: [] } : { show: true };
  },
};
const PII = {
  'public.customers.email': ['pii'],
  'public.copied.email': ['pii'],
  'public.searched.email': ['pii'],
};
const SECRET = /person\d|example/;

/** `NULL`, `text`, `[text]` where masked, `text…` where cut. */
const text = ({ text: said, masked, cut }: ShownValue) => {
  const one = `${said ?? 'NULL'}${cut === true ? '…' : ''}`;
  return masked === true ? `[${one}]` : one;
};
const lines = ({ rows }: FirstRows) =>
  rows.map(({ before, after }) => [before, after].map((one) => one?.map(text).join(' ') ?? '-').join(' > '));

describe('the first rows of a statement that is tried out', () => {
  let server: PostgresServer;
  let open: TrialTarget;
  let classified: TrialTarget;
  let detecting: TrialTarget;
  const parser = new SqlParser();
  beforeAll(async () => {
    const hba = ['host all hoop 127.0.0.1/32 scram-sha-256'];
    server = await startPostgres({ database: 'shop', sql: SQL, hba });
    open = new TrialTarget(parser, server.port);
    classified = new TrialTarget(parser, server.port, PII);
    detecting = new TrialTarget(parser, server.port, {}, ['pii.email']);
  });
  afterAll(async () => {
    for (const target of [open, classified, detecting]) await target?.adapter.close();
    await server?.stop();
    await parser.close();
  });

  /** Where the machine is too slow for it to be done twice, once more. */
  const tried = (target: TrialTarget, sql: string, how: How = {}) =>
    eventually(
      'it is in time',
      () => target.tried(sql, how),
      ({ fails, notShown = '' }) => fails === undefined && !notShown.includes('too long'),
      { withinMs: 60_000 },
    );

  const all = () =>
    server.psql(`SELECT md5(string_agg(t, ',' ORDER BY t)) FROM (SELECT customers::text FROM customers UNION ALL
      SELECT plain::text FROM plain UNION ALL SELECT days::text FROM days UNION ALL SELECT later::text FROM later) AS r(t)`);

  it.each<[string, string, readonly string[], How?]>([
    ['UPDATE', 'UPDATE plain SET v = upper(v) WHERE id < 3', ['1 one > 1 ONE', '2 two > 2 TWO']],
    [
      'UPDATE to NULL and from it',
      'UPDATE plain SET v = CASE WHEN v IS NULL THEN id::text END WHERE id > 1',
      ['2 two > 2 NULL', '3 NULL > 3 3'],
    ],
    ['INSERT', "INSERT INTO plain VALUES (7, 'new')", ['- > 7 new']],
    [
      'INSERT over a row',
      "INSERT INTO plain VALUES (1, 'new') ON CONFLICT (id) DO UPDATE SET v = excluded.v",
      ['1 one > 1 new'],
    ],
    ['DELETE', 'DELETE FROM plain WHERE id = $1', ['1 one > -'], { values: ['1'] }],
    ['its own RETURNING', 'DELETE FROM plain AS p WHERE id = 1 RETURNING *;', ['1 one > -']],
    ['a comment at its end', 'DELETE FROM plain WHERE id = 1 -- all', ['1 one > -']],
    ['a query before it', 'WITH w AS (SELECT 2 AS n) DELETE FROM plain USING w WHERE id = n', ['2 two > -']],
    [
      'a key of several columns',
      'UPDATE pairs SET v = v + 1 WHERE b = $1',
      ['x 1 10 > x 1 11', 'x 2 20 > x 2 21'],
      { values: ['x'] },
    ],
    [
      'a row that moves to another partition',
      "UPDATE days SET v = 9 WHERE day = '2025-05-05'",
      ['2025-05-05 1 > 2025-05-05 9'],
    ],
    ['what deferred triggers make of it', "UPDATE later SET v = 'second'", ['1 first > 1 corrected']],
    ['row security: what the role may read', 'UPDATE owned SET v = v + 1', ['1 hoop 1 > 1 hoop 2']],
  ])('%s', async (_, sql, expected, how = {}) => {
    const before = await all();
    const { first, notShown } = await tried(open, sql, how);
    expect([notShown, first === undefined ? [] : lines(first)]).toEqual([undefined, expected]);
    expect(await all()).toBe(before);
  });

  it('counts all and shows five, keys first, with a type of the database’s own that its labels tell', async () => {
    const { rows, first } = await tried(open, "UPDATE customers SET plan = 'pro'");
    expect(rows).toBe(9);
    expect(first).toMatchObject({ object: 'public.customers', leftOut: [] });
    expect(first?.columns).toEqual(['id', 'email', 'plan', 'note', 'mood', 'domain']);
    expect(lines(first!)[0]).toBe(
      '1 person1@example.com free call 1 sad example.com > 1 person1@example.com pro call 1 sad example.com',
    );
    expect(first?.rows).toHaveLength(5);
  });

  it('of a merge, where the server tells them', async () => {
    const merge =
      'MERGE INTO plain p USING (VALUES (1), (9)) v(id) ON p.id = v.id WHEN MATCHED THEN DELETE ' +
      "WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'new')";
    const version = Number(await server.psql('SHOW server_version_num'));
    // There is none before 15.
    const { first, notShown } = await tried(open, version < 150_000 ? 'DELETE FROM bare' : merge);
    if (version >= 170_000) expect(lines(first!).toSorted()).toEqual(['- > 9 new', '1 one > -']);
    else expect(notShown).toMatch(/of MERGE they are only by PostgreSQL 17|no primary key/);
  });

  it('text that would act on a screen stays text, whole and unread by us', async () => {
    const { first } = await tried(open, "UPDATE odd SET v = 'x'");
    expect(first?.rows[0]?.before?.[1]?.text).toBe('\x1b[2J<b>\u202e');
  });

  it.each<[string, string, RegExp]>([
    ['no primary key', 'UPDATE bare SET v = 2', /"bare" has no primary key/],
    ['a key of a type of the database’s own', 'UPDATE own_key SET v = 2', /its primary key is of a type/],
    ['the key itself is changed', 'UPDATE plain SET id = id + 10', /changes the primary key/],
    ['a view', "UPDATE seen SET plan = 'pro' WHERE id = 1", /"seen" is no table/],
    ['a parent of other tables', 'UPDATE parent SET v = 3', /other tables inherit/],
    [
      'a table that its role may not read',
      'UPDATE unread SET v = 2',
      /reading them fails: permission denied/,
    ],
    ['a comment behind its end', 'DELETE FROM plain WHERE id = 1; -- all', /its end cannot be told/],
  ])('are not shown, and all is counted: %s', async (_, sql, why) => {
    const { rows, first, notShown } = await tried(open, sql);
    expect([rows, first]).toEqual([expect.any(Number), undefined]);
    expect(rows).toBeGreaterThan(0);
    expect(notShown).toMatch(why);
  });

  it('are nobody’s whom policy lets not read them', async () => {
    const sql = "UPDATE plain SET v = 'x'";
    const asked: string[] = [];
    const viewer: Viewer = {
      ...MASKED,
      allows: (pairs) => {
        asked.push(...pairs.map(({ action, object }) => `${action} ${object.id}`));
        return false;
      },
    };
    const { rows, first, notShown } = await tried(open, sql, { viewer });
    expect([rows, first, notShown]).toEqual([3, undefined, 'no policy lets you read them yourself']);
    expect(asked).toEqual(expect.arrayContaining(['connect it', 'sql.select it/public.plain']));
  });

  it('leave out what is large, and are left out where all would be', async () => {
    const { first } = await tried(open, 'UPDATE big SET w = w WHERE id = 1');
    expect(first).toMatchObject({ columns: ['id', 'w'], leftOut: ['v'] });
    expect(first?.rows[0]?.before?.[1]).toEqual({ text: 'y'.repeat(200), cut: true });
    const other = await tried(open, "UPDATE big SET v = 'x' WHERE id = 2");
    expect(other.first).toMatchObject({ columns: ['id', 'v'], leftOut: ['w'] });
  });

  describe('as somebody sees them for whom something is masked', () => {
    const WAS = '1 [***] free call 1 sad [***]';
    it.each<[string, string, string]>([
      [
        'a masked column, and what was made of it',
        "UPDATE customers SET plan = 'pro' WHERE id = 1",
        `${WAS} > 1 [***] pro call 1 sad [***]`,
      ],
      ['a masked column is written', "UPDATE customers SET email = 'x@y' WHERE id = 1", `${WAS} > ${WAS}`],
      [
        'moved to another column',
        'UPDATE customers SET note = email WHERE id = 1',
        `${WAS} > 1 [***] free [***] sad [***]`,
      ],
      [
        'moved in disguise',
        'UPDATE customers SET note = reverse(email), plan = left(email, 3) WHERE id = 1',
        `${WAS} > 1 [***] [***] [***] sad [***]`,
      ],
      [
        'moved through a query',
        'UPDATE customers SET note = (SELECT c.email FROM customers c WHERE c.id = 2) WHERE id = 1',
        `${WAS} > 1 [***] free [***] sad [***]`,
      ],
      [
        'moved as a whole row',
        'UPDATE customers AS c SET note = c::text WHERE id = 1',
        `${WAS} > 1 [***] free [***] sad [***]`,
      ],
      [
        'moved to another table',
        'INSERT INTO plain SELECT 100 + id, email FROM customers WHERE id = 1',
        '- > [***] [***]',
      ],
      ['copied by a trigger', 'UPDATE copied SET email = email', '1 [***] no > 1 [***] [***]'],
      [
        'copied by a trigger of PostgreSQL’s own',
        'UPDATE searched SET email = email',
        "1 [***] 'no' > 1 [***] [***]",
      ],
      [
        'told by its own RETURNING',
        'UPDATE customers SET plan = plan WHERE id = 1 RETURNING email',
        `${WAS} > ${WAS}`,
      ],
    ])('%s', async (_, sql, expected) => {
      const { first } = await tried(classified, sql, { viewer: MASKED });
      expect(JSON.stringify(first)).not.toMatch(SECRET);
      expect(lines(first!)).toEqual([expected]);
    });

    it('what detectors find, wherever it stands', async () => {
      const { first } = await tried(
        detecting,
        "UPDATE customers SET note = 'write to ' || email WHERE id = 1",
        {
          viewer: MASKED,
        },
      );
      expect(JSON.stringify(first)).not.toContain('person1');
      expect(lines(first!)[0]).toContain('write to ***');
    });
  });
});
