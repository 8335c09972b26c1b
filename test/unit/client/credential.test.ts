import { describe, expect, test } from 'vitest';
import { TOKEN_TYPES } from '../../../src/api/contract.ts';
import type { SubjectToken } from '../../../src/client/gateway-client.ts';
import { Credential, type SubjectSource, withFreshToken } from '../../../src/client/login/credential.ts';
import { TIME_IS_OVER } from '../../../src/client/login/time-given.ts';
import { type ErrorCode, HoopError } from '../../../src/core/errors.ts';
import { TestTime } from '../../support/test-time.ts';

const LIFE_S = 300;

function setUp(source?: SubjectSource['get'], cure?: SubjectSource['cure'], afterwards?: string) {
  const time = new TestTime();
  const exchanged: SubjectToken[] = [];
  const trouble: [ErrorCode, boolean][] = [];
  const world = { subject: 'id-1', failure: undefined as HoopError | undefined };
  const credential = new Credential({
    source: {
      name: 'test',
      get: source ?? (async () => ({ token: world.subject, type: TOKEN_TYPES.idToken })),
      ...(cure && { cure }),
    },
    ...(afterwards === undefined ? {} : { afterwards }),
    scheduler: time,
    onTrouble: (error, final) => trouble.push([error.code, final]),
    exchange: async (subject) => {
      exchanged.push(subject);
      if (world.failure) throw world.failure;
      return {
        access_token: `at-${exchanged.length}`,
        issued_token_type: TOKEN_TYPES.accessToken,
        token_type: 'DPoP',
        expires_in: LIFE_S,
        instance: 'ins_1',
        login: 'lgn_1',
        deadline: new Date(1_000_000 + 3_600_000).toISOString(),
      };
    },
  });
  return { time, exchanged, trouble, world, credential };
}

