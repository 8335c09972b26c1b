/**
 * Public keys and signatures as SSH writes them, in terms of the keys that Node knows. Pure.
 *
 * @see RFC 4253 §6.6, RFC 5656 §3.1, RFC 8332 §3, RFC 8709
 */
import { createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import { HoopError } from '../../core/errors.ts';
import { FieldReader, mpint, string, strings } from './fields.ts';

/** A curve of NIST's in the words of all three: SSH, JOSE, and the length of a coordinate in octets. */
interface Curve {
  readonly name: string;
  readonly crv: string;
  readonly octets: number;
  readonly hash: string;
}

const CURVES: readonly Curve[] = [
  { name: 'nistp256', crv: 'P-256', octets: 32, hash: 'sha256' },
  { name: 'nistp384', crv: 'P-384', octets: 48, hash: 'sha384' },
  { name: 'nistp521', crv: 'P-521', octets: 66, hash: 'sha512' },
];
const ED25519_BYTES = 32;
/** Shorter ones are taken from nobody. */
const MIN_RSA_BYTES = 256;
const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' };

/** Kinds of keys that are read here. `ssh-rsa` names the key; signatures with SHA-1 are refused. */
export const KEY_TYPES: readonly string[] = [
  'ssh-ed25519',
  ...CURVES.map(({ name }) => `ecdsa-sha2-${name}`),
  'ssh-rsa',
];

/**
 * What a blob says its kind is, without a look at the rest.
 *
 * @throws {HoopError} `ERR_PROTOCOL` it is no blob.
 */
export function blobType(blob: Buffer): string {
  return new FieldReader(blob).string().toString('latin1');
}

/**
 * Reads a public key.
 *
 * @throws {HoopError} `ERR_PROTOCOL` it is none of `KEY_TYPES` (a certificate is none), is malformed, or RSA with fewer than
 *   2048 bits.
 */
export function readPublicKey(blob: Buffer): KeyObject {
  const fields = new FieldReader(blob);
  const type = fields.string().toString('latin1');
  const jwk = jwkOf(type, fields);
  if (jwk === undefined || !fields.done) throw notAKey();
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw notAKey();
  }
}

function jwkOf(type: string, fields: FieldReader): JsonWebKey | undefined {
  if (type === 'ssh-ed25519') {
    const x = fields.string();
    return x.length === ED25519_BYTES
      ? { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') }
      : undefined;
  }
  if (type === 'ssh-rsa') {
    const [e, n] = [fields.string(), fields.string()];
    if (unsigned(n).length < MIN_RSA_BYTES) return undefined;
    return { kty: 'RSA', e: unsigned(e).toString('base64url'), n: unsigned(n).toString('base64url') };
  }
  const curve = CURVES.find(({ name }) => type === `ecdsa-sha2-${name}`);
  if (curve === undefined || fields.string().toString('latin1') !== curve.name) return undefined;
  const point = fields.string();
  // Uncompressed alone, RFC 5656 §3.1.
  if (point[0] !== 4 || point.length !== 1 + 2 * curve.octets) return undefined;
  const [x, y] = [point.subarray(1, 1 + curve.octets), point.subarray(1 + curve.octets)];
  return { kty: 'EC', crv: curve.crv, x: x.toString('base64url'), y: y.toString('base64url') };
}

/**
 * Writes the public half of a key.
 *
 * @throws {HoopError} `ERR_UNSUPPORTED` it is none of `KEY_TYPES`.
 */
export function publicBlob(key: KeyObject): Buffer {
  const {
    kty,
    crv,
    x = '',
    y = '',
    e = '',
    n = '',
  } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const octets = (text: string) => Buffer.from(text, 'base64url');
  if (kty === 'OKP' && crv === 'Ed25519') return strings('ssh-ed25519', octets(x));
  if (kty === 'RSA') return Buffer.concat([string('ssh-rsa'), mpint(octets(e)), mpint(octets(n))]);
  const curve = CURVES.find((one) => one.crv === crv);
  if (kty !== 'EC' || curve === undefined)
    throw new HoopError('ERR_UNSUPPORTED', 'this kind of key is not known to SSH');
  return strings(`ecdsa-sha2-${curve.name}`, curve.name, Buffer.concat([Buffer.of(4), octets(x), octets(y)]));
}

/** Signs with the strongest algorithm of the key's kind. @returns The signature with its algorithm before it. */
export function signBlob(key: KeyObject, data: Uint8Array): Buffer {
  const type = blobType(publicBlob(key));
  if (type === 'ssh-ed25519') return strings(type, sign(null, data, key));
  if (type === 'ssh-rsa') return strings('rsa-sha2-512', sign('sha512', data, key));
  const { hash, octets } = curveOf(type)!;
  const raw = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const pair = Buffer.concat([mpint(raw.subarray(0, octets)), mpint(raw.subarray(octets))]);
  return strings(type, pair);
}

/**
 * Whether `signature` over `data` was made with the key of `blob`, by an algorithm of its kind and not with SHA-1.
 *
 * Never throws: what is malformed is false.
 */
export function verifyBlob(blob: Buffer, data: Uint8Array, signature: Buffer): boolean {
  try {
    const fields = new FieldReader(signature);
    const [algorithm, value] = [fields.string().toString('latin1'), fields.string()];
    return fields.done && verified(blob, data, algorithm, value);
  } catch {
    return false;
  }
}

function verified(blob: Buffer, data: Uint8Array, algorithm: string, value: Buffer): boolean {
  const key = readPublicKey(blob);
  const type = blobType(blob);
  if (type === 'ssh-rsa') {
    const hash = Object.hasOwn(RSA_HASHES, algorithm) ? RSA_HASHES[algorithm] : undefined;
    return hash !== undefined && verify(hash, data, key, value);
  }
  if (algorithm !== type) return false;
  if (type === 'ssh-ed25519') return verify(null, data, key, value);
  const { hash, octets } = curveOf(type)!;
  const pair = new FieldReader(value);
  const [r, s] = [unsigned(pair.string()), unsigned(pair.string())];
  if (r.length > octets || s.length > octets) return false;
  const raw = Buffer.alloc(2 * octets);
  r.copy(raw, octets - r.length);
  s.copy(raw, 2 * octets - s.length);
  return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, raw);
}

function curveOf(type: string): Curve | undefined {
  return CURVES.find(({ name }) => type === `ecdsa-sha2-${name}`);
}

/** A positive number without the octets that only say that it is one. */
function unsigned(number: Buffer): Buffer {
  let start = 0;
  while (start < number.length && number[start] === 0) start++;
  return number.subarray(start);
}

function notAKey(): HoopError {
  return new HoopError('ERR_PROTOCOL', 'this is no public key of SSH');
}
