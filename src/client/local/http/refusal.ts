/**
 * Saying no to a local client in HTTP's own words.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERROR_TABLE, type HoopError } from '../../../core/errors.ts';
import { refusalLine, wordOf } from '../../../core/refusal-line.ts';

/** Time for a client to ask for something, and to read the answer, ms. */
const HELLO_MS = 5_000;
const LINGER_MS = 2_000;
/** What a missing secret is answered with, so that clients ask for it. */
const CHALLENGE = 'Basic realm="hoopctl tunnel", charset="UTF-8"';

/**
 * Answers a request with the error and closes: `problem+json`, its status the one that the error has in the gateway's own
 * API. Whatever the client still says is read and dropped. Never throws.
 *
 * @see RFC 9457
 */
export function answerRefusal(local: Duplex, error: HoopError): void {
  if (!local.writable) return void local.destroy();
  const { text, http } = ERROR_TABLE[error.code];
  // Clients that send a password only when asked for it are asked.
  const status = error.code === 'ERR_LOCAL_AUTH' ? 401 : http;
  const problem = {
    type: 'about:blank',
    title: text,
    status,
    detail: error.message,
    code: error.code,
    ...(JSON.parse(refusalLine(wordOf(error))) as object),
  };
  const body = `${JSON.stringify(problem)}\n`;
  const fields = [
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
    ...(error.code === 'ERR_LOCAL_AUTH' ? [`www-authenticate: ${CHALLENGE}`] : []),
  ];
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${fields.join('\r\n')}\r\n\r\n`;
  const late = setTimeout(() => local.destroy(), LINGER_MS);
  local.on('error', () => undefined).once('close', () => clearTimeout(late));
  local.resume();
  local.end(head + body);
}

/** Waits for the client to ask for something, so that it reads the answer as one to its request. Never throws. */
export function refuseClient(local: Duplex, error: HoopError): void {
  const silent = setTimeout(() => local.destroy(), HELLO_MS);
  local.on('error', () => undefined).once('close', () => clearTimeout(silent));
  local.once('data', () => {
    clearTimeout(silent);
    answerRefusal(local, error);
  });
  local.resume();
}
