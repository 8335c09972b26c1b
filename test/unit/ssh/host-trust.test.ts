import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { algorithmsOf, certificateFault, fits } from '../../../src/protocols/ssh/target/host-trust.ts';
import { publicBlob } from '../../../src/wire/ssh/keys.ts';
import { lineOf, readNamedKey } from '../../../src/wire/ssh/named-key.ts';

const ed25519 = () => publicBlob(generateKeyPairSync('ed25519').publicKey);
const rsa = (modulusLength: number) => publicBlob(generateKeyPairSync('rsa', { modulusLength }).publicKey);

describe('a key as people write it', () => {
  it('is read with and without a comment, and written without', () => {
    const blob = ed25519();
    const line = lineOf(blob);
    expect(readNamedKey(line)).toEqual({ line, blob });
    expect(readNamedKey(`${line} root@host-1`)).toEqual({ line, blob });
  });

  it('is none where it is not a plain key of the kind that it is said to be', () => {
    const line = lineOf(ed25519());
    for (const text of [
      '',
      'ssh-ed25519',
      line.replace('ssh-ed25519', 'ssh-rsa'),
      line.replace('ssh-ed25519', 'ssh-dss'),
      line.slice(0, -8),
      `host-1 ${line}`,
      lineOf(rsa(1024)),
      'SHA256:abcdefg',
    ])
      expect(readNamedKey(text), text).toBeUndefined();
  });

  it('is asked for by signatures without SHA-1, in the order of the keys', () => {
    expect(algorithmsOf([rsa(2048), ed25519(), ed25519()])).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
    ]);
  });
});

describe('a certificate with a good signature', () => {
  const authority = ed25519();
  const good = {
    key: ed25519(),
    authority,
    serial: 1n,
    keyId: 'x',
    principals: ['HOST-1.internal', '*.web.internal'],
    validAfter: 100n,
    validBefore: 200n,
    criticalOptions: [] as string[],
  };
  const fault = (changes: Partial<typeof good>, host = 'host-1.internal', now = 150n) =>
    certificateFault({ ...good, ...changes }, [ed25519(), authority], host, now);

  it('is believed within its time, for its names', () => {
    for (const host of ['host-1.internal', 'Host-1.Internal', 'a.web.internal'])
      expect(fault({}, host)).toBeUndefined();
    for (const now of [100n, 199n]) expect(fault({}, undefined, now)).toBeUndefined();
  });

  it('is not beyond them', () => {
    expect(fault({ authority: ed25519() })).toMatch(/none of hostCa/);
    expect(fault({ criticalOptions: ['force\u001bcommand'] })).toBe(
      'it has the option force?command, which is not known',
    );
    expect(fault({}, undefined, 99n)).toMatch(/not valid yet/);
    expect(fault({}, undefined, 200n)).toMatch(/expired/);
    expect(fault({ validBefore: 0n })).toMatch(/expired/);
    expect(fault({ principals: [] })).toMatch(/for no name/);
    expect(fault({}, 'host-2.internal')).toMatch(/not for host-2.internal/);
  });
});

it('takes * for any letters and ? for one', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['web-*.internal', 'web-1.internal', true],
    ['web-*.internal', 'web-.internal', true],
    ['web-*.internal', 'web-1.internal.evil', false],
    ['web-?.internal', 'web-1.internal', true],
    ['web-?.internal', 'web-.internal', false],
    ['*', '', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['a.b', 'axb', false],
  ];
  for (const [pattern, name, expected] of cases)
    expect(fits(pattern, name), `${pattern} ${name}`).toBe(expected);
});
