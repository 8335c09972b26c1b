/** Foreign keys to tables with masked columns: by columns that are not masked, and by no others; and what code may not be made beside them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { query, type RawClient, rawLogin } from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

const POLICY = `
@id("all") permit (principal, action, resource);
@id("masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column) when { resource.tags.contains("pii") };
@id("kept") forbid (principal, action in [Action::"sql.create", Action::"sql.alter"], resource is Table) when { resource.name == "kept" };
`;
const SQL = `
CREATE TABLE people (id int PRIMARY KEY, boss int, email text UNIQUE, nick text UNIQUE, key uuid UNIQUE, UNIQUE (nick, id), UNIQUE (nick, email));
INSERT INTO people VALUES (1, NULL, 'ann@example.com', 'ann', 'deadbeef-dead-beef-dead-beefdeadbeef'), (2, 1, 'bob@example.com', 'bob', NULL);
CREATE TABLE codes (code text PRIMARY KEY, id int UNIQUE);
CREATE TABLE events (id int, ip text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
CREATE TABLE kept (id int PRIMARY KEY, email text);
CREATE TABLE letters (id int PRIMARY KEY, person int, email text, nick text);
CREATE TABLE own (id int PRIMARY KEY, person int, nick text, email text, at int);
CREATE DOMAIN number AS int;
CREATE TABLE numbered (id number PRIMARY KEY, email text);
CREATE TYPE mood AS ENUM ('a');
CREATE FUNCTION moods(mood) RETURNS int8 LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE CAST (mood AS int8) WITH FUNCTION moods(mood) AS IMPLICIT;
CREATE TABLE big (id int8 PRIMARY KEY, email text);
GRANT ALL ON ALL TABLES IN SCHEMA public TO hoop; GRANT ALL ON SCHEMA public TO hoop;
ALTER TABLE own OWNER TO hoop; ALTER TABLE letters OWNER TO hoop; ALTER TABLE people OWNER TO hoop; ALTER TABLE codes OWNER TO hoop;
`;
const COLUMNS = Object.fromEntries(
  [
    'people.email',
    'codes.code',
    'events.ip',
    'kept.email',
    'letters.email',
    'numbered.email',
    'big.email',
    'fresh.email',
  ].map((name) => [`public.${name}`, ['pii']]),
);

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;
const ask = (sql: string) => client.ask(query(sql));

/** What a refusal says, as programs read it. */
async function told(sql: string): Promise<Record<string, unknown> | undefined> {
  client.send(query(sql));
  const failed = (await client.untilReady()).find((one) => one.name === 'ErrorResponse');
  const hint =
    failed?.name === 'ErrorResponse' ? failed.fields.find(([code]) => code === 'H')?.[1] : undefined;
  return hint === undefined ? undefined : (JSON.parse(String(hint)) as Record<string, unknown>);
}

beforeAll(async () => {
  stack = await startStack({ policy: POLICY, sql: SQL, columns: COLUMNS });
  tunnel = await stack.tunnel();
  client = await rawLogin(tunnel);
});

afterEach(async () => {
  await ask('ROLLBACK');
});

afterAll(async () => {
  client?.close();
  await tunnel?.close();
  await stack?.stop();
});

