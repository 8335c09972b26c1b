import fc from 'fast-check';
import { loadModule, scanSync } from 'libpg-query';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SqlParser } from '../../../../src/protocols/postgres/sql/parse/parser.ts';
import { inLines } from '../../../../src/protocols/postgres/sql/tokens/in-lines.ts';

beforeAll(() => loadModule());

describe('a statement in lines', () => {
  it.each<[string, string, string[]]>([
    [
      'each clause in a line, and what is long further in',
      "UPDATE orders SET status = 'x' WHERE placed_at < '2024-01-01' AND customer_id IN (SELECT id FROM customers " +
        "WHERE country = 'DE' AND created BETWEEN '2020-01-01' AND '2021-01-01') RETURNING id",
      [
        'UPDATE orders',
        "SET status = 'x'",
        "WHERE placed_at < '2024-01-01'",
        '  AND customer_id IN (',
        '    SELECT id',
        '    FROM customers',
        "    WHERE country = 'DE' AND created BETWEEN '2020-01-01' AND '2021-01-01'",
        '  )',
        'RETURNING id',
      ],
    ],
    [
      'words that begin no clause where they stand',
      'DELETE FROM t USING u WHERE a IS DISTINCT FROM b AND extract(year FROM d) = CASE WHEN x AND y THEN 1 END',
      [
        'DELETE FROM t USING u',
        'WHERE a IS DISTINCT FROM b',
        '  AND extract(year FROM d) = CASE WHEN x AND y THEN 1 END',
      ],
    ],
    [
      'a short subquery stays in its line',
      'WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a UNION ALL VALUES (1), (2) ON CONFLICT (id) DO UPDATE SET b = 1',
      [
        'WITH a AS (SELECT 1) INSERT INTO t',
        'SELECT *',
        'FROM a',
        'UNION ALL',
        'VALUES (1), (2)',
        'ON CONFLICT (id) DO UPDATE',
        'SET b = 1',
      ],
    ],
    [
      'what is defined, by its commas',
      'CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE)',
      [
        'CREATE TABLE orders (',
        '  id bigint PRIMARY KEY,',
        '  customer bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE',
        ')',
      ],
    ],
    [
      'a view by its query, a body as it stands',
      'CREATE OR REPLACE VIEW v AS SELECT a FROM b; CREATE FUNCTION f() RETURNS int AS $$\n  SELECT 1;\n$$ LANGUAGE sql',
      [
        'CREATE OR REPLACE VIEW v AS',
        'SELECT a',
        'FROM b;',
        'CREATE FUNCTION f() RETURNS int AS $$',
        '  SELECT 1;',
        '$$ LANGUAGE sql',
      ],
    ],
    [
      'comments, and what follows one that the line ends',
      "SELECT 1 -- one, AND\n, 2 /* FROM x */ FROM t WHERE a = 'x'\n'y' AND b = E'\\'' -- end",
      [
        'SELECT 1 -- one, AND',
        ',',
        '  2 /* FROM x */',
        'FROM t',
        "WHERE a = 'x'",
        "'y'",
        "  AND b = E'\\'' -- end",
      ],
    ],
    [
      'a masked text',
      "UPDATE t SET a = '***' WHERE b = *** /***/",
      ['UPDATE t', "SET a = '***'", 'WHERE b = *** /***/'],
    ],
    ['what is no statement', '((( SELECT ) FROM', ['((( SELECT ) FROM']],
  ])('%s', (_, text, lines) => {
    expect(inLines(text, scanSync)?.split('\n')).toEqual(lines);
  });

  it.each(["SELECT 'open", 'SELECT /* open', 'SELECT "open'])(
    'none for what the lexer does not take: %s',
    (text) => expect(() => inLines(text, scanSync)).toThrow('unterminat'),
  );

  it('none where the lexer would find other tokens in it', () => {
    const text = 'SELECT a FROM t WHERE b';
    let asked = 0;
    // A lexer that reads what it is asked second otherwise.
    const fickle = (sql: string) => scanSync(asked++ === 0 ? sql : sql.replace('b', '1'));
    expect(inLines(text, scanSync)).toBeDefined();
    expect(inLines(text, fickle)).toBeUndefined();
  });
});

