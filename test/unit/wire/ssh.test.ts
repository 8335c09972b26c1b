/** What SSH says before it is encrypted, its keys and its certificates. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { isHoopError } from '../../../src/core/errors.ts';
import {
  type CertificateFacts,
  readHostCertificate,
  signUserCertificate,
} from '../../../src/wire/ssh/certificate.ts';
import { mpint, string, strings, uint32, uint64 } from '../../../src/wire/ssh/fields.ts';
import { publicBlob, readPublicKey, signBlob, verifyBlob } from '../../../src/wire/ssh/keys.ts';
import { disconnect, disconnectText, PlainReader, packet } from '../../../src/wire/ssh/packet.ts';
import { writePrivateKey } from '../../../src/wire/ssh/private-key.ts';

const KEYS: readonly (readonly [string, () => KeyObject])[] = [
  ['ssh-ed25519', () => generateKeyPairSync('ed25519').privateKey],
  ['ecdsa-sha2-nistp256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['ecdsa-sha2-nistp384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
  ['ecdsa-sha2-nistp521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey],
  ['ssh-rsa', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
];

describe('keys', () => {
  for (const [type, make] of KEYS)
    it(`${type}: is written and read, signs what it alone verifies, as ssh2 sees it too`, () => {
      const key = make();
      const blob = publicBlob(key);
      expect(readPublicKey(blob).equals(createPublicKey(key))).toBe(true);
      const other = ssh2.utils.parseKey(`${type} ${blob.toString('base64')}`);
      expect(other).toMatchObject({ type });
      const signature = signBlob(key, Buffer.from('said'));
      expect(verifyBlob(blob, Buffer.from('said'), signature)).toBe(true);
      expect(verifyBlob(blob, Buffer.from('other'), signature)).toBe(false);
      expect(verifyBlob(publicBlob(make()), Buffer.from('said'), signature)).toBe(false);
    });

  it('takes no signature with SHA-1, and none that is named for another kind of key', () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const signature = signBlob(key, Buffer.from('said'));
    const value = signature.subarray(4 + 12 + 4);
    for (const name of ['ssh-rsa', 'ssh-ed25519', 'constructor', 'rsa-sha2-512-cert-v01@openssh.com'])
      expect(verifyBlob(publicBlob(key), Buffer.from('said'), strings(name, value))).toBe(false);
    expect(verifyBlob(publicBlob(key), Buffer.from('said'), strings('rsa-sha2-512', value))).toBe(true);
  });

  it('reads no short RSA key, and nothing that stands behind a key', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    expect(() => readPublicKey(publicBlob(short))).toThrow(/no public key/);
    const blob = publicBlob(generateKeyPairSync('ed25519').publicKey);
    expect(() => readPublicKey(Buffer.concat([blob, Buffer.alloc(1)]))).toThrow(/no public key/);
  });

  it('writes private keys of which ssh2 reads each: those that it makes itself it reads all but three in a thousand', () => {
    for (let n = 0; n < 2000; n++) {
      const key = generateKeyPairSync('ed25519').privateKey;
      const parsed = ssh2.utils.parseKey(writePrivateKey(key, 'a tunnel')) as ssh2.ParsedKey;
      expect(parsed).toMatchObject({ type: 'ssh-ed25519', comment: 'a tunnel' });
      expect(createPrivateKey(parsed.getPrivatePEM()).equals(key)).toBe(true);
    }
  });

  it('throws nothing but errors of ours, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const blob = Buffer.from(bytes);
        verifyBlob(blob, blob, blob);
        for (const read of [readPublicKey, readHostCertificate]) onlyOurs(() => read(blob));
      }),
    );
  });
});

describe("a host's certificate", () => {
  const authority = generateKeyPairSync('ed25519').privateKey;
  const host = generateKeyPairSync('ed25519').privateKey;
  const HOST_FACTS = { principals: ['host-1'], validAfter: 1n, validBefore: 2n };

  it('is read with the key that it speaks for', () => {
    const read = readHostCertificate(hostCertificate({}));
    expect(read).toMatchObject({ ...HOST_FACTS, keyId: 'id', criticalOptions: ['force-command'] });
    expect(read.key).toEqual(publicBlob(host));
    expect(read.authority).toEqual(publicBlob(authority));
  });

  it('is none where a single octet is another', () => {
    const blob = hostCertificate({});
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(blob);
        changed[at]! ^= flip;
        expect(() => readHostCertificate(changed)).toThrow();
      }),
    );
  });

  it('is none of a user, and none that a certificate signed in the place of a key', () => {
    const facts: CertificateFacts = {
      ...HOST_FACTS,
      serial: 1n,
      keyId: 'id',
      criticalOptions: {},
      extensions: [],
    };
    expect(() => readHostCertificate(signUserCertificate(host, authority, facts))).toThrow(/not for a host/);
    const nested = signUserCertificate(authority, authority, facts);
    expect(() => readHostCertificate(hostCertificate({ signedBy: nested }))).toThrow(
      /not signed by a plain key/,
    );
    expect(() => readHostCertificate(publicBlob(host))).toThrow(/no certificate/);
    expect(() => readHostCertificate(Buffer.concat([hostCertificate({}), Buffer.alloc(1)]))).toThrow(
      /behind it/,
    );
  });

  function hostCertificate({ signedBy = publicBlob(authority) }): Buffer {
    const signed = Buffer.concat([
      strings('ssh-ed25519-cert-v01@openssh.com', 'nonce'),
      publicBlob(host).subarray(4 + 'ssh-ed25519'.length),
      uint64(7n),
      uint32(2),
      string('id'),
      string(string('host-1')),
      uint64(1n),
      uint64(2n),
      string(strings('force-command', string('true'))),
      strings('', ''),
      string(signedBy),
    ]);
    return Buffer.concat([signed, string(signBlob(authority, signed))]);
  }
});

describe('before it is encrypted', () => {
  const octets = Buffer.concat([
    Buffer.from('a line before\r\nanother\nSSH-2.0-OpenSSH_9.2 Debian\r\n'),
    packet(Buffer.from('one')),
    disconnect(7, 'goodbye'),
  ]);

  it('is the same at every split', () => {
    for (let at = 0; at <= octets.length; at++) {
      const reader = new PlainReader();
      const said = [...reader.feed(octets.subarray(0, at)), ...reader.feed(octets.subarray(at))];
      expect(said[0]).toEqual({ line: 'SSH-2.0-OpenSSH_9.2 Debian' });
      expect(said[1]).toEqual({ payload: Buffer.from('one') });
      expect(disconnectText((said[2] as { payload: Buffer }).payload)).toBe('goodbye');
    }
  });

  it('holds no more than a packet may have, and gives up what is no SSH', () => {
    const line = 'SSH-2.0-x\r\n';
    for (const bad of [
      `${line}\xff\xff\xff\xff`,
      `${line}\x00\x00\x00\x04aaaa`,
      `${line}\x00\x00\x00\x05\x04aaaa`,
      `${line}\x00\x00\x00\x05\x01aaaa`,
      'SSH-1.5-old\r\n',
      'SSH-2.0-\x01\r\n',
      `SSH-2.0-${'x'.repeat(300)}`,
      'x'.repeat(9000),
      'a line\n'.repeat(2000),
    ])
      expect(
        () => new PlainReader().feed(Buffer.from(bad, 'latin1')),
        JSON.stringify(bad.slice(0, 40)),
      ).toThrow(/not SSH/);
  });

  it('throws nothing but errors of ours, whatever it is given', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        const reader = new PlainReader();
        onlyOurs(() => {
          reader.feed(Buffer.from('SSH-2.0-x\r\n'));
          for (const chunk of chunks) reader.feed(chunk);
        });
      }),
    );
  });

  it('makes packets of whole blocks, with padding enough', () => {
    for (let length = 0; length < 40; length++) {
      const made = packet(Buffer.alloc(length));
      expect(made.length % 8).toBe(0);
      expect(made[4]).toBeGreaterThanOrEqual(4);
    }
  });

  it('writes numbers as short as can be, and positive', () => {
    expect(mpint(Buffer.of(0, 0, 1))).toEqual(Buffer.of(0, 0, 0, 1, 1));
    expect(mpint(Buffer.of(0x80))).toEqual(Buffer.of(0, 0, 0, 2, 0, 0x80));
    expect(mpint(Buffer.of(0))).toEqual(Buffer.of(0, 0, 0, 0));
  });
});

function onlyOurs(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!isHoopError(error)) throw error;
  }
}
