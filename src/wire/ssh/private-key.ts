/**
 * A private key in the form in which OpenSSH keeps it. Pure.
 *
 * @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
 */
import { type KeyObject, randomBytes } from 'node:crypto';
import { string, strings, uint32 } from './fields.ts';
import { publicBlob } from './keys.ts';

const MAGIC = 'openssh-key-v1\0';
const BLOCK_BYTES = 8;
const LINE = 70;

/**
 * Writes an Ed25519 key, not encrypted.
 *
 * @param comment What lists of keys call it.
 * @returns The text of a file; keep it 0600.
 */
export function writePrivateKey(key: KeyObject, comment: string): string {
  const blob = publicBlob(key);
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const check = randomBytes(4);
  const fields = strings('ssh-ed25519', point, Buffer.concat([seed, point]), comment);
  const body = Buffer.concat([check, check, fields]);
  const padding = Buffer.from(
    Array.from({ length: (BLOCK_BYTES - (body.length % BLOCK_BYTES)) % BLOCK_BYTES }, (_, at) => at + 1),
  );
  const whole = Buffer.concat([
    Buffer.from(MAGIC),
    strings('none', 'none', ''),
    uint32(1),
    string(blob),
    string(Buffer.concat([body, padding])),
  ]);
  const lines = whole.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}
