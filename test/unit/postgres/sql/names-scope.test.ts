import { describe, expect, test } from 'vitest';
import { AnalysedNames } from '../../../../src/protocols/postgres/reading/analysed-names.ts';
import type { NameChange } from '../../../../src/protocols/postgres/sql/meaning/held-names.ts';
import { NameChanges } from '../../../../src/protocols/postgres/sql/meaning/name-changes.ts';
import { NameScope, type SearchPath } from '../../../../src/protocols/postgres/sql/meaning/name-scope.ts';
import { isPermittedPath, schemasOf } from '../../../../src/protocols/postgres/sql/meaning/search-path.ts';
import { fixtureCatalog, pairTexts, plansOf } from './fixture.ts';

const relation = (oid: number, schema: string) => ({ oid, kind: 'r', schema, columns: ['id'] });
const catalog = fixtureCatalog({
  t: relation(1, 'public'),
  't other': relation(2, 'agent'),
  u: relation(3, 'agent'),
  single: relation(4, 'agent'),
});
const path = (...schemas: string[]): SearchPath => ({
  schemas: ['pg_catalog', ...schemas],
  creation: schemas[0] ?? 'public',
  user: 'agent',
});

/** Of each statement: its pairs, or the rule by which it is refused. */
function read(
  sql: string,
  from: SearchPath = path('public'),
  scope = new NameScope(catalog, from),
): string[] {
  return plansOf(sql, { catalog, masks: false, names: scope }).map(
    (plan) => plan.refusal?.rule ?? pairTexts(plan).join(', '),
  );
}

describe('names without a schema', () => {
  test.each([
    [path('public', 'agent'), 'sql.select Table public.t'],
    [path('agent', 'public'), 'sql.select Table agent.t'],
    [path(), 'sql.select Table public.t'],
  ])('are looked up along the path', (from, pair) => {
    expect(read('SELECT id FROM t', from)).toEqual([pair]);
  });

  test('go on from statement to statement of a string', () => {
    expect(read('SELECT id FROM t; SET search_path = agent; SELECT id FROM t').at(-1)).toBe(
      'sql.select Table agent.t',
    );
    expect(read(`SELECT set_config('search_path', '"agent", PUBLIC', true); SELECT id FROM t`).at(-1)).toBe(
      'sql.select Table agent.t',
    );
    expect(read('SET search_path = "$user"; SELECT id FROM t').at(-1)).toBe('sql.select Table agent.t');
    expect(read('SET search_path = nowhere, public; SELECT id FROM t').at(-1)).toBe(
      'sql.select Table public.t',
    );
  });

  test.each([
    'RESET search_path; SELECT id FROM t',
    'SET search_path TO DEFAULT; SELECT id FROM t',
    'DO $$ BEGIN END $$; SELECT id FROM t',
    'SET ROLE other; SET search_path = public; SELECT id FROM t',
    'BEGIN; SET LOCAL search_path = agent; COMMIT; SELECT id FROM t',
    'DISCARD ALL; SELECT id FROM t',
  ])('are refused where two could be meant: %s', (sql) => {
    expect(read(sql).at(-1)).toBe('uncertain-name');
  });

  test.each([
    ['DO $$ BEGIN END $$; SELECT id FROM single', 'sql.do Resource, sql.select Table agent.single'],
    ['DO $$ BEGIN END $$; SELECT id FROM public.t', 'sql.do Resource, sql.select Table public.t'],
    ['BEGIN; SELECT id FROM t; COMMIT; SELECT id FROM t', 'sql.select Table public.t'],
  ])('are certain where only one can be: %s', (sql, pair) => {
    expect(read(sql).at(-1)).toBe(pair);
  });

  test.each([
    ['SET search_path = public, pg_temp; CREATE TEMP TABLE t (id int); DELETE FROM t', path('public')],
    [
      "SELECT set_config('search_path', 'public, pg_temp', false); CREATE TEMP VIEW t AS SELECT 1; TABLE t",
      path('public'),
    ],
    ['CREATE TEMP TABLE t (id int); DELETE FROM t', { ...path('public'), listsTemp: true } as const],
    ['CREATE TABLE pg_temp.t (id int); DELETE FROM t', { ...path('public'), listsTemp: true } as const],
    ['SELECT 1 AS id INTO TEMP t; DELETE FROM t', { ...path('public'), listsTemp: true } as const],
  ])('are refused where the path says that temporary ones come behind others: %s', (sql, from) => {
    expect(read(sql, from).at(-1)).toBe('uncertain-name');
  });

  test('are certain where the path no longer says so, or only the temporary schema has them', () => {
    const listed = { ...path('public'), listsTemp: true } as const;
    const made = 'CREATE TEMP TABLE t (id int); DELETE FROM t';
    expect(read(`SET search_path = public; ${made}`, listed).at(-1)).toBe('sql.delete Table pg_temp.t');
    expect(read('CREATE TEMP TABLE fresh (id int); DELETE FROM fresh', listed).at(-1)).toBe(
      'sql.delete Table pg_temp.fresh',
    );
    expect(
      read('CREATE TEMP TABLE t (id int); SET search_path = public, pg_temp; DELETE FROM t').at(-1),
    ).toBe('sql.delete Table public.t');
  });

  test('follow what the string makes, renames and drops', () => {
    expect(read('CREATE TEMP TABLE t (id int); SELECT id FROM t').at(-1)).toBe('sql.select Table pg_temp.t');
    expect(read('CREATE TABLE agent.new (id int); SELECT id FROM agent.new').at(-1)).toBe(
      'sql.select Table agent.new',
    );
    expect(read('DROP TABLE t; SELECT id FROM t', path('public', 'agent')).at(-1)).toBe(
      'sql.select Table agent.t',
    );
    expect(read('ALTER TABLE t RENAME TO u; SELECT id FROM u', path('public', 'agent')).at(-1)).toBe(
      'sql.select Table public.u',
    );
  });

  test('what an open transaction made comes first, and is unclear once a savepoint was rolled back', () => {
    const made = { schema: 'pg_temp', name: 't', change: 'made' } as const;
    const temporary = {
      ...path('public'),
      schemas: ['pg_temp_3', 'pg_catalog', 'public'],
      temp: 'pg_temp_3',
    };
    const scope = (change: 'made' | 'unclear') => new NameScope(catalog, temporary, [{ ...made, change }]);
    expect(read('SELECT id FROM t', temporary, scope('made'))).toEqual(['sql.select Table pg_temp.t']);
    expect(read('SELECT id FROM t', temporary, scope('unclear'))).toEqual(['uncertain-name']);
    expect(read('SELECT id FROM public.t', temporary, scope('unclear'))).toEqual([
      'sql.select Table public.t',
    ]);
  });
});

