import { describe, expect, test } from 'vitest';
import type { SettingFact } from '../../../../src/protocols/postgres/sql/facts/facts.ts';
import { isSafeSetting, type WayBack } from '../../../../src/protocols/postgres/sql/meaning/settings.ts';
import { deniedTo, plansOf } from './fixture.ts';

const OTHER_ROLE: WayBack = { asBegun: true, asItself: false, serverVersion: 150_009 };
const BY_TRIGGER: WayBack = { asBegun: false, asItself: true, serverVersion: 180_000 };
const reset = (name: string): SettingFact => ({ verb: 'reset', name, local: false });
const set = (name: string, value: string): SettingFact => ({ verb: 'set', name, value, local: false });
const safe = (setting: SettingFact, back?: WayBack) => isSafeSetting(setting, { searchPaths: [] }, back);

describe('going back to what a session began with', () => {
  test('a session that begins in another role keeps it', () => {
    expect(safe(reset('session_authorization'), OTHER_ROLE)).toBe(false);
    expect(safe(set('role', 'none'), OTHER_ROLE)).toBe(false);
    expect(safe(reset('role'), OTHER_ROLE)).toBe(true);
    expect(safe(reset('all'), OTHER_ROLE)).toBe(true);
  });

  test.each([
    [130_017, false],
    [130_018, true],
    [150_009, false],
    [150_010, true],
    [160_005, false],
    [160_006, true],
    [170_001, false],
    [170_002, true],
    [180_000, true],
    [190_000, true],
    [0, false],
  ])('with its user the server %i gives it the role it began in back: %s', (serverVersion, expected) => {
    const back = { ...OTHER_ROLE, serverVersion };
    expect(safe(reset('session_authorization'), back)).toBe(expected);
    expect(safe(set('role', 'none'), back)).toBe(false);
  });

  test('what ran at login is not undone', () => {
    for (const name of ['all', 'role', 'session_authorization', 'my.own', 'row_security'])
      expect(safe(reset(name), BY_TRIGGER)).toBe(false);
    expect(safe(set('role', 'none'), BY_TRIGGER)).toBe(false);
    expect(safe(reset('timezone'), BY_TRIGGER)).toBe(true);
  });

  test('a role that is set is no way back', () => {
    const all = { asBegun: true, asItself: true, serverVersion: 150_009 };
    expect(safe(set('role', 'none'), all)).toBe(true);
    for (const role of ['other', '', 'none ', 'NONE']) expect(safe(set('role', role), all)).toBe(false);
    expect(safe(set('session_authorization', 'none'), all)).toBe(false);
    expect(safe({ verb: 'set', name: 'role', local: false }, all)).toBe(false);
  });

  test('nothing is known of how it began: nothing is safe', () => {
    expect(safe(reset('all'))).toBe(false);
    expect(safe(reset('session_authorization'))).toBe(false);
  });

  test('DISCARD ALL asks for both: all settings, and the session’s user', () => {
    const [plan] = plansOf('DISCARD ALL');
    expect(plan?.pairs.map(({ action, object }) => [action, object.attrs['name']])).toEqual([
      ['sql.set', 'all'],
      ['sql.set', 'session_authorization'],
    ]);
    expect(deniedTo(plansOf('DISCARD ALL'))).toBeUndefined();
  });
});

describe('while values are masked', () => {
  const refused = (sql: string) => plansOf(sql).some(({ refusal }) => refusal !== undefined);

  test.each([
    // How the planner weighs ways to the same answer.
    ...[
      'SET enable_seqscan = off',
      'SET random_page_cost = 1.1',
      'SET LOCAL geqo = off',
      'SET join_collapse_limit TO 1',
    ],
    ...[
      "SELECT set_config('enable_hashjoin', 'off', true)",
      'RESET enable_seqscan',
      'SET effective_cache_size = 1024',
    ],
    // Memory of an operation.
    ...[
      "SET work_mem = '64MB'",
      'SET work_mem = 4096',
      "SET LOCAL maintenance_work_mem = '1GB'",
      "SET work_mem TO '1024 kB'",
    ],
    // The path as it is permitted, between what changes nothing.
    ...[
      'SET search_path = app, public',
      'SET search_path = pg_catalog, app, public',
      'SET search_path = app, public, pg_temp',
    ],
    ...[
      "SELECT set_config('search_path', 'app, public, pg_temp', true)",
      'SET search_path = pg_catalog, app, public, pg_temp',
    ],
    // What this resource lets sessions set.
    ...[
      "SET app.tenant = '5'",
      'SET LOCAL app.tenant TO 5',
      "SELECT set_config('app.tenant', '5', true)",
      'RESET app.tenant',
    ],
    ...[
      "SELECT set_config('app.tenant', $1, true)",
      "SELECT set_config('APP.Tenant', $1::text, $2)",
      'SET "app.tenant" = 5',
    ],
  ])('%s is harmless', (sql) => {
    expect(deniedTo(plansOf(sql))).toBeUndefined();
    expect(plansOf(sql).flatMap(({ pairs }) => pairs.map(({ action }) => action))).toEqual(['sql.set']);
  });

  test.each([
    "SET work_mem = '2GB'",
    "SET work_mem = '1TB'",
    'SET temp_buffers = 800',
    'SET synchronous_commit = off',
  ])('%s costs the server something: policy decides', (sql) => {
    expect(deniedTo(plansOf(sql))).toBe('sql.set-unsafe');
    expect(refused(sql)).toBe(false);
  });

  test.each([
    ...[
      'SET search_path = public, app',
      'SET search_path = app',
      'SET search_path = app, public, pg_catalog',
    ],
    ...[
      'SET search_path = pg_temp, app, public',
      'SET search_path = pg_catalog, evil',
      'SET search_path = app, pg_temp, public',
    ],
    ...["SET app.other = '5'", "SET app.tenant.x = '5'", "SELECT set_config('app.other', $1, true)"],
    ...[
      "SELECT set_config($1, 'x', true)",
      "SELECT set_config('row_security', $1, true)",
      "SELECT set_config('search_path', $1, true)",
    ],
    ...[
      "SELECT set_config('app.tenant', ssn, true) FROM customers",
      "SELECT set_config('app.tenant', (SELECT ssn FROM customers), true)",
    ],
    ...[
      "SELECT set_config('app.tenant' || '', $1, true)",
      "SELECT set_config('app.tenant', $1 || ssn, true) FROM customers",
    ],
    ...[
      'SET enable_x.y = 1',
      'SET xmloption = document',
      'SET row_security = off',
      'SET session_replication_role = replica',
    ],
  ])('%s is refused', (sql) => {
    expect(refused(sql)).toBe(true);
  });
});
