/**
 * What the gateway's answers that are no success mean.
 */
import type { IncomingMessage } from 'node:http';
import { ERROR_TABLE, type ErrorCode, HoopError } from '../core/errors.ts';

/** A clock further away than this from the gateway's is worth a word when a token or proof is refused, ms. */
const SKEW_MS = 60_000;
const CLOCK_CODES: ReadonlySet<ErrorCode> = new Set([
  'ERR_PROOF_INVALID',
  'ERR_TOKEN_INVALID',
  'ERR_LOGIN_EXPIRED',
]);

export interface RefusedAnswer {
  readonly status: number;
  readonly contentType: string;
  /** At most a few KiB are looked at. */
  readonly body: string;
  /** The gateway's `Date` field. */
  readonly date: string | undefined;
}

/**
 * Turns a refusal of the gateway into our error.
 *
 * Pure. Known codes of ours are kept with the gateway's text and hint; OAuth's `error` is understood at the token
 * endpoint; anything else means that no hoop gateway is at this address.
 *
 * @param where The gateway's origin, for the message.
 * @param nowMs This machine's time, to tell a wrong clock.
 * @see RFC 9457; RFC 6749 §5.2
 */
export function problemToError(refusal: RefusedAnswer, where: string, nowMs: number): HoopError {
  const value = refusal.contentType.includes('json') ? parse(refusal.body) : undefined;
  const code = value?.['code'];
  if (typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code)) {
    const known = code as ErrorCode;
    const text = firstText(value?.['detail'], value?.['title']) ?? ERROR_TABLE[known].text;
    const hint = skewHint(known, refusal.date, nowMs) ?? firstText(value?.['hint']) ?? defaultHint(known);
    const approval = firstText(value?.['approval']);
    return new HoopError(known, text, {
      ...(hint === undefined ? {} : { hint }),
      ...(approval === undefined ? {} : { approval }),
    });
  }
  const oauth = value?.['error'];
  if (typeof oauth === 'string') {
    const text = firstText(value?.['error_description']) ?? oauth;
    return new HoopError(refusal.status === 403 ? 'ERR_AGENT_UNKNOWN' : 'ERR_TOKEN_INVALID', text);
  }
  if (value !== undefined && refusal.status >= 500) {
    return new HoopError('ERR_GATEWAY_UNREACHABLE', `the gateway ${where} failed (${refusal.status})`);
  }
  return notAGateway(where, refusal.contentType, refusal.status);
}

/** An answer that no hoop gateway gives: a web server, a captive portal, a proxy's error page. */
export function notAGateway(where: string, contentType: string, status: number): HoopError {
  const kind = contentType.split(';')[0] || 'no content type';
  return new HoopError(
    'ERR_GATEWAY_UNREACHABLE',
    `${where} is not a hoop gateway (it answered ${status}, ${kind})`,
    {
      hint: 'check the URL; behind a captive portal or a proxy, open a browser first',
    },
  );
}

const CLOCK = "this machine's clock";

/** Whether a hint says that the clock is wrong: nothing that was told by it is true then. Pure. */
export function isOfClock(hint: string): boolean {
  return hint.startsWith(CLOCK);
}

/**
 * Says whether a refusal only asks for the proof to be made again with a nonce.
 *
 * @returns The nonce, or `undefined`. @see RFC 9449 §8
 */
export function wantedNonce(status: number, nonce: string | undefined, body: string): string | undefined {
  if ((status !== 400 && status !== 401) || !nonce) return undefined;
  const value = parse(body);
  return value?.['code'] === 'ERR_PROOF_NONCE' || value?.['error'] === 'use_dpop_nonce' ? nonce : undefined;
}

export function refusalOf(answer: IncomingMessage, body: string): RefusedAnswer {
  return {
    status: answer.statusCode ?? 0,
    contentType: String(answer.headers['content-type'] ?? ''),
    body,
    date: answer.headers.date,
  };
}

function defaultHint(code: ErrorCode): string | undefined {
  if (ERROR_TABLE[code].exit === 67) return 'run: hoopctl login';
  if (code === 'ERR_NO_ACCESS') return 'see: hoopctl resource list';
  return undefined;
}

function skewHint(code: ErrorCode, date: string | undefined, nowMs: number): string | undefined {
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  if (!CLOCK_CODES.has(code) || Number.isNaN(theirs) || Math.abs(nowMs - theirs) < SKEW_MS) return undefined;
  const seconds = Math.round(Math.abs(nowMs - theirs) / 1000);
  const side = nowMs > theirs ? 'ahead of' : 'behind';
  return `${CLOCK} is ${seconds} s ${side} the gateway's: set it right`;
}

function firstText(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value !== '');
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
