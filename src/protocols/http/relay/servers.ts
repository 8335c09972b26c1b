import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { HTTP_LIMITS } from '../limits.ts';
import { http1Incoming, http2Incoming, type Incoming, upgradeIncoming } from './reply.ts';

/** Takes what comes over one connection. */
export interface Receiver {
  request(incoming: Incoming): void;
  /** What came is no HTTP. @param late It did not come in time. */
  malformed(late: boolean): void;
}

/** How often heads that are late are looked for, ms. */
const LOOK_MS = 5_000;

/** Node's server, which never listens: each connection is handed to it, with whom its requests go to. One serves all of a resource. */
export class Http1Server {
  readonly #receivers = new WeakMap<Duplex, Receiver>();
  /** The answer that was asked for last. */
  readonly #latest = new WeakMap<Duplex, ServerResponse>();
  readonly #server: Server;

  constructor() {
    this.#server = this.#make();
  }

  serve(stream: Duplex, receiver: Receiver): void {
    this.#receivers.set(stream, receiver);
    this.#server.emit('connection', stream);
  }

  close(): void {
    this.#server.close();
  }

  #make(): Server {
    const server = createServer({
      insecureHTTPParser: false,
      // Answered by the reading of the request, in our own words.
      requireHostHeader: false,
      maxHeaderSize: HTTP_LIMITS.headBytes,
      headersTimeout: HTTP_LIMITS.headMs,
      // A body may take as long as it flows.
      requestTimeout: 0,
      connectionsCheckingInterval: LOOK_MS,
      keepAliveTimeout: 0,
      shouldUpgradeCallback: takesOver,
    });
    server.maxHeadersCount = HTTP_LIMITS.headFields;
    // A client that has said all still waits for the answer.
    Object.assign(server, { httpAllowHalfOpen: true });
    const request = (req: IncomingMessage, res: ServerResponse) => {
      this.#latest.set(req.socket, res);
      this.#receivers.get(req.socket)?.request(http1Incoming(req, res));
    };
    server.on('request', request).on('checkContinue', request).on('checkExpectation', request);
    server.on('upgrade', (req, stream, early) => this.#upgrade(req, stream, early));
    server.on('connect', (_req, socket) => this.#receivers.get(socket)?.malformed(false));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#receivers.get(socket)?.malformed(error.code === 'ERR_HTTP_REQUEST_TIMEOUT');
    });
    // Starts the look for heads that are late.
    server.emit('listening');
    return server;
  }

  /** Not before the answers to requests that were sent ahead have left: they lie in the server, and this one would overtake them. */
  #upgrade(req: IncomingMessage, stream: Duplex, early: Buffer): void {
    const begin = () => {
      if (!stream.destroyed) this.#receivers.get(stream)?.request(upgradeIncoming(req, stream, early));
    };
    const before = this.#latest.get(stream);
    if (before === undefined || before.closed) begin();
    else before.once('close', begin);
  }
}

/** Whatever might not be HTTP behind its head: but for HTTP/2, which is not taken up. */
function takesOver({ headers: { upgrade = '' } }: IncomingMessage): boolean {
  return !upgrade.split(',').every((one) => one.trim().toLowerCase() === 'h2c');
}

const HTTP2_OPTIONS: ServerOptions = {
  maxSessionMemory: HTTP_LIMITS.http2Megabytes,
  // What a target says twice goes on as by HTTP/1.1: Node would throw, for trailers where nobody hears it.
  strictSingleValueFields: false,
  settings: {
    maxConcurrentStreams: HTTP_LIMITS.concurrentStreams,
    maxHeaderListSize: HTTP_LIMITS.headBytes,
    enableConnectProtocol: false,
  },
};

/** Speaks HTTP/2 with prior knowledge over one connection: RFC 9113 §3.3. */
export function serveHttp2(stream: Duplex, receiver: Receiver): ServerHttp2Session {
  const session = performServerHandshake(stream, HTTP2_OPTIONS);
  session.on('stream', (one, _headers, _flags, raw) =>
    receiver.request(http2Incoming(one as ServerHttp2Stream, raw as unknown as string[])),
  );
  session.on('error', () => receiver.malformed(false));
  return session;
}
