import { pbkdf2Sync } from 'node:crypto';
import { scramKeys } from '../../../src/wire/scram/keys.ts';

/** Makes a verifier as PostgreSQL stores it, from a password of printable ASCII. */
export function makeVerifier(password: string, salt: Buffer, iterations = 4096): string {
  const { storedKey, serverKey } = scramKeys(pbkdf2Sync(password, salt, iterations, 32, 'sha256'));
  const base64 = [salt, storedKey, serverKey].map((octets) => octets.toString('base64'));
  return `SCRAM-SHA-256$${iterations}:${base64[0]}$${base64[1]}:${base64[2]}`;
}
