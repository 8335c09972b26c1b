/** PG-M: ways in which a masked value might reach a client; PG-L: beside the rows; PG-N: what peers published. */
import { Bind } from '../../../../src/wire/postgres/extended.ts';
import {
  bind,
  closePortal,
  describePortal,
  describeStatement,
  execute,
  functionCall,
  line,
  parse,
  query,
  type RawClient,
  sync,
} from '../../../support/postgres/raw-client.ts';
import { type Attack, type AttackGroup, act, actBy, leak, leakAtOnce, must, refused } from '../../attack.ts';
import { disguiseOf } from '../../leak.ts';
import { sequence } from '../../sequence.ts';
import type { World } from '../../world.ts';
import { EMAIL, ORDERS, PAN, READ_ONLY, SHEET, SHEET_COLUMNS, SSN } from './world.ts';

const shows = (id: string, ...statements: readonly string[]): Attack[] =>
  statements.map((sql) => leak({ id, case: sql, steps: [sql], secret: SSN }));

/** What shows a secret a piece at a time, or only whether a guess is right: no octet of it is enough. */
const asks = (id: string, ...statements: readonly string[]): Attack[] =>
  statements.map((sql) => refused({ id, case: sql, steps: [sql] }));

/** Beside the shop's own: those whose spelling is not what the client is shown by the server. */
const KINDS: readonly (readonly [column: string, secret: string])[] = [
  ['num', PAN],
  ['big', PAN],
  ['day', '1987-06-05'],
  ['host', '10.98.76.54'],
  ['key', 'deadbeef-dead-beef-dead-beefdeadbeef'],
  ['doc', SSN],
  ['list', SSN],
  ['pair', SSN],
  ['span', '1987-06-05'],
  ['dom', SSN],
  ['at', '1987-06-05'],
];

/** A statement that is prepared, and means another column when it is executed. */
function changedMeanwhile(
  id: string,
  what: string,
  before: string,
  change: string,
  messages: readonly [prepare: readonly Buffer[], use: readonly Buffer[]],
  after: string,
): Attack {
  return {
    id,
    case: what,
    run: async (world) => {
      const seen = async (log: (world: World) => Promise<RawClient>) => {
        await world.admin(before);
        const client = await log(world);
        await client.ask(...messages[0]);
        await world.admin(change);
        const lines = client.closed ? [] : await client.ask(...messages[1]);
        await world.admin(after);
        return { found: disguiseOf(client.received, SSN), lines };
      };
      const control = await seen((one) => one.direct());
      must(control.found !== undefined, `dead: ${control.lines.join(' / ')}`);
      const { found, lines } = await seen((one) => one.through());
      must(found === undefined, `leaked, ${found}: ${lines.join(' / ')}`);
    },
  };
}

/** A masked value in binary is one of its type, or NULL: the server itself takes it back as a parameter. */
function validBinary(column: string): Attack {
  return {
    id: 'PG-W12',
    case: `a masked ${column} in binary is one of its type`,
    run: async (world) => {
      const asked = async (client: RawClient) => {
        const select = [parse('', `SELECT ${column} FROM kinds`), bind('', '', { binary: true })];
        client.send(...select, describePortal(''), execute(''), sync);
        const messages = await client.untilReady();
        const row = messages.find((one) => one.name === 'DataRow');
        const described = messages.find((one) => one.name === 'RowDescription');
        must(row !== undefined && described !== undefined, `no row: ${messages.map(line).join(' / ')}`);
        return { value: row.values[0] ?? null, type: described.columns[0]?.typeOid ?? 0 };
      };
      const server = await world.direct();
      const shown = await asked(server);
      const client = await world.through();
      const masked = await asked(client);
      must(masked.type === shown.type, `its type is ${masked.type}, not ${shown.type}`);
      must(shown.value !== null && masked.value?.equals(shown.value) !== true, 'it is not masked');
      const given = Bind.encode({
        portal: '',
        statement: '',
        parameterFormats: [1],
        parameters: [masked.value],
        resultFormats: [],
      });
      const lines = await server.ask(parse('', 'SELECT $1', [masked.type]), given, execute(''), sync);
      must(lines.includes('CommandComplete SELECT 1'), `it is none: ${lines.join(' / ')}`);
    },
  };
}

const READS_ZV = parse('st', 'select a from zv where id = 1');

