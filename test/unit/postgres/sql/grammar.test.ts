import fc from 'fast-check';
import { loadModule, parseSync, scanSync } from 'libpg-query';
import { beforeAll, describe, expect, test } from 'vitest';
import { extractFacts } from '../../../../src/protocols/postgres/sql/facts/extract.ts';
import { deniedTo, factsOf, plansOf } from './fixture.ts';

beforeAll(loadModule);

/** Statements of every kind PostgreSQL 18 has: none may be unsupported, and each must ask for something. */
const EVERY_KIND = `
alter aggregate a(int) owner to x; alter collation c refresh version; alter conversion c rename to d;
alter database d set x to y; alter database d refresh collation version; alter database d owner to x;
alter default privileges in schema s grant select on tables to x; alter domain d add constraint c check (value > 0);
alter event trigger e disable; alter extension e update; alter extension e add table t;
alter foreign data wrapper f options (a 'b'); alter foreign table t add column a int; alter function f(int) immutable;
alter group g add user u; alter index i rename to j; alter language l owner to x; alter large object 1 owner to x;
alter materialized view m rename to n; alter operator = (int, int) owner to x;
alter operator family f using btree add operator 1 < (int, int); alter policy p on t using (true);
alter procedure p() rename to q; alter publication p add table t where (a > 1); alter role r login;
alter routine f() depends on extension e; alter rule r on t rename to s; alter schema s rename to t;
alter sequence s restart; alter server s options (a 'b'); alter statistics s set statistics 1;
alter subscription s disable; alter system set a = 1; alter table t add column a int default f(), drop column b cascade,
alter c type text using c::text, add constraint k foreign key (a) references u (b) on delete cascade; alter table t
attach partition p for values from (1) to (2); alter table t detach partition p concurrently;
alter table all in tablespace a set tablespace b; alter tablespace t set (a = 1);
alter text search configuration c add mapping for a with b; alter text search dictionary d (a = b);
alter trigger t on u rename to v; alter type t add value 'x' before 'y'; alter type t add attribute a int;
alter user mapping for u server s options (a 'b'); alter view v alter a set default 1; analyze t (a); begin; call f(1);
checkpoint; close c; cluster t using i; comment on function f(int) is 'x'; commit and chain; commit prepared 'x';
copy t (a, b) from stdin with (format csv, header match, force_null (a)) where a > 1; copy t to stdout;
create access method m type index handler h; create aggregate a (int) (sfunc = f, stype = int);
create cast (a as b) with function f(a) as implicit; create collation c (locale = 'x');
create conversion c for 'UTF8' to 'LATIN1' from f; create database d; create domain d as int check (value > 0);
create event trigger e on ddl_command_start execute function f(); create extension e schema s;
create foreign data wrapper f handler h; create foreign table t (a int options (x 'y')) server s;
create function f(a int default 1, variadic b text[]) returns table (c int) language sql begin atomic select 1; end;
create or replace function f() returns trigger language plpgsql as $$x$$ set search_path = a;
create unique index concurrently i on t using btree (a desc nulls last, (lower(b)) text_pattern_ops) include (c) where d;
create language l handler h; create materialized view m as select 1 with no data;
create operator === (leftarg = int, rightarg = int, function = f);
create operator class c for type t using btree as operator 1 <, function 1 f(int); create operator family f using btree;
create policy p on t for select to x using (a = current_user) with check (b); create procedure p() language sql as 'x';
create publication p for table t (a) where (b), tables in schema s; create role r login;
create rule r as on insert to t where new.a > 1 do instead (insert into u values (new.*); notify x);
create schema s create table t (a int) create view v as select 1; create sequence s owned by t.a;
create server s foreign data wrapper f; create statistics s (mcv) on a, (b + 1) from t;
create subscription s connection 'x' publication p;
create table t (a int generated always as identity primary key, b int references u, like v including all,
exclude using gist (c with &&), check (a > 0)) inherits (w) partition by range (a, (b + 1)) with (x = 1);
create table t partition of u for values in (1, 'a'); create table t of y; create temp table t as select 1;
create tablespace t location '/x'; create text search configuration c (copy = d);
create text search dictionary d (template = t); create text search parser p (start = f);
create text search template t (lexize = f); create transform for t language l (from sql with function f(a));
create trigger t before insert or update of a on u referencing new table as n for each row when (new.a > 1)
execute function f('x'); create type t as (a int, b text); create type t as enum ('a', 'b');
create type t as range (subtype = int); create type t (input = f, output = g); create user u password 'x';
create user mapping for u server s; create view v (a) with (security_barrier) as select 1 with check option;
deallocate p; declare c scroll cursor for select 1; delete from only t using u where current of c returning old.*;
discard plans; do language plpgsql $$x$$; drop access method m; drop aggregate a(int); drop cast (a as b);
drop function f(int), g; drop index concurrently i; drop operator = (int, int); drop owned by x cascade;
drop policy p on t; drop role r; drop rule r on t; drop schema s cascade; drop table t, s.u; drop trigger t on u;
drop type t; drop user mapping for u server s; drop database d; drop tablespace t; drop subscription s; end; execute p(1);
explain (analyze, buffers) select 1; fetch backward 3 from c; grant select (a), update on t to public with grant option;
grant execute on function f(int) to x; grant all on schema s to x; grant all on all tables in schema s to x;
grant a to b granted by c; grant set on parameter p to x; import foreign schema s limit to (t) from server v into w;
insert into t as u (a, b[1], c.d) overriding system value values (1, default, 2) on conflict (a) where b do update
set (c, d) = row (1, 2) where u.a > 1 returning with (old as o) o.a; listen c; load 'x'; lock table only t in share mode;
merge into t using u on t.a = u.a when matched and u.b then update set a = 1 when not matched by target then
insert (a) overriding user value values (1) when not matched by source then do nothing returning merge_action(), t.*;
move 3 in c; notify c, 'x'; prepare p (int) as select $1; prepare transaction 'x';
reassign owned by a to b; refresh materialized view concurrently m; reindex (verbose) index i; reindex schema s;
release s; reset a; revoke select on t from x cascade; rollback to s; rollback prepared 'x'; savepoint s;
security label for p on table t is 'x'; set constraints a, b deferred; set local a = 1, 'b'; set role r;
set session authorization default; set time zone interval '1' hour; set transaction snapshot 'x'; show all;
set session characteristics as transaction read only; set xml option document; start transaction; table t;
truncate only t, u restart identity cascade; unlisten *; update t set a = default, b[1:2] = 1, (c, d) = (select 1, 2)
from u where t.a = u.a returning *; vacuum (full) t (a); values (1, 2), (3, 4) order by 1;
with recursive a (b) as (select 1 union all select b + 1 from a) search depth first by b set c
cycle b set d to true default false using e select * from a;
select distinct on (a) a.b[1].c, (d).*, array[[1], [2]], row (1, 2) = (3, 4), cast(e as numeric(1, 2)[]), f::g.h
from a;
select case a when 1 then 2 else 3 end, coalesce(b), greatest(1, 2), nullif(1, 2), c is distinct from d, e is true,
f is not null, not g, h like 'i' escape 'j', k ilike 'l', m similar to 'n', o between symmetric 1 and 2, p in (1, 2),
q = any (array[1]), r <> all (select 1), exists (select 1), array(select 1), (select 1), - s, t collate "C", u at time zone 'v',
w is document, x is json object with unique keys, y is normalized, current_date, current_timestamp(3), localtime,
session_user, current_catalog, system_user, extract(day from z), overlay('a' placing 'b' from 1), position('a' in 'b'),
substring('a' from 1 for 2), substring('a' similar 'b' escape 'c'), trim(both 'a' from 'b'), treat(a as b),
normalize('a', nfc), (a, b) overlaps (c, d), b'1', x'1f', n'a', interval '1' day, date '2020-01-01', $1, null
from a where b group by distinct rollup (a, b), cube (c), grouping sets ((), (d)) having true
window w as (partition by a order by b range between unbounded preceding and 1 following exclude ties)
order by 1 using <, 2 nulls first offset 1 fetch first 3 rows with ties for no key update of a nowait;
select count(distinct a order by b) filter (where c) over (w rows 1 preceding), f(variadic a), f(a => 1, b := 2),
mode() within group (order by c), grouping(a) from only (t) as x (a, b) left join u using (a) as j natural full join v
cross join lateral (select 1) as y right join rows from (f(1), g() as (a int)) with ordinality as z on true,
k tablesample system (1) repeatable (2), xmltable(xmlnamespaces('a' as b), '/c' passing d columns e int path 'f' default 1
not null, g for ordinality) as h, json_table(a, '$' as p passing 1 as q columns (b for ordinality, c int path '$' with wrapper
keep quotes default 1 on empty error on error, d int exists path '$', nested path '$' columns (e json format json)) error on error);
select json_object('a' value 1 absent on null with unique keys returning jsonb), json_array(1, 2 null on null),
json_array(select 1 returning text), json_objectagg('a': 1), json_arrayagg(a order by b returning jsonb),
json('a' with unique keys), json_scalar(1), json_serialize(a returning bytea), json_exists(a, '$' passing 1 as x),
json_query(a, '$' returning text omit quotes empty array on empty), json_value(a, '$' returning int default 1 on error),
xmlconcat(a, b), xmlelement(name a, xmlattributes(b as c), d), xmlforest(a as b), xmlparse(content a), xmlpi(name a, b),
xmlroot(a, version '1', standalone yes), xmlserialize(content a as text indent), xmlexists('a' passing b);
select 1 intersect all select 2 except select 3 union (select 4 limit 1) order by 1`;

