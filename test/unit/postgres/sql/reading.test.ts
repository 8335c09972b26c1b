import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StatementFacts } from '../../../../src/protocols/postgres/sql/facts/facts.ts';
import { planStatement } from '../../../../src/protocols/postgres/sql/meaning/resolve.ts';
import { foreignIdentifiers } from '../../../../src/protocols/postgres/sql/parse/encoding.ts';
import { SqlParser } from '../../../../src/protocols/postgres/sql/parse/parser.ts';
import { scopeOf } from '../../../support/postgres/masked-columns.ts';
import { fixtureCatalog } from './fixture.ts';

let parser: SqlParser;
beforeAll(() => {
  parser = new SqlParser();
});
afterAll(() => parser.close());

async function factsOf(sql: string, major: number): Promise<StatementFacts> {
  return (await parser.parse(sql, major)).statements[0]!;
}

describe('words that not all versions have', () => {
  const SYSTEM_USER = 'SELECT reverse(system_user::text) FROM customers AS "system_user"';

  test.each([13, 14, 15])('PostgreSQL %i takes system_user for the name that it is', async (major) => {
    const { columns, functions } = await factsOf(SYSTEM_USER, major);
    expect(columns.map(({ path }) => path)).toEqual([['system_user']]);
    expect(functions.map(({ name }) => name)).toEqual([['reverse']]);
  });

  test.each([16, 17, 18])('PostgreSQL %i takes it for a keyword', async (major) => {
    const { columns, functions } = await factsOf(SYSTEM_USER, major);
    expect(columns).toEqual([]);
    expect(functions.map(({ name }) => name)).toContainEqual(['pg_catalog', 'system_user']);
  });

  test('both readings of one text are kept apart', async () => {
    for (const major of [15, 18, 15, 18])
      expect((await factsOf(SYSTEM_USER, major)).columns.length).toBe(major === 15 ? 1 : 0);
  });

  test.each([
    ['SELECT json_value(x) FROM t', 15],
    ['SELECT JSON_SCALAR(x) FROM t', 16],
    ['SELECT merge_action(x) FROM t', 16],
    ['SELECT json(x) FROM t', 16],
  ])('%s is a call on %i', async (sql, major) => {
    const [use] = (await factsOf(sql, major)).functions;
    expect(use).toMatchObject({ notation: 'call', name: [sql.slice(7, sql.indexOf('(')).toLowerCase()] });
  });

  test.each([
    ['SELECT x::json FROM t', 15, ['json']],
    ['SELECT x::json FROM t', 16, ['json']],
    ['SELECT x::json FROM t WHERE y IS JSON', 16, ['json']],
    ['SELECT x::json FROM t WHERE y IS /* not a word */ -- nor this\nJSON', 16, ['json']],
    ['SELECT x::json FROM t', 17, ['pg_catalog', 'json']],
  ])('the type in %s on %i', async (sql, major, name) => {
    expect((await factsOf(sql, major)).types).toEqual([name]);
  });

  test.each([
    "SELECT x.a FROM XMLTABLE('/r' PASSING doc COLUMNS a text PATH '@a') AS x",
    'COPY t TO STDOUT (FORMAT csv)',
    'EXPLAIN (FORMAT JSON) SELECT 1',
    "SELECT string, path, target, error FROM source AS plan WHERE keys = 'path' -- json\n",
    "SELECT path\u000b, 'a\u0001' FROM t",
    'CREATE TABLE t (format text, period text, string text)',
  ])('%s is read as before', async (sql) => {
    const { unsupported, newer } = await factsOf(sql, 15);
    expect({ unsupported, newer }).toEqual({});
  });

  test('an error is told where it stands in the text that was sent', async () => {
    await expect(parser.parse('SELECT path, string FROM t WHERE', 15)).rejects.toMatchObject({
      hint: expect.stringContaining(`character ${'SELECT path, string FROM t WHERE'.length + 1}`),
    });
    await expect(parser.parse('SELECT path, 1x FROM t', 15)).rejects.toMatchObject({
      code: 'ERR_SYNTAX',
    });
  });
});

describe('what an older server does not have', () => {
  const input = {
    resource: { type: 'Resource', id: 'pg', attrs: {} },
    columnTags: () => [],
    tagsOf: () => [],
    searchPaths: [],
    isMasked: () => false,
  };

  async function refusalOf(sql: string, major: number): Promise<string | undefined> {
    const catalog = { ...fixtureCatalog(), serverVersion: major * 10_000 };
    return planStatement(await factsOf(sql, major), catalog, { ...input, names: scopeOf(catalog) }).refusal
      ?.reason;
  }

  test.each([
    ['SELECT 1_000', 15, 'the number 1_000 came with PostgreSQL 16, and this server is a PostgreSQL 15'],
    ['SELECT 0x1F', 14, 'the number 0x1f came with'],
    ['SELECT 1 FROM (SELECT 2)', 15, 'a subquery in FROM without an alias came with'],
    ['CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a))', 17, 'a generated column that is not STORED'],
    ['SELECT x IS JSON FROM orders', 15, undefined],
    [
      'UPDATE orders SET id = 1 RETURNING WITH (OLD AS o) o.id',
      17,
      'RETURNING WITH (…) came with PostgreSQL 18',
    ],
    ['SELECT id FROM orders GROUP BY DISTINCT id', 13, 'GROUP BY DISTINCT came with PostgreSQL 14'],
  ])('%s on %i', async (sql, major, reason) => {
    if (reason === undefined)
      await expect(parser.parse(sql, major)).rejects.toMatchObject({ code: 'ERR_SYNTAX' });
    else expect(await refusalOf(sql, major)).toContain(reason);
  });

  test.each(['SELECT \'1_000\', "0x1F" FROM orders', 'SELECT a1_000 FROM orders'])(
    '%s is read',
    async (sql) => {
      expect(await refusalOf(sql, 15)).toBeUndefined();
    },
  );
});

describe('databases in another encoding', () => {
  test.each([
    ['SELECT 1', 'LATIN1', false],
    ["SELECT 'é' -- é", 'LATIN1', false],
    ['SELECT "é"', 'LATIN1', true],
    ['SELECT é', 'EUC_JP', true],
    ['SELECT U&"d\\00e9"', 'SQL_ASCII', true],
    ["SELECT U&'d\\00e9'", 'SQL_ASCII', false],
    ['SELECT "é"', 'UTF8', false],
  ])('%s in %s', async (sql, encoding, refused) => {
    const { literals } = await parser.parse(sql);
    expect(foreignIdentifiers(sql, literals, encoding)?.rule).toBe(
      refused ? 'identifier-encoding' : undefined,
    );
  });

  test.each(['a'.repeat(70), 'é'.repeat(40), `${'a'.repeat(62)}é`])(
    'a long name is cut as UTF-8 is: %s',
    async (name) => {
      const cut = Buffer.from(name)
        .subarray(0, 63)
        .toString('utf8')
        .replace(/\ufffd+$/, '');
      const { relations } = await factsOf(`SELECT 1 FROM "${name}", ${name}`, 15);
      expect(relations.map((use) => use.name)).toEqual([cut]);
    },
  );
});