describe('whatever the text', () => {
  const WORDS = [
    ...'select from where and or between case when then else end set values update delete insert into on'.split(
      ' ',
    ),
    ...'group by order limit join left outer using returning union all with as for conflict distinct'.split(
      ' ',
    ),
    ...[
      '(',
      ')',
      '(',
      ')',
      ',',
      ';',
      '.',
      '::',
      '=',
      '-',
      '->>',
      '*',
      '<@',
      '[',
      ']',
      ':=',
      '$1',
      '1',
      '1.5',
      '1e5',
    ],
    ...[
      'a',
      '"from"',
      'é',
      "'x'",
      "'y z'",
      "E'\\n'",
      "U&'x'",
      '$$a\n b$$',
      '$q$;$q$',
      "X'1F'",
      "B'0'",
      "'a\nb'",
    ],
    ...['/* c */', '/* a /* b */ c */', '-- d\n', '--\n', "'\u0001'", 'null', 'interval'],
  ];
  const GAPS = ['', ' ', '\n', '\t', '\r\n', '  \n  ', '\f', '\v'];
  const soup = fc
    .array(fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom(...GAPS)), { maxLength: 60 })
    .map((parts) => parts.flat().join(''));
  /** By the lexer itself, apart from what the code under test makes of it. */
  const tokensOf = (text: string) => {
    const octets = Buffer.from(text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: its list is JSON that does not escape them.
    const { tokens } = scanSync(text.replace(/\v/g, ' ').replace(/[\u0001-\u0008\u000e-\u001f]/g, '.'));
    return tokens.map(({ tokenType, start, end }) => [tokenType, octets.toString('utf8', start, end)]);
  };
  const read = (text: string) => {
    try {
      return tokensOf(text);
    } catch {
      return undefined;
    }
  };

  it('the lines have its tokens and no others', () => {
    let shown = 0;
    fc.assert(
      fc.property(soup, (text) => {
        const tokens = read(text);
        if (tokens === undefined) return;
        const lines = inLines(text, scanSync);
        expect(lines, text).toBeDefined();
        expect(tokensOf(lines!)).toEqual(tokens);
        shown++;
      }),
      { numRuns: 300 },
    );
    expect(shown).toBeGreaterThan(200);
  });

  it('and lines of lines are the same lines', () => {
    fc.assert(
      fc.property(soup, (text) => {
        if (read(text) === undefined) return;
        const lines = inLines(text, scanSync)!;
        expect(tokensOf(inLines(lines, scanSync)!)).toEqual(tokensOf(lines));
      }),
      { numRuns: 50 },
    );
  });
});

describe('in the threads that parse', () => {
  const parser = new SqlParser();
  afterAll(() => parser.close());

  it('as deep and as long as they get', async () => {
    expect(await parser.inLines('SELECT a FROM t')).toBe('SELECT a\nFROM t');
    const deep = `SELECT ${'('.repeat(8_000)}1${')'.repeat(8_000)}`;
    expect((await parser.inLines(deep))?.replace(/\s/g, '')).toBe(deep.replace(/\s/g, ''));
    const long = `INSERT INTO t VALUES ${'(1, 2), '.repeat(2_000)}(3, 4)`;
    expect((await parser.inLines(long))?.length).toBeGreaterThan(long.length - 1);
    for (const none of ['x'.repeat(16_385), "SELECT '", 'SELECT \0', '\ud800'])
      expect(await parser.inLines(none)).toBeUndefined();
  });

  it('none where the threads are gone', async () => {
    const gone = new SqlParser();
    await gone.close();
    expect(await gone.inLines('SELECT 1')).toBeUndefined();
  });
});