describe('the grammar table', () => {
  test('knows every kind of statement and expression', () => {
    const all = factsOf(EVERY_KIND);
    expect(all.length).toBeGreaterThan(170);
    const refused = all
      .filter((one) => one.unsupported !== undefined)
      .map((one) => [one.tag, one.unsupported]);
    expect(refused).toEqual([]);
    for (const plan of plansOf(EVERY_KIND, { masks: false }))
      expect([plan.tag, plan.pairs.length]).not.toEqual([plan.tag, 0]);
  });

  test('a reader is let through only for what reads, or steers its own session', () => {
    const passing = plansOf(EVERY_KIND, { masks: false }).filter((plan) => deniedTo([plan]) === undefined);
    const tags = new Set(passing.map((plan) => plan.tag));
    expect([...tags].sort()).toEqual([
      'BEGIN',
      'CLOSE CURSOR',
      'COMMIT',
      'DEALLOCATE',
      'DECLARE CURSOR',
      'DISCARD PLANS',
      'EXECUTE',
      'EXPLAIN',
      'FETCH',
      'MOVE',
      'PREPARE',
      'RELEASE',
      'RESET',
      'ROLLBACK',
      'SAVEPOINT',
      'SELECT',
      'SET',
      'SET CONSTRAINTS',
      'SHOW',
      'START TRANSACTION',
      'UNLISTEN',
    ]);
  });

  test.each([
    ['an unknown node', { SelectStmt: { targetList: [{ NewExpr: {} }], op: 'SETOP_NONE' } }],
    ['an unknown field', { SelectStmt: { newClause: [], op: 'SETOP_NONE' } }],
    [
      'an unknown field of an expression',
      { SelectStmt: { targetList: [{ ResTarget: { val: { ColumnRef: { fields: [], hidden: {} } } } }] } },
    ],
    ['a tree where a scalar belongs', { SelectStmt: { all: { FuncCall: {} }, op: 'SETOP_NONE' } }],
    ['an unknown statement', { NewStmt: {} }],
    ['a node with two types', { SelectStmt: { targetList: [{ ColumnRef: {}, FuncCall: {} }] } }],
    ['text where a node belongs', { SelectStmt: { whereClause: 'true' } }],
    ['an unknown transaction command', { TransactionStmt: { kind: 'TRANS_STMT_NEW' } }],
    [
      'an unknown MERGE action',
      {
        MergeStmt: {
          relation: { relname: 't' },
          mergeWhenClauses: [{ MergeWhenClause: { commandType: 'CMD_UTILITY' } }],
        },
      },
    ],
  ])('%s makes a statement unsupported', (_name, stmt) => {
    expect(extractFacts({ stmts: [{ stmt }] }, '')[0]?.unsupported).toBeTruthy();
  });

  test('unsupported is refused', () => {
    expect(deniedTo(plansOf('create table t as execute p', { masks: false }))).toBe('unsupported');
  });
});

