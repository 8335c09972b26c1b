/**
 * A public key as people write it: a line of `known_hosts` without its names, or of a `.pub` file. Pure.
 */
import { blobType, KEY_TYPES, readPublicKey } from './keys.ts';

/** One key as configuration and `known_hosts` write it. */
export interface NamedKey {
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly line: string;
  readonly blob: Buffer;
}

/**
 * Reads `ssh-ed25519 AAAA… comment`.
 *
 * @returns Undefined: it is no plain public key, or RSA with fewer than 2048 bits.
 */
export function readNamedKey(text: string): NamedKey | undefined {
  const [type = '', base64 = ''] = text.trim().split(/[ \t]+/, 2);
  if (!KEY_TYPES.includes(type) || !/^[A-Za-z0-9+/]{1,4096}={0,2}$/.test(base64)) return undefined;
  const blob = Buffer.from(base64, 'base64');
  try {
    readPublicKey(blob);
    return blobType(blob) === type ? { line: lineOf(blob), blob } : undefined;
  } catch {
    return undefined;
  }
}

/** As `readNamedKey` reads it. */
export function lineOf(blob: Buffer): string {
  return `${blobType(blob)} ${blob.toString('base64')}`;
}
