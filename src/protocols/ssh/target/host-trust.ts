/**
 * Whom hoopd takes a host for: keys that are pinned, and authorities whose word on a key is good. Pure.
 *
 * @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.certkeys
 */
import { createHash } from 'node:crypto';
import { CERTIFICATE_SUFFIX, type HostCertificate } from '../../../wire/ssh/certificate.ts';
import { blobType, KEY_TYPES } from '../../../wire/ssh/keys.ts';

/** Signatures by which a host proves that it has a key of this kind, the best first; none with SHA-1. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** `SHA256:…`, as OpenSSH shows keys to people. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** What a host is asked for, so that it shows one of these keys, in their order. */
export function algorithmsOf(keys: readonly Buffer[]): readonly string[] {
  const types = new Set(keys.map(blobType));
  return [...types].flatMap((type) => SIGNATURES[type] ?? [type]);
}

/** What a host is asked for, so that it shows a plain key: one list for each kind. */
export const PLAIN_SIGNATURES: readonly (readonly string[])[] = KEY_TYPES.map(
  (type) => SIGNATURES[type] ?? [type],
);

/** What a host is asked for, so that it shows any certificate. */
export const CERTIFICATE_ALGORITHMS: readonly string[] = PLAIN_SIGNATURES.flat().map(
  (name) => `${name}${CERTIFICATE_SUFFIX}`,
);

/**
 * What is wrong with a certificate whose signature is good.
 *
 * @param host By the name that is dialled.
 * @param now Seconds since the epoch.
 * @returns Undefined: the host may be believed to have its key.
 */
export function certificateFault(
  certificate: HostCertificate,
  authorities: readonly Buffer[],
  host: string,
  now: bigint,
): string | undefined {
  const { authority, principals, validAfter, validBefore, criticalOptions } = certificate;
  if (!authorities.some((one) => one.equals(authority)))
    return `it was signed by ${fingerprint(authority)}, which is none of hostCa`;
  if (criticalOptions.length > 0)
    return `it has the option ${shown(criticalOptions[0]!)}, which is not known`;
  if (now < validAfter) return 'it is not valid yet';
  if (now >= validBefore) return 'it has expired';
  const name = host.toLowerCase();
  // One without names would be good for every host.
  if (!principals.some((principal) => fits(principal.toLowerCase(), name)))
    return `it is for ${principals.length === 0 ? 'no name' : shown(principals.join(', '))}, not for ${host}`;
  return undefined;
}

const shown = (text: string) => text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');

/** `*` and `?` as OpenSSH takes them in the names of hosts: any characters, one character. */
export function fits(pattern: string, name: string): boolean {
  let [at, from, star, resume] = [0, 0, -1, 0];
  while (from < name.length) {
    if (pattern[at] === '*') [star, resume, at] = [at, from, at + 1];
    else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[from]))
      [at, from] = [at + 1, from + 1];
    else if (star !== -1) [at, resume, from] = [star + 1, resume + 1, resume + 1];
    else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
