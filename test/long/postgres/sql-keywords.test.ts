import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { locatePostgres } from '../../../src/demo/postgres-home.ts';
import type { StatementFacts } from '../../../src/protocols/postgres/sql/facts/facts.ts';
import { CHANGED_KEYWORDS, OLDEST_MAJOR } from '../../../src/protocols/postgres/sql/parse/keywords.ts';
import { SqlParser } from '../../../src/protocols/postgres/sql/parse/parser.ts';
import { keywordsOf } from '../../support/postgres/keyword-table.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres/server.ts';

/** Every keyword that any of the majors has, in every place where a name may stand: what does the server take it for? */
const changed = CHANGED_KEYWORDS.trim()
  .split('\n')
  .map((row) => row.split(' ') as [string, string]);

let home: string;
let parser: SqlParser;
const servers = new Map<number, PostgresServer>();

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'hoop-keywords-'));
  chmodSync(home, 0o755);
  parser = new SqlParser();
  servers.set(15, await startPostgres());
  servers.set(18, await startPostgres({ bin: dirname((await locatePostgres(home)).postgres) }));
});

afterAll(async () => {
  await parser.close();
  for (const server of servers.values()) await server.stop();
  rmSync(home, { recursive: true, force: true });
});

interface Place {
  readonly name: string;
  /** Made for each keyword; `"kw"` stands for it as a name. */
  readonly sql: (kw: string) => string;
  /** What the server answers if it takes the word for that name. */
  readonly named: string;
  /** Whether our facts have that name there. */
  readonly read: (facts: StatementFacts, kw: string) => boolean;
}

const path = (facts: StatementFacts, kw: string) =>
  facts.columns.some((use) => use.path.at(-1) === kw) || facts.relations.some((use) => use.alias === kw);

const PLACES: readonly Place[] = [
  { name: 'column', sql: (kw) => `SELECT ${kw} FROM cols`, named: 'a column', read: path },
  { name: 'qualified column', sql: (kw) => `SELECT cols.${kw} FROM cols`, named: 'a column', read: path },
  {
    name: 'column in an expression',
    sql: (kw) => `SELECT (${kw})::text FROM cols`,
    named: 'a column',
    read: path,
  },
  {
    name: 'whole row',
    sql: (kw) => `SELECT ${kw}::text FROM whole AS "${kw}"`,
    named: '(row)',
    read: (facts, kw) => facts.columns.some((use) => use.path.length === 1 && use.path[0] === kw),
  },
  {
    name: 'alias without AS',
    sql: (kw) => `SELECT x.y FROM (SELECT 'an alias' ${kw}) AS x(y)`,
    named: 'an alias',
    read: (facts) => facts.columns.some((use) => use.path.at(-1) === 'y'),
  },
  {
    name: 'table alias',
    sql: (kw) => `SELECT "${kw}".r FROM whole ${kw}`,
    named: 'row',
    read: (facts, kw) => facts.relations.some((use) => use.alias === kw),
  },
  {
    name: 'function',
    sql: (kw) => `SELECT ${kw}('an argument'::mark)`,
    named: 'a function',
    read: (facts, kw) => facts.functions.some((use) => use.notation === 'call' && use.name.at(-1) === kw),
  },
  {
    name: 'function without arguments',
    sql: (kw) => `SELECT ${kw}()`,
    named: 'a function of nothing',
    read: (facts, kw) => facts.functions.some((use) => use.notation === 'call' && use.name.at(-1) === kw),
  },
  {
    name: 'type',
    // A type of our own has an OID that no built-in one has.
    sql: (kw) => `SELECT (pg_typeof(CAST('x' AS ${kw}))::oid::int8 >= 16384)::pg_catalog.text`,
    named: 'true',
    read: (facts, kw) => facts.types.some((name) => name.length === 1 && name[0] === kw),
  },
  {
    name: 'relation',
    sql: (kw) => `SELECT r FROM ${kw}`,
    named: 'a relation',
    read: (facts, kw) => facts.relations.some((use) => use.schema === undefined && use.name === kw),
  },
];

