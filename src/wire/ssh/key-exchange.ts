/**
 * As much of a key exchange as it takes to be shown a host's key. Pure.
 *
 * @see RFC 4253 §7.1, RFC 5656 §4, RFC 8731
 */
import { randomBytes } from 'node:crypto';
import { FieldReader, string, uint32 } from './fields.ts';

const KEXINIT = 20;
const ECDH_INIT = 30;
const ECDH_REPLY = 31;
const COOKIE_BYTES = 16;

/** What is offered beside the kind of key that is asked for; nothing of it is ever used. */
const KEX = 'curve25519-sha256,curve25519-sha256@libssh.org';
const CIPHERS =
  'aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr';
const MACS = 'hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512';
const COMPRESSION = 'none';

/** The payload by which a client asks for a key of one of these kinds, the first that the server has. */
export function keyExchangeOffer(hostKeyAlgorithms: readonly string[]): Buffer {
  const lists = [
    KEX,
    hostKeyAlgorithms.join(','),
    ...[CIPHERS, CIPHERS, MACS, MACS, COMPRESSION, COMPRESSION],
    ...['', ''],
  ];
  const head = [Buffer.of(KEXINIT), randomBytes(COOKIE_BYTES)];
  return Buffer.concat([...head, ...lists.map(string), Buffer.of(0), uint32(0)]);
}

/** The payload that goes on from there. @param point Of X25519, 32 octets. */
export function ecdhInit(point: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(ECDH_INIT), string(point)]);
}

/**
 * The kinds of keys that a server offers, in its words.
 *
 * @returns Undefined: the payload is no offer.
 * @throws {HoopError} `ERR_PROTOCOL` it is cut short.
 */
export function offeredHostKeys(payload: Buffer): readonly string[] | undefined {
  if (payload[0] !== KEXINIT) return undefined;
  const fields = new FieldReader(payload);
  fields.skip(1 + COOKIE_BYTES);
  fields.string();
  return fields.string().toString('latin1').split(',');
}

/** The host's key or certificate in a server's reply; undefined: it is none. @throws {HoopError} `ERR_PROTOCOL`. */
export function hostKeyIn(payload: Buffer): Buffer | undefined {
  const fields = new FieldReader(payload);
  return fields.byte() === ECDH_REPLY ? fields.string() : undefined;
}
