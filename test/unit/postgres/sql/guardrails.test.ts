import { describe, expect, test } from 'vitest';
import { deniedTo, fixtureCatalog, pairTexts, planOf, plansOf } from './fixture.ts';

/** Statement → why a principal who may only read is refused (an action without a permit, or a rule of ours). */
const DENIED: readonly (readonly [string, string])[] = [
  // Comments and case before the verb.
  ['/* x */ DELETE FROM plain', 'sql.delete'],
  ['--\nDELETE FROM plain', 'sql.delete'],
  ['/* /* nested */ */ delete from plain', 'sql.delete'],
  // The verb is inside.
  ['WITH d AS (DELETE FROM plain RETURNING *) SELECT * FROM d', 'sql.delete'],
  ['WITH d AS (INSERT INTO plain(id) VALUES (1) RETURNING id) SELECT 1', 'sql.insert'],
  ['EXPLAIN ANALYZE DELETE FROM plain', 'sql.delete'],
  ['EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM plain', 'sql.delete'],
  ['EXPLAIN DELETE FROM plain', 'sql.delete'],
  ['PREPARE p AS DELETE FROM plain', 'sql.delete'],
  ['MERGE INTO plain o USING (values (1)) v(i) ON o.id = v.i WHEN MATCHED THEN DELETE', 'sql.merge'],
  ['select 1; delete from plain; select 2', 'sql.delete'],
  ['BEGIN TRANSACTION READ ONLY; SET TRANSACTION READ WRITE; DELETE FROM plain', 'sql.delete'],
  // Code.
  ["DO $$ BEGIN EXECUTE 'del'||'ete from orders'; END $$", 'masked-code'],
  ['CALL purge()', 'sql.call'],
  // A function with effects, in every clause.
  ...[
    'select purge()',
    'select * from purge()',
    'select 1 order by purge()::text',
    'values (purge())',
    'select 1 where purge() is null',
    'select id from plain limit length(purge()::text)',
    'select id from plain offset length(purge()::text)',
    'select 1 from plain group by purge()::text',
    'select 1 from plain having purge() is not null',
    'select count(*) filter (where purge() is null) from plain',
    'select sum(1) over (order by purge()::text) from plain',
    'select sum(1) over w from plain window w as (partition by purge()::text)',
    'select * from plain join lateral purge() on true',
    'copy (select purge()) to stdout',
    'select * from plain tablesample bernoulli(length(get_ssn(1)))',
    'select * from plain tablesample system(1) repeatable (length(get_ssn(1)))',
    'select distinct on (purge()::text) 1',
    'select case when purge() is null then 1 end',
    'select array[purge()::text]',
    'select (array[1])[length(purge()::text)]',
    'select coalesce(purge()::text, null)',
    'select row(purge())',
    'select exists (select purge())',
    'select 1 in (select length(purge()::text))',
    'with x as materialized (select purge()) select 1 from x',
    'select 1 union all select length(purge()::text)',
    'select * from rows from (purge(), lower2($1)) as t',
    'select string_agg(title, purge()::text) from plain',
    'select string_agg(title, $1 order by purge()::text) from plain',
    'select percentile_cont(0.5) within group (order by length(purge()::text)) from plain',
    "select json_object('a': purge()::text)",
    'select json_arrayagg(purge()::text)',
    "select json_value(purge()::text, '$')",
    "select * from json_table(purge()::text, '$' columns (a int path '$.a')) j",
    "select * from xmltable('/a' passing (purge()::text::xml) columns b text path 'b')",
    'select xmlelement(name a, purge()::text)',
    'select * from plain where id = any (array(select length(purge()::text)))',
    'select purge() collate "C"',
    'select (select purge())',
    'select public.purge()',
    'select PURGE()',
    'select "purge"()',
    'select U&"\\0070urge"()',
    'prepare p as select purge()',
    'declare c cursor for select purge()',
    'explain select purge()',
    "explain select lower2('a')",
    "select ('a'::text).lower2",
    "select (select 'a' as a).lower2",
    'select plain.lower2 from plain',
    'select s.get_ssn from (select 1) s',
  ].map((sql): readonly [string, string] => [sql, 'sql.call']),
  // Built-in functions that take SQL, read files or steer the server.
  ...[
    "select * from ts_stat($$select to_tsvector('simple', ssn) from customers$$)",
    "select query_to_xml('select ssn from customers', true, true, '')",
    "select query_to_xml_and_xmlschema('select 1', true, true, '')",
    "select database_to_xml(true, true, '')",
    "select schema_to_xml('public', true, true, '')",
    "select table_to_xml('customers', true, true, '')",
    "select cursor_to_xml('c', 1, true, true, '')",
    "select xpath('/a', query_to_xml('select 1', true, true, ''))",
    'select pg_terminate_backend(1)',
    'select pg_cancel_backend(1)',
    'select pg_reload_conf()',
    "select pg_read_file('/etc/passwd')",
    "select * from pg_ls_dir('.')",
    "select lo_export(1, '/tmp/x')",
    "select lo_import('/etc/passwd')",
    'select lo_get(1)',
    "select dblink('x', 'y')",
    "select dblink_exec('x')",
    "select pg_import_system_collations('public')",
    "select currtid2('customers', '(0,1)')",
    "select pg_logical_slot_get_changes('s', null, null)",
    "select pg_stat_file('x')",
    "select pg_file_write('x', 'y', false)",
    "select pg_logical_emit_message(true, 'a', 'b')",
    "select ts_rewrite('a'::tsquery, 'select ssn::tsquery, ssn::tsquery from customers')",
    "select ('/etc/passwd'::text).pg_read_file",
    'select a_function_nobody_knows(1)',
  ].map((sql): readonly [string, string] => [sql, 'unsafe-function']),
  ['select pg_sleep(1)', 'sql.call'],
  ['select pg_stat_reset()', 'sql.call'],
  ['select pg_stat_reset_single_table_counters(1)', 'sql.call'],
  ["select pg_notify('c', 'x')", 'sql.call'],
  ["select nextval('s')", 'sql.call'],
  ['select pg_advisory_lock(1)', 'sql.call'],
  // COPY.
  ['COPY plain FROM STDIN', 'sql.copy-in'],
  ['COPY plain TO STDOUT', 'sql.copy-out'],
  ["COPY plain TO PROGRAM 'sh'", 'masked-code'],
  ["COPY plain FROM PROGRAM 'sh'", 'masked-code'],
  ["COPY plain TO '/tmp/x'", 'masked-code'],
  ['COPY (DELETE FROM plain RETURNING *) TO STDOUT', 'sql.delete'],
  // Everything else that is no query.
  ['VACUUM', 'sql.maintain'],
  ['ANALYZE plain', 'sql.maintain'],
  ['CLUSTER', 'masked-table-ddl'],
  ['REINDEX TABLE plain', 'sql.maintain'],
  ['REINDEX DATABASE x', 'sql.maintain'],
  ['REFRESH MATERIALIZED VIEW mv', 'sql.maintain'],
  ['LISTEN a', 'sql.listen'],
  ["NOTIFY a, 'b'", 'sql.notify'],
  ["LOAD 'x'", 'masked-code'],
  ["SECURITY LABEL ON TABLE plain IS 'x'", 'sql.admin'],
  ['IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b', 'masked-code'],
  ['ALTER SYSTEM SET work_mem = 1', 'masked-code'],
  ['GRANT SELECT ON plain TO x', 'sql.grant'],
  ['GRANT a TO b', 'sql.grant'],
  ['REASSIGN OWNED BY a TO b', 'sql.admin'],
  ['CREATE ROLE r', 'sql.admin'],
  ['ALTER ROLE agent SET search_path = evil', 'unsafe-setting'],
  ['CHECKPOINT', 'sql.admin'],
  ['LOCK TABLE plain', 'sql.lock'],
  ['SELECT * FROM plain FOR UPDATE', 'sql.lock'],
  ['SELECT * FROM (SELECT id FROM plain) s FOR SHARE', 'sql.lock'],
  ['TRUNCATE plain', 'sql.truncate'],
  ['DROP TABLE plain', 'sql.drop'],
  ['CREATE TABLE t (a int)', 'sql.create'],
  ['CREATE TABLE t AS SELECT 1', 'sql.create'],
  ['SELECT 1 INTO t', 'sql.create'],
  ['CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$select 1$$', 'masked-code'],
  ...[
    'ALTER FUNCTION total_of(int) RENAME TO f',
    'ALTER ROUTINE total_of SET SCHEMA other',
    'ALTER PROCEDURE purge() OWNER TO agent',
    'ALTER AGGREGATE a(int) RENAME TO f',
    'DROP FUNCTION total_of(int)',
    'DROP ROUTINE IF EXISTS total_of CASCADE',
  ].map((sql): [string, string] => [sql, 'masked-code']),
  ['CREATE OPERATOR === (leftarg = text, rightarg = text, function = texteq)', 'masked-code'],
  ['CREATE PUBLICATION p FOR ALL TABLES', 'masked-code'],
  ['CREATE EXTENSION dblink', 'masked-code'],
  // Settings that change how statements are read, by every route.
  ...[
    'SET standard_conforming_strings = off',
    'SET LOCAL standard_conforming_strings = off',
    'SET "Standard_Conforming_Strings" TO off',
    "SET client_encoding = 'SJIS'",
    "SET NAMES 'SJIS'",
    'SET search_path = evil, pg_catalog',
    "SET SCHEMA 'evil'",
    'SET ROLE x',
    'SET SESSION AUTHORIZATION x',
    'SET statement_timeout = 0',
    'SET lock_timeout = 0',
    "SET statement_timeout = '0.2ms'",
    'SET row_security = off',
    'SET session_replication_role = replica',
    "select set_config('standard_conforming_strings', 'off', false)",
    "select pg_catalog.set_config('search_path', 'evil', false)",
    "select 1 where set_config('row_security', 'off', true) is null",
    'SET my.own = on',
  ].map((sql): readonly [string, string] => [sql, 'unsafe-setting']),
  ["UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'", 'rewrite-rule'],
  ["select set_config('my.x', title, false) from plain", 'set-config'],
  ["select set_config($1, 'x', false)", 'set-config'],
  // Relations that show other people's data.
  ['select * from pg_stats', 'sensitive-catalog'],
  ['select pg_stat_activity.query from pg_stat_activity', 'sensitive-catalog'],
  ['table pg_catalog.pg_largeobject', 'sensitive-catalog'],
  ['select * from pg_toast.pg_toast_1234', 'sensitive-catalog'],
  ['select * from pg_prepared_statements', 'sensitive-catalog'],
];

