import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { SessionRef } from '../../../enforcement/operation.ts';
import { signUserCertificate } from '../../../wire/ssh/certificate.ts';
import type { CertificateConfig } from './config.ts';

/** For whose session a login is made. */
export type LoginFor = Pick<SessionRef, 'id' | 'actor'>;

/** A key that only this process has ever had, and what an authority says of it. */
export interface CertifiedKey {
  /** Private, Ed25519. */
  readonly key: KeyObject;
  readonly certificate: Buffer;
}

/** The host's clock may be so far behind ours, s. */
const SKEW_S = 60n;
/** What a login may do beyond a command: a terminal, connections, the user's own start-up file. Never an agent, never X11. */
const EXTENSIONS = ['permit-port-forwarding', 'permit-pty', 'permit-user-rc'];
const MAX_KEY_ID = 512;

/**
 * Makes a key and its certificate for one connection.
 *
 * @param user The login at the host; its only principal unless the configuration names others.
 * @param nowMs Ms since the epoch.
 * @returns Both are of no use once `validity` is over.
 * @throws {HoopError} `ERR_UNSUPPORTED` the authority's key is of a kind that SSH does not know.
 */
export function certifiedKey(
  { principals, validity, sourceAddress, forceCommand }: CertificateConfig,
  user: string,
  authority: KeyObject,
  who: LoginFor,
  nowMs: number,
): CertifiedKey {
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const now = BigInt(Math.floor(nowMs / 1000));
  const certificate = signUserCertificate(key, authority, {
    serial: randomBytes(8).readBigUInt64BE(0) >> 1n,
    keyId: keyIdOf(who),
    principals: principals ?? [user],
    validAfter: now - SKEW_S,
    validBefore: now + BigInt(Math.ceil(validity / 1000)),
    criticalOptions: {
      ...(forceCommand === undefined ? {} : { 'force-command': forceCommand }),
      ...(sourceAddress === undefined ? {} : { 'source-address': sourceAddress.join(',') }),
    },
    extensions: EXTENSIONS,
  });
  return { key, certificate };
}

/**
 * What the host's own log says of the login: `shop-copilot for alice@example.com, ins_…, ses_…`. Nothing in it can begin a
 * new line or a new field there.
 */
function keyIdOf({ id, actor }: LoginFor): string {
  const { name, person, instance } = actor;
  const whose = person === undefined || person === name ? name : `${name} for ${person}`;
  const text = `${whose}, ${instance}, ${id}`;
  return text.replace(/[^\x20-\x7e]|["()\\]/g, '_').slice(0, MAX_KEY_ID);
}
