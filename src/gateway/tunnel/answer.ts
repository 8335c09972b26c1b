import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { TUNNEL_HEADERS, TUNNEL_PROTOCOL } from '../../api/contract.ts';
import type { HoopError } from '../../core/errors.ts';
import { challengeOf, type ProblemExtras, problemOf, SECURITY_HEADERS } from '../server/problem.ts';

/** How long a refused client may take to read why, ms. */
const LINGER_MS = 2000;

/** Answers 101: from here on the stream belongs to the protocol. */
export function acceptTunnel(socket: Duplex, session: string): void {
  socket.write(
    head(101, { connection: 'Upgrade', upgrade: TUNNEL_PROTOCOL, [TUNNEL_HEADERS.session]: session }),
  );
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
