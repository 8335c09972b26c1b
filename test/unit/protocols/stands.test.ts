import { expect, it } from 'vitest';
import { judge } from '../../../src/enforcement/judge.ts';
import { Stands } from '../../../src/protocols/stream/stands.ts';
import { agent, engineOf, table, vocabulary } from '../policy/support.ts';

const PERMIT = '@id("read") permit (principal, action == Action::"sql.select", resource);';
const principal = agent('bot', []);
const question = { pairs: [{ action: 'sql.select', object: table('t') }], context: {} };

it.each([
  ['goes on where policy is another and permits it', `${PERMIT} // again`, undefined],
  [
    'ends by the rule that denies it now',
    `${PERMIT} @id("closed") forbid (principal, action == Action::"sql.select", resource);`,
    'policy does not permit it any more: rule "closed"',
  ],
  [
    'ends by the rule that holds it now',
    `${PERMIT} @id("asked") @approval("dba") forbid (principal, action == Action::"sql.select", resource) unless { context.approvals.contains("dba") };`,
    'policy does not permit it any more: rule "asked"',
  ],
  ['ends by none where no rule permits it', '', 'policy does not permit it any more'],
])('what was allowed %s', (_what, text, message) => {
  let engine = engineOf(PERMIT);
  const guard = {
    policyVersion: () => engine.version,
    weighs: (
      ...[pairs, context]: Parameters<typeof judge> extends [unknown, unknown, ...infer R] ? R : never
    ) => judge({ engine, vocabulary }, principal, pairs, context).decision,
  };
  const stands = new Stands(guard, question, { policyVersion: engine.version, approvals: undefined });
  expect(stands.now).toBe(true);
  engine = engineOf(text);
  expect([stands.now, stands.now ? undefined : stands.ending.message]).toEqual([
    message === undefined,
    message,
  ]);
});