describe('renewal', () => {
  test('comes at three fifths of the life, with the newest token of the source', async () => {
    const { time, exchanged, world, credential } = setUp();
    await credential.open();
    expect(await credential.token()).toBe('at-1');
    expect(time.next).toBe(180_000);
    world.subject = 'id-2';
    await time.pass(180_000);
    expect(exchanged.map(({ token }) => token)).toEqual(['id-1', 'id-2']);
    expect(await credential.token()).toBe('at-2');
    expect(time.next).toBe(180_000);
  });

  test('hands in its own token where the source has nothing newer', async () => {
    const { time, exchanged, credential } = setUp();
    await credential.open();
    await time.pass(180_000);
    await time.pass(180_000);
    expect(exchanged).toEqual([
      { token: 'id-1', type: TOKEN_TYPES.idToken },
      { token: 'at-1', type: TOKEN_TYPES.accessToken },
      { token: 'at-2', type: TOKEN_TYPES.accessToken },
    ]);
  });

  test("asks again while its own token lives, where the provider's key is one that the gateway does not know yet", async () => {
    const { time, trouble, world, credential } = setUp();
    await credential.open();
    world.subject = 'id-2';
    world.failure = new HoopError('ERR_TOKEN_INVALID');
    await time.pass(180_000);
    expect(trouble).toEqual([['ERR_TOKEN_INVALID', false]]);
    expect(await credential.token()).toBe('at-1');
    world.failure = undefined;
    await time.pass(time.next ?? 0);
    expect(await credential.token()).not.toBe('at-1');
  });

  test('a token that is refused for as long as its own one lives is the end', async () => {
    const { time, trouble, world, credential } = setUp();
    await credential.open();
    world.subject = 'id-2';
    world.failure = new HoopError('ERR_TOKEN_INVALID');
    for (let i = 0; i < 200 && trouble.at(-1)?.[1] !== true; i++) await time.pass(5_000);
    expect(trouble.at(-1)).toEqual(['ERR_TOKEN_INVALID', true]);
    await expect(credential.token()).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' });
  });

  test('hands in its own token while the provider cannot be reached', async () => {
    let down = false;
    const { time, exchanged, credential } = setUp(async () => {
      if (down) throw new HoopError('ERR_ISSUER_UNREACHABLE');
      return { token: 'id-1', type: TOKEN_TYPES.idToken };
    });
    await credential.open();
    down = true;
    await time.pass(180_000);
    expect(exchanged.at(-1)).toEqual({ token: 'at-1', type: TOKEN_TYPES.accessToken });
  });

  test('tries again, ever more slowly, tells of it once, and recovers', async () => {
    const { time, trouble, world, credential } = setUp();
    await credential.open();
    world.failure = new HoopError('ERR_GATEWAY_UNREACHABLE');
    await time.pass(180_000);
    const waits: (number | undefined)[] = [];
    for (let i = 0; i < 7; i++) {
      waits.push(time.next);
      await time.pass(time.next!);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(trouble).toEqual([['ERR_GATEWAY_UNREACHABLE', false]]);
    expect(await credential.token()).toBe('at-1');
    world.failure = undefined;
    await time.pass(30_000);
    expect(await credential.token()).toMatch(/^at-\d+$/);
    expect(time.next).toBe(180_000);
  });

  test.each(['ERR_REVOKED', 'ERR_LOGIN_EXPIRED', 'ERR_AGENT_UNKNOWN'] as const)(
    '%s is the end',
    async (code) => {
      const { time, trouble, world, credential } = setUp();
      await credential.open();
      world.failure = new HoopError(code);
      await time.pass(180_000);
      expect(trouble).toEqual([[code, true]]);
      await expect(credential.token()).rejects.toMatchObject({ code });
      expect(time.next).toBeUndefined();
    },
  );

  test('where the provider refreshes without an ID token the gateway says how long its own one is good', async () => {
    let ended = false;
    const { time, exchanged, trouble, world, credential } = setUp(async () => {
      if (ended) throw new HoopError('ERR_NO_ID_TOKEN');
      return { token: 'id-1', type: TOKEN_TYPES.idToken };
    });
    await credential.open();
    ended = true;
    await time.pass(180_000);
    expect(exchanged.at(-1)).toEqual({ token: 'at-1', type: TOKEN_TYPES.accessToken });
    expect(trouble).toEqual([]);
    world.failure = new HoopError('ERR_LOGIN_EXPIRED', 'this login is renewed at its identity provider only');
    await time.pass(180_000);
    expect(trouble).toEqual([['ERR_NO_ID_TOKEN', true]]);
  });

  test('a disabled person is not helped by the token at hand', async () => {
    let disabled = false;
    const { time, exchanged, credential } = setUp(async () => {
      if (disabled) throw new HoopError('ERR_LOGIN_EXPIRED');
      return { token: 'id-1', type: TOKEN_TYPES.idToken };
    });
    await credential.open();
    disabled = true;
    await time.pass(180_000);
    expect(exchanged).toHaveLength(1);
    await expect(credential.token()).rejects.toMatchObject({ code: 'ERR_LOGIN_EXPIRED' });
  });

  test('nothing is tried after the deadline', async () => {
    const { time, world, credential } = setUp();
    await credential.open();
    world.failure = new HoopError('ERR_GATEWAY_UNREACHABLE');
    await time.pass(3_600_001);
    await expect(credential.token()).rejects.toMatchObject({ code: 'ERR_LOGIN_EXPIRED' });
    expect(time.next).toBeUndefined();
  });

  test.each([
    [undefined, 'ERR_LOGIN_EXPIRED', 'run: hoopctl login'],
    ['start this command again', 'ERR_LOGIN_EXPIRED', 'run: hoopctl login; then start this command again'],
    // No login helps there.
    ['start this command again', 'ERR_NO_ACCESS', 'run: hoopctl login'],
  ] as const)(
    'where what was opened does not come back, its end says so: %s, %s',
    async (afterwards, code, hint) => {
      const { time, world, credential } = setUp(undefined, undefined, afterwards);
      await credential.open();
      world.failure = new HoopError(code, undefined, { hint: 'run: hoopctl login' });
      await time.pass(180_000);
      await expect(credential.token()).rejects.toMatchObject({ code, hint });
    },
  );

  test('time that was given and is over is no login that has expired', async () => {
    const { time, world, credential } = setUp();
    await credential.open();
    world.failure = new HoopError('ERR_LOGIN_EXPIRED', TIME_IS_OVER);
    await time.pass(3_600_001);
    await expect(credential.token()).rejects.toMatchObject({ message: TIME_IS_OVER, hint: undefined });
  });
});

describe('a caller', () => {
  test('after a sleep waits for one renewal, together with all others', async () => {
    const { time, exchanged, credential } = setUp();
    await credential.open();
    const asleep = credential.token();
    expect(await asleep).toBe('at-1');
    time.now = (
      (before) => () =>
        before() + 400_000
    )(time.now);
    const tokens = await Promise.all([credential.token(), credential.token(), credential.token()]);
    expect(tokens).toEqual(['at-2', 'at-2', 'at-2']);
    expect(exchanged).toHaveLength(2);
    expect(exchanged[1]).toEqual({ token: 'id-1', type: TOKEN_TYPES.idToken });
  });

  test('gets the reason while the gateway is away and the token has run out', async () => {
    const { time, world, credential } = setUp();
    await credential.open();
    world.failure = new HoopError('ERR_GATEWAY_UNREACHABLE');
    await time.pass(300_000);
    await expect(credential.token()).rejects.toMatchObject({ code: 'ERR_GATEWAY_UNREACHABLE' });
  });

  test('does not see a failed renewal while the token at hand is still good for a moment', async () => {
    const { time, world, credential } = setUp();
    await credential.open();
    world.failure = new HoopError('ERR_GATEWAY_UNREACHABLE');
    await time.pass(297_000);
    expect(await credential.token()).toBe('at-1');
  });

  test('whose token the gateway has forgotten gets a new one, once', async () => {
    const { exchanged, credential } = setUp();
    await credential.open();
    const used: string[] = [];
    const answer = await withFreshToken(credential, async (token) => {
      used.push(token);
      if (token === 'at-1') throw new HoopError('ERR_TOKEN_INVALID');
      return 'fine';
    });
    expect(answer).toBe('fine');
    expect(used).toEqual(['at-1', 'at-2']);
    expect(exchanged.map(({ token }) => token)).toEqual(['id-1', 'id-1']);
    const always = withFreshToken(credential, async () => Promise.reject(new HoopError('ERR_TOKEN_INVALID')));
    await expect(always).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' });
  });

  test('that was denied is not tried again', async () => {
    const { exchanged, credential } = setUp();
    await credential.open();
    await expect(
      withFreshToken(credential, async () => Promise.reject(new HoopError('ERR_DENIED'))),
    ).rejects.toMatchObject({ code: 'ERR_DENIED' });
    expect(exchanged).toHaveLength(1);
  });
});

test('closed, it renews no more', async () => {
  const { time, exchanged, credential } = setUp();
  await credential.open();
  credential.close();
  await time.pass(1_000_000);
  expect(exchanged).toHaveLength(1);
});

describe('what is to be done about a refusal', () => {
  const said =
    "have the issuer make the token out to the audience that the gateway's operator has configured";

  test.each([
    ['what the token itself shows', 'its audience is vault', said, 'its audience is vault'],
    ['what the gateway says, where the token shows nothing', undefined, said, said],
    ['where to log in, where nobody knows more', undefined, 'run: hoopctl login', 'run: hoopctl login'],
  ])('is %s', async (_, cure, hint, told) => {
    const { credential, world } = setUp(undefined, async () => cure);
    world.failure = new HoopError('ERR_TOKEN_INVALID', 'the token is meant for another audience', { hint });
    await expect(credential.open()).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID', hint: told });
  });
});
