import { createPrivateKey, type KeyObject } from 'node:crypto';
import { publicBlob } from '../../wire/ssh/keys.ts';
import { lineOf } from '../../wire/ssh/named-key.ts';
import { writePrivateKey } from '../../wire/ssh/private-key.ts';
import type { OwnSecret } from '../protocol.ts';

const PURPOSE = 'ssh host key';
/** Of an Ed25519 private key, RFC 8410 §7; behind it stand 32 octets. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** By which key clients know this gateway: the same after a restart, in OpenSSH's format, private. */
export function makeHostKey(ownSecret: OwnSecret): string {
  return writePrivateKey(keyOf(ownSecret), 'hoopd');
}

/** Its public half: `ssh-ed25519 AAAA…`. */
export function hostKeyLine(ownSecret: OwnSecret): string {
  return lineOf(publicBlob(keyOf(ownSecret)));
}

function keyOf(ownSecret: OwnSecret): KeyObject {
  const key = Buffer.concat([PKCS8_HEAD, ownSecret(PURPOSE)]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
