import type { TLSSocket } from 'node:tls';
import type { OwnCertificate } from './own-certificate.ts';

/** How long one is used, ms: who goes on with a session shows no certificate, and is to show it this often. */
const USED_MS = 600_000;

interface Ticket {
  readonly session: Buffer;
  readonly certificate: OwnCertificate | undefined;
  /** ms by `performance.now()`. */
  readonly until: number;
}

/**
 * The session of TLS with one target by which the next connections are made without a full handshake. Only of a target that has
 * shown who it is, and for the certificate that it was shown. Used more than once, as servers give no other for it: that an
 * observer can tell these connections to be of one client is no secret.
 *
 * @see RFC 8446 §2.2, §C.4
 */
export class Tickets {
  #last: Ticket | undefined;

  /** @param certificate That the target is shown. @returns Undefined: a full handshake is to be made. */
  take(certificate: OwnCertificate | undefined, now = performance.now()): Buffer | undefined {
    const last = this.#last;
    if (last === undefined || last.until <= now || !isSame(last.certificate, certificate)) return undefined;
    return last.session;
  }

  /** Keeps what the target gives over a connection, once its identity was checked. */
  keepOf(tls: TLSSocket, certificate: OwnCertificate | undefined): void {
    // Or a session would go on forever without a look at who it is.
    if (tls.isSessionReused()) return;
    const keep = (session: Buffer) => this.keep(session, certificate);
    // Before TLS 1.3 it came within the handshake.
    const session = tls.getProtocol() === 'TLSv1.3' ? undefined : tls.getSession();
    if (session !== undefined) keep(session);
    tls.on('session', keep);
  }

  keep(session: Buffer, certificate: OwnCertificate | undefined, now = performance.now()): void {
    this.#last = { session, certificate, until: now + USED_MS };
  }
}

function isSame(one: OwnCertificate | undefined, other: OwnCertificate | undefined): boolean {
  return one?.cert === other?.cert && one?.key === other?.key;
}
