import {
  createPrivateKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { HoopError } from '../core/errors.ts';
import { writeNewFile } from '../storage/new-file.ts';

/** The key that seals originals. `id` says which one, without saying anything about it. */
export interface SealKey {
  /** `sk_` and 16 hex digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * Reads a seal key: 32 octets as base64, base64url or hex, white space around it ignored.
 *
 * @throws {HoopError} `ERR_CONFIG` for anything else; the text never appears in the error.
 */
export function parseSealKey(text: string): SealKey {
  const trimmed = text.trim();
  const octets = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, 'hex')
    : Buffer.from(/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? trimmed : '', 'base64');
  if (octets.length !== 32) {
    const hint = 'make one with: openssl rand -base64 32';
    throw new HoopError('ERR_CONFIG', 'the seal key is not 32 octets in base64 or hex', { hint });
  }
  const id = Buffer.from(hkdfSync('sha256', octets, '', 'hoop-audit-seal-key-id/1', 8)).toString('hex');
  return { id: `sk_${id}`, key: createSecretKey(octets) };
}

/** A new seal key's text, base64, with a line break. */
export function newSealKeyText(): string {
  return `${randomBytes(32).toString('base64')}\n`;
}

/**
 * Reads a seal key's file.
 *
 * @param options.create Makes the file (0600) if it is not there.
 * @throws {HoopError} `ERR_CONFIG` it cannot be read or made, or is none.
 */
export function loadSealKey(path: string, options: { readonly create?: boolean } = {}): SealKey {
  return parseSealKey(readOrCreate(path, 'seal key', options.create === true ? newSealKeyText : undefined));
}

/**
 * Reads the key that signs checkpoints: Ed25519, PKCS #8 PEM.
 *
 * Keep it away from those who may read sealed originals: who has it can write a chain anew.
 *
 * @param options.create Makes the file (0600) if it is not there.
 * @throws {HoopError} `ERR_CONFIG` it cannot be read or made, or is no Ed25519 key.
 */
export function loadSigningKey(path: string, options: { readonly create?: boolean } = {}): KeyObject {
  const pem = readOrCreate(path, 'signing key', options.create === true ? newSigningKeyText : undefined);
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Told below, without the key's text.
  }
  const hint = 'make one with: openssl genpkey -algorithm ed25519';
  throw new HoopError('ERR_CONFIG', `the audit signing key in ${path} is not an Ed25519 private key`, {
    hint,
  });
}

/** A new signing key's PEM. */
function newSigningKeyText(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function readOrCreate(path: string, what: string, make: (() => string) | undefined): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || make === undefined) throw unreadable(path, what, error);
  }
  try {
    writeNewFile(path, make(), 0o600);
    // Whoever was faster made it.
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, what, error);
  }
}

function unreadable(path: string, what: string, cause: unknown): HoopError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new HoopError('ERR_CONFIG', `the audit ${what} ${path} cannot be read`, { detail, cause });
}
