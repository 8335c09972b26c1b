import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  bind,
  copyData,
  copyDone,
  describePortal,
  execute,
  parse,
  query,
  type RawClient,
  rawLogin,
  sync,
} from '../../support/postgres/raw-client.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

/** Whatever the schema can be changed by, and one column that is masked. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("masked") @mask("redact") forbid (principal, action == Action::"reveal", resource is Column)
when { resource.tags.contains("handle") };
`;
/** No detector knows it. */
const SECRET = 'zebra-seventeen';
const FIXTURE = `
CREATE TABLE people (id int PRIMARY KEY, name text, email text);
INSERT INTO people VALUES (1, 'Ann', '${SECRET}');
CREATE TABLE notes (id int PRIMARY KEY, note text);
INSERT INTO notes VALUES (1, 'tea');
CREATE FUNCTION renames() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN EXECUTE 'al' || 'ter table notes rename to gone'; EXECUTE 'al' || 'ter table people rename to notes'; RETURN NEW; END $$;
CREATE TABLE tricks (n int);
CREATE TRIGGER t AFTER INSERT ON tricks FOR EACH ROW EXECUTE FUNCTION renames();
ALTER TABLE tricks OWNER TO hoop;
ALTER TABLE people OWNER TO hoop;
ALTER TABLE notes OWNER TO hoop;
CREATE SCHEMA there;
CREATE SCHEMA hoop AUTHORIZATION hoop;
CREATE TABLE there.child (id int, name text, email text);
CREATE TABLE there.rowed (p people);
ALTER TABLE there.child OWNER TO hoop;
ALTER TABLE there.rowed OWNER TO hoop;
GRANT ALL ON SCHEMA public, there TO hoop;
GRANT ALL ON DATABASE shop TO hoop;`;

/** For what finds rows of the catalog. */
const EVIL = `
CREATE SCHEMA evil;
CREATE FUNCTION evil.never(int, int) RETURNS bool LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.age(xid) RETURNS int LANGUAGE sql AS 'SELECT 0';
CREATE OPERATOR evil.<= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.never);
CREATE OPERATOR evil.> (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.never);
GRANT USAGE ON SCHEMA evil TO hoop;`;

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  const columns = { 'public.people.email': ['handle'], 'public.letters.email': ['handle'] };
  stack = await startStack({ policy: POLICY, sql: FIXTURE, columns });
  tunnel = await stack.tunnel();
});

afterAll(async () => {
  await tunnel?.close();
  await stack?.stop();
});

beforeEach(async () => {
  client = await rawLogin(tunnel);
});

afterEach(() => {
  const seen = client.received.toString('latin1');
  client.close();
  expect(seen).not.toContain(SECRET);
  expect(seen).not.toContain(Buffer.from(SECRET).toString('hex'));
});

/** What comes back that is neither a description nor the end. */
const said = (lines: readonly string[]) =>
  lines.filter((line) => !/^(ReadyForQuery|RowDescription)/.test(line));
const ask = async (sql: string) => said(await client.ask(query(sql)));
const rows = async (sql: string) =>
  (await ask(sql))
    .map((line) => line.replace(/^DataRow /, ''))
    .filter((line) => !/^CommandComplete/.test(line));
const run = (sql: string) => [parse('', sql), bind('', ''), describePortal(''), execute('')];

/** Runs statements of which none may fail. */
async function done(...statements: readonly string[]): Promise<void> {
  for (const sql of statements) expect([sql, ...(await ask(sql))].join()).not.toContain('ErrorResponse');
}

