import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/identity/principal.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { ACTIONS, ATTESTED_NAMES } from '../../../src/policy/schema.ts';
import { agent, column, delegated, person, policySet, resource, schema, table } from './support.ts';

const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```cedar\n(.*?)```/gs)].map((match) => match[1]!);

it('every example of docs/policy.md is valid, alone and all together', () => {
  expect(examples.length).toBeGreaterThan(2);
  for (const text of [...examples, examples.join('\n')]) {
    const loaded = loadPolicies([{ name: 'docs/policy.md', text }]);
    expect(loaded.ok ? [] : loaded.faults).toEqual([]);
  }
});

it('docs/policy.md names every action, attribute and annotation', () => {
  for (const word of [
    ...ACTIONS,
    ...ATTESTED_NAMES,
    '@id',
    '@reason',
    '@hint',
    '@approval',
    '@mask',
    '@rows',
  ])
    expect(page).toContain(word);
});

describe('the shop of docs/policy.md', () => {
  const engine = new CedarEngine(policySet(examples[0]!));
  const copilot = delegated(['ai-agents'], ['developers']);
  const ask = (action: string, object = table('orders'), context = {}, who = copilot) => {
    const facts = { writesMasked: false, ...context };
    const decision = engine.decide({
      principal: who,
      action,
      object,
      context: action.startsWith('sql.') ? facts : {},
    });
    return [
      decision.effect,
      ...decision.rules.filter(({ id }) => decision.effect !== 'allow' || id === '').map(({ id }) => id),
    ];
  };

  it.each([
    ['connect', resource, {}, ['allow']],
    ['sql.select', table('customers'), {}, ['allow']],
    ['sql.update', table('orders'), {}, ['allow']],
    ['sql.update', table('customers'), { writesMasked: true }, ['deny', 'masked-values-are-not-overwritten']],
    ['sql.truncate', table('orders'), {}, ['deny', 'no-truncate']],
    ['sql.drop', table('orders'), {}, ['hold', 'ddl-needs-a-dba']],
    ['sql.create', schema, {}, ['hold', 'ddl-needs-a-dba']],
    ['sql.drop', table('orders'), { approvals: ['dba'] }, ['allow']],
    ['sql.do', resource, {}, ['deny']],
    ['sql.grant', table('orders'), {}, ['deny']],
    ['audit.search', { type: 'AuditLog', id: 'all', attrs: {} }, {}, ['deny']],
  ] as const)('%s on %o with %o: %o', (action, object, context, answer) =>
    expect(ask(action, object, context)).toEqual(answer),
  );

  it('bounds the rows that an agent changes, also for a person who may change more', () => {
    const context = { writesMasked: false };
    const decide = (principal: Principal) =>
      engine.decide({ principal, action: 'sql.delete', object: table('orders'), context });
    expect(decide(copilot)).toMatchObject({ rows: { max: 1000, rule: { id: 'agents-change-few-rows' } } });
    expect(decide(person('maya', ['developers']))).not.toHaveProperty('rows');
  });

  it('needs the person as well as the agent', () => {
    expect(ask('sql.select', table('orders'), {}, delegated(['ai-agents'], []))).toEqual(['deny']);
    expect(ask('sql.select', table('orders'), {}, agent('ci', ['ai-agents']))).toEqual(['allow']);
  });

  it('masks by the tags and their groups', () => {
    const reveal = (tags: string[], who = copilot) => {
      const answer = engine.reveal(who, column('c', tags));
      return answer.show ? 'show' : answer.mask;
    };
    expect([
      reveal([]),
      reveal(['pii.email']),
      reveal(['pii']),
      reveal(['piix']),
      reveal(['pii.card', 'secret.key']),
    ]).toEqual(['show', 'partial', 'partial', 'show', 'null']);
    expect(reveal(['pii.email'], person('maya', ['developers']))).toBe('show');
  });
});
