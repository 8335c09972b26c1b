/**
 * What a failed connection means, in one line that says what to do.
 */
import { HoopError, isHoopError } from '../../core/errors.ts';
import type { Trust } from './trust.ts';

const PLAIN: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve just now',
  ETIMEDOUT: 'no answer within 10 s',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no network',
};

const CLOCK = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/**
 * Turns what a socket reports into an error for the user. Ours pass through, an abort by the caller too.
 *
 * @returns `ERR_GATEWAY_TLS` for a certificate that is not believed, is for another name, or is out of date, with the
 *   authorities in use named; `ERR_GATEWAY_UNREACHABLE` otherwise.
 */
export function explainGatewayFailure(error: unknown, url: URL, trust: Trust): unknown {
  if (isHoopError(error) || isAbort(error)) return error;
  const code = codeOf(error);
  const where = `the gateway ${url.origin}`;
  if (CLOCK.has(code)) {
    return new HoopError('ERR_GATEWAY_TLS', `${where} shows a certificate that is ${dated(code)}`, {
      hint: "check this machine's clock; if it is right, the gateway's operator must renew the certificate",
      cause: error,
    });
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new HoopError('ERR_GATEWAY_TLS', `${where} shows a certificate for another name`, {
      hint: 'use the name in the certificate, or ask its operator whether the URL is right',
      cause: error,
    });
  }
  if (isCertificateError(code)) {
    return new HoopError(
      'ERR_GATEWAY_TLS',
      `${where} shows a certificate that is not vouched for by ${trust.source} (${code})`,
      {
        hint: `${trust.kept === true ? 'if it has another CA now: hoopctl login --ca FILE' : "give the gateway's CA with --ca FILE (or NODE_EXTRA_CA_CERTS)"}; a proxy that opens TLS has its own`,
        cause: error,
      },
    );
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return new HoopError('ERR_GATEWAY_UNREACHABLE', `${where} does not speak TLS 1.3 (${code})`, {
      hint: 'check host and port',
      cause: error,
    });
  }
  return new HoopError(
    'ERR_GATEWAY_UNREACHABLE',
    `${where} cannot be reached: ${PLAIN[code] ?? (code || 'it failed')}`,
    {
      hint: 'check the URL, the network and HTTPS_PROXY',
      cause: error,
    },
  );
}

/** True if the caller itself gave up; not a failure of the network. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** The system's or TLS's code of an error, also from inside `cause`; empty if it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? '' : codeOf(error.cause);
}

function dated(code: string): string {
  return code === 'CERT_HAS_EXPIRED' ? 'no longer valid' : 'not yet valid';
}

function isCertificateError(code: string): boolean {
  return /CERT|ISSUER|SIGNATURE|UNABLE_TO|HOSTNAME/.test(code) && !code.startsWith('ERR_SSL');
}
