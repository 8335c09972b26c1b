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
import {
  ATTACK_COLUMNS,
  ATTACK_FIXTURE,
  GUARDED,
  type Stack,
  startStack,
  type Tunnel,
} from '../../support/stack.ts';

/** What must never reach the client, in any usual disguise. */
const SECRETS = [
  '123-45-6789',
  '987-65-4320',
  'ann@example.com',
  'bob@example.com',
  '4111111111111111',
  '5500005555555559',
];
const DISGUISES = SECRETS.flatMap((secret) => [
  secret,
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  [...secret].reverse().join(''),
]);

let stack: Stack;
let tunnel: Tunnel;
let client: RawClient;

beforeAll(async () => {
  stack = await startStack({ policy: GUARDED, sql: ATTACK_FIXTURE, columns: ATTACK_COLUMNS });
  tunnel = await stack.tunnel();
  client = await rawLogin(tunnel);
});

afterAll(async () => {
  client?.close();
  await tunnel?.close();
  await stack?.stop();
});

function expectNothingLeaked(): void {
  const bytes = client.received.toString('latin1');
  for (const disguise of DISGUISES) expect(bytes.includes(disguise), disguise).toBe(false);
}

async function expectUnchanged(): Promise<void> {
  expect(await stack.postgres.psql('SELECT count(*) FROM orders')).toBe('2');
}

describe('what is denied leaves no trace at the target', () => {
  afterAll(expectUnchanged);

  test.each([
    '/* x */ DELETE FROM orders',
    '--\nDELETE FROM orders',
    '/* /* nested */ */ delete from orders',
    'WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d',
    'EXPLAIN ANALYZE DELETE FROM orders',
    'EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM orders',
    "DO $$ BEGIN EXECUTE 'del'||'ete from orders'; END $$",
    'select purge()',
    'select * from purge()',
    'select 1 order by purge()::text',
    'values (purge())',
    'select 1 where purge() is null',
    'select id from orders limit length(purge()::text)',
    'select 1 from customers group by purge()::text',
    'select 1 from orders having purge() is not null',
    'select count(*) filter (where purge() is null) from customers',
    'select sum(1) over (order by purge()::text) from customers',
    'select * from customers join lateral purge() on true',
    'copy (select purge()) to stdout',
    'select * from orders tablesample bernoulli(length(get_ssn(1)))',
    "EXPLAIN select lower2('a')",
    "select lower2('a')",
    "DECLARE c CURSOR FOR select lower2('a')",
    'MERGE INTO orders o USING (values (1)) v(i) ON o.id=v.i WHEN MATCHED THEN DELETE',
    'select 1; delete from orders; select 2',
    'EXECUTE nobody_prepared_this',
    'FETCH ALL nobody_declared_this',
    'CREATE TABLE t AS SELECT * FROM customers',
    'SELECT * INTO t FROM customers',
    'CREATE TEMP VIEW e AS SELECT ssn AS a FROM customers',
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'",
    "select * from ts_stat($$select to_tsvector('simple',ssn) from customers$$)",
    "select database_to_xml(true,true,'')",
    "select query_to_xml('select ssn from customers',true,true,'')",
    "select table_to_xml('customers',true,true,'')",
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity',
    "select pg_read_file('/etc/passwd')",
    "select * from pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    'COPY orders FROM STDIN',
    "COPY orders TO PROGRAM 'sh'",
    "COPY orders FROM PROGRAM 'sh'",
    "COPY orders TO '/tmp/x'",
    'COPY (DELETE FROM orders RETURNING *) TO STDOUT',
    'VACUUM',
    'ANALYZE',
    'REINDEX TABLE orders',
    'LISTEN x',
    "NOTIFY x, 'y'",
    "LOAD 'x'",
    'ALTER SYSTEM SET work_mem=1',
    'GRANT ALL ON orders TO PUBLIC',
    'SET ROLE postgres',
    'SET SESSION AUTHORIZATION postgres',
    'CHECKPOINT',
    'SET standard_conforming_strings=off',
    "SET client_encoding='SJIS'",
    "SET NAMES 'SJIS'",
    "select set_config('standard_conforming_strings','off',false)",
    "select set_config('my.x',ssn,false) from customers",
    "UPDATE pg_settings SET setting='off' WHERE name='standard_conforming_strings'",
    'SET search_path=evil,pg_catalog',
    'SET statement_timeout=0',
    'SET row_security=off',
    'SET session_replication_role=replica',
    'DROP TABLE orders',
    'TRUNCATE orders',
    'ALTER TABLE orders RENAME TO o2',
    'UPDATE orders SET id=id -- WHERE x',
    'CALL p()',
    'LOCK TABLE orders',
  ])('%s', async (sql) => {
    const answer = await client.ask(query(sql));
    expect(answer).toEqual([
      expect.stringMatching(/^ErrorResponse (42501|42601|26000|34000|0A000)$/),
      'ReadyForQuery I',
    ]);
    expectNothingLeaked();
  });
});