describe('what a transaction has made is known in it', () => {
  test('tables, what is written to them, and all that is undone', async () => {
    await done('BEGIN', 'CREATE TABLE made (id serial PRIMARY KEY, note text)');
    expect(await rows("INSERT INTO made (note) VALUES ('a'), ('b') RETURNING id, upper(note)")).toEqual([
      '1|A',
      '2|B',
    ]);
    await done('CREATE INDEX ON made (note)', "UPDATE made SET note = 'c' WHERE note = 'b'", 'SAVEPOINT s');
    await done(
      'ALTER TABLE made ADD COLUMN extra int NOT NULL DEFAULT 3',
      'ALTER TABLE made RENAME note TO remark',
    );
    expect(await rows('SELECT extra + 1, remark FROM made ORDER BY id')).toEqual(['4|a', '4|c']);
    await done('ROLLBACK TO s');
    expect(await rows('SELECT note FROM made ORDER BY note')).toEqual(['a', 'c']);
    await done(
      "ALTER TABLE made ALTER COLUMN note TYPE varchar(9) USING note || '!'",
      'ALTER TABLE made RENAME TO kept',
    );
    expect(await rows('SELECT m.* FROM kept AS m WHERE id = 1')).toEqual(['1|a!']);
    await done('DELETE FROM kept WHERE id = 2', 'COMMIT');
    expect(await rows('SELECT note FROM kept')).toEqual(['a!']);
    await done('BEGIN', 'DROP TABLE kept CASCADE');
    expect(await ask('SELECT note FROM kept')).toEqual(['ErrorResponse 42P01']);
    await done('ROLLBACK');
    expect(await rows('SELECT note FROM kept')).toEqual(['a!']);
    await done('DROP TABLE kept');
  });

  test('views, schemas, types, functions and what tables are made of', async () => {
    await done('BEGIN', 'CREATE SCHEMA own', "CREATE TYPE own.mood AS ENUM ('fine')");
    await done("CREATE TABLE own.days AS SELECT n, 'fine'::own.mood AS mood FROM generate_series(1, 2) n");
    await done('CREATE VIEW own.moods AS SELECT DISTINCT mood FROM own.days');
    expect(await rows('SELECT * FROM own.moods')).toEqual(['fine']);
    await done('CREATE TABLE own.parts (n int, at text) PARTITION BY LIST (n)');
    await done(
      'CREATE TABLE own.one PARTITION OF own.parts FOR VALUES IN (1)',
      "INSERT INTO own.parts VALUES (1, 'x')",
    );
    expect(await rows('SELECT at FROM own.one')).toEqual(['x']);
    await done('COPY own.one TO STDOUT', 'ALTER SCHEMA own RENAME TO other');
    expect(await rows('SELECT o.n FROM other.one o JOIN notes ON id = o.n')).toEqual(['1']);
    await done('ROLLBACK');
    expect(await ask('SELECT * FROM own.days')).toEqual(['ErrorResponse 42P01']);
  });

  test('in the extended protocol, in one batch, and by statements that were prepared before', async () => {
    await done('PREPARE old AS SELECT * FROM notes');
    const batch = [
      ...run('CREATE TABLE made (id int)'),
      ...run('INSERT INTO made VALUES (7) RETURNING id'),
      sync,
    ];
    expect(said(await client.ask(...batch)).filter((line) => line.startsWith('DataRow'))).toEqual([
      'DataRow 7',
    ]);
    const all = [
      'BEGIN',
      'ALTER TABLE made ADD COLUMN more text',
      'SELECT more, made.id FROM made',
      'ROLLBACK',
      'SELECT * FROM made',
    ];
    const lines = said(await client.ask(...all.flatMap(run), sync));
    expect(lines.filter((line) => /^(DataRow|Error)/.test(line))).toEqual(['DataRow NULL|7', 'DataRow 7']);
    await done('BEGIN', 'ALTER TABLE notes ADD COLUMN more text');
    expect(await ask('EXECUTE old')).toEqual(['ErrorResponse 0A000']);
    await done('ROLLBACK', 'DROP TABLE made');
    expect(await rows('EXECUTE old')).toEqual(['1|tea']);
  });

  test('rows that are copied in, and a string of statements', async () => {
    await done('BEGIN', 'CREATE TABLE made (id int, note text)');
    client.send(query('COPY made FROM STDIN'));
    await client.until('CopyInResponse');
    expect(said(await client.ask(copyData('1\tx\n'), copyDone))).toEqual(['CommandComplete COPY 1']);
    await done(
      'CREATE INDEX ON made (id); INSERT INTO made VALUES (2); CREATE TABLE more (id int); INSERT INTO more VALUES (1)',
    );
    expect(await rows('SELECT note FROM made JOIN more USING (id)')).toEqual(['x']);
    await done('ROLLBACK');
  });

  test('nobody else sees it before its end', async () => {
    const other = await rawLogin(tunnel);
    await done('BEGIN', 'CREATE TABLE made (id int)', 'SELECT * FROM made');
    expect(await other.ask(query('SELECT * FROM made'))).toContain('ErrorResponse 42P01');
    await done('COMMIT');
    expect(await other.ask(query('SELECT * FROM made'))).not.toContain('ErrorResponse 42P01');
    await done('DROP TABLE made');
    other.close();
  });
});

