/** PG-S: what gets around a guard that goes by the first word, by names, or by one message at a time. */
import { bind, execute, parse, query, type RawClient, sync } from '../../../support/postgres/raw-client.ts';
import { GUARDED } from '../../../support/stack.ts';
import {
  type Attack,
  type AttackGroup,
  act,
  actBy,
  leak,
  leakAtOnce,
  must,
  refused,
  same,
} from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import { MASKED } from './masking.ts';
import { PEERS, PEERS_SQL } from './peers.ts';
import { TELEMETRY } from './telemetry.ts';
import { VALUES, VALUES_COLUMNS, VALUES_SQL } from './values.ts';
import { EMAIL, ORDERS, READ_ONLY, SHEET, SHEET_COLUMNS, SSN } from './world.ts';

/** Orders stay as they are, by each of these statements alone. */
const deletes = (id: string, ...statements: readonly string[]): Attack[] =>
  statements.map((sql) => act({ id, case: sql, steps: [sql], ...ORDERS }));

/** … by several one after the other. */
const inSteps = (id: string, what: string, ...steps: readonly string[]) =>
  act({ id, case: what, steps, ...ORDERS });

const shows = (id: string, ...statements: readonly string[]): Attack[] =>
  statements.map((sql) => leak({ id, case: sql, steps: [sql], secret: SSN }));

const denies = (id: string, ...statements: readonly string[]): Attack[] =>
  statements.map((sql) => refused({ id, case: sql, steps: [sql] }));

/** A Query whose text is octets. */
function rawQuery(...parts: readonly (string | readonly number[])[]): Buffer {
  const text = Buffer.concat([
    ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))),
    Buffer.alloc(1),
  ]);
  const head = Buffer.from('Q\0\0\0\0');
  head.writeUInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}

/** Sends one after the other, as long as the connection stands. */
const ask =
  (...messages: readonly (readonly Buffer[])[]) =>
  async (client: RawClient) => {
    for (const step of messages) if (!client.closed) await client.ask(...step);
  };

/** What no server runs either, and must not reach it: the client is told so, and the session goes on or ends. */
const notRun = (id: string, what: string, octets: () => Buffer): Attack => ({
  id,
  case: what,
  run: async (world) => {
    const client = await world.through();
    const lines = await client.ask(octets());
    must(
      lines.some((one) => /^ErrorResponse (08P01|22021|42501|42601)/.test(one)),
      lines.join(' / '),
    );
    must((await world.look(ORDERS.effect)).includes(',new'), 'orders are gone');
  },
});

const SJIS_DIFFERENTIAL = () => rawQuery("select E'", [0x95, 0x5c], "'; delete from orders; --'");
const QUOTE_DIFFERENTIAL = "select '\\''; delete from orders where id=2; --'";

const LARGE_OBJECTS = {
  effect: 'SELECT count(*) FROM pg_largeobject_metadata',
  reset: 'SELECT lo_unlink(oid) FROM pg_largeobject_metadata',
};

