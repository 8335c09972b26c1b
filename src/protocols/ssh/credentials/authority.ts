import { createPrivateKey, type KeyObject } from 'node:crypto';
import ssh2 from 'ssh2';
import { HoopError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';

/**
 * Reads a private key as OpenSSH or OpenSSL keeps it.
 *
 * @param what Names it for the operator.
 * @throws {HoopError} `ERR_TARGET_CREDENTIAL` it is none, or has a passphrase. Nothing of it is repeated.
 */
export function readPrivateKey(secret: Secret, what: string): KeyObject {
  const text = secret.expose();
  try {
    return createPrivateKey(text);
  } catch {
    const pem = parsedKey(secret, what).getPrivatePEM();
    return createPrivateKey(pem);
  }
}

/** The same, as ssh2 signs with it. @throws {HoopError} As `readPrivateKey`. */
export function parsedKey(secret: Secret, what: string): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(secret.expose());
  if (!(parsed instanceof Error) && parsed.isPrivateKey()) return parsed;
  throw new HoopError('ERR_TARGET_CREDENTIAL', undefined, {
    detail: `${what} is no private key in OpenSSH's format without a passphrase`,
  });
}
