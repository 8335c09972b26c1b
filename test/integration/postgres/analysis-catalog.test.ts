import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { locatePostgres } from '../../../src/demo/postgres-home.ts';
import { CATALOG_TABLES } from '../../../src/protocols/postgres/catalog/mirror/tables.ts';
import type { Catalog } from '../../../src/protocols/postgres/catalog/model/model.ts';
import { CatalogReader } from '../../../src/protocols/postgres/catalog/reader.ts';
import type { AnalysisCatalog } from '../../../src/protocols/postgres/sql/analysis/catalog.ts';
import { catalogConnection } from '../../support/postgres/catalog-connection.ts';
import { ConnectionCatalog } from '../../support/postgres/connection-catalog.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

const SCHEMA = `
CREATE SCHEMA "Odd name";
CREATE EXTENSION hstore; CREATE EXTENSION citext SCHEMA "Odd name"; CREATE EXTENSION ltree; CREATE EXTENSION cube;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TYPE pair AS (a int, b varchar(7)[]);
CREATE DOMAIN short AS varchar(12) CHECK (length(value) > 1);
CREATE DOMAIN shorts AS short[];
CREATE TYPE spans AS RANGE (subtype = "Odd name".citext);
CREATE FUNCTION many(a int, OUT b text, VARIADIC c numeric[] DEFAULT '{}') LANGUAGE sql AS 'select ''''';
CREATE FUNCTION rows_of(x int DEFAULT 1, y text DEFAULT 'z') RETURNS TABLE (p int, q pair) LANGUAGE sql AS 'select 1, null::pair';
CREATE FUNCTION "Odd name"."Odd, (name"("Its ""name" mood) RETURNS SETOF mood LANGUAGE sql AS 'select $1';
CREATE PROCEDURE act(INOUT a int, b text) LANGUAGE sql AS 'select 1';
CREATE AGGREGATE largest(int) (sfunc = int4larger, stype = int);
CREATE AGGREGATE ranked(VARIADIC "any" ORDER BY VARIADIC "any") (sfunc = ordered_set_transition_multi, stype = internal,
  finalfunc = rank_final, finalfunc_extra, hypothetical);
CREATE AGGREGATE nth(float8 ORDER BY anyelement) (sfunc = ordered_set_transition, stype = internal,
  finalfunc = percentile_disc_final, finalfunc_extra);
CREATE FUNCTION to_mood(text) RETURNS mood LANGUAGE sql AS 'select ''low''::mood';
CREATE CAST (text AS mood) WITH FUNCTION to_mood(text) AS ASSIGNMENT;
CREATE CAST (mood AS varchar) WITH INOUT AS IMPLICIT;
CREATE FUNCTION not_mood(mood) RETURNS bool LANGUAGE sql AS 'select true';
CREATE FUNCTION same_pair(pair, pair) RETURNS bool LANGUAGE sql AS 'select true';
CREATE OPERATOR "Odd name".!~! (rightarg = mood, function = not_mood);
CREATE OPERATOR === (leftarg = pair, rightarg = pair, function = same_pair);
CREATE TABLE base (a int, gone text, b numeric(10,2), c short, at timestamptz(3) DEFAULT now(), d int GENERATED ALWAYS AS (a) STORED,
  PRIMARY KEY (b, a));
ALTER TABLE base DROP COLUMN gone;
CREATE TABLE other (x bit(5), y interval(2)) ;
CREATE TABLE child (z "Odd name".citext) INHERITS (other, base);
CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);
CREATE TABLE parted (id int PRIMARY KEY, k spans) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (9);
CREATE TABLE "Odd name".base ("Odd "" col" int);
CREATE VIEW seen AS SELECT b, at FROM base;
CREATE MATERIALIZED VIEW kept AS SELECT c FROM base;
`;

