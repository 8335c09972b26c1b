import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { HoopError } from '../../core/errors.ts';

/** The mechanism without channel binding. */
export const SCRAM_SHA_256 = 'SCRAM-SHA-256';
/** The mechanism bound to the TLS connection it runs in. */
export const SCRAM_SHA_256_PLUS = 'SCRAM-SHA-256-PLUS';

/** Octets of every key, signature and proof: those of SHA-256. */
const KEY_BYTES = 32;
/** Above it one login would cost a core longer than anyone waits: about a second. */
const MAX_ITERATIONS = 1_000_000;

/** What proves knowledge of a password, each way; from the salted password, RFC 5802 §3. */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** What a server keeps instead of a password: enough to verify a client, not to be one. */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/**
 * Reads a verifier in the form PostgreSQL stores in `pg_authid.rolpassword`.
 *
 * @param text `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, base64; 1 … 1 000 000 iterations, both keys 32
 *   octets, salt not empty.
 * @returns The verifier. Pure.
 * @throws {HoopError} `ERR_USAGE` if it is anything else. The text is not repeated.
 * @see https://www.postgresql.org/docs/current/catalog-pg-authid.html
 */
export function parseVerifier(text: string): ScramVerifier {
  const found = /^SCRAM-SHA-256\$([0-9]{1,7}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(text);
  const [salt, storedKey, serverKey] = [found?.[2], found?.[3], found?.[4]].map(fromBase64);
  const iterations = parseIterations(found?.[1]);
  if (
    !salt ||
    iterations === undefined ||
    storedKey?.length !== KEY_BYTES ||
    serverKey?.length !== KEY_BYTES
  ) {
    throw new HoopError('ERR_USAGE', 'the verifier is not in the form SCRAM-SHA-256$iterations:salt$key:key');
  }
  return { iterations, salt, storedKey, serverKey };
}

/**
 * Derives the keys from a salted password (PBKDF2-HMAC-SHA-256 of the password).
 *
 * @param saltedPassword 32 octets.
 * @returns Three keys of 32 octets. Pure. Never throws.
 * @see RFC 5802 §3
 */
export function scramKeys(saltedPassword: Buffer): ScramKeys {
  const clientKey = hmac(saltedPassword, 'Client Key');
  return { clientKey, storedKey: sha256(clientKey), serverKey: hmac(saltedPassword, 'Server Key') };
}

/**
 * Proves knowledge of the client key for one exchange.
 *
 * @returns 32 octets: ClientKey XOR HMAC(StoredKey, authMessage). Pure. Never throws.
 * @see RFC 5802 §3
 */
export function clientProof(keys: ScramKeys, authMessage: string): Buffer {
  return xor(keys.clientKey, hmac(keys.storedKey, authMessage));
}

/**
 * Checks a client's proof against a verifier, in constant time.
 *
 * @param proof As received; any length.
 * @returns Whether who made it knows the password. Pure. Never throws.
 * @see RFC 5802 §3
 */
export function proves(proof: Buffer, verifier: ScramVerifier, authMessage: string): boolean {
  if (proof.length !== KEY_BYTES) return false;
  const clientKey = xor(proof, hmac(verifier.storedKey, authMessage));
  return timingSafeEqual(sha256(clientKey), verifier.storedKey);
}

/**
 * What shows a client that the server knows the verifier.
 *
 * @returns 32 octets: HMAC(ServerKey, authMessage). Pure. Never throws.
 * @see RFC 5802 §3
 */
export function serverSignature(serverKey: Buffer, authMessage: string): Buffer {
  return hmac(serverKey, authMessage);
}

/**
 * Reads base64 as RFC 5802 demands it: canonical, padded, nothing else inside.
 *
 * @returns The octets, at least one, or `undefined`. Pure. Never throws.
 * @see RFC 5802 §5.1
 */
export function fromBase64(text: string | undefined): Buffer | undefined {
  if (text === undefined || text === '') return undefined;
  const octets = Buffer.from(text, 'base64');
  return octets.toString('base64') === text ? octets : undefined;
}

/**
 * Reads an iteration count.
 *
 * @returns 1 … 1 000 000, or `undefined`. Pure. Never throws.
 * @see RFC 5802 §5.1
 */
export function parseIterations(text: string | undefined): number | undefined {
  if (text === undefined || !/^[1-9][0-9]{0,6}$/.test(text)) return undefined;
  const count = Number(text);
  return count <= MAX_ITERATIONS ? count : undefined;
}

function sha256(value: Buffer): Buffer {
  return createHash('sha256').update(value).digest();
}

function hmac(key: Buffer, value: string): Buffer {
  return createHmac('sha256', key).update(value, 'utf8').digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ b[i]!));
}
