import { describe, expect, it } from 'vitest';
import { bindingOf, type Covered } from '../../../src/approval/binding.ts';
import { agent, delegated, table } from '../policy/support.ts';

const covered: Covered = {
  resource: 'pg',
  protocol: 'postgres',
  principal: delegated(['ai-agents'], ['developers']),
  pairs: [{ action: 'sql.delete', object: table('t') }],
  context: { hasWhere: true },
  original: { statement: 'DELETE FROM t WHERE id = $1', parameters: ['1'] },
  exact: 'bytes and definitions',
  policyVersion: 'v1',
  approvals: ['dba'],
};
const { principal } = covered;

describe('what an approval covers', () => {
  it.each([
    ['another literal', { original: { statement: 'DELETE FROM t WHERE id = 2', parameters: [] } }],
    ['another parameter', { original: { ...covered.original, parameters: ['2'] } }],
    ['a parameter that is NULL', { original: { ...covered.original, parameters: [null] } }],
    ['one more space', { original: { statement: 'DELETE FROM t WHERE id =  $1', parameters: ['1'] } }],
    ['another resource', { resource: 'pg2' }],
    ['another protocol', { protocol: 'http' }],
    ['other definitions at the target', { exact: 'bytes and other definitions' }],
    ['another object', { pairs: [{ action: 'sql.delete', object: table('u') }] }],
    ['one more object', { pairs: [...covered.pairs, { action: 'sql.select', object: table('u') }] }],
    ['another action', { pairs: [{ action: 'sql.drop', object: table('t') }] }],
    ['other facts', { context: { hasWhere: false } }],
    ['another policy', { policyVersion: 'v2' }],
    ['another approval', { approvals: ['security'] }],
    ['another agent', { principal: { ...principal, name: 'other' } }],
    [
      'another person behind it',
      { principal: { ...principal, person: { ...principal.person!, subject: 'x' } } },
    ],
    ['no person behind it', { principal: agent('copilot', ['ai-agents']) }],
    ['another instance', { principal: { ...principal, instance: 'ins_2' } }],
    ['another key', { principal: { ...principal, keyThumbprint: 'other' } }],
    ['another run', { principal: { ...principal, attested: { runId: '2' } } }],
    ['another model, as it says', { principal: { ...principal, declared: { model: 'm' } } }],
  ] satisfies [string, Partial<Covered>][])('%s is another question', (_, other) => {
    expect(bindingOf({ ...covered, ...other })).not.toBe(bindingOf(covered));
  });

  it('is the same however its members are ordered, and when the credential is renewed', () => {
    const renewed = { ...principal, groups: [...principal.groups, 'more'], signedInAt: 5 };
    const context = JSON.parse('{"hasWhere":true}');
    expect(bindingOf({ ...covered, context, principal: renewed })).toBe(bindingOf(covered));
  });
});