describe('what is masked stays masked', () => {
  test('carried beside what was made, and in what classification names', async () => {
    await done('BEGIN', 'CREATE TABLE made (id int, note text)', "INSERT INTO made VALUES (1, 'x')");
    expect(await rows('SELECT made.*, people.* FROM made JOIN people USING (id)')).toEqual(['1|x|1|Ann|***']);
    await done(
      'CREATE TABLE public.letters (id int, email text)',
      "INSERT INTO letters VALUES (1, 'zebra-eighteen')",
    );
    expect(await rows('SELECT * FROM letters')).toEqual(['1|***']);
    expect(await ask("SELECT upper(email) || '' FROM letters")).toEqual(['ErrorResponse 42501']);
  });

  test.each([
    'CREATE TABLE made AS SELECT id, email FROM people',
    'SELECT email INTO made FROM people',
    'CREATE VIEW made AS SELECT email FROM people',
    'CREATE TEMP VIEW made AS SELECT email AS x FROM people',
    'ALTER TABLE people RENAME email TO x',
    'ALTER TABLE people RENAME TO made',
    'ALTER TABLE people SET SCHEMA own',
    'CREATE TABLE made () INHERITS (people)',
    'ALTER TABLE child INHERIT people',
    'CREATE TABLE made (email text REFERENCES people (email))',
    'ALTER TABLE child ADD FOREIGN KEY (email) REFERENCES people (email)',
    "ALTER TABLE people ALTER COLUMN email TYPE text USING email || ''",
    'ALTER TABLE people ADD COLUMN x text GENERATED ALWAYS AS (email) STORED',
    'ALTER TABLE people ADD COLUMN x text DEFAULT 1',
    'DROP TABLE people',
    'INSERT INTO child SELECT * FROM people',
    'INSERT INTO rowed SELECT people FROM people',
    'UPDATE child SET email = people.email FROM people',
    'SELECT child.email || people.email FROM child, people',
    'CREATE RULE r AS ON SELECT TO child DO INSTEAD SELECT * FROM people',
    'CREATE POLICY p ON child USING (email IN (SELECT email FROM people))',
    'CREATE INDEX ON people (email)',
    'SELECT * FROM (SELECT email FROM people UNION SELECT email FROM child) u',
    'COPY (SELECT email FROM people, child) TO STDOUT',
  ])('refused as it is elsewhere: %s', async (sql) => {
    await done(
      'BEGIN',
      'CREATE TABLE child (id int, name text, email text)',
      'CREATE TABLE rowed (p people)',
    );
    const inside = await ask(sql);
    await done('ROLLBACK', 'BEGIN');
    // Outside of such a transaction nothing else is answered.
    const outside = await ask(sql.replaceAll('child', 'there.child').replace('rowed', 'there.rowed'));
    await done('ROLLBACK');
    expect([inside, outside]).toEqual([['ErrorResponse 42501'], ['ErrorResponse 42501']]);
  });

  /** A table of its own hides the one that is masked: nothing of it need be. */
  describe.each(['TEMP TABLE people', 'TABLE hoop.people'])('behind a %s that hid it', (table) => {
    const hides = () => done('BEGIN', 'SAVEPOINT s', `CREATE ${table} (id int, email text)`);
    const control = "INSERT INTO people VALUES (7, 'own') RETURNING email || '!'";
    const secret = "SELECT email || '' FROM people";

    test.each([
      ['ROLLBACK', 'another message'],
      ['ROLLBACK TO s', 'another message'],
      ['DROP TABLE people', 'another message'],
      ['ROLLBACK', 'the same string'],
      ['ROLLBACK TO s', 'the same string'],
      ['DROP TABLE people', 'the same string'],
      ['ROLLBACK AND CHAIN', 'the same string'],
      ['COMMIT', 'the same string, when it has failed'],
      ['ALTER TABLE people RENAME TO others', 'the same string'],
    ])('%s, %s', async (ends, where) => {
      await hides();
      expect(await rows(control)).toEqual(['own!']);
      if (where.includes('failed')) await ask('SELECT 1 / 0');
      const answers = [];
      for (const sql of where.includes('string') ? [`${ends}; ${secret}`] : [ends, secret])
        answers.push(...(await ask(sql)));
      expect(answers.at(-1)).toBe('ErrorResponse 42501');
      await ask('ROLLBACK');
    });

    test.each([
      ['ROLLBACK', 'Bind'],
      ['ROLLBACK TO s', 'Bind'],
      ['ROLLBACK TO s', 'Execute'],
    ])('in one batch, prepared before %s, and then comes %s', async (ends, next) => {
      await hides();
      expect(await rows(control)).toEqual(['own!']);
      const [before, behind] = next === 'Bind' ? [[], [bind('c', 'p')]] : [[bind('c', 'p')], []];
      const batch = [parse('p', secret), ...before, ...run(ends), ...behind, execute('c'), sync];
      const lines = await client.ask(...batch);
      expect(lines.filter((line) => line.startsWith('DataRow'))).toEqual([]);
      expect(lines.join()).toMatch(/ErrorResponse (42501|34000)/);
      await ask('ROLLBACK');
    });
  });

  test.each([
    ['EXECUTE p', 'ROLLBACK; EXECUTE p'],
    ['EXECUTE p', 'ROLLBACK TO s; EXECUTE p'],
    ['EXECUTE p', 'DROP TABLE hoop.people; EXECUTE p'],
    ['EXECUTE p', 'ALTER TABLE hoop.people RENAME TO others; EXECUTE p'],
  ])('a prepared statement is another one behind what hid its table: %s, not %s', async (control, attack) => {
    await done('BEGIN', 'SAVEPOINT s', 'CREATE TABLE hoop.people (id int, email text)');
    await done("INSERT INTO people VALUES (7, 'own')", "PREPARE p AS SELECT email || '!' FROM people");
    expect(await rows(control)).toEqual(['own!']);
    expect(await ask(attack)).toEqual(['ErrorResponse 42501']);
    await ask('ROLLBACK');
  });

  test('nor is one behind a committed table that is dropped in the same string', async () => {
    await done(
      'CREATE TABLE hoop.people (id int, email text)',
      "PREPARE p AS SELECT email || '!' FROM people",
    );
    expect(await ask('EXECUTE p')).toEqual(['CommandComplete SELECT 0']);
    expect(await ask('DROP TABLE hoop.people; EXECUTE p')).toEqual(['ErrorResponse 42501']);
    await done('DROP TABLE IF EXISTS hoop.people');
  });

  test('what CASCADE takes along hides nothing any more, in the same string', async () => {
    await done(
      'CREATE TABLE hoop.base (id int, email text)',
      'CREATE VIEW hoop.people AS SELECT * FROM hoop.base',
    );
    const secret = "SELECT email || '!' FROM people";
    expect(await ask(secret)).toEqual(['CommandComplete SELECT 0']);
    for (const drop of ['DROP TABLE hoop.base CASCADE', 'ALTER TABLE hoop.base DROP COLUMN email CASCADE'])
      expect(await ask(`${drop}; ${secret}`)).toEqual(['ErrorResponse 42501']);
    await done('DROP TABLE hoop.base CASCADE');
  });

  test('behind code that renames tables and does not say so', async () => {
    await done('BEGIN', 'CREATE TABLE made (n int)', 'INSERT INTO made VALUES (1)');
    expect(await rows("SELECT note || '!' FROM notes, made")).toEqual(['tea!']);
    await done('INSERT INTO tricks VALUES (1)');
    expect(await rows('SELECT * FROM notes')).toEqual(['1|Ann|***']);
    expect(await ask("SELECT email || '' FROM notes")).toEqual(['ErrorResponse 42501']);
    await done('ROLLBACK');
    expect(await rows('SELECT * FROM notes')).toEqual(['1|tea']);
  });

  test('where the server does not answer, the transaction has failed', async () => {
    const { host, port, database, admin, caFile } = stack.postgres;
    const other = new pg.Client({
      host,
      port,
      database,
      ...admin,
      ssl: { ca: readFileSync(caFile, 'utf8') },
    });
    await other.connect();
    await done('BEGIN', "SET LOCAL lock_timeout = '50ms'", 'CREATE TABLE made (id int)');
    await other.query('BEGIN; LOCK TABLE pg_policy IN ACCESS EXCLUSIVE MODE');
    expect(await ask('SELECT * FROM made')).toEqual(['ErrorResponse 42501']);
    await other.end();
    expect(await ask('SELECT 1')).toEqual(['ErrorResponse 25P02']);
    await done('ROLLBACK', 'BEGIN', 'CREATE TABLE made (id int)', 'SELECT * FROM made', 'ROLLBACK');
  });

  test('a transaction that does not see it as it is now is not asked', async () => {
    await done('BEGIN ISOLATION LEVEL REPEATABLE READ', 'CREATE TABLE made (id int)');
    expect(await ask('SELECT * FROM made')).toEqual(['ErrorResponse 42501']);
    await done('ROLLBACK', 'BEGIN', 'CREATE TABLE made (id int)');
    expect(await ask('SELECT * FROM made')).toEqual(['CommandComplete SELECT 0']);
    await done('ROLLBACK');
  });

  test('operators that the path puts before those of the server answer nothing for it', async () => {
    const path = 'evil, pg_catalog, public';
    await stack.postgres.psql(EVIL);
    expect(await stack.postgres.psql(`SET search_path = ${path}; SELECT 1 <= 1`)).toContain('f');
    await stack.postgres.psql(`ALTER ROLE hoop SET search_path = ${path}`);
    const tricked = await rawLogin(tunnel);
    const answers: string[] = [];
    for (const sql of ['BEGIN', 'CREATE TABLE public.made (id int)', 'INSERT INTO public.made VALUES (1)'])
      answers.push(...said(await tricked.ask(query(sql))));
    answers.push(
      ...said(await tricked.ask(query('SELECT made.*, people.* FROM public.made JOIN people USING (id)'))),
    );
    tricked.close();
    await stack.postgres.psql('ALTER ROLE hoop RESET search_path; DROP SCHEMA evil CASCADE');
    expect(answers.slice(2)).toEqual([
      'CommandComplete INSERT 0 1',
      'DataRow 1|1|Ann|***',
      'CommandComplete SELECT 1',
    ]);
  });
});