describe('masked columns cannot flow', () => {
  afterAll(expectUnchanged);

  test.each([
    'select * from customers',
    'select ssn as id from customers',
    'select id as a, ssn as "id" from customers',
    'with c(z) as (select ssn from customers) select z from c',
    'select customers from customers',
    'select (customers).ssn from customers',
    'select c.* from customers c',
    'select row(c.*) from customers c',
    'select c::text from customers c',
    'select row_to_json(c) from customers c',
    "select to_jsonb(c)->>'ssn' from customers c",
    'select json_agg(c) from customers c',
    "select ssn||'' from customers",
    'select concat(ssn) from customers',
    "select translate(ssn,'0123456789','abcdefghij') from customers",
    'select reverse(ssn) from customers',
    'select left(ssn,1) from customers',
    "select id from customers where ssn like '1%'",
    'select id from customers order by ssn',
    'select (ssn)::int4 from customers',
    'select ssn from customers union all select null',
    'select (select ssn from customers limit 1)',
    'values((select ssn from customers limit 1))',
    'select unnest(array_agg(ssn)) from customers',
    "select string_agg(ssn,',') from customers",
    'select min(ssn) from customers',
    'select first_value(ssn) over () from customers',
    'select x from v_cust',
    'select * from v_cust',
    'table customers',
    'select * from public.customers',
    'select U&"\\0073sn" from U&"\\0063ustomers"',
    'select e from customers c(a,b,d,e,f)',
    'copy customers to stdout',
    "copy customers to stdout (format csv, delimiter '-', quote '5', force_quote *)",
    'copy (select ssn from customers) to stdout',
    'insert into customers values (99,$$z$$,$$z$$,$$123-45-6789$$,$$x$$)',
    "update customers set note='bad' where id=1",
    'update customers set note=ssn where id=1 returning note',
    'update customers set id=id where id=1 returning ssn',
    "select most_common_vals, histogram_bounds from pg_stats where tablename='customers'",
    'select query from pg_stat_activity',
    'select distinct ssn from customers',
    'select id from customers natural join orders',
    'select pan from orders',
    'select pan::text from orders',
    'select ssn::json from customers',
    "select 1/(case when ssn like '1%' then 0 else 1 end) from customers",
    "select count(*) from customers where ssn = '123-45-678' || '9'",
  ])('%s', async (sql) => {
    const answer = await client.ask(query(sql));
    expect(answer.at(-1)).toBe('ReadyForQuery I');
    expectNothingLeaked();
  });

  test.each([
    'select * from customers',
    'select ssn, email from customers',
    'select pan from orders',
    'update customers set id=id where id=1 returning *',
  ])('by the extended protocol, text and binary: %s', async (sql) => {
    for (const binary of [false, true]) {
      // Without a Describe of the client's own the gateway asks for one itself.
      const answer = await client.ask(parse('', sql), bind('', '', { binary }), execute(''), sync);
      expect(answer).toContain('ParseComplete');
      expect(answer.filter((one) => one === 'RowDescription')).toEqual([]);
      expect(answer.at(-1)).toBe('ReadyForQuery I');
      const described = await client.ask(
        parse('', sql),
        bind('', '', { binary }),
        describePortal(''),
        execute('', 1),
        execute(''),
        sync,
      );
      expect(described.filter((one) => one === 'RowDescription')).toHaveLength(1);
    }
    expectNothingLeaked();
  });

  test('a cursor shows what its query would', async () => {
    expect(await client.ask(query('begin'))).toContain('ReadyForQuery T');
    expect(await client.ask(query('declare cc cursor for select ssn from customers'))).toContain(
      'ReadyForQuery T',
    );
    expect(await client.ask(query('fetch 1 from cc'))).toContain('DataRow ***');
    expect(await client.ask(describePortal('cc'), execute('cc', 1), sync)).toContain('DataRow ***');
    expect(await client.ask(query('rollback'))).toContain('ReadyForQuery I');
    expectNothingLeaked();
  });
});

