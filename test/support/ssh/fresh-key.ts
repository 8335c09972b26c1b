import { generateKeyPairSync } from 'node:crypto';
import { publicBlob } from '../../../src/wire/ssh/keys.ts';
import { lineOf } from '../../../src/wire/ssh/named-key.ts';
import { writePrivateKey } from '../../../src/wire/ssh/private-key.ts';

/**
 * An Ed25519 key as OpenSSH writes it, and its public half as a line. Not by ssh2, which cannot read three in a thousand of
 * those that it makes.
 */
export function freshKey(): { readonly text: string; readonly line: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { text: writePrivateKey(privateKey, 'test'), line: lineOf(publicBlob(privateKey)) };
}
