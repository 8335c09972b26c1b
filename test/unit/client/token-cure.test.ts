import { expect, it } from 'vitest';
import type { DiscoveryMachine } from '../../../src/api/contract.ts';
import { missingTokenCure, tokenCure } from '../../../src/client/login/token-cure.ts';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const SECOND = NOW / 1000;
const GITLAB: DiscoveryMachine = { issuer: 'https://gitlab.test', audience: 'hoop', preset: 'gitlab' };
const GITHUB: DiscoveryMachine = {
  issuer: 'https://github.test',
  audience: 'hoop-2',
  preset: 'github-actions',
};

const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
const good = { iss: GITLAB.issuer, aud: 'hoop', exp: SECOND + 60 };

it.each([
  ['one that is as it should be', good, [GITLAB, GITHUB], undefined],
  ['one of several audiences', { ...good, aud: ['x', 'hoop'] }, [GITLAB], undefined],
  [
    'one that has ended',
    { ...good, exp: SECOND - 90 },
    [GITLAB],
    'it ended 90 s ago: put a new token into HOOPCTL_TOKEN_FILE',
  ],
  [
    'one for somebody else',
    { ...good, aud: 'vault' },
    [GITLAB, GITHUB],
    'its audience is vault, and the gateway wants hoop: ask the platform for a token with that one',
  ],
  [
    'one for nobody',
    { ...good, aud: undefined },
    [GITLAB],
    'its audience is not named, and the gateway wants hoop: ask the platform for a token with that one',
  ],
  [
    'one of a stranger',
    { ...good, iss: 'https://else.test' },
    [GITLAB, GITHUB],
    "it is of the issuer https://else.test; this gateway takes machines' tokens of https://gitlab.test, https://github.test",
  ],
  ['one at a gateway that says nothing of machines', { ...good, aud: 'vault' }, [], undefined],
] as const)('%s is told so', (_, claims, machines, cure) =>
  expect(tokenCure('HOOPCTL_TOKEN_FILE', jwt(claims), machines, NOW)).toBe(cure),
);

it.each([
  [{ ...good, exp: SECOND - 90 }, 'it ended 90 s ago: run the job again'],
  [
    { ...good, aud: 'vault' },
    'its audience is vault, and the gateway wants hoop: have its operator write "preset: github-actions" for this issuer',
  ],
] as const)('one that hoopctl has asked for is told so: %j', (claims, cure) =>
  expect(tokenCure(undefined, jwt(claims), [GITLAB], NOW)).toBe(cure),
);

it.each(['', 'a.b.c', jwt(null), jwt([1]), jwt({ exp: 'soon' })])(
  'what is no token of claims is told nothing of: %j',
  (token) => expect(tokenCure('HOOPCTL_TOKEN', token, [], NOW)).toBeUndefined(),
);

it.each([
  [{ GITHUB_ACTIONS: 'true' }, /id-token: write/],
  [{ GITLAB_CI: 'true' }, /id_tokens: { HOOPCTL_TOKEN: { aud/],
] as const)('a job without a token is told how its platform gives one: %j', (env, cure) =>
  expect(missingTokenCure(env)).toMatch(cure),
);

it.each([{}, { CI: 'true' }, { GITHUB_ACTIONS: '' }])('who is in no such job is told nothing: %j', (env) =>
  expect(missingTokenCure(env)).toBeUndefined(),
);
