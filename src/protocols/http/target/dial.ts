import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { directReads } from '../../../core/bytes/direct-reads.ts';
import { HoopError } from '../../../core/errors.ts';
import type { OwnCertificate } from './own-certificate.ts';
import { type Patience, targetError } from './patience.ts';
import type { Place } from './place.ts';

/** A connection that stands, over TLS where that is asked for: the certificate was checked, and nothing is sent yet. */
export interface Dialled {
  readonly socket: Socket;
  /** Agreed on by ALPN; undefined: nothing was. */
  readonly protocol: string | undefined;
}

/** Probes of a connection that says nothing: an answer may be silent for hours, and its target gone meanwhile. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Makes a connection to the target.
 *
 * @param protocols Offered by ALPN: `h2`, `http/1.1`.
 * @param memory What it may read into, where it has no TLS and that is the caller's: see `directReads`.
 * @throws {HoopError} `ERR_TARGET_UNREACHABLE` also where it takes longer than `connectMs`; `ERR_TARGET_TLS`.
 * @see RFC 7301
 */
export function dial(
  place: Place,
  protocols: readonly string[],
  certificate: OwnCertificate | undefined,
  { connectMs }: Patience,
  memory?: Buffer,
): Promise<Dialled> {
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>();
  const { host, port, secure, ca, addresses, tickets } = place;
  const to = { host, port, lookup: addresses.lookup };
  const over = () => {
    clearTimeout(timer);
    socket.off('error', failed).off('close', closed);
  };
  const failed = (error: Error) => {
    over();
    // What follows is about a connection that nobody has.
    socket.on('error', () => undefined).destroy();
    reject(targetError(error, false));
  };
  const closed = () => failed(new Error('the connection was closed'));
  const stands = (protocol: string | undefined) => {
    over();
    resolve({ socket, protocol });
  };
  const makeTls = () => {
    const session = tickets.take(certificate);
    const tls = connectTls({
      ...to,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
      ...certificate,
      ...(session === undefined ? {} : { session }),
      ALPNProtocols: [...protocols],
      minVersion: 'TLSv1.2',
      // Said, so that no variable of the environment can turn it off.
      rejectUnauthorized: true,
    });
    return tls.once('secureConnect', () => {
      tickets.keepOf(tls, certificate);
      stands(tls.alpnProtocol || undefined);
    });
  };
  const timer = setTimeout(
    () =>
      failed(
        new HoopError('ERR_TARGET_UNREACHABLE', undefined, {
          detail: `no connection within ${connectMs} ms`,
        }),
      ),
    connectMs,
  );
  const makePlain = () => {
    if (memory === undefined) return connectPlain(to, () => stands(undefined));
    const { onread, attach } = directReads(memory);
    return attach(connectPlain({ ...to, onread }, () => stands(undefined)));
  };
  const socket = secure ? makeTls() : makePlain();
  socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS).once('error', failed).once('close', closed);
  return promise;
}
