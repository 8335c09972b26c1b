import { describe, expect, test } from 'vitest';
import { nameAt, ownNames } from '../../../src/protocols/postgres/shown/own-names.ts';
import { type Said, saidAnew } from '../../../src/protocols/postgres/shown/scrub.ts';
import { CONDITIONS } from '../../../src/protocols/postgres/shown/sqlstates.ts';

const SECRET = '123-45-6789';
const RESOURCE = { type: 'Resource', id: 'pg', attrs: {} };

function said(text: string, objects: readonly string[] = [], ddl = false): Said {
  const pairs = objects.map((name) => ({
    action: 'sql.select',
    object: { ...RESOURCE, attrs: { name } },
  }));
  return { text, pairs, ddl };
}

function anew(fields: Record<string, string>, of?: Said): Record<string, string> {
  const report = { name: 'ErrorResponse', fields: Object.entries(fields) };
  return Object.fromEntries(saidAnew(report, of).map(([code, value]) => [code, String(value)]));
}

describe('nothing that the target words reaches the client', () => {
  test.each([
    ['a cast', { V: 'ERROR', C: '22P02', M: `invalid input syntax for type integer: "${SECRET}"` }],
    ['a unique key', { V: 'ERROR', C: '23505', M: 'duplicate key value', D: `Key (ssn)=(${SECRET})` }],
    ['raise', { S: 'ERROR', V: 'ERROR', C: 'P0001', M: SECRET, D: SECRET, H: SECRET, W: SECRET }],
    ['a class that names objects', { V: 'ERROR', C: '42P01', M: `relation "${SECRET}" does not exist` }],
    ['a lock', { V: 'ERROR', C: '55P03', M: SECRET }],
    [
      'every field',
      { V: 'ERROR', C: '42P01', M: SECRET, c: SECRET, t: SECRET, n: SECRET, d: SECRET, s: SECRET, q: SECRET },
    ],
    ['a notice', { S: 'NOTICE', V: 'NOTICE', C: '00000', M: SECRET }],
    ['a notice that skips', { V: 'NOTICE', C: '42P07', M: `relation "${SECRET}" already exists, skipping` }],
    ['a made-up code', { V: 'ERROR', C: '12345', M: 'x', H: SECRET }],
    ['a made-up severity', { S: SECRET, V: SECRET, C: '42601', M: 'x' }],
    ['a position that is none', { V: 'ERROR', C: '42601', M: 'x', P: SECRET }],
    [
      'a name that stands in a literal only',
      { V: 'ERROR', C: '42P01', M: `relation "${SECRET}" does not exist` },
    ],
  ])('%s', (_, fields) => {
    const own = said(`SELECT '${SECRET}', $$${SECRET}$$, E'\\'${SECRET}' /* "${SECRET}" */ -- "${SECRET}"`);
    expect(JSON.stringify(anew(fields, own))).not.toContain(SECRET);
    expect(JSON.stringify(anew(fields))).not.toContain(SECRET);
  });

  test('a guess that is written as an alias is not confirmed by name', () => {
    const own = said('SELECT quote_ident(note)::regclass, 1 AS "likes tea" FROM customers', ['customers']);
    const error = { V: 'ERROR', C: '42P01', M: 'relation "likes tea" does not exist' };
    expect(anew(error, own)['M']).toBe('relation does not exist');
  });

  test('an SQLSTATE that PostgreSQL does not have is a channel of its own: replaced', () => {
    expect(anew({ V: 'ERROR', C: 'A1B2C', M: 'x' })['C']).toBe('XX000');
  });
});