describe('a reader is refused', () => {
  test.each(DENIED)('%s', (sql, reason) => {
    expect(deniedTo(plansOf(sql))).toBe(reason);
  });
});

/** What must pass: no words in literals, aliases or comments count. */
const ALLOWED = [
  'select 1',
  "select 'DROP TABLE x'",
  'SELECT 1 AS delete',
  'SELECT 1 -- drop table',
  'select "delete" from (select 1 as "delete") s',
  'select $$do it; delete from orders$$',
  'select count(*), lower(title) from plain group by lower(title) having count(*) > 1 order by 1',
  'with recursive t(n) as (values (1) union all select n + 1 from t where n < 10) select sum(n) from t',
  'select id, row_number() over (partition by title order by id) from plain',
  'select now(), current_timestamp, current_user, extract(year from now()), current_date - 1',
  "select to_char(now(), 'YYYY'), coalesce(null, 1), greatest(1, 2), nullif(1, 2)",
  "select json_build_object('a', 1) ->> 'a', '{}'::jsonb @> '{}', jsonb_array_elements('[1]')",
  'select * from generate_series(1, 10) g(i) where i in (select id from plain)',
  'explain select * from plain',
  'explain (costs off, verbose) select * from plain',
  'begin; select 1; commit',
  'begin isolation level serializable read only deferrable',
  'set transaction isolation level repeatable read',
  'set session characteristics as transaction read only',
  'savepoint a; rollback to a; release a',
  "set application_name = 'x'",
  "SET TimeZone = 'UTC'",
  'set time zone local',
  'set extra_float_digits = 3',
  'set datestyle to iso, mdy',
  "set client_encoding to 'utf8'",
  'set standard_conforming_strings = on',
  "set statement_timeout = '5s'",
  'reset application_name',
  'SET standard_conforming_strings TO DEFAULT',
  'RESET client_encoding',
  'RESET my.own',
  'RESET ALL',
  'RESET ROLE',
  'SET ROLE NONE',
  'RESET SESSION AUTHORIZATION',
  'DISCARD ALL',
  'DISCARD TEMP',
  'UNLISTEN *',
  'select pg_advisory_unlock_all()',
  "select set_config('application_name', 'x', false)",
  'show server_version',
  'show all',
  'prepare p as select id from plain where id = $1',
  'declare c cursor with hold for select id from plain',
  'fetch all in c',
  'execute p(1)',
  'deallocate all',
  'close all',
  'values (1), (2)',
  // What psql and drivers ask of the catalog.
  `SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r','p','') AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid)
    ORDER BY 1,2`,
  `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
    (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d
     WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = '16384' AND a.attnum > 0 AND NOT a.attisdropped`,
  // Metabase asks for privileges in one statement.
  `with table_privileges as (select NULL as role, t.schemaname as schema, t.objectname as table,
      pg_catalog.has_table_privilege(current_user, '"' || t.schemaname || '"' || '.' || '"' || t.objectname || '"',
        'UPDATE') as update,
      pg_catalog.has_any_column_privilege(current_user, '"' || t.schemaname || '"', 'insert') as insert
    from (select schemaname, tablename as objectname from pg_catalog.pg_tables
      union select schemaname, viewname as objectname from pg_catalog.pg_views) t
    where t.schemaname !~ '^pg_' and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage'))
    select t.* from table_privileges t`,
  `select typelem from pg_catalog.pg_type where typname = 'x'`,
  `SELECT (result.KEY_INFO).n, result.a FROM (SELECT information_schema._pg_expandarray(i.indkey) AS KEY_INFO, 1 AS a
    FROM pg_catalog.pg_index i) result`,
];