describe('what is harmless passes', () => {
  test.each([
    ["select 'DROP TABLE x'", 'DataRow DROP TABLE x'],
    ['SELECT 1 AS delete', 'DataRow 1'],
    ['select 1 -- drop table', 'DataRow 1'],
    ['select count(*) from customers', 'DataRow 2'],
    ['select upper(name) from customers where id = 1', 'DataRow ANN'],
    ["update orders set status = 'seen' where id = 1", 'CommandComplete UPDATE 1'],
    ['explain select id from orders', 'CommandComplete EXPLAIN'],
    ["set application_name = 'x'", 'CommandComplete SET'],
    ['show server_version', 'CommandComplete SHOW'],
    [';', 'EmptyQueryResponse'],
    ['-- nothing', 'EmptyQueryResponse'],
  ])('%s', async (sql, expected) => {
    expect(await client.ask(query(sql))).toContain(expected);
    expectNothingLeaked();
  });
});

describe('a denial behaves as the server itself would', () => {
  test('in a transaction: it fails, and COMMIT rolls back', async () => {
    await client.ask(query('begin'));
    expect(await client.ask(query("insert into orders values (77, 1, null, 'x')"))).toContain(
      'CommandComplete INSERT 0 1',
    );
    expect(await client.ask(query('drop table orders'))).toEqual(['ErrorResponse 42501', 'ReadyForQuery E']);
    expect(await client.ask(query('select 1'))).toEqual(['ErrorResponse 25P02', 'ReadyForQuery E']);
    expect(await client.ask(query('commit'))).toEqual(['CommandComplete ROLLBACK', 'ReadyForQuery I']);
    await expectUnchanged();
  });

  test('in a pipeline: one error, the rest skipped, nothing committed', async () => {
    const insert = parse('', "insert into orders values (78, 1, null, 'x')");
    const answer = await client.ask(
      insert,
      bind('', ''),
      execute(''),
      parse('', 'drop table orders'),
      bind('', ''),
      execute(''),
      parse('', 'select 1'),
      bind('', ''),
      execute(''),
      sync,
    );
    expect(answer).toEqual([
      'ParseComplete',
      'BindComplete',
      'CommandComplete INSERT 0 1',
      'ErrorResponse 42501',
      'ReadyForQuery I',
    ]);
    await expectUnchanged();
  });

  test('queries sent ahead of their answers keep their order', async () => {
    client.send(
      query('select 1'),
      query('drop table orders'),
      query('select 2'),
      query('delete from orders'),
      query('select 3'),
    );
    const lines: string[] = [];
    for (let i = 0; i < 5; i++) lines.push(...(await client.ask()));
    expect(lines.filter((one) => !/RowDescription|Ready/.test(one))).toEqual([
      'DataRow 1',
      'CommandComplete SELECT 1',
      'ErrorResponse 42501',
      'DataRow 2',
      'CommandComplete SELECT 1',
      'ErrorResponse 42501',
      'DataRow 3',
      'CommandComplete SELECT 1',
    ]);
  });

  test('a name refused by the server keeps its old meaning', async () => {
    await client.ask(parse('keep', 'select id from orders where id = 1'), sync);
    expect(await client.ask(parse('keep', 'select 2'), sync)).toContain('ErrorResponse 42P05');
    expect(await client.ask(bind('', 'keep'), execute(''), sync)).toContain('DataRow 1');
    expect(await client.ask(query('deallocate keep'))).toContain('CommandComplete DEALLOCATE');
    expect(await client.ask(bind('', 'keep'), execute(''), sync)).toEqual([
      'ErrorResponse 26000',
      'ReadyForQuery I',
    ]);
  });

  test('PREPARE and Parse share their names', async () => {
    await client.ask(parse('wire', 'select ssn from customers where id = 1'), sync);
    expect(await client.ask(query('execute wire'))).toContain('DataRow ***');
    await client.ask(query('prepare sqlname as select ssn from customers where id = 1'));
    expect(await client.ask(bind('', 'sqlname'), execute(''), sync)).toContain('DataRow ***');
    expectNothingLeaked();
  });

  test('after an error in a batch everything is skipped up to Sync, a query too', async () => {
    const answer = await client.ask(
      parse('', 'select nothing_there'),
      query("update orders set status = 'never' where id = 1"),
      sync,
    );
    expect(answer).toEqual(['ErrorResponse 42703', 'ReadyForQuery I']);
    expect(await stack.postgres.psql("select count(*) from orders where status = 'never'")).toBe('0');
  });

  test('a portal suspended and taken up again', async () => {
    const sql = 'select id from orders order by id';
    const answer = await client.ask(
      parse('', sql),
      bind('', ''),
      execute('', 1),
      execute('', 1),
      execute('', 1),
      sync,
    );
    expect(answer).toEqual([
      'ParseComplete',
      'BindComplete',
      'DataRow 1',
      'PortalSuspended',
      'DataRow 2',
      'PortalSuspended',
      'CommandComplete SELECT 0',
      'ReadyForQuery I',
    ]);
  });
});