describe('what helps to correct a statement is said', () => {
  const sql = 'SELECT nam, app."My T".x FROM custmers';
  test.each([
    ['42703', sql, 8, 'column "nam" does not exist'],
    ['42703', sql, 13, 'column app.My T.x does not exist'],
    ['42P01', sql, 31, 'relation "custmers" does not exist'],
    ['42883', `SELECT '😀', lowr(1)`, 13, 'function lowr does not exist for arguments of these types'],
    ['42804', 'SELECT id FROM t', 8, 'types do not match, at "id"'],
    ['22012', 'SELECT 1/0', 8, 'division by zero'],
  ])('%s: %s', (code, text, position, message) => {
    const error = anew({ V: 'ERROR', C: code, M: 'as the target says', P: `${position}` }, said(text));
    expect(error).toMatchObject({ C: code, M: message, P: `${position}` });
  });

  test.each([
    ['23502', 'null value in column "name" of relation "plain" violates not-null constraint'],
    ['42P01', 'relation "plain" does not exist'],
    ['42501', 'permission denied for table plain'],
    ['42P07', 'relation "plain" already exists'],
  ])('%s: a name that the statement has: %s', (code, message) => {
    const own = said('INSERT INTO plain (name) VALUES ($1)', ['plain']);
    expect(anew({ V: 'ERROR', C: code, M: message }, own)['M']).toBe(message);
    expect(anew({ V: 'ERROR', C: code, M: message }, said('SELECT 1', ['plain']))['M']).toBe(
      CONDITIONS.get(code),
    );
  });

  test.each<[string, string, string]>([
    ['23505', 'duplicate key value violates unique constraint "plain_pkey"', 'INSERT INTO plain VALUES (1)'],
    [
      '23505',
      'duplicate key value violates unique constraint "plain_name_key"',
      'UPDATE plain SET name = $1',
    ],
    [
      '23505',
      'duplicate key value violates unique constraint "plain_a_b_c_key1"',
      'INSERT INTO plain (a_b, c) VALUES (1, 2)',
    ],
    [
      '23503',
      'insert or update on table "plain" violates foreign key constraint "plain_team_fkey"',
      'UPDATE plain SET team = 1',
    ],
    [
      '23514',
      'new row for relation "plain" violates check constraint "plain_age_check"',
      'UPDATE plain SET age = 1',
    ],
    [
      '23P01',
      'conflicting key value violates exclusion constraint "plain_room_during_excl"',
      'INSERT INTO plain (during, room) VALUES ($1, $2)',
    ],
  ])('%s: a constraint that PostgreSQL calls by the names of the statement: %s', (code, message, text) => {
    const name = /"([^"]*)"$/.exec(message)?.[1];
    const fields = { V: 'ERROR', C: code, M: message, t: SECRET, n: SECRET, D: SECRET };
    expect(anew(fields, said(text, ['plain']))).toEqual({
      ...{ S: 'ERROR', V: 'ERROR', C: code, M: message, n: name },
      H: expect.any(String),
    });
    expect(anew(fields, said('SELECT f()', ['plain']))).toMatchObject({ M: CONDITIONS.get(code) });
    expect(anew(fields, said(text, []))).not.toHaveProperty('n');
  });

  test.each([
    'plain_ssn_key',
    'plain_name_ssn_key',
    'plain_name',
    'plain__name_key',
    'plain_name__key',
    'plain_123-45-6789_key',
    'other_name_key',
    'name_key',
    '_pkey',
    `plain_${'name_'.repeat(12)}`,
  ])('a constraint called %s is not said', (name) => {
    const message = `duplicate key value violates unique constraint "${name}"`;
    const own = said('INSERT INTO plain (name) VALUES ($1)', ['plain']);
    expect(anew({ V: 'ERROR', C: '23505', M: message }, own)['M']).toBe(CONDITIONS.get('23505'));
  });

  test('that a transaction only reads', () => {
    const message = 'cannot execute INSERT in a read-only transaction';
    expect(anew({ V: 'ERROR', C: '25006', M: message }, said('INSERT INTO plain VALUES (1)'))['M']).toBe(
      message,
    );
    const made = 'cannot execute MARGE in a read-only transaction';
    expect(anew({ V: 'ERROR', C: '25006', M: made }, said('SELECT 1'))['M']).toBe(CONDITIONS.get('25006'));
  });

  test('notices that psql shows', () => {
    const own = said('CREATE INDEX IF NOT EXISTS i ON plain (id)', ['plain'], true);
    const message = 'relation "i" already exists, skipping';
    expect(anew({ V: 'NOTICE', C: '42P07', M: message }, own)).toMatchObject({ V: 'NOTICE', M: message });
  });
});

describe('of a query that was written anew it is told where that is in the text of the client', () => {
  const own = "SELECT '😀', id FROM t, u AS v WHERE v.nam = '😀' AND x";
  const text =
    "SELECT '😀', id FROM (SELECT '***' AS m, '😀' FROM public.t) AS t, (SELECT 1 FROM u) AS v WHERE v.nam = '😀' AND x";
  const place = (written: string, name: string) => {
    const start = text.indexOf(written);
    const ownStart = own.indexOf(` ${name}`) + 1;
    return { start, end: start + written.length, ownStart, ownEnd: ownStart + name.length };
  };
  const replaced = [
    place("(SELECT '***' AS m, '😀' FROM public.t) AS t", 't'),
    place('(SELECT 1 FROM u)', 'u'),
  ];
  const of = { ...said(own), writtenAnew: { text, own, replaced, columns: [] } };
  const characters = (sql: string, before: string) => [...sql.slice(0, sql.indexOf(before))].length + 1;

  test.each([
    ['before', 'id FROM', 'id FROM'],
    ['in the first that was put in', "'***'", 't,'],
    ['at its end', ' AS t,', 't,'],
    ['between them', ', (SELECT 1', ', u AS v'],
    ['in the second', '1 FROM u', 'u AS v'],
    ['behind', 'v.nam', 'v.nam'],
    ['behind more', 'AND x', 'AND x'],
  ])('%s', (_, anewAt, ownAt) => {
    const P = String(characters(text, anewAt));
    expect(anew({ V: 'ERROR', C: '22P02', M: 'x', P }, of)['P']).toBe(String(characters(own, ownAt)));
  });

  test('with the names that stand there', () => {
    const P = String(characters(text, 'v.nam'));
    expect(anew({ V: 'ERROR', C: '42703', M: 'x', P }, of)['M']).toBe('column v.nam does not exist');
  });

  test('of a place behind its end it is told that it is behind the end', () => {
    expect(anew({ V: 'ERROR', C: '42601', M: 'x', P: '9999' }, of)['P']).toBe(String([...own].length + 1));
  });
});

test('identifiers are those of the text, wherever literals and comments end', () => {
  const sql = `select A."b ""c" /* /* x */ y */ from $q$ z $q$ , U&'\\0061' as d -- e\n where f='g''h'`;
  const names = ownNames(sql).map(({ name }) => name);
  expect(names).toEqual(['select', 'a', 'b "c', 'from', 'as', 'd', 'where', 'f']);
  expect(nameAt(sql, ownNames(sql), 8)).toEqual(['a', 'b "c']);
  expect(nameAt(sql, ownNames(sql), 9)).toEqual([]);
});