const guarded: AttackGroup = {
  id: 'PG-S',
  scenario: { policy: READ_ONLY, sql: SHEET, columns: SHEET_COLUMNS, superuser: true },
  attacks: [
    ...deletes(
      'PG-S1',
      '/* x */ DELETE FROM orders',
      '--\nDELETE FROM orders',
      '/* /* nested */ */ delete from orders',
      '\t\f\n delete from orders',
    ),
    ...deletes('PG-S2', 'WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d'),
    ...deletes(
      'PG-S3',
      'EXPLAIN ANALYZE DELETE FROM orders',
      'EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM orders',
    ),
    ...deletes('PG-S4', "DO $$ BEGIN EXECUTE 'del'||'ete from orders'; END $$"),
    ...deletes(
      'PG-S5',
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
      'select case when purge() is null then 1 end',
      'select array[purge()::text]',
      'select (select purge())',
      'with q as materialized (select purge()) select * from q',
    ),
    ...shows(
      'PG-S5',
      'select * from orders tablesample bernoulli(length(get_ssn(1)) + 80) union all select 1, 1, 1, get_ssn(1), null',
    ),
    ...shows('PG-S5b', "EXPLAIN select lower2('a')", "select lower2('a')"),
    leak({
      id: 'PG-S5b',
      case: 'a cursor over it, never fetched',
      steps: ['BEGIN', "DECLARE c CURSOR FOR select lower2('a')"],
      secret: SSN,
    }),
    leakAtOnce({
      id: 'PG-S5b',
      case: 'Parse and Bind without Execute',
      secret: SSN,
      messages: () => [parse('', "select lower2('a')"), bind('', ''), sync],
    }),
    leak({
      id: 'PG-S5b',
      case: 'EXPLAIN EXECUTE',
      steps: ["PREPARE zp AS select lower2('a')", 'EXPLAIN EXECUTE zp'],
      secret: SSN,
    }),
    ...deletes('PG-S6', 'MERGE INTO orders o USING (values (1)) v(i) ON o.id=v.i WHEN MATCHED THEN DELETE'),
    act({
      id: 'PG-S7',
      case: 'the second of three in one message',
      steps: ['select 1; delete from orders; select 2'],
      forms: ['simple'],
      ...ORDERS,
    }),
    inSteps(
      'PG-S8',
      'READ ONLY, taken back',
      'BEGIN TRANSACTION READ ONLY',
      'SET TRANSACTION READ WRITE',
      'DELETE FROM orders',
      'COMMIT',
    ),
    inSteps('PG-S8', 'READ ONLY, ended', 'BEGIN READ ONLY', 'COMMIT', 'DELETE FROM orders'),
    inSteps('PG-S8', 'the default, set', 'SET default_transaction_read_only=off', 'DELETE FROM orders'),
    inSteps('PG-S9', 'PREPARE and EXECUTE', 'PREPARE p AS DELETE FROM orders', 'EXECUTE p'),
    actBy({
      id: 'PG-S10',
      case: 'Parse, then EXECUTE of its name',
      send: ask([parse('yy', 'delete from orders'), sync], [query('EXECUTE yy')]),
      ...ORDERS,
    }),
    actBy({
      id: 'PG-S10',
      case: 'PREPARE, then Bind of its name',
      send: ask([query('PREPARE zz AS delete from orders')], [bind('', 'zz'), execute(''), sync]),
      ...ORDERS,
    }),
    leak({
      id: 'PG-S11',
      case: 'a cursor, fetched',
      steps: ['BEGIN', 'DECLARE cc CURSOR FOR SELECT ssn FROM customers', 'FETCH ALL cc'],
      secret: SSN,
    }),
    leakAtOnce({
      id: 'PG-S11',
      case: 'a cursor, executed as a portal',
      before: 'BEGIN; DECLARE cc CURSOR FOR SELECT ssn FROM customers',
      undo: 'ROLLBACK',
      secret: SSN,
      messages: () => [execute('cc'), sync],
    }),
    ...[
      ['CREATE TABLE t AS SELECT ssn AS x FROM customers', 'SELECT x FROM t', 'DROP TABLE IF EXISTS t'],
      ['SELECT ssn AS x INTO t FROM customers', 'SELECT x FROM t', 'DROP TABLE IF EXISTS t'],
      ['CREATE TEMP VIEW e AS SELECT ssn AS a FROM customers', 'SELECT a FROM e', ''],
      [
        "CREATE FUNCTION f12() RETURNS text LANGUAGE sql AS 'SELECT ssn FROM customers WHERE id = 1'",
        'SELECT f12()',
        'DROP FUNCTION IF EXISTS f12',
      ],
      [
        'CREATE RULE r12 AS ON INSERT TO sw DO ALSO SELECT ssn FROM customers',
        "INSERT INTO sw VALUES ('y')",
        'DROP RULE IF EXISTS r12 ON sw',
      ],
      [
        'CREATE OPERATOR evil.~~~ (FUNCTION = evil.lower, RIGHTARG = text)',
        "SELECT OPERATOR(evil.~~~) 'x'",
        'DROP OPERATOR IF EXISTS evil.~~~ (NONE, text)',
      ],
    ].map(([make = '', use = '', undo = '']) =>
      leak({
        id: 'PG-S12',
        case: make,
        steps: [make, use],
        secret: SSN,
        ...(undo === '' ? {} : { before: undo, after: undo }),
        ...(make.includes('RULE') ? { forms: ['simple'] as const } : {}),
      }),
    ),
    ...shows(
      'PG-S14',
      "select query_to_xml('select ssn from customers',true,true,'')",
      "select query_to_xml_and_xmlschema('select ssn from customers',true,true,'')",
      "select table_to_xml('customers',true,true,'')",
      "select schema_to_xml('public',true,true,'')",
      "select database_to_xml(true,true,'')",
      "select pg_read_file('sheet-secret')",
      "select convert_from(pg_read_binary_file('sheet-secret'), 'UTF8')",
      "select (xpath('//ssn/text()', query_to_xml('select ssn from customers',true,false,'')))[1]",
    ),
    leak({
      id: 'PG-S14',
      case: 'ts_stat',
      steps: ["select word from ts_stat($$select to_tsvector('simple',email) from customers$$)"],
      secret: EMAIL,
    }),
    leak({
      id: 'PG-S14',
      case: 'cursor_to_xml',
      steps: [
        'BEGIN',
        'DECLARE cx CURSOR FOR SELECT ssn FROM customers',
        "SELECT cursor_to_xml('cx', 10, true, true, '')",
      ],
      secret: SSN,
    }),
    act({ id: 'PG-S14', case: 'lo_import', steps: ["select lo_import('sheet-secret')"], ...LARGE_OBJECTS }),
    act({ id: 'PG-S14', case: 'lo_creat', steps: ['select lo_creat(-1)'], ...LARGE_OBJECTS }),
    ...denies(
      'PG-S14',
      'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = -1',
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = -1',
      'SELECT pg_reload_conf()',
      "SELECT * FROM pg_ls_dir('.')",
      "SELECT pg_import_system_collations('public')",
      "SELECT * FROM pg_stat_file('sheet-secret')",
      "SELECT lo_export(oid, '/dev/null') FROM pg_largeobject_metadata",
    ),
    actBy({
      id: 'PG-S15',
      case: 'COPY FROM STDIN',
      send: async (client) => {
        const [first] = await Promise.all([client.next(), client.send(query('COPY sw FROM STDIN'))]);
        if (first?.name !== 'CopyInResponse') return;
        client.send(Buffer.from('d\0\0\0\x08xyz\n'), Buffer.from('c\0\0\0\x04'));
        await client.untilReady();
      },
      effect: 'SELECT count(*) FROM sw',
      reset: "DELETE FROM sw; INSERT INTO sw VALUES ('these rows')",
    }),
    act({
      id: 'PG-S15',
      case: 'COPY TO PROGRAM',
      steps: ["COPY orders TO PROGRAM 'cat > sheet-out'"],
      effect: "SELECT (pg_stat_file('sheet-out', true)).size",
      reset: "COPY orders TO PROGRAM 'cat > /dev/null; rm -f sheet-out'",
    }),
    act({
      id: 'PG-S15',
      case: 'COPY FROM PROGRAM',
      steps: ["COPY sw FROM PROGRAM 'echo x'"],
      effect: 'SELECT count(*) FROM sw',
      reset: "DELETE FROM sw; INSERT INTO sw VALUES ('these rows')",
    }),
    act({
      id: 'PG-S15',
      case: 'COPY TO a file',
      // In the server's own directory: others are tried at the same time.
      steps: ["COPY orders TO '/proc/self/cwd/sheet-copy'"],
      effect: "SELECT (pg_stat_file('sheet-copy', true)).size",
      reset: "COPY orders TO PROGRAM 'cat > /dev/null; rm -f sheet-copy'",
    }),
    ...deletes('PG-S15', 'COPY (DELETE FROM orders RETURNING *) TO STDOUT'),
    ...deletes('PG-S16', 'CALL p()', 'TRUNCATE orders'),
    ...[
      ['PG-S16', 'ALTER ROLE hoop SET search_path = evil, public'],
      ['PG-S19', 'ALTER ROLE CURRENT_USER SET standard_conforming_strings = off'],
      ['PG-S19', 'ALTER DATABASE shop SET standard_conforming_strings = off'],
    ].map(([id = '', sql = '']) =>
      act({
        id,
        case: `${sql}, for whoever comes next`,
        steps: [sql],
        effect: 'SELECT count(*) FROM pg_db_role_setting',
        reset: 'ALTER ROLE hoop RESET ALL; ALTER DATABASE shop RESET ALL',
      }),
    ),
    ...denies(
      'PG-S16',
      'VACUUM orders',
      'ANALYZE orders',
      'CLUSTER orders USING orders_pkey',
      'REINDEX TABLE orders',
      'REFRESH MATERIALIZED VIEW mv',
      'LISTEN x',
      "NOTIFY x, 'y'",
      "LOAD 'plpgsql'",
      'ALTER SYSTEM SET work_mem = 1024',
      'GRANT ALL ON orders TO PUBLIC',
      'SET ROLE hoop',
      'SET SESSION AUTHORIZATION hoop',
      'ALTER ROLE hoop SET work_mem = 1024',
      'CHECKPOINT',
      'REASSIGN OWNED BY hoop TO hoop',
      "COMMENT ON TABLE orders IS 'x'",
    ),
    act({
      id: 'PG-S17',
      case: 'strings that another setting ends elsewhere',
      steps: ['SET standard_conforming_strings=off', QUOTE_DIFFERENTIAL],
      forms: ['simple'],
      ...ORDERS,
    }),
    actBy({
      id: 'PG-S18',
      case: 'an encoding in which a backslash is half a character',
      send: ask([query("SET client_encoding='SJIS'")], [SJIS_DIFFERENTIAL()]),
      ...ORDERS,
    }),
    ...[
      "select set_config('standard_conforming_strings','off',false)",
      "UPDATE pg_settings SET setting='off' WHERE name='standard_conforming_strings'",
      'SET SESSION standard_conforming_strings TO off',
    ].map((set) =>
      act({ id: 'PG-S19', case: set, steps: [set, QUOTE_DIFFERENTIAL], forms: ['simple'], ...ORDERS }),
    ),
    act({
      id: 'PG-S19',
      case: 'SET LOCAL in a block',
      steps: ['BEGIN', 'SET LOCAL standard_conforming_strings=off', QUOTE_DIFFERENTIAL, 'COMMIT'],
      forms: ['simple'],
      ...ORDERS,
    }),
    actBy({
      id: 'PG-S19',
      case: 'SET NAMES',
      send: ask([query("SET NAMES 'SJIS'")], [SJIS_DIFFERENTIAL()]),
      ...ORDERS,
    }),
    ...[{ client_encoding: 'SJIS' }].map(
      (parameters): Attack => ({
        id: 'PG-S19',
        case: `at start-up: ${JSON.stringify(parameters)}`,
        run: async (world) => {
          const tried = async (log: typeof world.direct) => {
            await world.look(ORDERS.reset);
            const before = await world.look(ORDERS.effect);
            const client = await log.call(world, { parameters }).catch(() => undefined);
            await client?.ask(SJIS_DIFFERENTIAL());
            return (await world.look(ORDERS.effect)) !== before;
          };
          must(await tried(world.direct), 'dead: no effect on the server itself');
          must(!(await tried(world.through)), 'it had its effect');
        },
      }),
    ),
    ...[{ options: '-c standard_conforming_strings=off' }, { standard_conforming_strings: 'off' }].map(
      (parameters): Attack => ({
        id: 'PG-S19',
        case: `at start-up: ${JSON.stringify(parameters)}`,
        run: async (world) => {
          const tried = async (log: typeof world.direct) => {
            await world.look(ORDERS.reset);
            const before = await world.look(ORDERS.effect);
            const client = await log.call(world, { parameters }).catch(() => undefined);
            await client?.ask(query(QUOTE_DIFFERENTIAL));
            return (await world.look(ORDERS.effect)) !== before;
          };
          must(await tried(world.direct), 'dead: no effect on the server itself');
          must(!(await tried(world.through)), 'it had its effect');
        },
      }),
    ),
    notRun('PG-S20', 'an octet that is no UTF-8', () =>
      rawQuery("delete from orders where status <> '", [0xc0], "'"),
    ),
    notRun('PG-S20', 'overlong UTF-8', () =>
      rawQuery("delete from orders where status <> '", [0xc0, 0xa7], "'"),
    ),
    notRun('PG-S20', 'a byte order mark before the verb', () =>
      rawQuery([0xef, 0xbb, 0xbf], 'delete from orders'),
    ),
    notRun('PG-S20', 'half a character at the end', () => rawQuery('delete from orders -- ', [0xe2, 0x82])),
    notRun('PG-S21', 'a NUL within the text', () => rawQuery('select 1', [0], '; delete from orders')),
    leak({
      id: 'PG-S22',
      case: 'a function of another schema first in the path',
      steps: ['SET search_path=evil,pg_catalog', "select lower('x')"],
      secret: SSN,
    }),
    {
      id: 'PG-S22',
      case: 'a path at start-up',
      run: async (world) => {
        const seen = async (log: typeof world.direct) => {
          const parameters = { search_path: 'evil, pg_catalog, public' };
          const client = await log.call(world, { parameters }).catch(() => undefined);
          await client?.ask(query("select lower('x')"));
          return client !== undefined && disguiseOf(client.received, SSN) !== undefined;
        };
        must(await seen(world.direct), 'dead: the server itself shows nothing');
        must(!(await seen(world.through)), 'it is shown');
      },
    },
    leak({
      id: 'PG-S22',
      case: 'a temporary function',
      steps: [
        "CREATE FUNCTION pg_temp.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ssn FROM public.customers WHERE id = 1'",
        "SELECT pg_temp.lower('x')",
      ],
      before: 'SELECT 1',
      secret: SSN,
    }),
    ...shows(
      'PG-S23',
      'select ssn from U&"\\0063ustomers"',
      'select U&"\\0073sn" from customers',
      'select ssn from "customers"',
      'select SSN from CUSTOMERS',
      'select ssn from public.customers',
      'select ssn from shop.public.customers',
      'select ssn from customers*',
      'select ssn from ONLY customers',
      'TABLE customers',
      'select ssn from customers TABLESAMPLE SYSTEM(100)',
      'select d from customers c(a,b,e,d,f)',
      'select ssn from part1',
      'select ssn from parts',
    ),
    leak({
      id: 'PG-S23',
      case: 'a child, by itself',
      steps: ['select ssn from child'],
      secret: '555-44-3333',
    }),
    ...[
      "select 'DROP TABLE x'",
      'SELECT 1 AS delete',
      'select 1 -- drop table',
      'select id, name from customers where id = 1',
      "select has_table_privilege('orders', 'DELETE')",
      'select table_name from information_schema.table_privileges where false',
    ].map((sql) => same({ id: 'PG-S25', case: sql, steps: [sql] })),
    leak({
      id: 'PG-S33',
      case: 'a prepared statement that means another relation behind a SET',
      steps: ['PREPARE st AS SELECT a FROM sw', 'SET search_path = evil, public', 'EXECUTE st'],
      secret: 'other rows',
    }),
    leak({
      id: 'PG-S33',
      case: '… by Parse and Bind',
      steps: ['SET search_path = evil, public', 'SELECT a FROM sw'],
      secret: 'other rows',
    }),
    leak({
      id: 'PG-S33',
      case: 'a prepared statement that means a temporary table made since',
      steps: [
        'PREPARE st AS SELECT a FROM sw',
        'CREATE TEMP TABLE sw AS SELECT ssn AS a FROM customers',
        'EXECUTE st',
      ],
      secret: SSN,
    }),
    ...denies(
      'PG-S32',
      'SET statement_timeout=0',
      'SET lock_timeout=0',
      'SET row_security=off',
      'SET session_replication_role=replica',
    ),
    ...denies(
      'PG-S32',
      'SET search_path = evil, pg_temp',
      'SET search_path = public, pg_catalog',
      "SET app.tenant = '5'",
    ),
    ...[
      "SET application_name = 'x'",
      "SET TimeZone = 'UTC'",
      'SET extra_float_digits = 3',
      'SET search_path TO public',
      'SET search_path TO pg_catalog, public, pg_temp',
      'SET enable_seqscan = off',
    ].map((sql) => same({ id: 'PG-S32', case: sql, steps: [sql] })),
    ...MASKED,
  ],
};

