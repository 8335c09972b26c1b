/**
 * What users' functions give, at a real catalog: shown where what they are made of touches nothing that is masked, and withheld or
 * refused otherwise. Each call is run before and after the masked values alone were changed: what is shown must stay as it is, and of
 * most that is not shown it is seen that it would not.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MaskedDatabase, maskedDatabase } from '../../support/postgres/masked-database.ts';

const SCHEMA = `
CREATE TABLE people (id int PRIMARY KEY, name text, ssn text);
CREATE TABLE plain (id int PRIMARY KEY, title text, price numeric);
INSERT INTO people VALUES (1, 'ann', 'a1'), (2, 'bob', 'b2');
INSERT INTO plain VALUES (1, 'one', 10), (2, 'two', 20);
CREATE VIEW seen AS SELECT id, ssn AS x FROM people;
CREATE VIEW few AS SELECT id FROM people WHERE ssn < 'k';
CREATE SCHEMA hidden; CREATE TABLE hidden.plain (id int, title text);
INSERT INTO hidden.plain VALUES (1, 'h1');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN short AS text CHECK (length(VALUE) < 50);
CREATE FUNCTION may_see() RETURNS bool STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT min(ssn) < 'k' FROM people); END $$;
CREATE DOMAIN seeing AS text CHECK (may_see() OR VALUE <> 'x');
CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (may_see());

CREATE FUNCTION net(price numeric, discount numeric) RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT price * (1 - discount / 100)';
CREATE FUNCTION taxed(price numeric, rate numeric DEFAULT 0.19) RETURNS numeric IMMUTABLE LANGUAGE sql RETURN price * (1 + rate);
CREATE FUNCTION titles(most int) RETURNS TABLE (id int, title text) STABLE LANGUAGE sql
  AS 'SELECT p.id, p.title FROM plain p ORDER BY 1 LIMIT most';
CREATE FUNCTION names() RETURNS SETOF text STABLE LANGUAGE sql BEGIN ATOMIC SELECT name FROM people; END;
CREATE FUNCTION outs(IN i int, OUT t text, OUT n numeric) STABLE LANGUAGE sql AS 'SELECT title, price FROM plain WHERE id = outs.i';
CREATE FUNCTION pairs() RETURNS SETOF pair STABLE LANGUAGE sql AS 'SELECT id, title FROM plain';
CREATE FUNCTION row_of(p plain) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT p.title || (row_of.p).id';
CREATE FUNCTION same(x anyelement) RETURNS anyelement IMMUTABLE LANGUAGE sql AS 'SELECT x';
CREATE FUNCTION most(VARIADIC n int[]) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT max(x) FROM unnest(n) x';
CREATE FUNCTION pick(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT title FROM plain WHERE id = i';
CREATE FUNCTION pick(i text) RETURNS text STABLE LANGUAGE sql AS 'SELECT ssn FROM people WHERE name = i';
CREATE FUNCTION twin(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT title FROM plain WHERE id = i';
CREATE FUNCTION hidden.twin(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT ssn FROM public.people WHERE id = i';
CREATE FUNCTION calls_twin(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT twin(i)';
CREATE FUNCTION deep(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT upper(pick(i))';
CREATE FUNCTION defined(i int) RETURNS text STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp
  AS 'SELECT title FROM plain WHERE id = i';
CREATE FUNCTION own_path() RETURNS SETOF text STABLE LANGUAGE sql SET search_path = hidden AS 'SELECT id::text FROM plain';
CREATE FUNCTION lists(i int) RETURNS text STABLE LANGUAGE sql AS $$ SELECT 1; WITH s AS (SELECT * FROM people) SELECT s.name FROM s WHERE s.id = i $$;
CREATE FUNCTION shorted(i int) RETURNS short STABLE LANGUAGE sql AS 'SELECT title FROM plain WHERE id = i';
CREATE FUNCTION upper(plain) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN $1.title; END $$;
CREATE FUNCTION kept(i int) RETURNS text STABLE LANGUAGE sql RETURN deep(i);

CREATE FUNCTION peek(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT ssn FROM people WHERE id = i';
CREATE FUNCTION peeks(i int) RETURNS text STABLE BEGIN ATOMIC SELECT ssn FROM people WHERE id = i; END;
CREATE FUNCTION by_view(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT x FROM seen WHERE id = i';
CREATE FUNCTION by_cte(i int) RETURNS text STABLE LANGUAGE sql AS 'WITH t (i, y) AS (SELECT id, ssn FROM people) SELECT y FROM t WHERE t.i = $1';
CREATE FUNCTION by_row() RETURNS SETOF people STABLE LANGUAGE sql AS 'SELECT p FROM people p';
CREATE FUNCTION compares(i int) RETURNS bool STABLE LANGUAGE sql AS $$ SELECT ssn < 'k' FROM people WHERE id = i $$;
CREATE FUNCTION filters() RETURNS bigint STABLE LANGUAGE sql AS $$ SELECT count(*) FROM people WHERE ssn < 'k' $$;
CREATE FUNCTION sorts() RETURNS text STABLE LANGUAGE sql AS 'SELECT name FROM people ORDER BY ssn LIMIT 1';
CREATE FUNCTION counts() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM few';
CREATE FUNCTION counts_kept() RETURNS bigint STABLE LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM few; END;
CREATE FUNCTION nested(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT same(peek(i))';
CREATE FUNCTION nested_kept(i int) RETURNS text STABLE LANGUAGE sql RETURN peek(i);
CREATE FUNCTION dynamic(i int) RETURNS text STABLE LANGUAGE plpgsql
  AS $$ DECLARE t text; BEGIN EXECUTE 'SELECT ss' || 'n FROM people WHERE id = $1' INTO t USING i; RETURN t; END $$;
CREATE FUNCTION calls_dynamic(i int) RETURNS text STABLE LANGUAGE sql AS 'SELECT dynamic(i)';
CREATE FUNCTION defaulted(t text DEFAULT peek(1)) RETURNS text STABLE LANGUAGE sql AS 'SELECT t';
CREATE FUNCTION as_text() RETURNS text STABLE LANGUAGE sql
  AS $$ SELECT query_to_xml('SELECT ssn FROM people', true, false, '')::text $$;
CREATE FUNCTION pathless(i int) RETURNS text STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT title FROM plain WHERE id = i';
CREATE FUNCTION hidden_path(i int) RETURNS text STABLE LANGUAGE sql SET search_path = hidden, public AS 'SELECT title FROM plain WHERE id = i';
CREATE FUNCTION guards() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM guarded';
CREATE FUNCTION checked() RETURNS seeing STABLE LANGUAGE sql AS $$ SELECT 'x'::text $$;
CREATE FUNCTION casts() RETURNS text STABLE LANGUAGE sql AS $$ SELECT ('x'::seeing)::text $$;
CREATE FUNCTION samples() RETURNS text STABLE LANGUAGE sql AS $$ SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'people' $$;
CREATE FUNCTION sets() RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', 'hidden', false) $$;
CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'UPDATE plain SET title = title WHERE id = 1 RETURNING id';
CREATE FUNCTION writes_within() RETURNS SETOF int LANGUAGE sql AS 'WITH w AS (UPDATE plain SET title = title RETURNING id) SELECT id FROM w';
CREATE FUNCTION loops(i int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN i; END';
CREATE OR REPLACE FUNCTION loops(i int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN i > 0 THEN loops(i - 1) ELSE 0 END';
CREATE FUNCTION reads_otherwise() RETURNS text STABLE LANGUAGE sql SET standard_conforming_strings = off AS $$ SELECT 'x' $$;
CREATE FUNCTION user_path() RETURNS text STABLE LANGUAGE sql SET search_path = "$user", public AS 'SELECT title FROM plain WHERE id = 1';
CREATE FUNCTION mixed() RETURNS TABLE (id int, ssn text) STABLE LANGUAGE sql AS 'SELECT id, ssn FROM people';
CREATE AGGREGATE joined (text) (SFUNC = textcat, STYPE = text);
CREATE FUNCTION twice(a numeric, b numeric) RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT a + 2 * b';
CREATE FUNCTION ended(a numeric) RETURNS text IMMUTABLE LANGUAGE sql RETURN a || '!';
CREATE AGGREGATE doubled (numeric) (SFUNC = twice, STYPE = numeric, INITCOND = '0', FINALFUNC = ended);
CREATE FUNCTION spies(a text, b text) RETURNS text STABLE LANGUAGE sql AS 'SELECT coalesce(a, b) || max(ssn) FROM people';
CREATE AGGREGATE spying (text) (SFUNC = spies, STYPE = text);
CREATE FUNCTION ends_so(a text) RETURNS text STABLE LANGUAGE sql AS 'SELECT a || max(ssn) FROM people';
CREATE AGGREGATE spying_at_last (text) (SFUNC = textcat, STYPE = text, FINALFUNC = ends_so);
CREATE FUNCTION any_state(a text, b text) RETURNS text STABLE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT b || min(ssn) FROM people); END';
CREATE AGGREGATE opaque (text) (SFUNC = any_state, STYPE = text);
CREATE AGGREGATE of_checked (seeing) (SFUNC = textcat, STYPE = text);
CREATE FUNCTION own_length(text) RETURNS int IMMUTABLE LANGUAGE internal AS 'textlen';
CREATE FUNCTION own_ascii(text DEFAULT peek(1)) RETURNS int IMMUTABLE LANGUAGE internal AS 'ascii';
CREATE FUNCTION own_xml(text, bool, bool, text) RETURNS xml IMMUTABLE LANGUAGE internal AS 'query_to_xml';

CREATE FUNCTION card(p people) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT p.name || (card.p).id';
CREATE FUNCTION card_kept(p people) RETURNS text IMMUTABLE LANGUAGE sql RETURN upper(p.name);
CREATE FUNCTION card_of(people, int) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ($1).name FROM generate_series(1, $2)';
CREATE FUNCTION secret(p people) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT p.ssn';
CREATE FUNCTION secret_kept(p people) RETURNS text IMMUTABLE LANGUAGE sql RETURN p.ssn;
CREATE FUNCTION as_words(p people) RETURNS text STABLE LANGUAGE sql AS 'SELECT p::text';
CREATE FUNCTION as_words_kept(p people) RETURNS text STABLE LANGUAGE sql RETURN p::text;
CREATE FUNCTION starred(p people) RETURNS text STABLE LANGUAGE sql AS 'SELECT concat(p.*)';
CREATE FUNCTION as_json(p people) RETURNS json STABLE LANGUAGE sql AS 'SELECT row_to_json(p)';
CREATE FUNCTION passes(p people) RETURNS text STABLE LANGUAGE sql AS 'SELECT secret(p)';
CREATE FUNCTION passes_kept(p people) RETURNS text STABLE LANGUAGE sql RETURN secret(p);
CREATE FUNCTION within(p people) RETURNS text STABLE LANGUAGE sql AS 'SELECT (q.r).ssn FROM (SELECT p) q (r)';
CREATE FUNCTION within_kept(p people) RETURNS text STABLE LANGUAGE sql BEGIN ATOMIC SELECT (q.r).ssn FROM (SELECT p) q (r); END;
CREATE FUNCTION decides(p people) RETURNS text STABLE LANGUAGE sql AS $$ SELECT p.name WHERE p.ssn < 'k' $$;
CREATE FUNCTION beside(p people) RETURNS text STABLE LANGUAGE sql AS $$ SELECT max(ssn) || (p).name FROM people $$;
CREATE FUNCTION pair_of(p people, q people) RETURNS text STABLE LANGUAGE sql AS 'SELECT p.name || q.ssn';`;
const TAGS = new Map([
  ['public.people.ssn', ['pii']],
  ['hidden.plain.title', ['pii']],
]);
const OTHER = `UPDATE people SET ssn = CASE id WHEN 1 THEN 'z9' ELSE 'y8' END; UPDATE hidden.plain SET title = 'h2' WHERE id = 1; ANALYZE`;

let database: MaskedDatabase;

beforeAll(async () => {
  database = await maskedDatabase(SCHEMA, TAGS);
});

afterAll(() => database?.stop());

const SHOWN: readonly string[] = [
  'SELECT net(price, 10), id FROM plain ORDER BY net(price, 10)',
  'SELECT taxed(price), taxed(price, 0.07), taxed(rate => 1, price => price) FROM plain',
  'SELECT * FROM titles(2)',
  'SELECT t.title, p.price FROM titles(2) t JOIN plain p USING (id) WHERE t.title <> $$x$$ ORDER BY 1',
  'SELECT count(*) FROM titles(5) GROUP BY title',
  'SELECT names()',
  'SELECT n FROM names() n ORDER BY 1',
  'SELECT t, n FROM outs(1)',
  'SELECT (outs(1)).t',
  'SELECT a, b FROM pairs()',
  'SELECT row_of(p) FROM plain p',
  'SELECT same(id), same(title), same(p) FROM plain p',
  'SELECT most(1, 5, 3), most(VARIADIC ARRAY[1, 2])',
  'SELECT pick(1), pick(id) FROM plain',
  'SELECT deep(2), kept(1)',
  'SELECT defined(1)',
  'SELECT own_path()',
  'SELECT lists(1)',
  'SELECT shorted(2)',
  "SELECT upper('a' || id) FROM plain",
  'SELECT net(1, 2), p.name FROM people p',
  'SELECT p.ssn, net(p.id, 2) FROM people p WHERE net(p.id, 2) > 0',
  'SELECT EXISTS (SELECT 1 FROM titles(1) WHERE pick(1) IS NOT NULL)',
  'PREPARE a AS SELECT net(1, 2)',
  'EXPLAIN SELECT net(1, 2) FROM titles(1)',
  'COPY (SELECT net(1, 2)) TO STDOUT',
  'CREATE TABLE made AS SELECT pick(1) AS t',
  "SELECT joined(title ORDER BY id), joined(DISTINCT title) FILTER (WHERE id > 0) FROM plain HAVING joined(title) <> 'x'",
  'SELECT doubled(price), joined(title) OVER (ORDER BY id) FROM plain GROUP BY title, id',
  'SELECT own_length(title), sum(own_length(title)) OVER () FROM plain ORDER BY own_length(title)',
  'SELECT card(p), card_kept(p), card_of(p, 1) FROM people p ORDER BY card(p)',
  'SELECT id FROM people p WHERE card(p) <> $$x$$ GROUP BY id, card_kept(p)',
  'SELECT card(q.p), (q.p).name FROM (SELECT p FROM people p) q ORDER BY (q.p).id',
  'WITH c AS (SELECT p, id FROM people p) SELECT card_kept(p), id FROM c',
];

/** It is run besides: what it gives tells what is masked. */
const LIVE: readonly string[] = [
  'SELECT peek(1)',
  'SELECT peeks(1)',
  'SELECT by_view(1)',
  'SELECT by_cte(1)',
  'SELECT by_row()',
  'SELECT compares(1)',
  'SELECT filters()',
  'SELECT sorts()',
  'SELECT counts()',
  'SELECT counts_kept()',
  'SELECT nested(1)',
  'SELECT nested_kept(1)',
  'SELECT dynamic(1)',
  'SELECT calls_dynamic(1)',
  'SELECT defaulted()',
  'SELECT as_text()',
  "SELECT pick('ann'::text)",
  'SELECT hidden_path(1)',
  'SELECT same(peek(1)), 1',
  'SELECT id FROM plain WHERE compares(id)',
  "SELECT id FROM plain WHERE pick('ann'::text) < 'k'",
  'SELECT t.id FROM titles(1) t, peek(t.id) p WHERE p < $$k$$',
  'SELECT ssn FROM mixed()',
  'SELECT net(1, length(peek(1)) + ascii(peek(1)))',
  'SELECT same(ssn) FROM people',
  'SELECT same(p) FROM people p',
  'SELECT row_to_json(same(p)) FROM people p',
  'SELECT spying(title) FROM plain',
  'SELECT spying(title) OVER () FROM plain',
  'SELECT spying_at_last(title) FROM plain',
  'SELECT opaque(title) FROM plain',
  'SELECT joined(ssn) FROM people',
  "SELECT own_xml('SELECT ssn FROM people', true, false, '')",
  'SELECT own_ascii()',
  'SELECT secret(p) FROM people p',
  'SELECT secret_kept(p) FROM people p',
  'SELECT as_words(p) FROM people p',
  'SELECT as_words_kept(p) FROM people p',
  'SELECT starred(p) FROM people p',
  'SELECT as_json(p) FROM people p',
  'SELECT passes(p) FROM people p',
  'SELECT passes_kept(p) FROM people p',
  'SELECT within(p) FROM people p',
  'SELECT within_kept(p) FROM people p',
  'SELECT decides(p) FROM people p',
  'SELECT beside(p) FROM people p',
  'SELECT pair_of(p, p) FROM people p',
  'SELECT pair_of(q => p, p => p) FROM people p',
  'SELECT secret(q.p) FROM (SELECT p FROM people p) q',
  'SELECT card((p.id, p.ssn, p.ssn)::people) FROM people p',
];
/** Nobody knows, or it is not looked into. */
const UNCERTAIN: readonly string[] = [
  'SELECT samples()',
  // A schema of that name may come and go beside this session.
  'SELECT twin(1)',
  'SELECT calls_twin(1)',
  'SELECT pathless(1)',
  'SELECT guards()',
  'SELECT checked()',
  'SELECT casts()',
  'SELECT sets()',
  'SELECT writes()',
  'SELECT writes_within()',
  'SELECT loops(2)',
  'SELECT reads_otherwise()',
  'SELECT user_path()',
  'SELECT of_checked(title) FROM plain',
  'SELECT card(p => p) FROM people p',
  'SELECT p.card FROM people p',
  'SELECT upper(p) FROM plain p',
  'SELECT net(1, 2), sets()',
  'DECLARE c CURSOR FOR SELECT net(1, 2)',
];

