import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { scramKeys } from './keys.ts';

/** Iterations: the secret has 256 bits of chance, so that stretching it buys nothing; RFC 7677's minimum. */
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/**
 * Makes the SCRAM-SHA-256 verifier of a password, in PostgreSQL's notation.
 *
 * The gateway checks a client's login with it and cannot log in with it elsewhere: the password stays on this machine.
 *
 * @param password Printable ASCII: no SASLprep is applied.
 * @returns `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`, base64. Never throws.
 * @see RFC 5802 §3; https://www.postgresql.org/docs/current/catalog-pg-authid.html
 */
export async function scramVerifier(password: string, salt = randomBytes(SALT_BYTES)): Promise<string> {
  const keys = scramKeys(await promisify(pbkdf2)(password, salt, ITERATIONS, KEY_BYTES, 'sha256'));
  const [storedKey, serverKey] = [keys.storedKey, keys.serverKey].map((key) => key.toString('base64'));
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