/** Objects of each kind by the name of each word; the types and relations are temporary, so they are found first. */
function fixture(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  return `
    CREATE DOMAIN mark AS text;
    CREATE TABLE cols (${quoted.map((word) => `${word} text DEFAULT 'a column'`).join(', ')});
    INSERT INTO cols DEFAULT VALUES;
    CREATE TABLE whole (r text); INSERT INTO whole VALUES ('row');
    ${quoted.map((word) => `CREATE FUNCTION ${word}(mark) RETURNS text LANGUAGE sql AS $$ SELECT 'a function' $$;`).join('\n')}
    ${quoted.map((word) => `CREATE FUNCTION ${word}() RETURNS text LANGUAGE sql AS $$ SELECT 'a function of nothing' $$;`).join('\n')}`;
}

/** What the server answers in the place: the answer, or the word `error`. Temporary things live in this one session. */
async function answers(server: PostgresServer, kind: 'type' | 'relation' | 'other', sql: readonly string[]) {
  const wrap = (text: string, index: number) =>
    `DO $wrap$ DECLARE r pg_catalog.text; BEGIN EXECUTE $x$${text}$x$ INTO r; INSERT INTO pg_temp.seen VALUES (${index}, r);
      EXCEPTION WHEN OTHERS THEN INSERT INTO pg_temp.seen VALUES (${index}, 'error'); END $wrap$;`;
  const own = [...(await keywordsOf(server.psql)).keys()];
  const all = [...new Set([...own, ...changed.map(([word]) => word)])].map((word) => `"${word}"`);
  const made =
    kind === 'type'
      ? all.map((word) => `CREATE DOMAIN pg_temp.${word} AS text;`)
      : kind === 'relation'
        ? all.map((word) => `CREATE TEMP TABLE ${word} AS SELECT 'a relation'::pg_catalog.text AS r;`)
        : [];
  const text = await server.psql(`
    CREATE TEMP TABLE seen (n int, answer pg_catalog.text);
    ${made.join('\n')}
    ${sql.map(wrap).join('\n')}
    SELECT n || ' ' || coalesce(answer, '') FROM seen ORDER BY n;`);
  const rows = text.split('\n').filter((row) => /^\d+ /.test(row));
  return new Map(rows.map((row) => [Number(row.split(' ')[0]), row.slice(row.indexOf(' ') + 1)]));
}

describe.each([15, 18])('keywords as PostgreSQL %i reads them', (major) => {
  let words: string[];

  beforeAll(async () => {
    const server = servers.get(major)!;
    const own = await keywordsOf(server.psql);
    words = [...new Set([...own.keys(), ...changed.map(([word]) => word)])];
    await server.psql(fixture(words));
  });

  test('the table says what the server says', async () => {
    const own = await keywordsOf(servers.get(major)!.psql);
    for (const [word, kinds] of changed)
      expect(`${word} ${own.get(word) ?? '-'}`).toBe(`${word} ${kinds[major - OLDEST_MAJOR]}`);
  });

  test.each(PLACES)('$name', async ({ name, sql, named: expected, read }) => {
    const kind = name === 'type' || name === 'relation' ? name : 'other';
    const answered = await answers(servers.get(major)!, kind, words.map(sql));
    let live = 0;
    for (const [index, word] of words.entries()) {
      const isNamed = answered.get(index) === expected;
      if (isNamed) live++;
      const parsed = await parser.parse(sql(word), major).catch(() => undefined);
      const facts = parsed?.statements[0];
      const refused =
        facts === undefined || facts.unsupported !== undefined || (facts.newer?.since ?? 0) > major;
      // What the server takes for a name we read as that name; and what changed we take for a name only where it does.
      const named = !refused && read(facts, word);
      if (isNamed) expect(`${word} ${named}`).toBe(`${word} true`);
      else if (changed.some(([one]) => one === word) && answered.get(index) !== 'error')
        expect(`${word} ${named}`).toBe(`${word} false`);
    }
    expect(live).toBeGreaterThan(100);
  });
});
