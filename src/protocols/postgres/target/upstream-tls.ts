import { createHash } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { encodeStartup } from '../../../wire/postgres/startup.ts';
import { destroyOn, nextChunk, until } from './upstream-socket.ts';

/**
 * How the target must show who it is: `verify-full` a chain of trust and its name, `verify-ca` a chain only, `require`
 * encryption to whomever it is, `disable` nothing and no encryption.
 */
type TlsMode = 'verify-full' | 'verify-ca' | 'require' | 'disable';

export interface TlsOptions {
  /** Default `verify-full`; a weaker one only where somebody said so. */
  readonly mode?: TlsMode;
  /** PEM; default the authorities that Node trusts. */
  readonly ca?: string | Buffer;
  /** The name its certificate must carry, and that is asked for; default the host. */
  readonly servername?: string;
}

const ACCEPTED = 'S';
const DECLINED = 'N';

/**
 * Turns a fresh connection to a PostgreSQL server into TLS, by SSLRequest.
 *
 * @param socket Connected, nothing sent or read yet. Belongs to the TLS socket afterwards.
 * @param signal Aborting it destroys the socket, also later.
 * @returns A TLS 1.2 or 1.3 socket whose peer was checked as `mode` says. Reads one octet and no more before TLS begins.
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
  if (answer.length > 1 || socket.readableLength > 0) throw refused('it sent octets before TLS began');
  if (answer.toString('latin1') === DECLINED) throw noTls();
  if (answer.toString('latin1') !== ACCEPTED) throw refused('it answers SSLRequest with neither S nor N');
  const secured = connect({ socket, ...clientOptions(host, options) });
  destroyOn(signal, secured);
  try {
    await until(secured, 'secureConnect');
    return secured;
  } catch (error) {
    secured.destroy();
    if (isHoopError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw refused(`${code ?? 'error'}: ${message}`);
  }
}

function clientOptions(
  host: string,
  { mode = 'verify-full', ca, servername }: TlsOptions,
): ConnectionOptions {
  const name = servername ?? host;
  return {
    // `host` is what the certificate's names are compared with; SNI must not be an address.
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca }),
    ALPNProtocols: ['postgresql'],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: mode !== 'require',
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/**
 * The hash that `tls-server-end-point` channel binding is made of.
 *
 * @returns The certificate hashed with its signature's hash, SHA-256 where that is MD5 or SHA-1; `undefined` where the
 *   signature has no hash of its own (Ed25519) or keeps it in parameters (RSA-PSS). Pure. Never throws.
 * @see RFC 5929 §4.1
 */
export function certificateHash(socket: TLSSocket): Buffer | undefined {
  const certificate = socket.getPeerX509Certificate();
  const found = /(md5|sha-?(?:1|224|256|384|512)(?![0-9]))/i.exec(certificate?.signatureAlgorithm ?? '')?.[1];
  if (certificate === undefined || found === undefined) return undefined;
  const name = found.toLowerCase().replace('-', '');
  return createHash(name === 'md5' || name === 'sha1' ? 'sha256' : name)
    .update(certificate.raw)
    .digest();
}

function noTls(): HoopError {
  return new HoopError('ERR_TARGET_NO_TLS', undefined, {
    hint: 'ask the operator of the gateway to turn on TLS at the target, or to say "tls: disable" for this resource',
    detail: 'the target answers SSLRequest with "N"',
  });
}

function refused(detail: string): HoopError {
  return new HoopError('ERR_TARGET_TLS', undefined, { detail: `TLS with the target: ${detail}` });
}
