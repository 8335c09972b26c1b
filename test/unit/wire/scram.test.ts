import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHoopError } from '../../../src/core/errors.ts';
import { Secret } from '../../../src/core/secret.ts';
import {
  type ChannelBinding,
  parseVerifier,
  SaltedKeyCache,
  ScramClient,
  ScramServer,
} from '../../../src/wire/scram/index.ts';
import { proves, scramKeys } from '../../../src/wire/scram/keys.ts';
import { saslprep } from '../../../src/wire/scram/saslprep.ts';
import { makeVerifier } from '../../support/postgres/scram-verifier.ts';

const SALT = Buffer.from('0123456789abcdef');
const text = (value: string) => Buffer.from(value, 'utf8');
const none: ChannelBinding = { kind: 'none' };

function client(password: string, binding: ChannelBinding = none, nonce = 'client-nonce'): ScramClient {
  return new ScramClient({
    password: new Secret(password),
    nonce,
    binding,
    saltedKeys: new SaltedKeyCache(),
  });
}

function server(password: string, iterations = 4096): ScramServer {
  return new ScramServer(parseVerifier(makeVerifier(password, SALT, iterations)), 'server-nonce');
}

/** Plays a whole login; gives what the client came to. */
async function login(from: ScramClient, to: ScramServer): Promise<boolean> {
  const final = await from.respond(to.challenge(from.start()));
  from.finish(to.finish(final));
  return from.verified;
}

// RFC 7677 §3
const RFC = {
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

describe('the vector of RFC 7677', () => {
  it('as client', async () => {
    const one = new ScramClient({
      password: new Secret('pencil'),
      nonce: 'rOprNGfwEbeRWgbNEkqO',
      user: 'user',
      binding: none,
      saltedKeys: new SaltedKeyCache(),
    });
    expect(one.start().toString()).toBe(RFC.clientFirst);
    expect((await one.respond(text(RFC.serverFirst))).toString()).toBe(RFC.clientFinal);
    expect(one.verified).toBe(false);
    one.finish(text(RFC.serverFinal));
    expect(one.verified).toBe(true);
  });

  it('as server', () => {
    const verifier = parseVerifier(makeVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')));
    const one = new ScramServer(verifier, '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0');
    expect(one.challenge(text(RFC.clientFirst)).toString()).toBe(RFC.serverFirst);
    expect(one.finish(text(RFC.clientFinal)).toString()).toBe(RFC.serverFinal);
  });
});

describe('client and server', () => {
  it.each([1, 4096, 10_000])('agree with %i iterations', async (iterations) => {
    expect(await login(client('geheim'), server('geheim', iterations))).toBe(true);
  });

  it('agree where the client could bind and the server does not offer it', async () => {
    expect(await login(client('geheim', { kind: 'unoffered' }), server('geheim'))).toBe(true);
  });

  it('do not with another password', async () => {
    const hint = expect.stringContaining('what hoopctl printed when the tunnel was ready');
    const wrong = expect.objectContaining({ code: 'ERR_LOCAL_AUTH', hint });
    await expect(login(client('geheim'), server('Geheim'))).rejects.toThrow(wrong);
  });

  it('do not if the server knows only half: a verifier with another server key', async () => {
    const verifier = parseVerifier(makeVerifier('geheim', SALT));
    const liar = new ScramServer({ ...verifier, serverKey: Buffer.alloc(32, 1) }, 'server-nonce');
    await expect(login(client('geheim'), liar)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_AUTH' }),
    );
  });
});

describe('the server refuses', () => {
  const first: readonly [string, string][] = [
    ['channel binding', 'p=tls-server-end-point,,n=,r=abc'],
    ['another identity', 'n,a=admin,n=,r=abc'],
    ['a mandatory extension', 'n,,m=x,n=,r=abc'],
    ['no nonce', 'n,,n=,r='],
    ['a nonce with a space', 'n,,n=,r=a b'],
    ['no header', 'n=,r=abc'],
    ['nothing at all', ''],
    ['an unknown flag', 'x,,n=,r=abc'],
  ];
  it.each(first)('a first message with %s', (_what, message) => {
    expect(() => server('x').challenge(text(message))).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL' }),
    );
  });

  it('octets that are not UTF-8', () => {
    expect(() => server('x').challenge(Buffer.from('n,,n=\xff,r=a', 'latin1'))).toThrow('not valid UTF-8');
  });

  const final: readonly [what: string, edit: (message: string) => string, code: string][] = [
    ['another nonce', (m) => m.replace('r=client', 'r=Client'), 'ERR_PROTOCOL'],
    ['the client’s nonce alone', (m) => m.replace('server-nonce', ''), 'ERR_PROTOCOL'],
    ['a longer nonce', (m) => m.replace('server-nonce', 'server-nonceX'), 'ERR_PROTOCOL'],
    ['another binding', (m) => m.replace('c=biws', 'c=eSws'), 'ERR_PROTOCOL'],
    [
      'a binding with data',
      (m) => m.replace('c=biws', `c=${text('n,,x').toString('base64')}`),
      'ERR_PROTOCOL',
    ],
    ['no proof', (m) => m.replace(/,p=.*/, ''), 'ERR_PROTOCOL'],
    ['an empty proof', (m) => m.replace(/,p=.*/, ',p='), 'ERR_PROTOCOL'],
    ['a proof that is not base64', (m) => m.replace(/,p=.*/, ',p=@@@@'), 'ERR_PROTOCOL'],
    ['a short proof', (m) => m.replace(/,p=.*/, ',p=AAAA'), 'ERR_LOCAL_AUTH'],
    [
      'a proof of zeros',
      (m) => m.replace(/,p=.*/, `,p=${Buffer.alloc(32).toString('base64')}`),
      'ERR_LOCAL_AUTH',
    ],
    ['an extension that was not proved', (m) => m.replace(',p=', ',x=1,p='), 'ERR_LOCAL_AUTH'],
  ];
  it.each(final)('a final message with %s', async (_what, edit, code) => {
    const [from, to] = [client('geheim'), server('geheim')];
    const message = (await from.respond(to.challenge(from.start()))).toString();
    expect(edit(message)).not.toBe(message);
    expect(() => to.finish(text(edit(message)))).toThrow(expect.objectContaining({ code }));
  });

  it('a final message without a first', () => {
    expect(() => server('x').finish(text('c=biws,r=abc,p=AAAA'))).toThrow(
      expect.objectContaining({ code: 'ERR_PROTOCOL' }),
    );
  });

  it('any other octets, with an error of ours', () => {
    const messages = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((octets) => Buffer.from(octets)),
      fc
        .array(fc.constantFrom('n', ',', '=', 'r', 'p', 'c', 'biws', 'client-nonce', 'AAAA', 'm'))
        .map((words) => text(words.join(''))),
    );
    fc.assert(
      fc.property(messages, messages, (one, two) => {
        try {
          const to = server('x', 1);
          to.challenge(one);
          to.finish(two);
        } catch (error) {
          if (!isHoopError(error)) throw error;
          return;
        }
        throw new Error('random octets logged in');
      }),
      { numRuns: 500, interruptAfterTimeLimit: 1_500 },
    );
  });
});

