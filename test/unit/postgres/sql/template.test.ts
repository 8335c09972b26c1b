import fc from 'fast-check';
import { loadModule, parseSync, scanSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { extractFacts } from '../../../../src/protocols/postgres/sql/facts/extract.ts';
import { literalSpans, plainLiterals } from '../../../../src/protocols/postgres/sql/parse/literals.ts';
import { eachToken, type Token } from '../../../../src/protocols/postgres/sql/parse/plain-lexer.ts';
import { templateOf } from '../../../../src/protocols/postgres/sql/parse/template.ts';

beforeAll(() => loadModule());

const key = (text: string) => templateOf(text)?.key;
/**
 * What a text says, wherever its statements and the names in them stand; the error's kind where it does not parse. Places are
 * asked for only of what would be refused, and that is planned for itself.
 */
const facts = (text: string) => {
  try {
    return extractFacts(parseSync(text), text).map(({ offset: _, length: __, readPlaces, ...rest }) => ({
      ...rest,
      reads: readPlaces.map(({ at: ___, ...place }) => place),
    }));
  } catch {
    return 'refused';
  }
};

describe('texts that share a template', () => {
  it.each([
    ['SELECT a FROM t WHERE id = 1', 'SELECT a FROM t WHERE id = 222'],
    ["SELECT a FROM t WHERE name = 'x'", "SELECT a FROM t WHERE name = 'it''s -- no /* comment'"],
    ['SELECT a FROM s.t WHERE t.id >= 1 AND b <> 2;', 'SELECT a FROM s.t WHERE t.id >= 9 AND b <> 7;'],
    ['SELECT a FROM t WHERE id = -1 LIMIT 5', 'SELECT a FROM t WHERE id = -2 LIMIT 5'],
    ['SELECT a FROM t WHERE id IN (1, 2)', 'SELECT a FROM t WHERE id IN (3, -4)'],
    ['UPDATE t SET a = a + 1, b = 2 WHERE id = 3', 'UPDATE t SET a = a + 4, b = 5 WHERE id = 6'],
    ['UPDATE t SET a = a + -1 WHERE id = 3;', 'UPDATE t SET a = a + -77 WHERE id = 3;'],
    ["INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')", "INSERT INTO t (a, b) VALUES (3, ''), (4, 'z')"],
    ['DELETE FROM t WHERE a = 1 RETURNING b', 'DELETE FROM t WHERE a = 2 RETURNING b'],
    ['SELECT (a >= 1) AND b FROM t', 'SELECT (a >= 100) AND b FROM t'],
  ])('%s', (one, other) => {
    expect(key(one)).toBeDefined();
    if (one.includes('-4') === other.includes('-4')) expect(key(other)).toBe(key(one));
    expect(facts(other)).toEqual(facts(one));
    expect(key(one)).not.toBe(one);
  });
});

describe('literals that say something', () => {
  it.each([
    ['SELECT a, b FROM t ORDER BY 1', 'SELECT a, b FROM t ORDER BY 2'],
    ['SELECT a, b FROM t GROUP BY 1, 2', 'SELECT a, b FROM t GROUP BY 2, 1'],
    ['SELECT a FROM t LIMIT 1', 'SELECT a FROM t LIMIT 1000000'],
    ['SELECT a FROM t OFFSET - 1', 'SELECT a FROM t OFFSET - 2'],
    ['DELETE FROM t WHERE 1 = 2', 'DELETE FROM t WHERE 1 = 1'],
    ['DELETE FROM t WHERE 2 > 3', 'DELETE FROM t WHERE 2 > 1'],
    ['DELETE FROM t WHERE a + 1 = a + 2', 'DELETE FROM t WHERE a + 1 = a + 1'],
    ['DELETE FROM t WHERE 5 IN (6)', 'DELETE FROM t WHERE 5 IN (5)'],
    ["SELECT set_config('a', 'b', true)", "SELECT set_config('search_path', 'b', true)"],
    ['SELECT f(a = 1) FROM t', 'SELECT f(a = 2) FROM t'],
    ["DELETE FROM t WHERE a LIKE 'x'", "DELETE FROM t WHERE a LIKE '%'"],
    ['DELETE FROM t WHERE b = 1 OR true', 'DELETE FROM t WHERE b = 1 OR false'],
    ["SET a = 'x'", "SET a = 'y'"],
    ['SELECT 1', "SELECT 'x'"],
    ['SELECT a FROM t WHERE id = 1', "SELECT a FROM t WHERE id = '1'"],
    ['SELECT a FROM t WHERE id = 999999999', 'SELECT a FROM t WHERE id = 9999999999'],
  ])('%s', (one, other) => {
    if (key(one) !== undefined) expect(key(other)).not.toBe(key(one));
  });

  it('opposites are never read by a template: whether they meet depends on their literals', () => {
    expect(key('DELETE FROM t WHERE a = 1 OR NOT a = 2')).toBeUndefined();
  });
});

describe('what is not certain is parsed for itself', () => {
  it.each([
    "SELECT a FROM t WHERE b = E'x'",
    "SELECT a FROM t WHERE b = U&'x'",
    "SELECT a FROM t WHERE b = 'x\\'",
    "SELECT a FROM t WHERE b = 'x'\n'y'",
    'SELECT a FROM t WHERE b = $$x$$',
    'SELECT a FROM t WHERE b = $1',
    'SELECT a FROM t WHERE b = 1 -- x',
    'SELECT a FROM t WHERE b = 1 /* x */',
    'SELECT "a" FROM t WHERE b = 1',
    'SELECT a FROM t WHERE b = 1.5',
    'SELECT a FROM t WHERE b = 1e5',
    'SELECT a FROM t WHERE b = .5',
    'SELECT a FROM t WHERE b = 0x1F',
    'SELECT a FROM t WHERE b = 1_000',
    'SELECT a FROM t WHERE b = 1::text',
    'SELECT a FROM t WHERE b =-1',
    'SELECT a FROM t WHERE b @> 1',
    'SELECT a FROM t WHERE b = 1; DROP TABLE t',
    "SELECT a FROM t WHERE b = 'é'",
    'SELECT a\u00a0FROM t WHERE b = 1',
    'WITH x AS (DELETE FROM t WHERE a = 1) SELECT 1',
    "SELECT a FROM t WHERE b = 'open",
    'SELECT a\vFROM t',
    'SELECT a\0FROM t',
    '',
  ])('%s', (text) => expect(templateOf(text)).toBeUndefined());
});

const column = fc.constantFrom(
  'a',
  'b',
  'id',
  't.a',
  'NULL',
  'date',
  'LIMIT',
  'value',
  'count(*)',
  '5',
  'f(a)',
);
const literal = fc.oneof(
  fc.nat(2_000_000_000).map(String),
  fc.constantFrom(
    "'x'",
    "''",
    "'it''s'",
    "'%'",
    "'t'",
    '1',
    '0',
    '-3',
    '- 3',
    "date '2020-01-01'",
    '1.5',
    "E'a'",
  ),
);
const operator = fc.constantFrom(
  '=',
  '<',
  '>',
  '<=',
  '>=',
  '<>',
  '!=',
  '+',
  '-',
  '*',
  'LIKE',
  'IS',
  '<->',
  '=-',
);
const condition = fc
  .array(fc.tuple(column, operator, fc.oneof(literal, column)), { minLength: 1, maxLength: 3 })
  .chain((parts) =>
    fc
      .constantFrom(' AND ', ' OR ', ' OR NOT ', ' = ', ') AND (', ', ')
      .map((join) => parts.map((part) => part.join(' ')).join(join)),
  );
const statement = fc.oneof(
  fc
    .tuple(condition, fc.constantFrom('', ' LIMIT 5', ' ORDER BY 1', ' GROUP BY a, 2', ';', ' FOR UPDATE'))
    .map(([where, tail]) => `SELECT a, t.b FROM t WHERE (${where})${tail}`),
  condition.map((where) => `DELETE FROM t WHERE ${where}`),
  fc.tuple(condition, condition).map(([set, where]) => `UPDATE t SET ${set} WHERE ${where}`),
  fc.array(literal, { minLength: 1 }).map((values) => `INSERT INTO t VALUES (${values.join(', ')})`),
  fc.array(literal, { minLength: 1 }).map((values) => `SELECT a FROM t WHERE id IN (${values.join(', ')})`),
  fc.tuple(condition, literal).map(([one, two]) => `SELECT ${one}, f(${two}) FROM t`),
);

/** Pieces of which a lexer may make one token or several, and comments, and what is none. */
const piece = fc.constantFrom(
  ...' \n\t\v\'"$-+*/=<>!.,;():_aE1x\\é\u00a0[]%|&?#@~^`'.split(''),
  ...[
    '--',
    '/*',
    "''",
    '""',
    "'a'",
    '"b"',
    '$1',
    '$a$',
    'U&',
    'N',
    'B',
    '12',
    '1.5',
    '.5',
    '1.',
    '1e5',
    '0x1',
    '1_0',
  ],
  ...['9999999999', 'sel', 'select', '::', ':=', '->>', '=>', '=-', '~-', '|/', '..'],
);
const anyText = fc.oneof(
  fc.array(piece, { maxLength: 14 }).map((all) => all.join('')),
  statement,
);

describe('against the grammar itself', () => {
  it('reads every token where the server does, or gives up', () => {
    let read = 0;
    fc.assert(
      fc.property(anyText, (text) => {
        const tokens: Token[] = [];
        const isRead = eachToken(text, (token) => tokens.push(token) > 0);
        if (!isRead || tokens.length === 0) return;
        read++;
        const scanned = scanSync(text).tokens;
        expect(tokens.map(({ start, end }) => [start, end])).toEqual(
          scanned.map(({ start, end }) => [start, end]),
        );
        expect(plainLiterals(text)).toEqual(literalSpans(scanned));
      }),
      { numRuns: 8000 },
    );
    expect(read).toBeGreaterThan(1000);
  });

  it.each([
    "SELECT \"a\" FROM t WHERE b = 1.5 AND c->>'x' = $1 AND d[1:2] @> 99999999999::bigint AND e % 7 ~ 'it''s'",
    "SELECT f(a => 'x', b := 2) FROM \"t;--\" WHERE \"it's\" <> '/* no comment */'",
  ])('reads %s', (text) => {
    expect(plainLiterals(text)).toEqual(literalSpans(scanSync(text).tokens));
  });

  it('texts with one key say the same', () => {
    const kinds = /'(?:[^']|'')*'|\b\d+\b/g;
    let shared = 0;
    fc.assert(
      fc.property(statement, fc.array(fc.nat(30), { minLength: 8, maxLength: 8 }), (text, values) => {
        let i = 0;
        const next = () => values[i++ % values.length]!;
        const other = text.replace(kinds, (found) => (found.startsWith("'") ? `'${next()}'` : `${next()}`));
        const one = key(text);
        if (one === undefined || key(other) !== one) return;
        shared++;
        expect(facts(other)).toEqual(facts(text));
      }),
      { numRuns: 4000 },
    );
    expect(shared).toBeGreaterThan(100);
  });
});
