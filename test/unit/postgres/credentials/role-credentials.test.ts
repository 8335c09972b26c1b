import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { credentialsConfig } from '../../../../src/protocols/postgres/credentials/config.ts';
import {
  askForConnections,
  askForGroup,
  createRole,
  dropRole,
} from '../../../../src/protocols/postgres/credentials/role-sql.ts';
import {
  isLeftBehind,
  markText,
  readMark,
  roleName,
} from '../../../../src/protocols/postgres/credentials/session-role.ts';

const INSTANCE = 'ins_01JDABCDEFGHJKMNPQRSTVWXYZ';

describe('the name of a role', () => {
  it('says who works in it, in letters that need no quotes anywhere', () => {
    expect(roleName({ name: 'copilot', instance: INSTANCE })).toMatch(
      /^hoop_copilot_01jdabcdefghjkmnpqrstvwxyz_[0-9a-f]{8}$/,
    );
  });

  it.each([
    ['an address', 'Ada.Lovelace@example.com'],
    ['quotes and a line break', `a"b'c\nd`],
    ['letters beyond ASCII', 'größe☃名'],
    ['nothing', ''],
    ['more than there is room for', 'x'.repeat(300)],
  ])('is one of at most 63 octets for %s', (_, name) => {
    for (const instance of [INSTANCE, 'ins_short', `ins_${'Y'.repeat(200)}`])
      expect(roleName({ name, instance })).toMatch(/^hoop_[a-z0-9_]{1,58}$/);
  });

  it('is another for each session of one instance', () => {
    const names = Array.from({ length: 100 }, () => roleName({ name: 'copilot', instance: INSTANCE }));
    expect(new Set(names).size).toBe(100);
  });
});

describe('the mark of a role', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const mine = { gateway: 'hoopd-1', boot: 'hoopd-1/boot_2/0', resource: 'pg' };
  const mark = (changes: object, untilMs = now + 1000) => {
    const text = markText({ ...mine, ...changes }, 'ses_1', untilMs);
    return readMark('hoop_copilot_1_2', text)!;
  };

  it('is read as it was written', () => {
    expect(mark({})).toMatchObject({ ...mine, session: 'ses_1', deadline: '2026-03-01T12:00:01.000Z' });
  });

  it.each([
    ['another name', 'postgres', markText(mine, 'ses_1', now)],
    ['a name with a quote', 'hoop_"x', markText(mine, 'ses_1', now)],
    ['no comment', 'hoop_a', ''],
    ["somebody's comment", 'hoop_a', 'the application'],
    ['another object', 'hoop_a', '{"gateway":"hoopd-1"}'],
    ['no object', 'hoop_a', 'null'],
    ['no date', 'hoop_a', markText(mine, 'ses_1', now).replace(/20\d\d-[^"]*/, 'soon')],
    ['a member that is no text', 'hoop_a', markText(mine, 'ses_1', now).replace('"ses_1"', '1')],
  ])('is none with %s', (_, name, comment) => {
    expect(readMark(name, comment)).toBeUndefined();
  });

  it.each([
    ['this start, running', {}, 1000, false],
    ['this start, at its deadline', {}, 0, false],
    ['this start, past its deadline', {}, -61_000, true],
    ['an earlier start', { boot: 'hoopd-1/boot_1/0' }, 1000, true],
    ['another resource', { resource: 'other', boot: 'x' }, -61_000, false],
    ['another resource, well past its deadline', { resource: 'other' }, -3_601_000, true],
    ['another gateway', { gateway: 'hoopd-2' }, 1000, false],
    ['another gateway, past its deadline', { gateway: 'hoopd-2' }, -61_000, false],
    ['another gateway, well past its deadline', { gateway: 'hoopd-2' }, -3_601_000, true],
  ])('of %s: left behind is %s', (_, changes, leftMs, expected) => {
    expect(isLeftBehind(mark(changes, now + leftMs), mine, now)).toBe(expected);
  });
});

describe('statements about roles', () => {
  const role = { name: 'hoop_a', of: 'my "app"', verifier: 'SCRAM$x', until: '2026', comment: "it's" };

  it('quote what they are given', () => {
    expect(createRole(role, 150_018)).toContain('GRANT "my ""app""" TO "hoop_a"');
    expect(createRole(role, 150_018)).toContain(`IS 'it''s'`);
    expect(dropRole('hoop_a', 'my "app"')).toContain('REASSIGN OWNED BY "hoop_a" TO "my ""app"""');
    expect(askForGroup("o'app")).toContain("r.rolname = 'o''app'");
    expect(askForConnections(['a', "b'"])).toContain("IN ('a', 'b''')");
  });

  it('say how a membership works from the version on that has words for it', () => {
    expect(createRole(role, 150_018)).not.toContain('INHERIT TRUE');
    expect(createRole(role, 160_000)).toContain('TO "hoop_a" WITH INHERIT TRUE, SET TRUE');
    expect(createRole(role, 160_000)).toContain('TO CURRENT_USER WITH INHERIT TRUE, SET FALSE');
  });
});

describe('credentials in the configuration', () => {
  const read = (written: unknown) => credentialsConfig('/etc/hoopd').safeParse(written);
  const password = { env: 'PG_PASSWORD' };

  it('are told apart by their keys', () => {
    expect(read({ user: 'hoop', password }).data).toEqual({ kind: 'configured', user: 'hoop', password });
    expect(read({ user: 'hoop', password, role: 'app' }).data).toEqual({
      kind: 'role',
      user: 'hoop',
      password,
      role: 'app',
    });
  });

  it.each([
    [{ password }, ['user'], "is missing; write the gateway's own role at the target"],
    [{ user: 'hoop', role: 'app' }, ['password'], 'is missing; write {env: NAME} or {file: PATH}'],
    [{ user: 'hoop', password, role: 'hoop' }, ['role'], /^is the user itself; write another role/],
    [{ user: 'hoop', password, role: 'none' }, ['role'], /^expected a role name/],
    [{ user: 'hoop', password, role: '' }, ['role'], /^expected a role name/],
  ])('complain of %j', (written, path, message) => {
    const { error } = read(written) as { error: z.ZodError };
    expect(error.issues).toEqual([
      expect.objectContaining({ path, message: expect.stringMatching(message) }),
    ]);
  });
});