/** Of a column that is gone, the name is found further out: that of the masked one. */
const FURTHER_OUT = 'SELECT (SELECT email FROM kin LIMIT 1) FROM people';
const GONE = 'ALTER TABLE kin RENAME email TO gone';

describe('columns that are gone where it is not asked what is there', () => {
  beforeEach(() => done("CREATE TABLE kin AS SELECT 'own' AS email"));
  afterEach(async () => {
    await ask('ROLLBACK');
    await done('DROP TABLE kin');
  });

  test.each<readonly string[]>([
    [`${GONE}; ${FURTHER_OUT}`],
    [`ALTER TABLE kin DROP COLUMN email; ${FURTHER_OUT}`],
    ['CREATE TEMP TABLE sink (x text)', `${GONE}; INSERT INTO sink ${FURTHER_OUT}`, 'SELECT x FROM sink'],
    ['BEGIN', `${GONE}; ${FURTHER_OUT}`],
    ['BEGIN', GONE, 'SAVEPOINT s', `ROLLBACK TO s; ${FURTHER_OUT}`],
    ['BEGIN', GONE, `COMMIT; ${FURTHER_OUT}`],
    ['BEGIN ISOLATION LEVEL REPEATABLE READ', GONE, FURTHER_OUT],
    ['BEGIN ISOLATION LEVEL SERIALIZABLE', GONE, `COPY (${FURTHER_OUT}) TO STDOUT`],
  ])('have no other found by their names: %s %s %s %s', async (...statements) => {
    const lines: string[] = [];
    for (const sql of statements) if (sql !== undefined) lines.push(...(await ask(sql)));
    expect(lines).toContain('ErrorResponse 42501');
  });
});