describe('names that statements took before', () => {
  const temporary = {
    ...path('public', 'agent'),
    schemas: ['pg_temp_3', 'public', 'agent'],
    temp: 'pg_temp_3',
  };
  const changes: readonly NameChange[] = [
    { schema: 'public', name: 't', change: 'gone' },
    { schema: 'public', name: 't', change: 'unclear' },
    { schema: 'public', change: 'gone' },
    { schema: 'agent', name: 'new', change: 'made' },
    { schema: 'pg_temp', name: 't', change: 'made' },
    { schema: 'pg_temp_3', change: 'gone' },
  ];
  const texts = [
    'SELECT id FROM t',
    'SELECT id FROM public.t',
    'SELECT id FROM new',
    'SELECT id FROM pg_temp.t',
    'DO $$ BEGIN END $$; SELECT id FROM single',
    'DO $$ BEGIN END $$; SELECT id FROM t',
    'DISCARD TEMP; SELECT id FROM t',
  ];

  test('are followed as those of an open transaction are, each by the last word on it', () => {
    for (const from of [path('public', 'agent'), temporary]) {
      for (const before of changes.flatMap((one) => changes.map((other) => [one, other]))) {
        for (const text of texts) {
          const took = new NameChanges();
          for (const one of before) took.add(one);
          const scope = new NameScope(catalog, from, [], false, took);
          expect(read(text, from, scope)).toEqual(read(text, from, new NameScope(catalog, from, before)));
        }
      }
    }
  });

  test('what an open transaction did since counts before them', () => {
    const took = new NameChanges();
    took.add({ schema: 'public', name: 't', change: 'gone' });
    const from = path('public', 'agent');
    const scope = (before: NameChange[]) => new NameScope(catalog, from, before, false, took);
    expect(read('SELECT id FROM t', from, scope([]))).toEqual(['sql.select Table agent.t']);
    const made = scope([{ schema: 'public', name: 't', change: 'made' }]);
    expect(read('SELECT id FROM t', from, made)).toEqual(['sql.select Table public.t']);
  });
});

describe('search_path as text', () => {
  test.each([
    ['', []],
    [' app , "Public"', ['app', 'Public']],
    ['"a""b",$user', undefined],
    ['"$user", PUBLIC', ['$user', 'public']],
    ['a b', undefined],
    ['a,', undefined],
    [`${'é'.repeat(40)}`, ['é'.repeat(31)]],
  ])('%j', (text, schemas) => {
    expect(schemasOf(text)).toEqual(schemas);
  });

  test('lists that may be set', () => {
    const permitted = [['app', 'public']];
    expect(isPermittedPath(['app', 'public'], permitted)).toBe(true);
    expect(isPermittedPath(['pg_catalog', 'pg_temp'], [])).toBe(true);
    expect(isPermittedPath([], [])).toBe(true);
    expect(isPermittedPath(['public', 'app'], permitted)).toBe(false);
    expect(isPermittedPath(['app'], permitted)).toBe(false);
    expect(isPermittedPath(undefined, permitted)).toBe(false);
  });
});

describe('names of a prepared statement', () => {
  const names = new AnalysedNames();
  names.note(path('public'), [['t', 1]]);

  test('are hidden by something new on the same path', () => {
    expect(names.hidden(path('public'), [['t', 9]], () => true)).toBe('t');
  });

  test('are analysed anew by another path, or where the old one is gone', () => {
    expect(names.hidden(path('agent'), [['t', 2]], () => true)).toBeUndefined();
    expect(names.hidden(path('public'), [['t', 9]], () => false)).toBeUndefined();
    expect(names.hidden(path('public'), [['t', 1]], () => true)).toBeUndefined();
  });
});
