/** Tokens that jobs should not get in with, each shown by a real hoopctl to a real hoopd; and what a model may say of itself. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JwksIssuer, startJwksIssuer } from '../../support/identity/jwks-issuer.ts';
import { ALLOW_ALL, type Stack, startStack } from '../../support/stack.ts';

const POLICY = `${ALLOW_ALL}
@id("only-attested-models") @reason("the model must be attested by the identity provider")
forbid (principal is Agent, action == Action::"connect", resource)
unless { principal.attested has model && principal.attested.model == "m-large" };`;

let stack: Stack;
let stranger: JwksIssuer;
beforeAll(async () => {
  [stack, stranger] = await Promise.all([startStack({ policy: POLICY }), startJwksIssuer('/evil')]);
});
afterAll(async () => {
  await stranger?.stop();
  await stack?.stop();
});

const whoami = (HOOPCTL_TOKEN: string) => stack.hoopctl(['whoami', '--json'], { HOOPCTL_TOKEN });
const GOOD = { sub: 'job', repository: 'org/shop' };
const past = () => Math.floor(Date.now() / 1000) - 600;

test('the job that is meant gets in', async () => {
  const { stdout, exitCode } = await whoami(stack.issuer.mint(GOOD));
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ kind: 'agent', name: 'ci' });
});

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
test.each<[string, number, () => string]>([
  ['made for another audience', 67, () => stack.issuer.mint({ ...GOOD, aud: 'hoopctl' })],
  ['expired', 67, () => stack.issuer.mint({ ...GOOD, exp: past() })],
  ['not valid yet', 67, () => stack.issuer.mint({ ...GOOD, nbf: past() + 1200 })],
  ['signed by nobody we know', 67, () => stack.issuer.mint(GOOD, { key: privateKey })],
  ['with a key id that is not there', 67, () => stack.issuer.mint(GOOD, { header: { kid: 'other' } })],
  ['with no algorithm', 67, () => stack.issuer.mint(GOOD, { header: { alg: 'none' } })],
  [
    'of an issuer whose name begins as ours',
    67,
    () => stranger.mint({ ...GOOD, iss: `${stack.issuer.issuer}.evil` }),
  ],
  ['of a stranger who says to be our issuer', 67, () => stranger.mint({ ...GOOD, iss: stack.issuer.issuer })],
  [
    'of a repository whose name begins as ours',
    77,
    () => stack.issuer.mint({ ...GOOD, repository: 'org/shop-evil' }),
  ],
  ['with a wildcard for a repository', 77, () => stack.issuer.mint({ ...GOOD, repository: 'org/*' })],
  ['of a pull request', 77, () => stack.issuer.mint({ ...GOOD, event_name: 'pull_request' })],
])('a token %s does not: %d', async (_, code, mint) => {
  const token = mint();
  const { stdout, stderr, exitCode } = await whoami(token);
  expect({ exitCode, stdout }, stderr).toEqual({ exitCode: code, stdout: '' });
  expect(JSON.parse(stderr)).toMatchObject({ schemaVersion: 1, error: { message: expect.any(String) } });
  expect(stderr).not.toContain(token.slice(0, 30));
});

test('many unknown key ids make no storm at the issuer', async () => {
  const before = stack.issuer.keyFetches();
  const tokens = Array.from({ length: 6 }, (_, i) => stack.issuer.mint(GOOD, { header: { kid: `k${i}` } }));
  await Promise.all(tokens.map((token) => whoami(token)));
  expect(stack.issuer.keyFetches() - before).toBeLessThanOrEqual(1);
});

describe('where policy wants an attested model', () => {
  const psql = (claims: object, ...args: string[]) =>
    stack.hoopctl(['connect', 'pg', ...args, '--', 'psql', '-X', '-w', '-At', '-c', 'select 7'], {
      HOOPCTL_TOKEN: stack.issuer.mint({ ...GOOD, ...claims }),
    });

  test('the provider says so: it opens', async () => {
    expect(await psql({ agent_model: 'm-large' })).toMatchObject({ exitCode: 0, stdout: '7\n' });
  });

  test.each([
    ['only the caller says so', {}, ['--model', 'm-large']],
    [
      'the provider says otherwise, whatever the caller says',
      { agent_model: 'm-tiny' },
      ['--model', 'm-large'],
    ],
    ['nobody says anything', {}, []],
  ])('%s: 77, with the reason', async (_, claims, args) => {
    const { exitCode, stdout, stderr } = await psql(claims, ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 77, stdout: '' });
    expect(stderr).toContain('attested');
  });
});
