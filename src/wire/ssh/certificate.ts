/**
 * Certificates of OpenSSH. Pure.
 *
 * @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.certkeys
 */
import { type KeyObject, randomBytes } from 'node:crypto';
import { HoopError } from '../../core/errors.ts';
import { FieldReader, string, strings, uint32, uint64 } from './fields.ts';
import { blobType, KEY_TYPES, publicBlob, signBlob, verifyBlob } from './keys.ts';

/** Behind the type of a key in the type of its certificate. */
export const CERTIFICATE_SUFFIX = '-cert-v01@openssh.com';
const NONCE_BYTES = 32;
const USER = 1;
const HOST = 2;
/** Fields of a public key behind its type. */
const KEY_FIELDS: Readonly<Record<string, number>> = { 'ssh-ed25519': 1, 'ssh-rsa': 2 };
const ECDSA_FIELDS = 2;

/** What a certificate says of its key. Times are seconds since the epoch. */
export interface CertificateFacts {
  readonly serial: bigint;
  /** What logs call it. */
  readonly keyId: string;
  /** Users, or hosts; none: of any. */
  readonly principals: readonly string[];
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** Whoever does not know one of these must refuse the certificate. Name → text. */
  readonly criticalOptions: Readonly<Record<string, string>>;
  /** What is granted beyond the login. */
  readonly extensions: readonly string[];
}

/**
 * Makes a user's certificate.
 *
 * @param key The public half, of which the user has the private one.
 * @param authority Whose word the host takes: a plain private key.
 * @returns The blob that stands for the public key in a login.
 * @throws {HoopError} `ERR_UNSUPPORTED` one of the keys is of a kind that SSH does not know.
 */
export function signUserCertificate(key: KeyObject, authority: KeyObject, facts: CertificateFacts): Buffer {
  const plain = publicBlob(key);
  const type = blobType(plain);
  const signed = Buffer.concat([
    string(`${type}${CERTIFICATE_SUFFIX}`),
    string(randomBytes(NONCE_BYTES)),
    plain.subarray(4 + type.length),
    uint64(facts.serial),
    uint32(USER),
    string(facts.keyId),
    string(strings(...facts.principals)),
    uint64(facts.validAfter),
    uint64(facts.validBefore),
    string(options(facts.criticalOptions)),
    string(strings(...sorted(facts.extensions).flatMap((name) => [name, '']))),
    string(''),
    string(publicBlob(authority)),
  ]);
  return Buffer.concat([signed, string(signBlob(authority, signed))]);
}

/** Each value is itself a string within a string, as both options that there are have it. */
function options(named: Readonly<Record<string, string>>): Buffer {
  return strings(...sorted(Object.keys(named)).flatMap((name) => [name, string(named[name]!)]));
}

/** By their octets: a certificate out of order is refused. */
function sorted(names: readonly string[]): string[] {
  return names.toSorted((a, b) => (a < b ? -1 : 1));
}

/** A certificate as it was read, its signature good. */
export interface HostCertificate extends Omit<CertificateFacts, 'criticalOptions' | 'extensions'> {
  /** The plain key that it speaks of. */
  readonly key: Buffer;
  /** The plain key that signed it. */
  readonly authority: Buffer;
  /** Names. */
  readonly criticalOptions: readonly string[];
}

/**
 * Reads a host's certificate and checks its signature; whether its authority, its names and its times are right is for
 * the caller to say.
 *
 * @throws {HoopError} `ERR_PROTOCOL` it is none, is a user's, was signed by what is no plain key, or its signature is wrong.
 */
export function readHostCertificate(blob: Buffer): HostCertificate {
  const type = blobType(blob);
  const plainType = type.endsWith(CERTIFICATE_SUFFIX) ? type.slice(0, -CERTIFICATE_SUFFIX.length) : '';
  if (!KEY_TYPES.includes(plainType)) throw notOne('it is no certificate');
  const fields = new FieldReader(blob);
  fields.string();
  fields.string();
  const start = fields.position;
  for (let n = KEY_FIELDS[plainType] ?? ECDSA_FIELDS; n > 0; n--) fields.string();
  const key = Buffer.concat([string(plainType), blob.subarray(start, fields.position)]);
  const serial = fields.uint64();
  const kind = fields.uint32();
  const keyId = fields.text();
  const principals = list(fields.string());
  const [validAfter, validBefore] = [fields.uint64(), fields.uint64()];
  const criticalOptions = list(fields.string()).filter((_, at) => at % 2 === 0);
  fields.string();
  fields.string();
  const authority = fields.string();
  const signed = blob.subarray(0, fields.position);
  const signature = fields.string();
  if (!fields.done) throw notOne('something stands behind it');
  if (kind !== HOST) throw notOne('it is not for a host');
  // A certificate in the place of a plain key would make whoever has one an authority (CVE-2025-49825).
  if (!KEY_TYPES.includes(blobType(authority))) throw notOne('it was not signed by a plain key');
  if (!verifyBlob(authority, signed, signature)) throw notOne('its signature is wrong');
  return { key, authority, serial, keyId, principals, validAfter, validBefore, criticalOptions };
}

function list(bytes: Buffer): string[] {
  const fields = new FieldReader(bytes);
  const found: string[] = [];
  while (!fields.done) found.push(fields.text());
  return found;
}

function notOne(why: string): HoopError {
  return new HoopError('ERR_PROTOCOL', `this is no certificate of a host: ${why}`);
}
