/**
 * Free text in plain columns alone, by chance: queries that compute with it here and there, asked of a real server twice. The second
 * time each text is another, letter by letter, in the same order. What a permitted query shows must be the same then, with each
 * value as a whole exchanged: had it shown a part of one, or something made of it, it would differ.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MaskedDatabase, maskedDatabase } from '../../support/postgres/masked-database.ts';

/** Whole values, before and after: none is part of another. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['alpha 11', 'kilo 7'],
  ['bravo 4', 'lima 909'],
  ['charlie', 'mikes'],
  ['delta 3', 'november 5'],
  ['echo xx', 'oscar y'],
];
const SCHEMA = `
CREATE TABLE notes (c0 int, c1 text, c2 varchar(30), c3 text[]);
CREATE TABLE lines (c0 int, c1 text, c2 varchar(30), c3 text[]);
CREATE DOMAIN short AS varchar(4);
CREATE TABLE cut (c0 int, c1 varchar(3));
CREATE VIEW seen AS SELECT c0, c2::text AS c1, c1 AS c2, c3 FROM notes;
CREATE VIEW turned AS SELECT c0, reverse(c1) AS c1, left(c2, 2) AS c2, ARRAY[c1] AS c3 FROM lines;
INSERT INTO notes SELECT n FROM generate_series(1, 4) n; INSERT INTO lines SELECT n FROM generate_series(2, 5) n;`;
const fill = (which: 0 | 1) => {
  const list = `(ARRAY[${TEXTS.map((pair) => `'${pair[which]}'`).join(', ')}])`;
  return ['notes', 'lines'].map(
    (table, add) =>
      `UPDATE ${table} SET c1 = ${list}[c0], c2 = ${list}[6 - c0], c3 = ARRAY[${list}[c0], ${list}[1 + (c0 + ${add}) % 5]]`,
  );
};

const pick = (...words: string[]) => fc.constantFrom(...words);
const text = (of: string) => pick(`${of}.c1`, `${of}.c2`, `${of}.c3[1]`);
/** Of one text, another: some of these show parts. */
const made = (of: fc.Arbitrary<string>) =>
  fc
    .tuple(
      of,
      pick(
        ...[
          'reverse(#)',
          'left(#, 2)',
          'upper(#)',
          "# || 'x'",
          'ascii(#)',
          "# LIKE 'a%'",
          "# > 'c'",
          'length(#)',
          'md5(#)',
          '#::varchar(3)',
          '#::short',
          '(ROW(1, #)::cut).c1',
          '(ARRAY[#, t.c0::text])[1]',
          '(ROW(#, 1)).f1',
        ],
        ...[
          "coalesce(#, 'none')",
          "nullif(#, 'none')",
          '# IS NULL',
          "# = 'alpha 11x'",
          'ARRAY[#]',
          'CASE WHEN t.c0 > 2 THEN # END',
          '#::text',
        ],
        ...[
          "CASE WHEN # > 'c' THEN 1 ELSE 2 END",
          "greatest(#, 'd')",
          '(SELECT #)',
          '(SELECT reverse(#))',
          "position('1' IN #)",
          '#',
        ],
      ),
    )
    .map(([one, form]) => form.replaceAll('#', one));