/** In the world of the guardrails: the policy is the same. */
export const MASKED: readonly Attack[] = [
  ...shows(
    'PG-M1',
    'select ssn as id from customers',
    'select id as a, ssn as "id" from customers',
    'with c(z) as (select ssn from customers) select z from c',
    'with c as materialized (select ssn as z from customers) select z from c',
  ),
  ...shows(
    'PG-M2',
    'select customers from customers',
    'select (customers).ssn from customers',
    'select c.* from customers c',
    'select (c).* from customers c',
    'select row(c.*) from customers c',
    'select c::text from customers c',
    'select (q.c).ssn from (select c from customers c) q',
  ),
  ...shows(
    'PG-M3',
    'select row_to_json(c) from customers c',
    "select to_jsonb(c)->>'ssn' from customers c",
    'select json_agg(c) from customers c',
    "select jsonb_path_query(to_jsonb(c),'$.*') from customers c",
    "select json_build_object('a',ssn) from customers",
    'select hstore(c) from customers c',
    "select json_populate_record(null::customers, json_build_object('ssn', ssn)) from customers",
    'select xmlforest(ssn) from customers',
  ),
  ...shows(
    'PG-M4',
    "select ssn||'' from customers",
    "select 'x'||ssn from customers",
    'select concat(ssn) from customers',
    "select concat_ws('',left(ssn,5),right(ssn,6)) from customers",
    "select format('%s',ssn) from customers",
    'select reverse(ssn) from customers',
    "select overlay(ssn placing '' from 1 for 0) from customers",
    "select lpad(ssn, 20, 'x') from customers",
    'select upper(ssn) from customers',
    'select quote_literal(ssn) from customers',
    "select encode(ssn::bytea, 'hex') from customers",
    "select encode(ssn::bytea, 'base64') from customers",
    'select ssn::varchar(50) from customers',
    'select coalesce(ssn, null) from customers',
    'select nullif(ssn, null) from customers',
    'select greatest(ssn, ssn) from customers',
    'select ssn collate "C" from customers',
    'select case when true then ssn end from customers',
  ),
  leak({
    id: 'PG-M4',
    case: 'digits replaced by a dash less',
    steps: ["select replace(ssn,'-','_') from customers"],
    secret: SSN.replaceAll('-', '_'),
  }),
  leak({
    id: 'PG-M4',
    case: 'digits moved to letters',
    steps: ["select translate(ssn,'0123456789','abcdefghij') from customers"],
    secret: 'bcd-ef-ghij',
  }),
  leak({
    id: 'PG-M4',
    case: 'digits moved by one',
    steps: ["select translate(ssn,'0123456789','1234567890') from customers"],
    secret: '234-56-7890',
  }),
  ...asks(
    'PG-M6',
    'select left(ssn,1) from customers',
    'select substr(ssn,n,1) from customers, generate_series(1,11) n',
    'select get_byte(ssn::bytea, 0) from customers',
    'select length(ssn) from customers',
    "select ssn like '1%' from customers",
    "select ssn > '5' from customers",
    "select case when substr(ssn,1,1)='1' then 1 else 0 end from customers",
    'select ascii(ssn) from customers',
    'select md5(ssn) from customers',
    'select ssn is null from customers',
  ),
  ...shows(
    'PG-M7',
    'select ssn from customers union all select null',
    'select ssn from customers union select null',
    'select ssn from customers intersect select ssn from customers',
    'select ssn from customers except select null',
    '(select ssn from customers limit 1)',
    'select (select ssn from customers order by id limit 1)',
    'values((select ssn from customers order by id limit 1))',
    'select unnest(array_agg(ssn)) from customers',
    "select string_agg(ssn,',') from customers",
    'select min(ssn) from customers',
    'select mode() within group (order by ssn) from customers',
    'select first_value(ssn) over (order by id) from customers',
    'select lag(ssn) over (order by id) from customers',
    'select percentile_disc(0) within group (order by ssn) from customers',
    'select array(select ssn from customers)',
    'with recursive r as (select ssn from customers union all select ssn from r where false) select * from r',
    'select ssn from customers a full join customers b using (ssn)',
    'select distinct on (id) ssn from customers order by id',
    'select ssn from customers group by grouping sets ((ssn))',
  ),
  leak({
    id: 'PG-M7',
    case: 'max',
    steps: ['select max(ssn) from customers where id = 2'],
    secret: '987-65-4320',
  }),
  ...shows(
    'PG-M8',
    'select x from v_cust',
    'select ssn2 from v2',
    'select kept from mv',
    'select ssn from part1',
    'select ssn from get_customers()',
    'select * from get_customers()',
    'select get_customers()',
    'select (get_customers()).ssn',
  ),
  ...shows(
    'PG-M9',
    'COPY customers TO STDOUT',
    'COPY customers TO STDOUT (FORMAT csv)',
    'COPY customers TO STDOUT (FORMAT binary)',
    'COPY customers (ssn) TO STDOUT',
    'COPY (select ssn from customers) TO STDOUT',
    "COPY customers TO STDOUT (ENCODING 'LATIN1')",
  ),
  leak({
    id: 'PG-M9',
    case: 'quoted by a digit',
    steps: ["COPY customers TO STDOUT (FORMAT csv, DELIMITER '-', QUOTE '5', FORCE_QUOTE *)"],
    secret: '5123-455-67895',
  }),
  leak({
    id: 'PG-M10',
    case: 'a binary cursor',
    steps: ['BEGIN', 'DECLARE bc BINARY CURSOR FOR SELECT ssn FROM customers', 'FETCH ALL bc'],
    secret: SSN,
  }),
  ...[
    'UPDATE customers SET id = id WHERE id = 1 RETURNING ssn',
    'UPDATE customers SET id = id WHERE id = 1 RETURNING *',
    'MERGE INTO customers c USING (VALUES (1)) v(i) ON c.id = v.i WHEN MATCHED THEN UPDATE SET id = c.id RETURNING c.ssn',
    'UPDATE customers SET id = id WHERE id = 1 RETURNING old.ssn, new.ssn',
  ].map((sql, at) =>
    leak({
      id: 'PG-M10',
      case: sql,
      steps: [sql],
      secret: SSN,
      ...(at > 1 ? { majors: [18] as const } : {}),
    }),
  ),
  leak({
    id: 'PG-M10b',
    case: 'a cursor that a function opens, fetched',
    steps: ['BEGIN', 'SELECT rc()', 'FETCH ALL IN rr'],
    secret: SSN,
  }),
  leakAtOnce({
    id: 'PG-M10b',
    case: 'a cursor that a function opens, executed as a portal',
    before: 'BEGIN; SELECT rc()',
    undo: 'ROLLBACK',
    secret: SSN,
    messages: () => [describePortal('rr'), execute('rr'), sync],
  }),
  ...asks(
    'PG-M11',
    "select id from customers where ssn like '123%'",
    'select id from customers order by ssn',
    'select count(*) from customers group by substr(ssn,1,3)',
    `select k from (values ('${SSN}')) t(k) join customers on t.k = ssn`,
    `select count(*) filter (where ssn='${SSN}') from customers`,
    `select exists(select 1 from customers where ssn = '${SSN}')`,
    "select 1 from customers having max(ssn) > '1'",
    'select row_number() over (order by ssn) from customers',
    'select distinct on (ssn) id from customers',
  ),
  ...shows(
    'PG-M12',
    "select histogram_bounds from pg_stats where tablename='customers' and attname = 'ssn'",
    "select stavalues1::text from pg_statistic where starelid = 'customers'::regclass",
    "select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 'orders'::regclass",
    "select column_default from information_schema.columns where table_name = 'orders'",
    "select pg_get_expr(adbin, adrelid) from pg_attrdef join pg_class on pg_class.oid = adrelid where relname = 'orders'",
  ),
  ...KINDS.map(([column, secret]) =>
    leak({
      id: 'PG-M16',
      case: `a masked ${column}`,
      steps: [`SELECT ${column} FROM kinds`],
      forms: ['simple', 'extended, text'],
      secret,
    }),
  ),
  ...['num', 'big', 'doc', 'list', 'pair', 'dom', 'raw'].map((column) =>
    leak({
      id: 'PG-M16',
      case: `a masked ${column}, in binary`,
      steps: [`SELECT ${column} FROM kinds`],
      forms: ['extended, binary'],
      secret: ['num', 'big'].includes(column) ? PAN : SSN,
    }),
  ),
  changedMeanwhile(
    'PG-M17b',
    'a view that is made anew between Describe and Execute',
    'DROP VIEW IF EXISTS zv; CREATE VIEW zv AS SELECT id, name AS a FROM customers',
    'DROP VIEW zv; CREATE VIEW zv AS SELECT id, ssn AS a FROM customers',
    [
      [READS_ZV, describeStatement('st'), sync],
      [bind('', 'st'), execute(''), sync],
    ],
    'DROP VIEW zv',
  ),
  changedMeanwhile(
    'PG-M17b',
    '… by EXECUTE',
    'DROP VIEW IF EXISTS zv; CREATE VIEW zv AS SELECT id, name AS a FROM customers',
    'CREATE OR REPLACE VIEW zv AS SELECT id, ssn AS a FROM customers',
    [[query('PREPARE st AS SELECT a FROM zv')], [query('EXECUTE st')]],
    'DROP VIEW zv',
  ),
  changedMeanwhile(
    'PG-W14',
    'described when it was parsed, executed without a word when its column is another one',
    'ALTER TABLE customers RENAME COLUMN name TO plain; ALTER TABLE customers RENAME COLUMN plain TO name',
    'ALTER TABLE customers RENAME COLUMN name TO plain; ALTER TABLE customers RENAME COLUMN ssn TO name',
    [
      [parse('st', 'select name from customers where id = 1'), describeStatement('st'), sync],
      [bind('', 'st'), execute(''), sync],
    ],
    'ALTER TABLE customers RENAME COLUMN name TO ssn; ALTER TABLE customers RENAME COLUMN plain TO name',
  ),
  changedMeanwhile(
    'PG-M17',
    'a table that is made anew under its name',
    'DROP TABLE IF EXISTS zt; CREATE TABLE zt AS SELECT id, name AS a FROM customers',
    'DROP TABLE zt; CREATE VIEW zt AS SELECT id, ssn AS a FROM customers',
    [
      [parse('st', 'select a from zt where id = 1'), describeStatement('st'), sync],
      [bind('', 'st'), execute(''), sync],
    ],
    'DROP VIEW zt',
  ),
  changedMeanwhile(
    'PG-M17',
    'a column that is renamed between Parse and Execute',
    'ALTER TABLE customers RENAME COLUMN name TO plain; ALTER TABLE customers RENAME COLUMN plain TO name',
    'ALTER TABLE customers RENAME COLUMN name TO plain; ALTER TABLE customers RENAME COLUMN ssn TO name',
    [
      [parse('', 'select 1'), sync],
      [parse('', 'select name from customers where id = 1'), bind('', ''), execute(''), sync],
    ],
    'ALTER TABLE customers RENAME COLUMN name TO ssn; ALTER TABLE customers RENAME COLUMN plain TO name',
  ),
  // Beside the rows.
  ...['int', 'uuid', 'date', 'numeric', 'inet', 'regclass'].map((type) =>
    leak({
      id: 'PG-L1',
      case: `cast to ${type}`,
      steps: [
        `SELECT ${type === 'regclass' ? "('\"' || ssn || '\"')" : 'ssn'}::${type} FROM customers WHERE id = 1`,
      ],
      secret: SSN,
    }),
  ),
  leak({
    id: 'PG-L1',
    case: 'read as JSON',
    steps: ["SELECT ('\"' || ssn)::json FROM customers WHERE id = 1"],
    secret: SSN,
  }),
  leak({
    id: 'PG-L1',
    case: 'read as XML',
    steps: ['SELECT xmlparse(DOCUMENT ssn) FROM customers WHERE id = 1'],
    secret: SSN,
  }),
  leak({
    id: 'PG-L2',
    case: 'a notice of a block of code',
    steps: ["DO $$ BEGIN RAISE NOTICE '%', (SELECT ssn FROM customers WHERE id = 1); END $$"],
    secret: SSN,
  }),
  ...shows(
    'PG-L4',
    "INSERT INTO customers VALUES (98,'z','z','123-45-' || '6789','x')",
    "UPDATE customers SET note='bad' WHERE id=1",
  ),
  leak({
    id: 'PG-L5',
    case: 'a notification',
    steps: ['LISTEN c', "SELECT pg_notify('c', ssn) FROM customers"],
    secret: SSN,
  }),
  leak({
    id: 'PG-L7',
    case: 'a setting',
    steps: ["SELECT set_config('my.x', ssn, false) IS NULL FROM customers WHERE id = 1", 'SHOW my.x'],
    secret: SSN,
  }),
  ...asks(
    'PG-L8',
    "select pg_sleep(case when ssn like '9%' then 0.01 else 0 end) from customers",
    "select id / (case when ssn like 'x%' then 0 else 1 end) from customers",
  ),
  act({
    id: 'PG-L8',
    case: 'how many rows a guess changes',
    steps: [`UPDATE orders SET status = 'x' WHERE EXISTS (SELECT 1 FROM customers WHERE ssn = '${SSN}')`],
    ...ORDERS,
  }),
  // What peers published.
  ...shows('PG-N1', "EXPLAIN SELECT 1 WHERE lower2('a') = 'a'"),
  leakAtOnce({
    id: 'PG-N1',
    case: 'a portal that is described, and never executed',
    secret: SSN,
    messages: () => [
      parse('', "select 1 where lower2('a') = 'a'"),
      bind('', ''),
      describePortal(''),
      closePortal(''),
      sync,
    ],
  }),
  leak({
    id: 'PG-N4',
    case: 'a temporary table of the name of one that is permitted',
    steps: ['CREATE TEMP TABLE sw AS SELECT ssn AS a FROM public.customers', 'SELECT a FROM sw'],
    secret: SSN,
  }),
  leak({
    id: 'PG-N4',
    case: 'a temporary table of the name of one of the catalog',
    steps: [
      'CREATE TEMP TABLE pg_am AS SELECT ssn AS amname FROM public.customers',
      'SELECT amname FROM pg_temp.pg_am',
    ],
    secret: SSN,
  }),
  leak({
    id: 'PG-N4',
    case: 'a temporary type of the name of one of the catalog',
    steps: ['CREATE TYPE pg_temp.json AS (a text)', 'SELECT ROW(ssn)::pg_temp.json FROM public.customers'],
    secret: SSN,
  }),
  ...asks(
    'PG-N7',
    "SELECT count(*) FILTER (WHERE ssn < '5') FROM customers",
    'SELECT id, row_number() OVER (ORDER BY ssn) FROM customers',
    'SELECT DISTINCT ON (ssn) id FROM customers',
    "EXPLAIN SELECT 1 FROM customers WHERE ssn < '5'",
    'SET row_security = off',
  ),
  ...shows(
    'PG-N7',
    "SELECT table_to_xml('customers', true, true, '')",
    'WITH a AS (SELECT ssn AS x FROM customers), b AS (SELECT x AS y FROM a), c AS (SELECT y AS z FROM b) SELECT z FROM c',
    "SELECT convert_from(ssn::bytea, 'UTF8') FROM customers",
  ),
  ...KINDS.map(([column]) => validBinary(column)),
  actBy({
    id: 'PG-W10',
    case: 'lo_creat by its number',
    send: (client) => client.ask(functionCall(957, '-1')),
    effect: 'SELECT count(*) FROM pg_largeobject_metadata',
    reset: 'SELECT lo_unlink(oid) FROM pg_largeobject_metadata',
  }),
  {
    id: 'PG-W10',
    case: 'a function by its number',
    run: async (world) => {
      const oid = Number(await world.admin("SELECT 'get_ssn'::regproc::oid"));
      const called = async (client: RawClient) => {
        const lines = await client.ask(functionCall(oid, '1'));
        return { found: disguiseOf(client.received, SSN), lines };
      };
      must((await called(await world.direct())).found !== undefined, 'dead');
      const { found, lines } = await called(await world.through());
      must(found === undefined, `leaked: ${lines.join(' / ')}`);
    },
  },
  leakAtOnce({
    id: 'PG-W11',
    case: 'a row at a time',
    secret: SSN,
    messages: () => [
      parse('', 'select ssn from customers'),
      bind('', ''),
      execute('', 1),
      execute('', 1),
      execute('', 1),
      sync,
    ],
  }),
  leakAtOnce({
    id: 'PG-W14',
    case: 'Execute without any Describe',
    secret: EMAIL,
    messages: () => [parse('', 'select email from customers'), bind('', ''), execute(''), sync],
  }),
  sequence({
    id: 'PG-W15',
    case: 'a Query behind an error in a batch',
    steps: [[parse('', 'select nothing_there'), query('delete from orders'), sync]],
    reset: ORDERS.reset,
  }),
];

/** Users' functions may be called, and are not seen into. */
const called: AttackGroup = {
  id: 'PG-L',
  scenario: {
    policy: READ_ONLY.replace(/ when \{ resource\.class == .*? \};/, ';'),
    sql: SHEET,
    columns: SHEET_COLUMNS,
    superuser: true,
  },
  attacks: [
    ...[SSN, EMAIL].map((secret) =>
      leak({
        id: 'PG-L3',
        case: `what an error says beside its message: ${secret}`,
        steps: ["SELECT harm('x')"],
        secret,
      }),
    ),
    ...shows('PG-L3', "SELECT lower2('a')"),
    ...shows(
      'PG-M8',
      'select get_ssn(1)',
      'select * from get_ssn(1)',
      'select upper(get_ssn(1))',
      'select ssn from get_customers()',
    ),
    leak({
      id: 'PG-M10b',
      case: 'a cursor that a permitted function opens',
      steps: ['BEGIN', 'SELECT rc()', 'FETCH ALL IN rr'],
      secret: SSN,
    }),
  ],
};

export const PG_M: readonly AttackGroup[] = [called];
