/**
 * TLS at a local end, for clients that speak, or show their secrets, over TLS only.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { makeCertificates } from '../../core/certificates.ts';
import { HoopError } from '../../core/errors.ts';

/** What local clients may call the local end. */
const NAMES = ['localhost', '127.0.0.1', '::1'];
/** Time for a client to agree on keys, ms. */
const HANDSHAKE_MS = 10_000;
/** Clients look at the clock in seconds; and a tunnel's last words are still read. */
const MARGIN_MS = 60_000;

/** How the local ends of one `connect` show themselves: an authority of their own, whose key nobody has any more. */
export class LocalTls {
  /** PEM: what clients must trust. */
  readonly authority: string;
  readonly #context: SecureContext;

  private constructor(authority: string, context: SecureContext) {
    this.authority = authority;
    this.#context = context;
  }

  /**
   * Draws keys, which stay in this process.
   *
   * @param deadlineMs When the tunnel ends at the latest, ms since the epoch: certificates are good for no longer.
   */
  static async make(nowMs: number, deadlineMs: number): Promise<LocalTls> {
    const { authority, server } = await makeCertificates({
      // Each its own name: a client may trust several, and looks for them by name.
      name: `hoopctl tunnel ${randomBytes(8).toString('hex')}`,
      hosts: NAMES,
      notBeforeMs: nowMs - MARGIN_MS,
      notAfterMs: deadlineMs + MARGIN_MS,
    });
    const context = createSecureContext({ ...server, minVersion: 'TLSv1.2' });
    return new LocalTls(authority, context);
  }

  /**
   * Agrees on keys with a client that has connected.
   *
   * @param alpn What may be spoken, best first, RFC 7301. Who names nothing is let in; who names other things only is not.
   * @returns Octets in the clear. Ending or destroying it ends the connection.
   * @throws {HoopError} `ERR_LOCAL_AUTH` the client broke it off, as one does that does not trust the certificate, or speaks no TLS;
   *   `ERR_SESSION_ENDED` it left without a word, or takes too long.
   */
  accept(socket: Socket, alpn: readonly string[]): Promise<Duplex> {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#context,
      ALPNProtocols: [...alpn],
    });
    return new Promise((resolve, reject) => {
      const fail = (error: HoopError) => {
        clearTimeout(late);
        socket.destroy();
        reject(error);
      };
      const gone = () => fail(new HoopError('ERR_SESSION_ENDED', 'the client left'));
      const late = setTimeout(gone, HANDSHAKE_MS);
      const refused = (error: Error) => fail(notAgreed(error));
      secure.once('error', refused).once('close', gone);
      secure.once('secure', () => {
        clearTimeout(late);
        secure
          .off('close', gone)
          .off('error', refused)
          .on('error', () => undefined);
        resolve(secure);
      });
    });
  }
}

function notAgreed(cause: NodeJS.ErrnoException): HoopError {
  const { code = '' } = cause;
  if (!/^ERR_(?:SSL|TLS)_/.test(code))
    return new HoopError('ERR_SESSION_ENDED', 'the client left', { cause });
  const plain = code === 'ERR_SSL_HTTP_REQUEST';
  const reason = plain ? 'a client spoke plain HTTP where TLS is spoken' : 'a client did not agree on TLS';
  const hint = plain
    ? 'use the URL that hoopctl gives, with https'
    : 'have it trust the authority that hoopctl names';
  return new HoopError('ERR_LOCAL_AUTH', reason, { hint, detail: code, cause });
}