describe('by columns that are not masked', () => {
  test.each([
    'CREATE TABLE made (id int REFERENCES people)',
    'CREATE TABLE made (id int REFERENCES people (id) MATCH FULL ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE)',
    "CREATE TABLE made (email text DEFAULT 'x' CHECK (email <> ''), id int, nick text, FOREIGN KEY (nick, id) REFERENCES people (nick, id))",
    'CREATE TABLE made (key uuid REFERENCES people (key) ON DELETE SET NULL)',
    'CREATE TABLE made (id int REFERENCES codes (id))',
    'CREATE TABLE made (id int REFERENCES events)',
    'CREATE TABLE made (id int REFERENCES public.people) PARTITION BY LIST (id)',
    'CREATE TABLE made (id int PRIMARY KEY, of int REFERENCES made, person int REFERENCES people)',
    'ALTER TABLE own ADD FOREIGN KEY (person) REFERENCES people',
    'ALTER TABLE own ADD CONSTRAINT k FOREIGN KEY (nick) REFERENCES people (nick) NOT VALID',
    'ALTER TABLE own ADD COLUMN other int REFERENCES people ON DELETE SET DEFAULT',
  ])('%s', async (sql) => {
    await ask('BEGIN');
    expect(await ask(sql)).toEqual([
      expect.stringMatching(/^CommandComplete (CREATE|ALTER) TABLE/),
      'ReadyForQuery T',
    ]);
    const keys =
      "SELECT count(*) > 0 FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text IN ('made', 'own')";
    expect(await ask(keys)).toContain('DataRow t');
  });

  test('what it tells is which keys there are; it copies nothing, and what is masked stays so', async () => {
    await ask('BEGIN');
    await ask(
      'CREATE TABLE made (id int REFERENCES people ON UPDATE CASCADE, nick text REFERENCES people (nick) ON UPDATE CASCADE)',
    );
    expect(await ask("INSERT INTO made VALUES (1, 'ann')")).toContain('CommandComplete INSERT 0 1');
    await ask("UPDATE people SET id = 7, nick = 'anna' WHERE id = 1");
    expect(await ask('SELECT made.*, people.email FROM made JOIN people USING (id)')).toContain(
      'DataRow 7|anna|***',
    );
    expect(await ask('INSERT INTO made (id) VALUES (99)')).toContain('ErrorResponse 23503');
    expect(client.received.toString()).not.toContain('ann@example.com');
  });

  test('of a table that the same transaction has made', async () => {
    await ask('BEGIN');
    await ask('CREATE TABLE fresh (id int PRIMARY KEY, email text UNIQUE)');
    expect(await ask('CREATE TABLE made (id int REFERENCES fresh)')).toContain(
      'CommandComplete CREATE TABLE',
    );
    expect(await told('ALTER TABLE fresh ADD FOREIGN KEY (id) REFERENCES own')).toMatchObject({
      rule: 'masked-table-ddl',
    });
    await ask('ROLLBACK');
    await ask('BEGIN');
    await ask('CREATE TABLE fresh (id int PRIMARY KEY, email text UNIQUE)');
    expect((await told('CREATE TABLE made (email text REFERENCES fresh (email))'))?.['rule']).toBe(
      'masked-table-ddl',
    );
  });

  test('policy is asked about the table that is referred to', async () => {
    expect(await told('CREATE TABLE made (id int REFERENCES kept)')).toMatchObject({ rule: 'kept' });
  });
});

describe('and by no others', () => {
  test.each([
    'CREATE TABLE made (email text REFERENCES people (email))',
    'CREATE TABLE made (a text, b text, FOREIGN KEY (a, b) REFERENCES people (nick, email))',
    'CREATE TABLE made (code text REFERENCES codes)',
    'CREATE TABLE made (id int REFERENCES people, code text REFERENCES codes (code))',
    'CREATE TABLE made (id int REFERENCES people (nothing))',
    'CREATE TABLE made (id int REFERENCES people) INHERITS (people)',
    'CREATE TABLE made (LIKE people INCLUDING ALL, FOREIGN KEY (id) REFERENCES people)',
    'CREATE TABLE made PARTITION OF events (FOREIGN KEY (id) REFERENCES people) FOR VALUES FROM (20) TO (30)',
    'ALTER TABLE people ADD FOREIGN KEY (boss) REFERENCES people',
    'ALTER TABLE own ADD FOREIGN KEY (email) REFERENCES people (email)',
    // On a table that has masked columns itself: whether a person can be deleted would tell of them.
    'ALTER TABLE letters ADD FOREIGN KEY (person) REFERENCES people',
    'ALTER TABLE letters ADD FOREIGN KEY (email) REFERENCES people (nick)',
    // To compare these the server runs what users have made.
    'CREATE TABLE made (id int REFERENCES numbered)',
    'CREATE TABLE made (id mood REFERENCES big)',
    'CREATE TABLE made (id int8 REFERENCES big)',
  ])('%s', async (sql) => {
    expect((await told(sql))?.['rule']).toMatch(/^masked-(table-ddl|column-flow)$|^unknown-source$/);
  });
});

test('code is refused, and the refusal says what to do', async () => {
  for (const sql of [
    'CREATE FUNCTION made() RETURNS int LANGUAGE sql RETURN 1',
    'CREATE TRIGGER made BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'DO $$BEGIN END$$',
  ])
    expect(await told(sql)).toMatchObject({
      rule: 'masked-code',
      hint: expect.stringContaining('somebody for whom nothing is masked'),
      next: 'report',
    });
});
