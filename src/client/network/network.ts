/**
 * Connections out of this machine: to the gateway over TLS 1.3, to identity providers over TLS or loopback.
 */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { directReads } from '../../core/bytes/direct-reads.ts';
import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { explainGatewayFailure } from './errors.ts';
import { connectThroughProxy, proxyFor } from './proxy.ts';
import { issuerAuthorities, type Trust } from './trust.ts';

/** Seconds of silence after which the kernel starts asking whether the other end is still there. */
const KEEP_ALIVE_MS = 15_000;
/** What one read of a stream may bring: a TLS record holds no more. */
const READ_BYTES = 16 * 1024;

export class Network {
  readonly trust: Trust;
  readonly #env: NodeJS.ProcessEnv;
  /** Newest TLS session per origin: a resumed handshake costs a third. Keys of a stream stay its own. */
  readonly #sessions = new Map<string, Buffer>();
  readonly #readMemory = Buffer.allocUnsafeSlow(READ_BYTES);

  constructor(trust: Trust, env: NodeJS.ProcessEnv) {
    this.trust = trust;
    this.#env = env;
  }

  /**
   * Opens one TLS 1.3 connection to a gateway, through the proxy if the environment names one.
   *
   * @param url Origin of the gateway; anything behind the port is ignored.
   * @param options.direct Its bytes are to be taken as `DirectReads`, where no proxy stands between.
   * @returns A verified connection with half-close and without Nagle's delay.
   * @throws {HoopError} `ERR_GATEWAY_UNREACHABLE`, `ERR_GATEWAY_TLS`; within 10 s.
   */
  async connectGateway(
    url: URL,
    signal?: AbortSignal,
    { direct = false }: { readonly direct?: boolean } = {},
  ): Promise<TLSSocket> {
    const options: ConnectionOptions = {
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
      ...(this.trust.ca === undefined ? {} : { ca: this.trust.ca }),
    };
    const session = this.#sessions.get(url.origin);
    if (session !== undefined) options.session = session;
    try {
      const socket = await (direct && proxyFor(url, this.#env) === undefined
        ? this.#direct(url, options, deadline(signal))
        : this.#secure(url, options, signal));
      socket.on('session', (ticket) => this.#sessions.set(url.origin, ticket));
      return socket;
    } catch (error) {
      throw explainGatewayFailure(error, url, this.trust);
    }
  }

  /** Opens a connection to an identity provider: TLS 1.2 or later, or plain TCP for `http:` (loopback only). */
  async connectIssuer(url: URL, signal?: AbortSignal): Promise<Socket> {
    if (url.protocol === 'http:') return openTcp(url, 80, deadline(signal));
    const ca = issuerAuthorities(this.trust);
    return this.#secure(url, ca === undefined ? {} : { ca }, signal);
  }

  async #direct(url: URL, options: ConnectionOptions, until: AbortSignal): Promise<TLSSocket> {
    const { onread, attach } = directReads(this.#readMemory);
    const port = Number(url.port || 443);
    // Both are documented for TLS, too, and missing in its types.
    const rest: { onread: OnReadOpts; allowHalfOpen: boolean } = { onread, allowHalfOpen: true };
    const socket = attach(connectTls({ ...peer(url), ...options, port, ...rest }));
    await settled(socket, 'secureConnect', until);
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  }

  async #secure(url: URL, options: ConnectionOptions, signal: AbortSignal | undefined): Promise<TLSSocket> {
    const until = deadline(signal);
    const proxy = proxyFor(url, this.#env);
    const socket = proxy ? await connectThroughProxy(proxy, url, until) : await openTcp(url, 443, until);
    return handshake(socket, url, options, until);
  }
}

function deadline(signal: AbortSignal | undefined): AbortSignal {
  const late = AbortSignal.timeout(LIMITS.handshakeMs);
  return signal ? AbortSignal.any([late, signal]) : late;
}

function openTcp(url: URL, defaultPort: number, signal: AbortSignal): Promise<Socket> {
  const socket = connectTcp({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || defaultPort),
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  return settled(socket, 'connect', signal);
}

function handshake(
  socket: Socket,
  url: URL,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return settled(connectTls({ ...peer(url), ...options, socket }), 'secureConnect', signal);
}

/** Whom the other end must prove to be. */
function peer(url: URL): ConnectionOptions {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    ...(isIP(host) ? {} : { servername: host }),
    // Said aloud because NODE_TLS_REJECT_UNAUTHORIZED=0 in somebody's shell would switch the default off.
    rejectUnauthorized: true,
  };
}

/** Resolves at `event`; rejects at an error, an end, or the deadline, and then leaves no socket behind. */
function settled<T extends Socket>(socket: T, event: string, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const clear = () => {
      socket.off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown) => {
      clear();
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    const onError = (error: Error) => fail(error);
    const onClose = () => fail(Object.assign(new Error('connection closed'), { code: 'ECONNRESET' }));
    const onAbort = () => {
      const late = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
      fail(late ? Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }) : signal.reason);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError).on('close', onClose);
    socket.once(event, () => {
      clear();
      // From here to the owner's own listener nothing may be thrown away unheard, and nothing may kill the process.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Addresses with which an identity provider may be spoken to in the clear are checked here, once. */
export function assertIssuerUrl(text: string, isLoopback: (hostname: string) => boolean): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return url;
  if (url?.protocol === 'http:' && isLoopback(url.hostname)) return url;
  throw new HoopError('ERR_CONFIG', `the gateway names an identity provider without https: ${text}`, {
    hint: "http is accepted on this machine's own loopback only",
  });
}
