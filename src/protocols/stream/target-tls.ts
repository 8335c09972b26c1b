import { createHash } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { HoopError, isHoopError } from '../../core/errors.ts';
import { destroyOn, until } from './dial.ts';

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

/**
 * Speaks TLS over a connection to a target.
 *
 * @param socket Connected; belongs to the TLS socket afterwards.
 * @param host What the certificate's names are compared with, unless `servername` is given.
 * @param protocol ALPN's word for what is spoken within.
 * @param signal Aborting it destroys the socket, also later.
 * @returns A TLS 1.2 or 1.3 socket whose peer was checked as `mode` says.
 * @throws {HoopError} `ERR_TARGET_TLS` it is not whom it should be; the signal's reason if that is ours. The TLS socket is
 *   destroyed then.
 * @see https://nodejs.org/api/tls.html#tlsconnectoptions-callback
 */
export async function secure(
  socket: Socket,
  host: string,
  options: TlsOptions,
  { protocol, signal }: { readonly protocol: string; readonly signal: AbortSignal },
): Promise<TLSSocket> {
  const secured = connect({ socket, ...clientOptions(host, options, protocol) });
  destroyOn(signal, secured);
  try {
    await until(secured, 'secureConnect');
    return secured;
  } catch (error) {
    secured.destroy();
    if (isHoopError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw tlsRefused(`${code ?? 'error'}: ${message}`);
  }
}

/** The target's TLS is not good enough, with the cause for the operator. */
export function tlsRefused(detail: string): HoopError {
  return new HoopError('ERR_TARGET_TLS', undefined, { detail: `TLS with the target: ${detail}` });
}

function clientOptions(
  host: string,
  { mode = 'verify-full', ca, servername }: TlsOptions,
  protocol: string,
): ConnectionOptions {
  const name = servername ?? host;
  return {
    // `host` is what the certificate's names are compared with; SNI must not be an address.
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca }),
    ALPNProtocols: [protocol],
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
