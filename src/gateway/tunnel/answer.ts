import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { AHEAD_WORDS, type Ahead, TUNNEL_HEADERS, TUNNEL_PROTOCOL } from '../../api/contract.ts';
import type { HoopError } from '../../core/errors.ts';
import { challengeOf, type ProblemExtras, problemOf, SECURITY_HEADERS } from '../server/problem.ts';

/** Seconds, where people are asked meanwhile. */
const RETRY_AFTER = '5';
/** How long a refused client may take to read why, ms. */
const LINGER_MS = 2000;

/** Answers 101: from here on the stream belongs to the protocol. */
export function acceptTunnel(socket: Duplex, session: string, ahead?: Ahead): void {
  const fields = { connection: 'Upgrade', upgrade: TUNNEL_PROTOCOL, [TUNNEL_HEADERS.session]: session };
  const only = ahead === undefined ? {} : { [TUNNEL_HEADERS.approval]: AHEAD_WORDS[ahead] };
  socket.write(head(101, { ...fields, ...only }));
}

/** Answers with a problem and closes. Never throws, whatever state the socket is in. */
export function refuseTunnel(socket: Duplex, error: HoopError, extras: ProblemExtras = {}): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error, extras);
  const body = JSON.stringify(problem);
  const challenge = challengeOf(error);
  const fields = {
    ...SECURITY_HEADERS,
    date: new Date().toUTCString(),
    connection: 'close',
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...(extras.approval === undefined ? {} : { 'retry-after': RETRY_AFTER }),
  };
  socket.end(head(problem.status, fields) + body);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  // The client's own end must be read away, or `close` never comes.
  socket.resume();
}

function head(status: number, fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n`;
}