describe('a reader passes', () => {
  test.each(ALLOWED)('%s', (sql) => {
    expect(deniedTo(plansOf(sql))).toBeUndefined();
  });
});

describe('pairs', () => {
  test.each([
    ['select * from customers', ['sql.select Table public.customers', 'sql.select Table public.child']],
    ['select * from only customers', ['sql.select Table public.customers']],
    ['select * from plain', ['sql.select Table public.plain']],
    ['select * from postgres.public.plain', ['sql.select Table public.plain']],
    ['select * from "plain"', ['sql.select Table public.plain']],
    ['select * from U&"\\0070lain"', ['sql.select Table public.plain']],
    ['select * from PLAIN', ['sql.select Table public.plain']],
    ['select * from "PLAIN"', ['sql.select Table agent.PLAIN']],
    ['table plain', ['sql.select Table public.plain']],
    ['select * from pg_class', ['sql.select Table pg_catalog.pg_class']],
    ['with plain as (select 1 as id) select * from plain', ['connect Resource']],
    ['with plain as (select * from plain) select * from plain', ['sql.select Table public.plain']],
    ['with recursive plain as (select * from plain) select 1', ['connect Resource']],
    ['with plain as (select 1) select * from public.plain', ['sql.select Table public.plain']],
    ['with plain as (select 1) delete from plain', ['sql.delete Table public.plain']],
    ['with a as (select 1), b as (select * from a) select * from b', ['connect Resource']],
    ['with a as (select * from b), b as (select 1) select * from a', ['sql.select Table agent.b']],
    [
      'insert into plain(id) select id from items',
      ['sql.insert Table public.plain', 'sql.select Table public.items'],
    ],
    ['update plain set id = 1', ['sql.update Table public.plain']],
    [
      'update plain set id = 1 returning id',
      ['sql.update Table public.plain', 'sql.select Table public.plain'],
    ],
    [
      'insert into plain(id) values (1) on conflict (id) do update set title = excluded.title',
      ['sql.insert Table public.plain', 'sql.update Table public.plain'],
    ],
    ['select * from nowhere.nothing', ['sql.select Table nowhere.nothing']],
    ['drop schema s', ['sql.drop Schema s']],
    ['drop function public.f(int)', ['sql.drop Function public.f']],
    ['create index on plain (title)', ['sql.alter Table public.plain', 'sql.create Schema public']],
    [
      'comment on column plain.title is $$x$$',
      ['sql.comment Table public.plain', 'sql.comment Schema public'],
    ],
  ])('%s', (sql, pairs) => {
    expect(pairTexts(planOf(sql, { masks: false }))).toEqual(pairs);
  });

  test('what the server adds by itself: triggers, generated values, policies, foreign keys, views', () => {
    const texts = (sql: string) => pairTexts(planOf(sql, { masks: false }));
    expect(texts('insert into audited(id) values (1)')).toEqual([
      'sql.insert Table public.audited',
      'sql.call Function public.note_change',
      'sql.call Function public.total_of',
    ]);
    expect(texts('delete from audited where id = 1')).toEqual(['sql.delete Table public.audited']);
    expect(texts('select id from secured')).toContain('sql.call Function public.may_see');
    expect(texts('delete from customers where id = 1')).toEqual([
      'sql.delete Table public.customers',
      'sql.delete Table public.orders',
      'sql.update Table public.items',
      'sql.delete Table public.child',
    ]);
    expect(texts('delete from only customers where id = 1')).not.toContain('sql.delete Table public.child');
    expect(texts('update orders set id = 2 where id = 1')).toContain('sql.update Table public.items');
    expect(texts('update orders set pan = 2 where id = 1')).not.toContain('sql.update Table public.items');
    expect(texts('truncate customers cascade')).toEqual([
      'sql.truncate Table public.customers',
      'sql.truncate Table public.child',
      'sql.truncate Table public.orders',
      'sql.truncate Table public.items',
      'sql.truncate Table public.plain',
    ]);
    expect(texts('select a from v2')).toEqual([
      'sql.select Table public.v2',
      'sql.select Table public.v_cust',
      'sql.select Table public.customers',
      'sql.select Table public.child',
    ]);
    expect(texts('update v_cust set id = 1 where id = 2')).toContain('sql.update Table public.customers');
    expect(texts('select id from v_fn')).toContain('sql.call Function public.get_ssn');
    expect(texts('copy plain to stdout')).toEqual([
      'sql.copy-out Table public.plain',
      'sql.select Table public.plain',
    ]);
    expect(texts('copy audited from stdin')).toContain('sql.call Function public.note_change');
    expect(texts("select 'a' === 'b'")).toEqual(['sql.call Function public.money_eq']);
    expect(texts("select '1'::money2")).toEqual(['sql.call Function public.to_money']);
  });

  test.each([
    ['insert into audited(id) values (1)', 'public.note_change', 'a trigger on public.audited'],
    ['insert into audited(id) values (1)', 'public.total_of', 'a default, check or index of public.audited'],
    ['select id from secured', 'public.may_see', 'a row policy of public.secured'],
    ['delete from customers where id = 1', 'public.orders', 'a foreign key to public.customers'],
    ['delete from customers where id = 1', 'public.items', 'a foreign key to public.orders'],
    ['delete from customers where id = 1', 'public.child', 'inheritance from public.customers'],
    ['truncate customers cascade', 'public.items', 'a foreign key to public.orders'],
    ['select a from v2', 'public.v_cust', 'the view public.v2'],
    ['select a from v2', 'public.customers', 'the view public.v_cust'],
    ['update v_cust set id = 1 where id = 2', 'public.customers', 'the view public.v_cust'],
    ["select 'a' === 'b'", 'public.money_eq', 'operator public.==='],
    // What the statement names itself it does itself, wherever else it comes from.
    ['delete from customers where id = 1', 'public.customers', undefined],
    [
      'with a as (delete from customers where id = 1) delete from orders where id = 2',
      'public.orders',
      undefined,
    ],
    [
      'with a as (delete from orders where id = 2) delete from customers where id = 1',
      'public.orders',
      undefined,
    ],
  ])('%s: it tells by what %s is touched', (sql, name, through) => {
    const { pairs } = planOf(sql, { masks: false });
    const [found, ...more] = pairs.filter(({ object }) => object.id === `pg/${name}`);
    expect([found?.through, more]).toEqual([through, []]);
  });

  test('a name that is both built in and a user’s counts as both; an extension’s harmless overload does not', () => {
    expect(pairTexts(planOf('select upper($1)', { masks: false }))).toEqual([
      'sql.call Function public.upper',
    ]);
    expect(pairTexts(planOf('select pg_catalog.upper($1)', { masks: false }))).toEqual(['connect Resource']);
    expect(pairTexts(planOf("select replace('a', 'b', 'c')", { masks: false }))).toEqual([
      'connect Resource',
    ]);
    expect(planOf('select lower($1)', { masks: false }).context['functions']).toEqual(['pg_catalog.lower']);
  });

  test('a relation carries the tags of everything whose rows it can show', () => {
    const tags = (sql: string) => planOf(sql, { masks: false }).pairs[0]?.object.attrs['tags'];
    expect(tags('select 1 from customers')).toEqual(['pii.email', 'pii.national-id']);
    expect(tags('select 1 from v2')).toEqual(['pii.email', 'pii.national-id']);
    expect(tags('select 1 from events_2024')).toEqual(['pii.ip']);
    expect(tags('select 1 from plain')).toEqual([]);
  });

  test('a rewrite rule on the target is refused: what runs is not what was written', () => {
    expect(planOf('insert into ruled values (1)', { masks: false }).refusal?.rule).toBe('rewrite-rule');
    expect(planOf('select * from ruled', { masks: false }).refusal).toBeUndefined();
  });
});

