import { expect, test } from 'vitest';
import { UnreadStatements } from '../../../src/protocols/postgres/reading/unread.ts';

test('what nobody reads is permitted by the policy of now, which is asked once for each of its words', () => {
  const policy = { version: 'first', allows: true, asked: 0 };
  const guard = {
    policyVersion: () => policy.version,
    allows: () => {
      policy.asked++;
      return policy.allows;
    },
  };
  const masks = { active: false };
  const unread = new UnreadStatements(guard, masks, { type: 'Resource', id: 'pg', attrs: {} });
  expect([unread.permitted, unread.permitted, policy.asked]).toEqual([true, true, 1]);

  masks.active = true;
  expect(unread.permitted).toBe(false);
  masks.active = false;

  Object.assign(policy, { version: 'second', allows: false });
  expect([unread.permitted, unread.permitted, policy.asked]).toEqual([false, false, 2]);
  // A renewal that gives back what another took.
  Object.assign(policy, { version: 'second+1', allows: true });
  expect([unread.permitted, policy.asked]).toEqual([true, 3]);
});