/** Those who may write a row at a time. */
const writers: AttackGroup = {
  id: 'PG-S',
  scenario: {
    policy: GUARDED,
    sql: `${SHEET}${PEERS_SQL}${VALUES_SQL}`,
    columns: { ...SHEET_COLUMNS, ...VALUES_COLUMNS },
  },
  attacks: [
    ...deletes(
      'PG-S24',
      "UPDATE orders SET status='x' -- WHERE id = 1",
      "UPDATE orders SET status='x' WHERE true",
      "UPDATE orders SET status='x' WHERE 1=1",
      "UPDATE orders SET status='x' WHERE id IS NOT DISTINCT FROM id",
    ),
    same({
      id: 'PG-S24',
      case: 'several lines',
      steps: ["UPDATE orders\nSET status='seen'\nWHERE id=1"],
      reset: ORDERS.reset,
    }),
    ...deletes(
      'PG-N8',
      'DELETE FROM orders WHERE id = id',
      'DELETE FROM orders WHERE id IS NOT NULL',
      'DELETE FROM orders WHERE id > -1',
      'DELETE FROM orders WHERE id = id + 0',
      'DELETE FROM orders WHERE random() < 2',
    ),
    inSteps(
      'PG-S27',
      'a denied statement in a block that wrote before',
      'BEGIN',
      "INSERT INTO orders VALUES (77, 1, null, 'x')",
      'UPDATE orders SET pan = 0',
      'COMMIT',
    ),
    actBy({
      id: 'PG-S28',
      case: 'a denied statement in a pipeline that wrote before',
      send: ask([
        parse('', "INSERT INTO orders VALUES (78, 1, null, 'x')"),
        bind('', ''),
        execute(''),
        parse('', 'UPDATE orders SET pan = 0'),
        bind('', ''),
        execute(''),
        sync,
      ]),
      ...ORDERS,
    }),
    ...PEERS,
    ...VALUES,
    ...TELEMETRY,
  ],
};

export const PG_S: readonly AttackGroup[] = [guarded, writers];
