import { describe, expect, test } from 'vitest';
import type { SettingFact } from '../../../../src/protocols/postgres/sql/facts/facts.ts';
import { isSafeSetting, type WayBack } from '../../../../src/protocols/postgres/sql/meaning/settings.ts';
import { deniedTo, plansOf } from './fixture.ts';

const OTHER_ROLE: WayBack = { asBegun: true, asItself: false, serverVersion: 150_009 };
const BY_TRIGGER: WayBack = { asBegun: false, asItself: true, serverVersion: 180_000 };
const reset = (name: string): SettingFact => ({ verb: 'reset', name, local: false });
const set = (name: string, value: string): SettingFact => ({ verb: 'set', name, value, local: false });
const safe = (setting: SettingFact, back?: WayBack) => isSafeSetting(setting, [], back);

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
