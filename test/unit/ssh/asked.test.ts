import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recordedQuestion } from '../../../src/enforcement/asked.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { hostOf } from '../../../src/protocols/ssh/entities.ts';
import {
  type Asked,
  approvable,
  contextOf,
  questionOf,
  type Start,
} from '../../../src/protocols/ssh/relay/asked.ts';
import { agent, engineOf, vocabulary } from '../policy/support.ts';

const resource = { type: 'Resource', id: 'host-1', attrs: { protocol: 'ssh' } };
const host = hostOf(resource, 'host-1.internal', []);
const page = readFileSync(new URL('../../../docs/protocols/ssh.md', import.meta.url), 'utf8');
const policies = [...page.matchAll(/```cedar\n(.*?)```/gs)].map((match) => match[1]!).join('\n');
const clean = (text: string) => text.replaceAll('123-45-6789', '***');

const asked = (start: Start | string, more: Partial<Asked> = {}): Asked => ({
  start: typeof start === 'string' ? { kind: 'exec', command: start } : start,
  terminal: undefined,
  variables: new Map(),
  ...more,
});
const question = (start: Start | string, more: Partial<Asked> = {}) =>
  questionOf(host, asked(start, more), clean);
const terminal = { term: 'xterm', cols: 80, rows: 24, width: 0, height: 0, modes: {} };
const verbs = (start: Start | string, more: Partial<Asked> = {}) =>
  question(start, more).pairs.map(({ action, object }) => `${action} ${object.id}`);

describe('what a channel asks', () => {
  it.each<[string, Start | string, Partial<Asked>, string[]]>([
    ['a command', 'ls -la /tmp', {}, ['ssh.exec host-1/host-1.internal/ls']],
    ['shell syntax', 'ls; rm -rf /x', {}, ['ssh.exec host-1/host-1.internal/(shell)']],
    ['a shell', { kind: 'shell' }, {}, ['ssh.shell host-1/host-1.internal']],
    [
      'a shell with a terminal',
      { kind: 'shell' },
      { terminal },
      ['ssh.shell host-1/host-1.internal', 'ssh.pty host-1/host-1.internal'],
    ],
    [
      'a subsystem',
      { kind: 'subsystem', name: 'netconf' },
      {},
      ['ssh.subsystem host-1/host-1.internal/(netconf)'],
    ],
    [
      'a copy from the host',
      'scp -f /var/log/../log/syslog',
      {},
      ['ssh.exec host-1/host-1.internal/scp', 'sftp.get host-1/host-1.internal/var/log/syslog'],
    ],
    [
      'a copy to the home',
      'scp -t notes/',
      {},
      ['ssh.exec host-1/host-1.internal/scp', 'sftp.put host-1/host-1.internal/~/notes'],
    ],
  ])('%s', (_, start, more, expected) => {
    expect(verbs(start, more)).toEqual(expected);
  });

  it.each([
    ['NUL', 'ls\0rm'],
    ['no UTF-8', 'ls \ufffd'],
    ['too long', `echo ${'x'.repeat(128 * 1024)}`],
  ])('is refused where a command is %s', (_, command) => {
    expect(question(command)).toMatchObject({ pairs: [], refusal: { rule: 'command-unreadable' } });
  });

  it('is told to people without what detectors find, and cut', () => {
    expect(question('grep 123-45-6789 x').text).toBe('exec grep *** x');
    expect(question(`echo ${'x'.repeat(5000)}`).text.length).toBeLessThan(2100);
  });

  it.each<[string, Start | string, string[]]>([
    ['a program', '/opt/123-45-6789/run', ['host-1/host-1.internal//opt/***/run']],
    ['a subsystem', { kind: 'subsystem', name: 'of-123-45-6789' }, ['host-1/host-1.internal/(of-***)']],
    [
      'a file',
      'scp -f /data/123-45-6789.csv',
      ['host-1/host-1.internal/scp', 'host-1/host-1.internal/data/***.csv'],
    ],
  ])(
    'calls %s in evidence without what detectors find, and asks policy of it as it is',
    (_, start, shown) => {
      const { pairs } = question(start);
      expect(pairs.map(({ object }) => object.shownId ?? object.id)).toEqual(shown);
      expect(JSON.stringify(pairs.map(({ object }) => object.attrs))).toContain('123-45-6789');
    },
  );

  it('calls nothing by a name that is too much to be looked at', () => {
    const tooMuch = () => {
      throw new Error('too much');
    };
    expect(questionOf(host, asked('/opt/run'), tooMuch).pairs).toMatchObject([
      { object: { shownId: 'host-1/host-1.internal‹withheld›' } },
    ]);
  });

  it('tells what is set and whether there is a terminal', () => {
    expect(contextOf({ terminal, variables: new Map([['LANG', 'C']]) })).toEqual({
      terminal: true,
      env: ['LANG=C'],
      envNames: ['LANG'],
      signal: '',
      tool: '',
      recursive: false,
      removes: false,
    });
    expect(question('rsync --server --sender -logDtpre.iLsfxC . /srv').context).toMatchObject({
      tool: 'rsync',
    });
  });

  it('is covered by a yes to exactly that', () => {
    const wait = { signal: new AbortController().signal, told: () => undefined };
    const exact = (one: Asked) => approvable(questionOf(host, one, clean), one, wait).exact();
    const all = [
      asked('a b'),
      asked('a  b'),
      asked({ kind: 'shell' }),
      asked({ kind: 'subsystem', name: 'a b' }),
      asked('a b', { terminal }),
      asked('a b', { variables: new Map([['LANG', 'C']]) }),
    ].map(exact);
    expect(new Set(all).size).toBe(all.length);
    expect(exact(asked('a b'))).toBe(all[0]);
  });
});