const home = mkdtempSync(join(tmpdir(), 'hoop-analysis-'));
chmodSync(home, 0o755);
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe.each([['15'], ['18']])('what analysis asks of the catalog of a real server, %s', (version) => {
  let server: PostgresServer;
  let client: pg.Client;
  let catalog: Catalog;
  let asked: AnalysisCatalog;

  beforeAll(async () => {
    const bin = version === '18' ? { bin: dirname((await locatePostgres(home)).postgres) } : {};
    server = await startPostgres({ ...bin, sql: SCHEMA });
    const { user, password } = server.admin;
    const ssl = { ca: readFileSync(server.caFile, 'utf8') };
    const { host, port, database } = server;
    client = new pg.Client({ host, port, database, user, password, ssl });
    await client.connect();
    catalog = await new CatalogReader(catalogConnection(client)).read();
    asked = catalog.analysis({ schemas: ['pg_catalog', 'public'] });
  });

  afterAll(async () => {
    await client?.end();
    await server?.stop();
  });

  async function rowsOf<T>(sql: string, ...values: unknown[]): Promise<T[]> {
    const { rows } = await client.query<{ readonly row: T }>(sql, values);
    return rows.map(({ row }) => row);
  }

  /** Every row of a catalog as the server tells it, each beside what the lookup gives. */
  async function compare(sql: string, found: (oid: number) => unknown, atLeast: number): Promise<void> {
    const rows = await rowsOf<{ readonly oid: number }>(sql);
    expect(rows.length).toBeGreaterThan(atLeast);
    expect(rows.map(({ oid }) => found(oid))).toEqual(rows);
  }

  /** What the server finds by a text made of what the lookup says; it is what was looked up. */
  async function reads(cast: string, texts: readonly { readonly oid: number; readonly text: unknown }[]) {
    const wrong = await rowsOf(
      `SELECT e AS row FROM json_array_elements($1) e WHERE (${cast})::oid <> (e->>'oid')::oid`,
      JSON.stringify(texts),
    );
    expect(wrong).toEqual([]);
  }

  /** Each name is asked for, and gives exactly the rows that have it. */
  async function compareNames(
    table: string,
    name: string,
    found: (name: string) => readonly { readonly oid: number }[],
  ) {
    const rows = await rowsOf<readonly [string, readonly number[]]>(
      `SELECT json_build_array(${name}, json_agg(oid::int8 ORDER BY oid)) AS row FROM ${table} GROUP BY ${name}`,
    );
    const ours = rows.map(([one]) => [one, found(one).map(({ oid }) => oid)]);
    for (const [, oids] of ours) (oids as number[]).sort((a, b) => a - b);
    expect(ours).toEqual(rows);
  }

  test('types', async () => {
    await compare(
      `SELECT json_build_object('oid', t.oid::int8, 'namespace', typnamespace::int8, 'name', typname, 'kind', typtype,
        'category', typcategory, 'preferred', typispreferred, 'subscript', typsubscript::oid::int8, 'element', typelem::int8,
        'array', typarray::int8, 'relation', typrelid::int8, 'base', typbasetype::int8, 'baseModifier', typtypmod,
        'bound', coalesce(r.rngsubtype, m.rngtypid, 0)::int8, 'multirange', coalesce(r.rngmultitypid, 0)::int8,
        'modifierInput', typmodin::oid::int8, 'collatable', typcollation <> 0) AS row
        FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_range m ON m.rngmultitypid = t.oid`,
      (oid) => asked.type(oid),
      600,
    );
    await compareNames('pg_type', 'typname', (name) => asked.typesNamed(name));
    const types = await rowsOf<number>('SELECT oid::int8::int AS row FROM pg_type');
    await reads(
      `format('%I.%I', e->'text'->>0, e->'text'->>1)::regtype`,
      types.map((oid) => ({ oid, text: [schemaOf(asked.type(oid)), asked.type(oid)?.name] })),
    );
    const subtypes = await rowsOf<readonly [number, number[]]>(
      `SELECT json_build_array(rngsubtype::int8, json_agg(rngtypid::int8 ORDER BY rngtypid)) AS row FROM pg_range GROUP BY rngsubtype`,
    );
    expect(subtypes.map(([subtype]) => [subtype, asked.rangesOf(subtype).toSorted()])).toEqual(subtypes);
    expect(asked.type(1)).toBeUndefined();
    expect(asked.typesNamed('nothing')).toEqual([]);
  });

  test('what older servers do not say of types is made of what they say', async () => {
    const { subscript, multirange } = CATALOG_TABLES.pg_type.columns;
    const of = async (sql: string) =>
      rowsOf(`SELECT json_build_array(typname, ${sql.replaceAll(/typsubscript|rngmultitypid/g, 'not_there')}) AS row
        FROM pg_type x WHERE typname IN ('_int4', 'name', 'text', 'oidvector', '_mood', 'spans') ORDER BY typname COLLATE "C"`);
    const expected = { _int4: 6179, _mood: 6179, name: 6180, oidvector: 6179, spans: 0, text: 0 };
    expect(await of(subscript)).toEqual(Object.entries(expected));
    expect(await of(multirange)).toEqual(Object.keys(expected).map((name) => [name, 0]));
  });

  test('functions', async () => {
    const oids = (list: string) =>
      `array(SELECT u::int8 FROM unnest(${list}) WITH ORDINALITY AS l(u, i) ORDER BY i)`;
    await compare(
      `SELECT json_strip_nulls(json_build_object('oid', p.oid::int8, 'namespace', pronamespace::int8, 'name', proname, 'kind', prokind,
        'takes', ${oids('proargtypes::oid[]')}, 'all', ${oids('coalesce(proallargtypes, proargtypes::oid[])')},
        'modes', coalesce((SELECT string_agg(u, '' ORDER BY i) FROM unnest(proargmodes) WITH ORDINALITY AS l(u, i)), ''),
        'names', coalesce(proargnames, '{}'), 'variadic', provariadic::int8, 'defaults', pronargdefaults,
        'returns', prorettype::int8, 'returnsSet', proretset,
        'aggregate', CASE WHEN a.aggfnoid IS NOT NULL THEN json_build_object('kind', aggkind, 'direct', aggnumdirectargs) END)) AS row
        FROM pg_proc p LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid`,
      (oid) => asked.function(oid),
      3000,
    );
    await compareNames('pg_proc', 'proname', (name) => asked.functionsNamed(name));
    const functions = await rowsOf<number>('SELECT oid::int8::int AS row FROM pg_proc');
    await reads(
      `(format('%I.%I(', e->'text'->>0, e->'text'->>1)
        || (SELECT coalesce(string_agg(format_type(t::oid, NULL), ','), '') FROM json_array_elements_text(e->'text'->2) t) || ')')::regprocedure`,
      functions.map((oid) => {
        const found = asked.function(oid);
        return { oid, text: [schemaOf(found), found?.name, found?.takes] };
      }),
    );
  });

  test('operators', async () => {
    await compare(
      `SELECT json_build_object('oid', oid::int8, 'namespace', oprnamespace::int8, 'name', oprname, 'left', oprleft::int8,
        'right', oprright::int8, 'result', oprresult::int8, 'function', oprcode::oid::int8) AS row FROM pg_operator`,
      (oid) => asked.operator(oid),
      700,
    );
    await compareNames('pg_operator', 'oprname', (name) => asked.operatorsNamed(name));
    const operators = await rowsOf<number>('SELECT oid::int8::int AS row FROM pg_operator');
    await reads(
      `format('%I.%s(%s,%s)', e->'text'->>0, e->'text'->>1,
        CASE e->'text'->>2 WHEN '0' THEN 'NONE' ELSE format_type((e->'text'->>2)::oid, NULL) END,
        format_type((e->'text'->>3)::oid, NULL))::regoperator`,
      operators.map((oid) => {
        const found = asked.operator(oid);
        return { oid, text: [schemaOf(found), found?.name, found?.left, found?.right] };
      }),
    );
  });

  test('casts', async () => {
    const casts = await rowsOf<{ readonly source: number; readonly target: number }>(
      `SELECT json_build_object('source', castsource::int8, 'target', casttarget::int8, 'function', castfunc::int8,
        'context', castcontext, 'method', castmethod) AS row FROM pg_cast`,
    );
    expect(casts.length).toBeGreaterThan(200);
    expect(casts.map(({ source, target }) => asked.cast(source, target))).toEqual(casts);
    expect(asked.cast(16, 1184)).toBeUndefined();
  });

  test('relations, their columns, parents and keys', async () => {
    await compare(
      `SELECT json_build_object('oid', oid::int8, 'namespace', relnamespace::int8, 'name', relname, 'kind', relkind,
        'rowType', reltype::int8, 'width', relnatts, 'columns', (SELECT coalesce(json_agg(json_build_object('attnum', attnum,
          'name', attname, 'type', atttypid::int8, 'modifier', atttypmod, 'generated', attgenerated <> '', 'hasDefault', atthasdef)
          ORDER BY attnum), '[]') FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)) AS row
        FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')`,
      (oid) => asked.relation(oid),
      200,
    );
    const kept = `pg_class WHERE relkind NOT IN ('i', 'I', 't')`;
    await compareNames(kept, 'relname', (name) => asked.relationsNamed(name));
    const parents = await rowsOf<readonly [number, number[]]>(
      `SELECT json_build_array(inhrelid::int8, json_agg(inhparent::int8 ORDER BY inhparent)) AS row FROM pg_inherits GROUP BY inhrelid`,
    );
    expect(parents.map(([child]) => [child, asked.parentsOf(child).toSorted()])).toEqual(parents);
    const keys = await rowsOf<readonly [number, number[]]>(
      `SELECT json_build_array(c.oid::int8, i.indkey::int2[]) AS row FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
        AND i.indisprimary AND i.indimmediate WHERE c.oid >= 16384 AND c.relkind <> 't'`,
    );
    expect(keys.length).toBe(3);
    expect(keys.map(([oid]) => [oid, asked.primaryKey(oid)])).toEqual(keys);
    const [late] = asked.relationsNamed('late');
    expect(asked.primaryKey(late!.oid)).toBeUndefined();
  });

  test('classes and families of what compares', async () => {
    for (const method of [403, 405] as const) {
      const classes = await rowsOf<{ readonly oid: number }>(
        `SELECT json_build_object('oid', oid::int8, 'namespace', opcnamespace::int8, 'name', opcname, 'family', opcfamily::int8,
          'type', opcintype::int8, 'isDefault', opcdefault) AS row FROM pg_opclass WHERE opcmethod = ${method} ORDER BY oid`,
      );
      expect(classes.length).toBeGreaterThan(40);
      expect(asked.operatorClasses(method).toSorted((a, b) => a.oid - b.oid)).toEqual(classes);
    }
    const families = await rowsOf<readonly [number, unknown[]]>(
      `SELECT json_build_array(amopfamily::int8, json_agg(json_build_object('operator', amopopr::int8, 'left', amoplefttype::int8,
        'right', amoprighttype::int8, 'strategy', amopstrategy) ORDER BY amopopr)) AS row
        FROM pg_amop WHERE amoppurpose = 's' AND amopmethod IN (403, 405) GROUP BY amopfamily`,
    );
    expect(families.length).toBeGreaterThan(60);
    const ours = families.map(([family]) => [
      family,
      asked.familyOperators(family).toSorted((a, b) => a.operator - b.operator),
    ]);
    expect(ours).toEqual(families);
  });

  test('functions that say what is in a range of values', async () => {
    const families = await rowsOf<readonly [number, { readonly function: number }[]]>(
      `SELECT json_build_array(f.oid::int8, coalesce(json_agg(json_build_object('left', amproclefttype::int8,
        'right', amprocrighttype::int8, 'function', amproc::oid::int8) ORDER BY amproc::oid)
        FILTER (WHERE opfmethod = 403 AND amprocnum = 3), '[]')) AS row
        FROM pg_opfamily f JOIN pg_amproc ON amprocfamily = f.oid GROUP BY f.oid`,
    );
    expect(families.filter(([, functions]) => functions.length > 0).length).toBeGreaterThan(5);
    const ours = families.map(([family]) => [
      family,
      asked.inRangeFunctions(family).toSorted((a, b) => a.function - b.function),
    ]);
    expect(ours).toEqual(families);
  });

  test('a path finds what the server finds', async () => {
    for (const path of [['public'], ['Odd name', 'public'], ['public', 'pg_catalog', 'Odd name']]) {
      await client.query(`SELECT set_config('search_path', $1, false)`, [
        path.map((one) => `"${one}"`).join(),
      ]);
      const [schemas] = await rowsOf<string[]>('SELECT to_json(current_schemas(true)) AS row');
      const view = catalog.analysis({ schemas: schemas! });
      const names = await rowsOf<readonly [string, string]>(
        `SELECT json_build_array(relname, to_regclass(quote_ident(relname))::oid::int8) AS row FROM pg_class WHERE relkind IN ('r', 'v')`,
      );
      const first = (name: string) =>
        view.path.flatMap(
          (schema) => view.relationsNamed(name).find((one) => one.namespace === schema) ?? [],
        )[0];
      expect(names.map(([name]) => [name, first(name)?.oid ?? null])).toEqual(names);
    }
    await client.query('RESET search_path');
  });

  test("one connection's own sight: what it has not committed, and its temporary objects", async () => {
    const own = new ConnectionCatalog(catalogConnection(client));
    const before = await own.read();
    expect(before).toMatchObject({ temporary: undefined, major: Number(version) });
    await client.query('BEGIN');
    await client.query(
      'CREATE TEMP TABLE mine (id int PRIMARY KEY); CREATE FUNCTION made(int) RETURNS int LANGUAGE sql AS $$ select 1 $$',
    );
    await client.query('ALTER TABLE other ADD COLUMN w varchar(3); DROP CAST (mood AS varchar)');
    const during = await own.read();
    const [mine] = during.relationsNamed('mine');
    expect([during.temporary, during.path[0], during.namespace('pg_temp')]).toEqual(
      Array(3).fill(mine!.namespace),
    );
    expect(during.functionsNamed('made')).toHaveLength(1);
    expect(during.relationsNamed('other')[0]?.columns.map(({ name }) => name)).toEqual(['x', 'y', 'w']);
    expect(before.relationsNamed('other')[0]?.columns).toHaveLength(2);
    const mood = during.typesNamed('mood')[0]!.oid;
    expect([before.cast(mood, 1043)?.method, during.cast(mood, 1043)]).toEqual(['i', undefined]);
    await client.query('ROLLBACK');
    const after = await own.read();
    expect([after.relationsNamed('mine'), after.functionsNamed('made')]).toEqual([[], []]);
    expect(after.cast(mood, 1043)).toEqual(before.cast(mood, 1043));
  });

  function schemaOf(found: { readonly namespace: number } | undefined): string | undefined {
    return found === undefined ? undefined : catalog.schemaName(found.namespace);
  }
});