const item = fc.oneof(
  { weight: 5, arbitrary: pick('t.c0', 't.c1', 't.c2', 't.c3') },
  { weight: 2, arbitrary: made(text('t')) },
  pick('t.c0 + 1', 't.c0::text', "'x'", 'generate_series(1, 2)'),
);
const grouped = fc.oneof(
  pick(
    'count(*)',
    'count(t.c1)',
    'max(t.c2)',
    'min(t.c1)',
    'sum(t.c0)',
    'array_agg(t.c1 ORDER BY t.c1)',
    'count(DISTINCT t.c2)',
  ),
  made(text('t')).map((of) => `max(${of})`),
  made(text('t')).map((of) => `count(DISTINCT ${of})`),
  made(text('t')).map((of) => `string_agg(t.c0::text, ',' ORDER BY ${of}, t.c0)`),
  made(text('t')).map((of) => `count(*) FILTER (WHERE (${of}) IS NOT NULL)`),
);
/** Each gives c0, a number, c1 and c2, texts, and c3, a list of them, in brackets. */
const { source, where } = fc.letrec<{ source: string; where: string }>((tie) => ({
  where: fc.oneof(
    { weight: 8, arbitrary: fc.constant('') },
    pick('WHERE t.c0 > 2', 'WHERE t.c1 IS NOT NULL', "WHERE t.c2 <> 'none'"),
    tie('source').map((from) => `WHERE EXISTS (SELECT 1 FROM ${from} u WHERE u.c1 = t.c2)`),
    tie('source').map((from) => `WHERE t.c1 IN (SELECT c1 FROM ${from} u)`),
    tie('source').map((from) => `WHERE t.c1 > ANY (SELECT u.c2 FROM ${from} u)`),
    made(text('t')).map((of) => `WHERE (${of})::text IN (SELECT chr(n) FROM generate_series(97, 122) n)`),
  ),
  source: fc.oneof(
    { weight: 6, arbitrary: pick('notes', 'lines', 'seen', 'turned') },
    fc
      .tuple(tie('source'), made(text('t')), made(text('t')), tie('where'))
      .map(
        ([from, one, other, rest]) =>
          `(SELECT t.c0, (${one})::text AS c1, ${other}::text AS c2, t.c3 FROM ${from} t ${rest})`,
      ),
    fc.tuple(tie('source'), tie('where')).map(([from, rest]) => `(SELECT t.* FROM ${from} t ${rest})`),
    fc
      .tuple(
        tie('source'),
        tie('source'),
        pick('JOIN', 'LEFT JOIN', 'FULL JOIN'),
        pick('t.c0 = u.c0', 't.c1 = u.c2', 't.c1 = u.c1'),
      )
      .map(
        ([one, other, join, on]) =>
          `(SELECT t.c0, u.c1, t.c2, u.c3 FROM ${one} t ${join} ${other} u ON ${on})`,
      ),
    fc
      .tuple(tie('source'), tie('source'), pick('UNION ALL', 'UNION', 'INTERSECT', 'EXCEPT'))
      .map(
        ([one, other, set]) =>
          `(SELECT c0, c1, c2, c3 FROM ${one} a ${set} SELECT c0, c2, c1, c3 FROM ${other} b)`,
      ),
    tie('source').map(
      (from) =>
        `(WITH w AS MATERIALIZED (SELECT * FROM ${from} x) SELECT a.c0, b.c1, a.c2, b.c3 FROM w a JOIN w b USING (c0))`,
    ),
    tie('source').map((from) => `(SELECT t.c0, e AS c1, t.c2, t.c3 FROM ${from} t, unnest(t.c3) e)`),
  ),
}));
const statement = fc.oneof(
  fc
    .tuple(item, item, item, source, where)
    .map(([a, b, c, from, rest]) => `SELECT ${a}, ${b}, ${c} FROM ${from} t ${rest}`),
  fc
    .tuple(item, source, made(text('t')), pick('', ' DESC'))
    .map(
      ([a, from, by, down]) =>
        `SELECT ${a}, t.c0 FROM ${from} t ORDER BY ${by}${down}, t.c0, t.c1, t.c2, t.c3`,
    ),
  fc
    .tuple(grouped, grouped, source, where)
    .map(([a, b, from, rest]) => `SELECT ${a}, ${b} FROM ${from} t ${rest}`),
  fc
    .tuple(made(text('t')), grouped, source)
    .map(([key, a, from]) => `SELECT ${a} FROM ${from} t GROUP BY ${key}`),
  fc
    .tuple(source, made(text('t')), pick('rank()', 'lag(t.c1)', 'count(t.c2)', 'max(t.c1)'))
    .map(
      ([from, by, fn]) => `SELECT t.c0, ${fn} OVER (ORDER BY ${by}, t.c0, t.c1, t.c2, t.c3) FROM ${from} t`,
    ),
);
const CASES = 4000;

let database: MaskedDatabase;

beforeAll(async () => {
  database = await maskedDatabase(SCHEMA, new Map());
});

afterAll(() => database?.stop());

/** As a client sees it: rows in their order where one is asked for. */
async function shown(sql: string): Promise<string> {
  try {
    const { rows } = await database.run(sql);
    const lines = rows.map((row) => JSON.stringify(row));
    return (sql.includes(' ORDER BY ') ? lines : lines.toSorted()).join('\n');
  } catch (error) {
    return `failed: ${(error as { code?: string }).code}`;
  }
}

const exchanged = (answer: string) =>
  TEXTS.reduce((all, [before, after]) => all.replaceAll(after, before), answer);
/** Without an order of its own. */
const settled = (sql: string, answer: string) =>
  sql.includes(' ORDER BY ') ? answer : answer.split('\n').toSorted().join('\n');

test('a permitted query shows whole values, and nothing that is made of one', async () => {
  const all = [...new Set(fc.sample(statement, { numRuns: CASES, seed: 20261130 }))];
  const permitted: string[] = [];
  for (const sql of all) if ((await database.planOf(sql, [])).refusal === undefined) permitted.push(sql);
  const answers: Map<string, string>[] = [];
  for (const which of [0, 1] as const) {
    for (const sql of fill(which)) await database.run(sql);
    const found = new Map<string, string>();
    for (const sql of all) found.set(sql, await shown(sql));
    answers.push(found);
  }
  const differs = (sql: string) => {
    const [one = '', other = ''] = answers.map((of) => of.get(sql) ?? '');
    return settled(sql, one) !== settled(sql, exchanged(other));
  };
  expect(permitted.filter(differs)).toEqual([]);
  const failed = permitted.filter((sql) => answers[0]!.get(sql)!.startsWith('failed'));
  const live = all.filter(differs).length;
  expect(live).toBeGreaterThan(CASES / 10);
  expect(permitted.length - failed.length).toBeGreaterThan(CASES / 10);
});