const isShown = async (sql: string) => {
  const { refusal, safeColumns } = await database.planOf(sql);
  return refusal === undefined && (safeColumns === 'all' || safeColumns.includes(0));
};

describe('what a function gives', () => {
  test.each(SHOWN.filter((sql) => !sql.includes('p.ssn')))('is shown: %s', async (sql) => {
    const { refusal, safeColumns, outputColumns } = await database.planOf(sql);
    expect(refusal).toBeUndefined();
    const all = Array.from({ length: outputColumns ?? 0 }, (_, index) => index);
    expect(safeColumns === 'all' ? 'all' : safeColumns).toEqual(safeColumns === 'all' ? 'all' : all);
  });

  test('is shown beside a masked column that is only carried', async () => {
    const { refusal, safeColumns } = await database.planOf(
      'SELECT p.ssn, net(p.id, 2) FROM people p WHERE net(p.id, 2) > 0',
    );
    expect([refusal, safeColumns]).toEqual([undefined, [1]]);
  });

  test.each([...LIVE, ...UNCERTAIN])('is not: %s', async (sql) => {
    expect(await isShown(sql)).toBe(false);
  });

  test('stays as it is where it is shown, whatever is masked; the others tell of it', async () => {
    const queries = SHOWN.filter((sql) => sql.startsWith('SELECT') && !sql.includes('p.ssn'));
    const answers = async () => {
      const all = new Map<string, string>();
      for (const sql of [...queries, ...LIVE]) all.set(sql, JSON.stringify((await database.run(sql)).rows));
      return all;
    };
    await database.client.query('ANALYZE');
    const before = await answers();
    await database.client.query(OTHER);
    const after = await answers();
    const changed = [...before.keys()].filter((sql) => before.get(sql) !== after.get(sql));
    expect(changed).toEqual(LIVE);
  });
});