describe('the client refuses', () => {
  const salt = SALT.toString('base64');
  const first: readonly [string, string][] = [
    ['a nonce that is not built on its own', `r=other-nonce,s=${salt},i=4096`],
    ['its own nonce and nothing of the server’s', `r=client-nonce,s=${salt},i=4096`],
    ['no salt', 'r=client-nonceX,s=,i=4096'],
    ['a salt that is not base64', 'r=client-nonceX,s=!!!,i=4096'],
    ['0 iterations', `r=client-nonceX,s=${salt},i=0`],
    ['-1 iterations', `r=client-nonceX,s=${salt},i=-1`],
    ['1000001 iterations', `r=client-nonceX,s=${salt},i=1000001`],
    ['2^31 iterations', `r=client-nonceX,s=${salt},i=2147483648`],
    ['1e3 iterations', `r=client-nonceX,s=${salt},i=1e3`],
    ['a mandatory extension', `m=x,r=client-nonceX,s=${salt},i=4096`],
    ['nothing at all', ''],
  ];
  it.each(first)('%s', async (_what, message) => {
    const one = client('geheim');
    one.start();
    const error = await one.respond(text(message)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_TARGET_AUTH' });
    expect(inspect(error)).not.toContain('geheim');
  });

  it.each(['', 'v=', 'v=AAAA', 'e=invalid-proof', `v=${Buffer.alloc(32).toString('base64')}`])(
    'a server that proves nothing: %s',
    async (message) => {
      const one = client('geheim');
      await one.respond(server('geheim').challenge(one.start()));
      expect(() => one.finish(text(message))).toThrow(expect.objectContaining({ code: 'ERR_TARGET_AUTH' }));
      expect(one.verified).toBe(false);
    },
  );

  it('a proof before it was asked for one', () => {
    expect(() => client('geheim').finish(text(RFC.serverFinal))).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_AUTH' }),
    );
  });
});

describe('channel binding', () => {
  it('is said in the header and proved in the final message', async () => {
    const certificateHash = Buffer.alloc(32, 7);
    const one = client('geheim', { kind: 'endPoint', certificateHash });
    expect(one.mechanism).toBe('SCRAM-SHA-256-PLUS');
    expect(one.start().toString()).toBe('p=tls-server-end-point,,n=,r=client-nonce');
    const final = await one.respond(text(`r=client-nonceX,s=${SALT.toString('base64')},i=1`));
    const bound = Buffer.from(/^c=([^,]+),/.exec(final.toString())![1]!, 'base64');
    expect(bound).toEqual(Buffer.concat([text('p=tls-server-end-point,,'), certificateHash]));
  });
});

