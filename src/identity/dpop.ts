import { createHash } from 'node:crypto';
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  EmbeddedJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import { EXPORTER_CLAIM } from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { constantTimeEqual } from '../core/secret.ts';
import { fromJose } from './issuers/jose-errors.ts';
import type { NonceSource } from './nonces.ts';

/** Signatures a proof may carry. */
const PROOF_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519'] as const;

const MAX_PROOF_BYTES = 8 * 1024;
const MAX_JTI_LENGTH = 256;
/** A proof's `iat` may differ from our clock by this much, seconds, both ways. */
const PROOF_SKEW_S = 60;
/** Members that only private or symmetric keys have. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * What makes a proof fresh. One of the two is required: `requireNonce` for API calls, `exporter` for tunnel streams,
 * where the proof is tied to one TLS connection and needs no memory.
 */
export type ProofFreshness =
  | { readonly requireNonce: NonceSource; readonly exporter?: undefined }
  | { readonly exporter: Uint8Array; readonly requireNonce?: undefined };

export type ProofCheck = ProofFreshness & {
  /** Value of the one `DPoP` header; undefined if it is missing. */
  readonly proof: string | undefined;
  /** The request's method. */
  readonly method: string;
  /** The address the client must have meant: the gateway's public URL and the path; query and fragment do not count. */
  readonly url: string;
  /** The token that comes with it; `undefined` only where none does (the token endpoint). */
  readonly accessToken: string | undefined;
  /** ms since the epoch. */
  readonly now: number;
};

export interface VerifiedProof {
  /** RFC 7638 thumbprint of the key that signed, base64url of a SHA-256. */
  readonly thumbprint: string;
  readonly jti: string;
}

/**
 * Verifies a proof of possession: made just now, by the key it names, for this request and this token.
 *
 * With `requireNonce` the proof is used up and refused when it comes again; with `exporter` it is worth nothing on any
 * other TLS connection. Performs no I/O.
 *
 * @param check The proof, and everything it must be bound to.
 * @returns The key's thumbprint; the caller compares it with the token's `cnf.jkt`.
 * @throws {HoopError} `ERR_PROOF_INVALID` any check fails; `ERR_PROOF_NONCE` (a `ProofNonceError`) the nonce is missing
 *   or stale.
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.3
 */
export async function verifyProof(check: ProofCheck): Promise<VerifiedProof> {
  const { proof, requireNonce, now } = check;
  const header = readHeader(proof);
  requireNonce?.check(unverifiedNonce(header.proof), now);
  const payload = await verifySignature(header.proof, now);
  checkClaims(payload, check);
  const jti = readJti(payload);
  const thumbprint = await calculateJwkThumbprint(header.jwk, 'sha256');
  bindToExporter(payload, check);
  requireNonce?.use(payload['nonce'], `${thumbprint}.${jti}`, now);
  return { thumbprint, jti };
}

function wrong(message: string): HoopError {
  return new HoopError('ERR_PROOF_INVALID', message);
}

function readHeader(proof: string | undefined): { proof: string; jwk: JWK } {
  if (proof === undefined || proof === '') throw wrong('the request has no proof of possession');
  if (proof.length > MAX_PROOF_BYTES) throw wrong('the proof is longer than 8 KiB');
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(proof);
  } catch {
    throw wrong('the proof is not a signed JWT');
  }
  if (header.typ !== 'dpop+jwt') throw wrong('the proof is not of type dpop+jwt');
  if (!PROOF_ALGORITHMS.some((allowed) => allowed === header.alg)) {
    throw wrong(`the proof must be signed with ${PROOF_ALGORITHMS.join(', ')}`);
  }
  const { jwk } = header;
  if (typeof jwk !== 'object' || jwk === null) throw wrong('the proof names no key');
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) {
    throw wrong('the proof gives away a private key: make a new one');
  }
  return { proof, jwk: jwk as JWK };
}

/** Looked at before the signature, to turn a client away cheaply; believed only after. */
function unverifiedNonce(proof: string): unknown {
  try {
    return decodeJwt(proof)['nonce'];
  } catch {
    throw wrong('the proof is not a signed JWT');
  }
}

async function verifySignature(proof: string, now: number): Promise<JWTPayload> {
  try {
    const verified = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...PROOF_ALGORITHMS],
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
      clockTolerance: PROOF_SKEW_S,
      currentDate: new Date(now),
    });
    return verified.payload;
  } catch (error) {
    throw fromJose(error, 'ERR_PROOF_INVALID', 'ERR_PROOF_INVALID');
  }
}

function checkClaims(payload: JWTPayload, check: ProofCheck): void {
  const age = Math.floor(check.now / 1000) - Number(payload.iat);
  if (!(Math.abs(age) <= PROOF_SKEW_S)) {
    throw new HoopError('ERR_PROOF_INVALID', 'the proof was not made just now', {
      hint: 'compare the clocks: they may differ by 60 s',
    });
  }
  if (payload['htm'] !== check.method) throw wrong('the proof is for another method');
  const meant = targetOf(payload['htu']);
  if (meant === undefined || meant !== targetOf(check.url)) {
    throw new HoopError('ERR_PROOF_INVALID', 'the proof is for another address', {
      hint: `name this gateway as it names itself: ${new URL(check.url).origin}`,
    });
  }
  if (check.accessToken === undefined) return;
  const hash = createHash('sha256').update(check.accessToken).digest('base64url');
  if (!sameText(payload['ath'], hash)) throw wrong('the proof is for another token');
}

function readJti({ jti }: JWTPayload): string {
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH)
    throw wrong('the proof has no usable jti');
  return jti;
}

function bindToExporter(payload: JWTPayload, { exporter, requireNonce }: ProofCheck): void {
  if (exporter === undefined) {
    if (requireNonce !== undefined) return;
    throw new HoopError('ERR_INTERNAL', undefined, {
      detail: 'a proof was checked without anything that makes it fresh',
    });
  }
  if (exporter.byteLength < 32)
    throw new HoopError('ERR_INTERNAL', undefined, { detail: 'exporter value too short' });
  if (!sameText(payload[EXPORTER_CLAIM], Buffer.from(exporter).toString('base64url'))) {
    throw wrong('the proof is for another TLS connection');
  }
}

function sameText(value: unknown, expected: string): boolean {
  return typeof value === 'string' && constantTimeEqual(value, expected);
}

/** Scheme, authority and path in normal form (RFC 3986 §6.2.2, §6.2.3); undefined if it is no http(s) address. */
function targetOf(address: unknown): string | undefined {
  const url = typeof address === 'string' ? URL.parse(address) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return undefined;
  return `${url.origin}${url.pathname}`;
}