const STATEMENTS = [
  'select id, lower(name) from customers where id = 1 order by name',
  'with d as (delete from plain where id = 1 returning *) select * from d',
  'update orders set pan = 1 from items i where i.id = orders.id returning orders.id',
  "insert into plain(id, title) values (1, 'x') on conflict (id) do nothing",
  "set statement_timeout = '5s'",
  'select exists (select * from v2) from pg_class c join plain p on p.id = c.oid',
];

/** Writes the same tokens in another way: white space, comments, case of keywords and plain names, quotes. */
function rewrite(sql: string, choices: readonly number[]): string {
  let turn = 0;
  const next = () => choices[turn++ % choices.length] ?? 0;
  const gaps = [' ', '\n\t', ' /* ; delete from x */ ', ' -- y\n', '/* /* */ */ '];
  return scanSync(sql)
    .tokens.map((token) => {
      const gap = gaps[next() % gaps.length] ?? ' ';
      const isName = token.keywordKind === 0 && /^[a-z_][a-z0-9_]*$/.test(token.text);
      const forms = isName ? [token.text, token.text.toUpperCase(), `"${token.text}"`] : [token.text];
      if (token.keywordKind > 0) forms.push(token.text.toUpperCase());
      return `${gap}${forms[next() % forms.length]}`;
    })
    .join('');
}

test('white space, comments, case and quotes change nothing', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...STATEMENTS),
      fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 40 }),
      (sql, choices) => {
        const [before, after] = [plansOf(sql)[0], plansOf(rewrite(sql, choices))[0]];
        expect(after).toEqual(before);
      },
    ),
    { numRuns: 150 },
  );
});

test('any tree that the parser can make gives facts or our own limit', () => {
  const word = fc.constantFrom(
    'select',
    'from',
    't',
    ',',
    '(',
    ')',
    '1',
    "'a'",
    '*',
    'where',
    '=',
    'with',
    'as',
    'f',
    '.',
    'in',
    ';',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), (words) => {
      const sql = words.join(' ');
      let tree: unknown;
      try {
        tree = sql === '' ? {} : parseSync(sql);
      } catch {
        return;
      }
      for (const facts of extractFacts(tree, sql)) expect(facts.unsupported).toBeUndefined();
    }),
    { numRuns: 1_500 },
  );
});
