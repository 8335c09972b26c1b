import { hash, timingSafeEqual } from 'node:crypto';
import { valuesOf } from './http1/head.ts';

/** Why a request does not come from whoever opened the tunnel. */
export interface NotLocal {
  readonly status: 401 | 403;
  readonly reason: string;
  readonly hint: string;
}

/** Octets of a header that are looked at. */
const MAX_VALUE = 4096;

/**
 * Checks that a request comes from whoever opened the tunnel, and from no page in a browser. Pure.
 *
 * A page may reach the local port under a name of its own that leads here (DNS rebinding), but it cannot choose `Host` and
 * `Origin`. The tunnel's secret is the password of Basic, whatever the user is called, or a Bearer token.
 *
 * @param headers Names and values in turn, as they came.
 * @param proof SHA-256 of the secret, base64url. Undefined where only the owner can open the local end.
 * @returns Undefined: it does.
 * @see RFC 7617, RFC 6750 §2.1
 */
export function notLocal(headers: readonly string[], proof: string | undefined): NotLocal | undefined {
  for (const host of valuesOf(headers, 'host')) {
    if (!isLoopback(host))
      return forbidden('the request is for another host', 'use the URL that hoopctl gives, as it is');
  }
  for (const origin of valuesOf(headers, 'origin')) {
    if (!isOwnOrigin(origin))
      return forbidden('the request comes from a page of another site', 'call the API from a program');
  }
  if (proof === undefined) return undefined;
  const given = valuesOf(headers, 'authorization').map(secretIn);
  if (given.length === 1 && given[0] !== undefined && proves(given[0], proof)) return undefined;
  return {
    status: 401,
    reason: "the tunnel's own secret is missing or wrong",
    hint: 'use the URL that hoopctl gives, with the user information in it; a client that takes none sends its password as Authorization: Bearer',
  };
}

const forbidden = (reason: string, hint: string): NotLocal => ({ status: 403, reason, hint });

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?$/i;

function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

function isOwnOrigin(origin: string): boolean {
  const rest = /^https?:\/\/(.*)$/i.exec(origin)?.[1];
  return rest !== undefined && isLoopback(rest);
}

function secretIn(authorization: string): string | undefined {
  if (authorization.length > MAX_VALUE) return undefined;
  const [, scheme = '', value = ''] = /^(basic|bearer) +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'basic') return value === '' ? undefined : value;
  const text = Buffer.from(value, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : text.slice(colon + 1);
}

/** How the two ends of a tunnel show each other its secret: SHA-256, base64url. Pure. */
export function bearerProof(secret: string): string {
  return hash('sha256', Buffer.from(secret, 'latin1'), 'base64url');
}

function proves(secret: string, proof: string): boolean {
  const [given, expected] = [bearerProof(secret), proof].map((text) => Buffer.from(text, 'latin1'));
  return given!.length === expected!.length && timingSafeEqual(given!, expected!);
}