describe('the policies of docs/protocols/ssh.md', () => {
  const engine = engineOf(policies);
  const effect = (groups: readonly string[], start: Start | string, more: Partial<Asked> = {}) => {
    const { pairs, context } = question(start, more);
    const effects = pairs.map(({ action, object }) =>
      engine.decide({ principal: agent('bot', groups), action, object, context }),
    );
    return effects
      .map((one) => one.effect)
      .sort()
      .at(0);
  };

  it('are valid', () => {
    const loaded = loadPolicies(vocabulary, [{ name: 'docs/protocols/ssh.md', text: policies }]);
    expect(loaded.ok ? [] : loaded.faults).toEqual([]);
  });

  it.each([
    ['uptime', 'allow'],
    ['uptime -p', 'deny'],
    ['uptime; id', 'deny'],
    ['"uptime"', 'allow'],
    ['$(uptime)', 'deny'],
    ['uptime\nid', 'deny'],
    ['cat /var/log/syslog', 'allow'],
    ['cat /var/log/../../etc/shadow', 'deny'],
    ['cat /var/log/a /etc/shadow', 'deny'],
    ['cat /var/log/*', 'deny'],
    ['systemctl restart shop', 'hold'],
    ['systemctl stop shop', 'deny'],
  ])('agents: %s: %s', (command, expected) => {
    expect(effect(['ai-agents'], command)).toBe(expected);
  });

  it('a shell is for people', () => {
    expect(effect(['ai-agents'], { kind: 'shell' }, { terminal })).toBe('deny');
    expect(effect(['operators'], { kind: 'shell' }, { terminal })).toBe('allow');
  });
});

it.each([
  'mysql -phunter2 -e "select 1"',
  'curl -H "Authorization: hunter2" localhost',
  'PASS=hunter2 deploy',
  'echo hunter2 | sh -s',
  'mail -s x 123-45-6789',
])('of %j the record that policy is asked by keeps no word', (command) => {
  const asked = question(command);
  expect(JSON.stringify(asked)).toMatch(/hunter2|123-45-6789/);
  expect(JSON.stringify(recordedQuestion(vocabulary, asked))).not.toMatch(/hunter2|123-45-6789/);
});
