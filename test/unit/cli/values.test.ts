import { describe, expect, test } from 'vitest';
import { eventRow } from '../../../src/cli/audit/event-row.ts';
import { searchQuery } from '../../../src/cli/audit/run-search.ts';
import type { Invocation } from '../../../src/cli/command.ts';
import { planConnect } from '../../../src/cli/connect/plan.ts';
import { describeFailure } from '../../../src/cli/failure.ts';
import { parseDuration, parseMoment, parseWhole } from '../../../src/cli/parse.ts';
import { parseSpeed } from '../../../src/cli/replay/run-replay.ts';
import { Interrupted } from '../../../src/cli/signals.ts';
import { HoopError } from '../../../src/core/errors.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const esc = String.fromCharCode(27);

test.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['8h', 28_800_000],
  ['2d', 172_800_000],
  ['1h30m', 5_400_000],
])('%s is %i ms', (text, ms) => expect(parseDuration(text, '--ttl')).toBe(ms));

test.each(['', '0s', '30', 'm', '-1h', '1.5h', '1w', '1h ', '9999999999h'])('%j is no duration', (text) => {
  expect(() => parseDuration(text, '--ttl')).toThrow(/--ttl .* is not a duration/);
});

test.each([
  ['1h', '2026-03-01T11:00:00.000Z'],
  ['2026-02-01T00:00:00Z', '2026-02-01T00:00:00.000Z'],
  ['2026-02-01T00:00:00+02:00', '2026-01-31T22:00:00.000Z'],
  ['2026-02-01', new Date('2026-02-01T00:00:00').toISOString()],
])('%s is the moment %s', (text, moment) => expect(parseMoment(text, '--since', NOW)).toBe(moment));

test.each(['', 'yesterday', '2026', '2026-13-01', '01.02.2026'])('%j is no moment', (text) => {
  expect(() => parseMoment(text, '--since', NOW)).toThrow('is not a time');
});

test('numbers keep their bounds', () => {
  expect(parseWhole('5', '--port', 0, 10)).toBe(5);
  for (const text of ['', '-1', '11', '1e1', '0x5', ' 5'])
    expect(() => parseWhole(text, '--port', 0, 10)).toThrow();
  for (const text of ['', '-1', '1001', 'fast', '1.2345']) expect(() => parseSpeed(text)).toThrow('--speed');
  expect(parseSpeed('0.5')).toBe(0.5);
});

function invocation(
  options: Invocation['options'],
  args: string[] = ['pg'],
  command: string[] = [],
): Invocation {
  return { args, options, command, io: { json: options['json'] === true, env: {} } as Invocation['io'] };
}

describe('connect', () => {
  test('plans', () => {
    expect(planConnect(invocation({}))).toEqual({
      resources: ['pg'],
      local: { kind: 'port', port: 0 },
      bearer: false,
      tls: false,
      keep: false,
    });
    expect(planConnect(invocation({ keep: true })).keep).toBe(true);
    expect(planConnect(invocation({ socket: '/run/x', port: '6000', ttl: '30m', reason: 'r' }))).toEqual({
      resources: ['pg'],
      local: { kind: 'socket', directory: '/run/x', port: 6000 },
      bearer: false,
      tls: false,
      keep: false,
      reason: 'r',
      ttlMs: 1_800_000,
    });
    expect(planConnect(invocation({ stdio: true })).local).toEqual({ kind: 'stdio' });
    const told = planConnect(invocation({ env: 'BASE_URL', bearer: true }, ['pg'], ['curl']));
    expect(told).toMatchObject({ urlVariable: 'BASE_URL', bearer: true });
    expect(planConnect(invocation({ tls: true })).tls).toBe(true);
  });

  test('a command begins a run, unless there is one already; a name that no run may have is refused', () => {
    const within = (run: string, command: string[] = []) => {
      const one = invocation({}, ['pg'], command);
      one.io.env['HOOP_RUN_ID'] = run;
      return planConnect(one);
    };
    expect(planConnect(invocation({}, ['pg'], ['psql'])).run).toMatch(/^run_[0-9A-Z]{26}$/);
    expect(within('nightly/42').run).toBe('nightly/42');
    expect(within('nightly/42', ['psql']).run).toBe('nightly/42');
    expect(within('').run).toBeUndefined();
    for (const run of ['a b', '\u001b[2J', '-x', 'x'.repeat(129)])
      expect(() => within(run)).toThrow('is no name of a run');
  });

  test.each([
    [{ port: '65536' }, []],
    [{ stdio: true, port: '5' }, []],
    [{ stdio: true, socket: '/x' }, []],
    [{ stdio: true, json: true }, []],
    [{ stdio: true }, ['psql']],
    [{ stdio: true, keep: true }, []],
    [{ stdio: true, tls: true }, []],
    [{ keep: true }, ['psql']],
    [{ env: 'BASE_URL' }, []],
    [{ env: 'NOT-A-NAME' }, ['curl']],
    [{ ttl: 'long' }, []],
  ])('refuses %j %j', (options, command) => {
    expect(() => planConnect(invocation(options, ['pg'], command))).toThrow(HoopError);
  });

  test.each([
    [{}, ['pg', 'x', 'pg'], /"pg" is named twice/],
    [{ stdio: true }, ['pg', 'x'], /name one resource/],
    [{ port: '65535' }, ['pg', 'x'], /from 0 to 65534/],
  ])('refuses %j of %j', (options, args, message) => {
    expect(() => planConnect(invocation(options, args))).toThrow(message);
  });
});