describe('verifiers', () => {
  it('are read as PostgreSQL stores them', () => {
    const verifier = parseVerifier(makeVerifier('geheim', SALT, 4096));
    expect(verifier).toMatchObject({ iterations: 4096, salt: SALT });
    expect(verifier.storedKey).toHaveLength(32);
  });

  const key = Buffer.alloc(32).toString('base64');
  it.each([
    '',
    'md5abcdef',
    `SCRAM-SHA-1$4096:c2FsdA==$${key}:${key}`,
    `SCRAM-SHA-256$0:c2FsdA==$${key}:${key}`,
    `SCRAM-SHA-256$1000001:c2FsdA==$${key}:${key}`,
    `SCRAM-SHA-256$4096:$${key}:${key}`,
    `SCRAM-SHA-256$4096:c2FsdA$${key}:${key}`,
    `SCRAM-SHA-256$4096:c2FsdA==$${key}:AAAA`,
    `SCRAM-SHA-256$4096:c2FsdA==$${key}`,
    `SCRAM-SHA-256$4096:c2FsdA==$${key}:${key}:${key}`,
    `SCRAM-SHA-256$4096:c2FsdA==$${key}:${key}\n`,
  ])('are refused otherwise, and not repeated: %s', (verifier) => {
    const refused = expect.objectContaining({ code: 'ERR_USAGE', message: expect.not.stringContaining(key) });
    expect(() => parseVerifier(verifier)).toThrow(refused);
  });

  it('need the whole proof', () => {
    const verifier = parseVerifier(makeVerifier('geheim', SALT, 1));
    for (const length of [0, 31, 33]) expect(proves(Buffer.alloc(length), verifier, 'x')).toBe(false);
  });
});

describe('the cache of salted keys', () => {
  it('derives once for the same password, salt and count, also at the same time', async () => {
    const cache = new SaltedKeyCache();
    const get = (password: string, salt: string, count: number) =>
      cache.get(new Secret(password), text(salt), count);
    const [a, b] = await Promise.all([get('p', 's', 1), get('p', 's', 1)]);
    expect(a).toBe(b);
    expect(await get('q', 's', 1)).not.toEqual(a);
    expect(await get('p', 't', 1)).not.toEqual(a);
    expect(await get('p', 's', 2)).not.toEqual(a);
    expect(cache.size).toBe(4);
  });

  it('holds no more than its capacity, and drops what was not used for longest', async () => {
    const cache = new SaltedKeyCache(2);
    const get = (salt: string) => cache.get(new Secret('p'), text(salt), 1);
    const a = await get('a');
    await get('b');
    expect(await get('a')).toBe(a);
    await get('c');
    expect(cache.size).toBe(2);
    expect(await get('a')).toBe(a);
  });

  it('shows neither password nor keys', async () => {
    const cache = new SaltedKeyCache();
    const keys = await cache.get(new Secret('geheim'), SALT, 1);
    expect(inspect(cache, { depth: 9, showHidden: true })).not.toContain('geheim');
    expect(inspect(cache, { depth: 9 })).not.toContain(keys.clientKey.toString('base64'));
    expect(scramKeys(Buffer.alloc(32)).clientKey).toHaveLength(32);
  });
});

describe('SASLprep', () => {
  it.each([
    ['plain', 'pa ss\x01word', 'pa ss\x01word'],
    ['RFC 4013 example 1: soft hyphen', 'I\u00adX', 'IX'],
    ['RFC 4013 example 4: ª', '\u00aa', 'a'],
    ['RFC 4013 example 5: Ⅸ', '\u2168', 'IX'],
    ['RFC 4013 example 7: a control character after a letter of two octets', '\u00fc\u0007', '\u00fc\u0007'],
    ['RFC 4013 example 8: a digit at the end, from right to left', '\u0627\u0031', '\u0627\u0031'],
    ['a wide space', 'a\u3000b', 'a b'],
    ['composed', 'u\u0308', '\u00fc'],
    ['nothing left', '\u00ad', '\u00ad'],
    ['private use, taken as it is', '\ue000\u2168', '\ue000\u2168'],
    ['from right to left, with a mark', '\u0627\ufb2f', '\u0627\u05d0\u05b8'],
    ['from right to left', '\u0627\ufb21', '\u0627\u05d0'],
    ['from right to left at both ends', '\ufe8e\u0031\u0627', '\u0627\u0031\u0627'],
    ['both directions, taken as it is', '\ufe8ea', '\ufe8ea'],
  ])('%s', (_what, password, prepared) => {
    expect(saslprep(password)).toBe(prepared);
  });
});