describe('WHERE', () => {
  test.each([
    ['update plain set id = id -- WHERE x', false, false],
    ['update plain set id = 1 where true', true, true],
    ['delete from plain where 1 = 1', true, true],
    ['delete from plain where id is not distinct from id', true, true],
    ['delete from plain where id = id', true, true],
    ['delete from plain where not false', true, true],
    ['delete from plain where id = 1 or true', true, true],
    ['delete from plain where id is null or id is not null', true, true],
    ["delete from plain where title like '%'", true, true],
    ["delete from plain where 't'::bool", true, true],
    ['delete from plain where exists (select 1)', true, true],
    ['delete from plain where 1 < 2', true, true],
    ['update plain\nSET id = 1\nWHERE id = 1', true, false],
    ['delete from plain where id = 1 and true', true, false],
    ['with d as (delete from plain) select 1', false, false],
    ['merge into plain p using items i on true when matched then delete', true, true],
    ['merge into plain p using items i on p.id = i.id when matched then delete', true, false],
    ['select 1 from plain', true, false],
  ])('%s', (sql, hasWhere, tautology) => {
    expect(planOf(sql, { masks: false }).context).toMatchObject({ hasWhere, tautology });
  });
});

describe('names and kinds for the session', () => {
  test.each([
    ['prepare p as select 1', { prepares: 'p' }],
    ['execute p', { executes: 'p' }],
    ['explain execute p', { executes: 'p' }],
    ['deallocate p', { deallocates: 'p' }],
    ['deallocate all', { deallocates: '' }],
    ['declare c cursor for select 1', { declares: 'c', holdable: false }],
    ['declare c cursor with hold for select 1', { declares: 'c', holdable: true }],
    ['fetch 1 from c', { fetches: 'c' }],
    ['move all in c', { fetches: 'c' }],
    ['close c', { closes: 'c' }],
    ['close all', { closes: '' }],
    ['discard all', { discardsAll: true }],
    ['begin', { transaction: 'begin' }],
    ['start transaction', { transaction: 'begin' }],
    ['end', { transaction: 'commit' }],
    ['abort', { transaction: 'rollback' }],
    ['rollback to a', { transaction: 'rollback-to' }],
    ["prepare transaction 'x'", { transaction: 'prepare' }],
    ["set timezone = 'UTC'", { setting: { name: 'timezone', value: 'UTC', safe: true } }],
    ['create table t (a int)', { ddl: true }],
    ['vacuum plain', { ddl: false }],
    ['insert into plain values (1)', { ddl: false }],
    [
      'copy plain(id) to stdout csv',
      {
        copy: {
          direction: 'out',
          options: { format: 'csv', delimiter: ',' },
          types: [25],
        },
      },
    ],
    [
      "copy plain from stdin with (format text, delimiter '|')",
      { copy: { direction: 'in', options: { format: 'text', delimiter: '|', null: '\\N' } } },
    ],
    [
      'copy (select 1) to stdout (format binary)',
      { copy: { direction: 'out', options: { format: 'binary' } } },
    ],
    [
      "copy (select 1) to stdout (format csv, header, delimiter ';', quote '''', force_quote *)",
      { copy: { options: { format: 'csv', header: true, delimiter: ';', quote: "'", escape: "'" } } },
    ],
    ['copy plain to stdout (encoding latin1)', { copy: { options: undefined } }],
    ['copy plain to stdout (format text, format csv)', { copy: { options: undefined } }],
    [
      "copy plain to stdout csv header null 'x'",
      { copy: { options: { format: 'csv', header: true, null: 'x' } } },
    ],
  ])('%s', (sql, expected) => {
    expect(planOf(sql, { masks: false })).toMatchObject(expected);
  });
});

test('an unqualified name means pg_catalog before the search path', () => {
  const catalog = fixtureCatalog({
    pg_class: { oid: 1, kind: 'r', columns: [] },
    'pg_class of the system': { oid: 1259, kind: 'r', schema: 'pg_catalog', columns: [] },
    own: { oid: 2, kind: 'r', schema: 'agent', columns: [] },
  });
  expect(pairTexts(planOf('select 1 from pg_class, own', { catalog, masks: false }))).toEqual([
    'sql.select Table pg_catalog.pg_class',
    'sql.select Table agent.own',
  ]);
});

test.each([
  ['DROP TABLE IF EXISTS gone', false],
  ['DROP TABLE gone CASCADE', false],
  ['DROP VIEW IF EXISTS gone, gone2', false],
  ['DROP TABLE gone, customers', true],
  ['DROP TABLE customers', true],
  ['ALTER TABLE IF EXISTS gone ADD COLUMN x int', true],
])('%s changes what is masked: %s', (sql, changes) => {
  expect(planOf(sql).reshapesMasked).toBe(changes);
});