describe('failures', () => {
  test.each([
    ['run: hoopctl login', 'grace', 'run: hoopctl login --profile grace'],
    ['see: hoopctl login --help', 'grace', 'see: hoopctl login --help'],
    [
      'run: hoopctl login --gateway https://x, or not',
      'grace',
      'run: hoopctl login --profile grace --gateway https://x, or not',
    ],
    [
      'run: hoopctl login --gateway https://x --profile ada',
      'grace',
      'run: hoopctl login --gateway https://x --profile ada',
    ],
    ['run: hoopctl login', undefined, 'run: hoopctl login'],
    ['run: hoopctl login', '$(reboot)', 'run: hoopctl login'],
    ['run: hoopctl logout', 'grace', 'run: hoopctl logout'],
  ])('a login is advised in the profile that failed: %s, %s', (hint, profile, told) => {
    const error = new HoopError('ERR_LOGIN_STALE', 'too old', { hint });
    expect(describeFailure(error, { json: false }, profile).text).toBe(`hoopctl: too old\nhint: ${told}\n`);
  });

  test('are a line and a hint, or one object; the rest is silence', () => {
    const error = new HoopError('ERR_DENIED', `no\n${esc}[31m`, { hint: 'ask', detail: 'inner' });
    expect(describeFailure(error, { json: false })).toEqual({
      text: 'hoopctl: no\\n\\x1b[31m\nhint: ask\n',
      exitCode: 77,
    });
    const { text } = describeFailure(error, { json: true });
    expect(JSON.parse(text)).toEqual({
      schemaVersion: 1,
      error: { code: 'ERR_DENIED', message: `no\n${esc}[31m`, hint: 'ask' },
    });
    expect(describeFailure(new Interrupted('SIGTERM'), { json: true })).toEqual({ text: '', exitCode: 143 });
    expect(describeFailure(Object.assign(new Error(), { code: 'EPIPE' }), { json: false })).toEqual({
      text: '',
      exitCode: 141,
    });
    expect(describeFailure(new TypeError('x is not a function'), { json: false })).toEqual({
      text: 'hoopctl: internal error: x is not a function\n',
      exitCode: 70,
    });
  });
});

describe('audit search', () => {
  test('hands on what was asked, moments as UTC', () => {
    const options = { agent: 'bot', decision: 'deny', since: '1h', object: 'public.t', json: true };
    expect(searchQuery({ args: ['drop', 'table'], options }, NOW)).toEqual({
      q: 'drop table',
      agent: 'bot',
      decision: 'deny',
      since: '2026-03-01T11:00:00.000Z',
      object: 'public.t',
    });
    expect(searchQuery({ args: [], options: { table: 'public.t' } }, NOW)).toEqual({ object: 'public.t' });
    const both = { table: 'public.t', object: 'public.t' };
    expect(() => searchQuery({ args: [], options: both }, NOW)).toThrow('another word for --object');
    expect(() => searchQuery({ args: [], options: { decision: 'denied' } }, NOW)).toThrow(
      'allow, deny, hold',
    );
    expect(() => searchQuery({ args: [], options: { outcome: 'ok' } }, NOW)).toThrow(
      'success, failure, unknown',
    );
  });

  test('what no event can have is said, and not looked for', () => {
    const search = (options: Record<string, string>) => () => searchQuery({ args: [], options }, NOW);
    expect(search({ session: 'ses_1' })).toThrow('"ses_1" is not the id of a session');
    expect(search({ session: 'ses_01JD8M2K7Q' })).not.toThrow();
    expect(search({ instance: 'x' })).toThrow('--instance "x" is no instance');
    expect(search({ instance: 'ins_01JD8M2K7QZX4T9B3N5V6W8Y0C' })).not.toThrow();
    expect(search({ run: 'ins_01JD8M2K7QZX4T9B3N5V6W8Y0C' })).toThrow('of something else');
    for (const run of ['run_01JD8M2K7QZX4T9B3N5V6W8Y0C', 'nightly 42', '9876543210'])
      expect(search({ run })).not.toThrow();
    expect(search({ approval: 'ses_01JD8M2K7QZX4T9B3N5V6W8Y0C' })).toThrow('is not the id of a request');
    expect(search({ since: '1h', until: '2h' })).toThrow(
      '--until 2026-03-01T10:00:00.000Z is not after --since 2026-03-01T11:00:00.000Z',
    );
    expect(search({ since: '2h', until: '1h', session: 'ses_01JD8M2K7QZX4T9B3N5V6W8Y0C' })).not.toThrow();
  });

  test('shows an event in one row, whatever is in it', () => {
    const event = { schemaVersion: 2, id: 'evt_1', at: 'T', type: 'operation.decided' } as const;
    expect(
      eventRow({
        ...event,
        actor: { name: 'bot', person: 'alice' },
        resource: 'pg',
        decision: 'allow',
        outcome: 'failure',
        status: '42501',
        rows: 3,
        session: 'ses_1',
        text: 'select\n  1',
      }),
    ).toEqual([
      'evt_1',
      'T',
      'bot for alice',
      'pg',
      'operation.decided',
      'allow',
      'failure 42501',
      '3',
      'ses_1',
      'select 1',
    ]);
    const decided = { ...event, facts: { decidedBy: 'grace', names: 'dba', state: 'denied' } };
    expect(eventRow(decided).at(-1)).toBe('by grace as dba');
    expect(eventRow({ ...decided, reason: 'one\nis enough' }).at(-1)).toBe('by grace as dba: one is enough');
    expect(eventRow({ ...event, actor: null, text: 5, rows: 'x', objects: ['a', 1] })).toEqual([
      'evt_1',
      'T',
      '',
      '',
      'operation.decided',
      '',
      '',
      '',
      '',
      'a',
    ]);
  });
});
