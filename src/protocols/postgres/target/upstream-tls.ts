import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { HoopError } from '../../../core/errors.ts';
import { encodeStartup } from '../../../wire/postgres/startup.ts';
import { nextChunk } from '../../stream/dial.ts';
import { secure, type TlsOptions, tlsRefused } from '../../stream/target-tls.ts';

const ACCEPTED = 'S';
const DECLINED = 'N';

/**
 * Turns a fresh connection to a PostgreSQL server into TLS, by SSLRequest.
 *
 * @param socket Connected, nothing sent or read yet. Belongs to the TLS socket afterwards.
 * @param signal Aborting it destroys the socket, also later.
 * @returns As `secure`. Reads one octet and no more before TLS begins.
 * @throws {HoopError} `ERR_TARGET_NO_TLS` the server has TLS turned off; `ERR_TARGET_TLS` it sent octets before TLS began
 *   (CVE-2021-23222), or is not whom it should be. The caller destroys the socket.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
export async function startTls(
  socket: Socket,
  host: string,
  options: TlsOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  socket.write(encodeStartup({ name: 'SSLRequest' }));
  const answer = await nextChunk(socket);
  if (answer.length > 1 || socket.readableLength > 0) throw tlsRefused('it sent octets before TLS began');
  if (answer.toString('latin1') === DECLINED) throw noTls();
  if (answer.toString('latin1') !== ACCEPTED) throw tlsRefused('it answers SSLRequest with neither S nor N');
  return secure(socket, host, options, { protocol: 'postgresql', signal });
}

function noTls(): HoopError {
  return new HoopError('ERR_TARGET_NO_TLS', undefined, {
    hint: 'ask the operator of the gateway to turn on TLS at the target, or to say "tls: disable" for this resource',
    detail: 'the target answers SSLRequest with "N"',
  });
}
