import { describe, expect, it } from 'vitest';
import { attenuated } from '../../../src/enforcement/attenuated.ts';
import { judge } from '../../../src/enforcement/judge.ts';
import type { Attenuation } from '../../../src/identity/principal.ts';
import type { PolicyObject } from '../../../src/policy/model.ts';
import { agent, engineOf, resource, table, VERBS, vocabulary } from '../policy/support.ts';

const other: PolicyObject = { type: 'Resource', id: 'other', attrs: {} };
const callable = (name: string): PolicyObject => ({
  type: 'Function',
  id: `f-${name}`,
  attrs: { schema: 's', name: 'f', class: name },
  parent: resource,
});
const setting = (safe: boolean): PolicyObject => ({
  type: 'Setting',
  id: 'x',
  attrs: { name: 'x', safe },
  parent: resource,
});
const log: PolicyObject = { type: 'AuditLog', id: 'all', attrs: {} };
const limited = (attenuation: Partial<Attenuation>) => ({
  ...agent('bot', ['ai-agents']),
  attenuation: { readOnly: false, ...attenuation },
});
const left = (attenuation: Partial<Attenuation>, action: string, object: PolicyObject = table('t')) =>
  attenuated(limited(attenuation), { action, object }, vocabulary) === undefined;

describe('read-only', () => {
  const readOnly = { readOnly: true };
  const READS = [
    'connect',
    'reveal',
    'sql.select',
    'sql.show',
    'sql.copy-out',
    'sql.transaction',
    'http.get',
    'http.head',
    'http.options',
    'mcp.prompt',
    'mcp.read',
    'sftp.get',
    'sftp.list',
    'sftp.stat',
    'k8s.get',
    'k8s.list',
    'k8s.watch',
    'k8s.logs',
    'k8s.discover',
    'k8s.raw',
    'audit.search',
    'audit.export',
    'recording.view',
    'session.list',
  ];

  it('leaves a closed list of verbs', () => {
    expect(VERBS.filter((action) => left(readOnly, action)).sort()).toEqual(READS.sort());
  });

  it.each([
    ['pure', true],
    ['catalog', true],
    ['session', false],
    ['unsafe', false],
    ['user', false],
  ])('functions that are %s: %s', (name, expected) => {
    expect(left(readOnly, 'sql.call', callable(name))).toBe(expected);
  });

  it('settings only where they are safe', () => {
    expect(left(readOnly, 'sql.set', setting(true))).toBe(true);
    expect(left(readOnly, 'sql.set', setting(false))).toBe(false);
    expect(left(readOnly, 'sql.set-unsafe', setting(false))).toBe(false);
  });
});

describe('only', () => {
  it('resources: what hangs in one of them, and nothing that hangs in none', () => {
    const one = { resources: [resource.id] };
    expect(left(one, 'sql.drop')).toBe(true);
    expect(left(one, 'connect', other)).toBe(false);
    expect(left({ resources: ['other'] }, 'sql.select')).toBe(false);
    expect(left({ resources: ['all', 'self'] }, 'audit.search', log)).toBe(false);
    expect(left({ resources: [] }, 'connect', resource)).toBe(false);
  });

  it('actions: these, and what every client needs', () => {
    const two = { actions: ['sql.select', 'sql.update'] };
    for (const action of ['sql.select', 'sql.update', 'connect', 'reveal', 'sql.transaction'])
      expect(left(two, action)).toBe(true);
    for (const action of ['sql.insert', 'sql.copy-out', 'session.kill', 'audit.search'])
      expect(left(two, action)).toBe(false);
    expect(left({ actions: [] }, 'sql.select')).toBe(false);
  });

  it('with read-only: what both leave', () => {
    const both = { readOnly: true, actions: ['sql.update', 'sql.select'] };
    expect(left(both, 'sql.select')).toBe(true);
    expect(left(both, 'sql.update')).toBe(false);
    expect(left(both, 'sql.copy-out')).toBe(false);
  });
});

describe('below policy', () => {
  const engine = engineOf(`
    @id("all") permit (principal, action, resource);
    @id("ddl") @approval("dba") forbid (principal, action in Action::"sql.ddl", resource) unless { context.approvals.contains("dba") };
    @id("never") forbid (principal, action == Action::"sql.do", resource);`);
  const rules = { engine, vocabulary };
  const ask = (action: string, object: PolicyObject, attenuation: Partial<Attenuation>) =>
    judge(rules, limited(attenuation), [{ action, object }], { hasWhere: true, tautology: false }).decision;

  it('takes away from allow and from hold, and tells a denial as policy does', () => {
    expect(ask('sql.insert', table('t'), {})).toMatchObject({ effect: 'allow' });
    expect(ask('sql.insert', table('t'), { readOnly: true })).toMatchObject({
      effect: 'deny',
      rules: [
        {
          id: 'attenuated',
          reason: expect.stringContaining('only read'),
          hint: expect.stringContaining('--read-only'),
        },
      ],
      errors: [],
    });
    expect(ask('sql.drop', table('t'), {})).toMatchObject({ effect: 'hold' });
    expect(ask('sql.drop', table('t'), { readOnly: true })).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'attenuated' }],
    });
    expect(ask('sql.do', resource, { readOnly: true })).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'never' }],
    });
  });

  it('one principal with it does not colour the answers for one without', () => {
    const pair = [{ action: 'sql.insert', object: table('t') }];
    const context = { hasWhere: true, tautology: false };
    const bare = agent('bot', ['ai-agents']);
    expect(judge(rules, limited({ readOnly: true }), pair, context).decision.effect).toBe('deny');
    expect(judge(rules, bare, pair, context).decision.effect).toBe('allow');
  });
});
