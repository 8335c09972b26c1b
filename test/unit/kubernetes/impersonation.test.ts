import { expect, it } from 'vitest';
import type { Principal } from '../../../src/identity/principal.ts';
import { impersonated, isImpersonated } from '../../../src/protocols/kubernetes/impersonation.ts';

const principal = (name: string, groups: readonly string[] = [], person?: string) =>
  ({ name, groups, ...(person && { person: { name: person } }) }) as unknown as Principal;

it.each([
  ['hoop:{name}', true],
  ['hoop:{name}:{person}', true],
  ['hoop:{person}', false],
  ['{name}', false],
  ['hoop{name}', false],
  ['system:{name}', false],
  ['hoop:{name', false],
  ['hoop:{declared}', false],
  ['hoop:{name}:{model}', false],
  ['hoop:all', false],
])('%s as a user is good: %s', (text, good) => {
  expect(isImpersonated(text, ['name', 'person'])).toBe(good);
});

it('names the agent, the person and each group once', () => {
  const asked = { user: 'hoop:{name}:{person}', groups: 'hoop:{group}' };
  expect(impersonated(asked, principal('bot', ['a', 'b', 'a'], 'ann@example.com'))).toEqual([
    ['impersonate-user', 'hoop:bot:ann@example.com'],
    ['impersonate-group', 'hoop:a'],
    ['impersonate-group', 'hoop:b'],
  ]);
});

it.each([
  ['a\r\nimpersonate-user: admin', 'hoop:a%0D%0Aimpersonate-user:%20admin'],
  ['Jürgen', 'hoop:J%C3%BCrgen'],
  ['J%C3%BCrgen', 'hoop:J%25C3%25BCrgen'],
  ['{person}', 'hoop:{person}'],
])('the name %j is %s', (name, shown) => {
  expect(impersonated({ user: 'hoop:{name}' }, principal(name))).toEqual([['impersonate-user', shown]]);
});
