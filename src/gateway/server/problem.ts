import type { Problem } from '../../api/contract.ts';
import { ERROR_TABLE, type ErrorCode, type HoopError } from '../../core/errors.ts';

/** Fields that every answer carries, errors included. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
};

/** What is told beside the error. */
export interface ProblemExtras {
  readonly rule?: string | undefined;
  readonly status?: number | undefined;
  readonly approval?: string | undefined;
}

/**
 * What a caller learns of an error: code, its text and what to do next.
 *
 * Pure. `detail` and `cause` of the error stay here: they are the operator's.
 */
export function problemOf(error: HoopError, extras: ProblemExtras = {}): Problem {
  const { text, http } = ERROR_TABLE[error.code];
  return {
    type: 'about:blank',
    title: text,
    status: extras.status ?? http,
    code: error.code,
    ...(error.message === text ? {} : { detail: error.message }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(extras.rule === undefined ? {} : { rule: extras.rule }),
    ...(extras.approval === undefined ? {} : { approval: extras.approval }),
  };
}

/**
 * The challenge that belongs to a refused credential; undefined for every other error.
 *
 * @see RFC 9449 §7.1 (`WWW-Authenticate: DPoP`), §8 and §9 (nonces), RFC 6750 §3.1 (`invalid_token`), RFC 9470 §3
 */
export function challengeOf(error: HoopError): string | undefined {
  if (ERROR_TABLE[error.code].http !== 401) return undefined;
  if (error.code === 'ERR_NOT_LOGGED_IN') return 'DPoP algs="ES256 EdDSA"';
  return `DPoP error="${CHALLENGES[error.code] ?? 'invalid_token'}", algs="ES256 EdDSA"`;
}

const CHALLENGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_PROOF_NONCE: 'use_dpop_nonce',
  ERR_PROOF_INVALID: 'invalid_dpop_proof',
  ERR_LOGIN_STALE: 'insufficient_user_authentication',
};
