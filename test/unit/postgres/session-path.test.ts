import { expect, test } from 'vitest';
import { SessionPath } from '../../../src/protocols/postgres/reading/session-path.ts';

const NOTHING = { steers: false, follows: false, reshapes: false, changes: [] };
const BEGIN = { names: NOTHING, transaction: 'begin' } as const;
const COMMIT = { names: NOTHING, transaction: 'commit' } as const;
const SELECT = { names: NOTHING };
const SET = { names: { ...NOTHING, steers: true, follows: true } };

/** A session whose server looks names up in `schemas`, which tests change as its transactions would. */
function session(schemas: string[]) {
  const path = new SessionPath({ now: () => 0 });
  let asked = 0;
  const learn = () => {
    const known = () => path.known?.schemas;
    if (known() !== undefined) return known();
    asked++;
    path.answered([JSON.stringify(schemas), 'public', null, 'ann', 'public', 'ann'], path);
    return known();
  };
  learn();
  return { path, learn, asked: () => asked };
}

test('a path that was set is asked for once, however many transactions follow', () => {
  const { path, learn, asked } = session(['app']);
  path.sent(SET);
  path.rested();
  for (let transaction = 0; transaction < 5; transaction++) {
    path.sent(BEGIN);
    learn();
    path.sent(SELECT);
    path.sent(COMMIT);
    path.rested();
  }
  expect(asked()).toBe(2);
});

test('a path that was set in a transaction is asked for again behind the end of that', () => {
  const schemas = ['public'];
  const { path, learn } = session(schemas);
  path.sent(BEGIN);
  path.sent(SET);
  schemas[0] = 'app';
  expect(learn()).toEqual(['app']);
  // Sent, and not known yet to be over: it may be undone.
  path.sent({ names: NOTHING, transaction: 'rollback' });
  schemas[0] = 'public';
  expect(learn()).toEqual(['public']);
  path.rested();
  expect(learn()).toEqual(['public']);
});

test('with no transaction open and nothing moved, rest asks for nothing', () => {
  const { path, learn, asked } = session(['public']);
  path.sent(SELECT);
  path.rested();
  learn();
  expect(asked()).toBe(1);
});

test('what the server undid by itself is asked for again', () => {
  const schemas = ['public'];
  const { path, learn } = session(schemas);
  path.sent(SET);
  schemas[0] = 'app';
  expect(learn()).toEqual(['app']);
  schemas[0] = 'public';
  path.rested();
  expect(learn()).toEqual(['public']);
});

test.each<[string, readonly string[], readonly (readonly string[])[]]>([
  ['"$user", public', ['pg_catalog', 'public'], [['$user', 'public'], ['public']]],
  [
    '"$user", public',
    ['pg_catalog', 'ann', 'public'],
    [
      ['$user', 'public'],
      ['ann', 'public'],
    ],
  ],
  [
    'app, gone, public',
    ['pg_temp_3', 'pg_catalog', 'app', 'public'],
    [
      ['app', 'gone', 'public'],
      ['app', 'public'],
    ],
  ],
  ['ann, "$user"', ['pg_catalog', 'ann'], [['ann', '$user'], ['ann']]],
  ['public, pg_temp', ['pg_temp_3', 'pg_catalog', 'public'], [['public', 'pg_temp'], ['public']]],
  ['', ['pg_catalog'], [[], []]],
  ['a b', ['pg_catalog'], []],
])(
  'what a session begins with as %s, it may set with and without what is not there',
  (setting, schemas, paths) => {
    const path = new SessionPath({ now: () => 0 });
    path.answered([JSON.stringify(schemas), 'public', null, 'ann', setting, 'ann'], path);
    expect(path.began.searchPaths).toEqual(paths);
  },
);

test.each([
  ['"$user", public', undefined],
  ['public, pg_temp', true],
  ['public, "pg_temp"', true],
  ['a b', true],
])('that %s says where temporary objects are searched: %s', (setting, listsTemp) => {
  const path = new SessionPath({ now: () => 0 });
  path.answered(['["pg_catalog","public"]', 'public', null, 'ann', setting, 'ann'], path);
  expect(path.known?.listsTemp).toBe(listsTemp);
});
