import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { LIMITS } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { Secret } from '../../core/secret.ts';
import { ConnectionGate, type ConnectionLimits } from './connection-gate.ts';
import { openPort } from './port.ts';

/** Octets of a request's head. A token, a proof and a reason need about 5 KiB. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Time to send a whole request, ms; bodies are at most 64 KiB. */
const REQUEST_MS = 30_000;
/** How long an idle connection may wait for its next request, ms. */
const KEEP_ALIVE_MS = 60_000;

export interface TlsPair {
  readonly cert: string;
  readonly key: Secret;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsPair;
  readonly limits: ConnectionLimits;
  readonly log: Log;
  request(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a request with an `Upgrade` field is a tunnel's; all others are answered as if it were absent. */
  isTunnel(request: IncomingMessage): boolean;
  tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** The open port. */
export interface Listener {
  readonly port: number;
  /** The connection has a session now: it is not closed to make room for another. */
  keep(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): void;
  /** New handshakes use the new pair; open connections keep theirs. */
  setTls(pair: TlsPair): void;
  /** Takes no more connections; idle ones are closed. Tunnels are not touched. */
  stopAccepting(): void;
  /** Destroys what is still open and resolves when the port is free. */
  close(): Promise<void>;
}

/**
 * Opens the HTTPS port: TLS 1.3 and HTTP/1.1 only, every wait and every size bounded.
 *
 * @throws {HoopError} `ERR_CONFIG` if the address cannot be taken or the key pair is refused.
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const server = createHttpsServer(options);
  const sockets = new Set<Socket>();
  const gate = new ConnectionGate(options.limits, options.log);
  gate.attach(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await openPort(server, options.host, options.port);
  let closing: Promise<void> | undefined;
  const stopAccepting = () => {
    closing ??= port.close();
    server.closeIdleConnections();
  };
  return {
    port: port.port,
    keep: (socket) => gate.keep(socket),
    setTls: (pair) => server.setSecureContext(secureContext(pair)),
    stopAccepting,
    close: async () => {
      stopAccepting();
      for (const socket of sockets) socket.destroy();
      await closing;
    },
  };
}

function createHttpsServer(options: ListenerOptions): Server {
  const server = createServer(
    {
      ...secureContext(options.tls),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: LIMITS.handshakeMs,
      headersTimeout: LIMITS.handshakeMs,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 2000,
      maxHeaderSize: MAX_HEAD_BYTES,
      noDelay: true,
      shouldUpgradeCallback: options.isTunnel,
    },
    options.request,
  );
  server.maxHeadersCount = 64;
  server.on('upgrade', options.tunnel);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('clientError', (_error, socket) => refuseMalformed(socket));
  server.on('error', (error) => options.log.error('the listener failed', { error: error.message }));
  return server;
}

function secureContext({ cert, key }: TlsPair) {
  return { cert, key: key.expose(), minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
}

/** What is not HTTP gets the shortest answer; nothing of it is repeated or logged. */
function refuseMalformed(socket: Duplex): void {
  if (!socket.writable) socket.destroy();
  else
    socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n', () =>
      socket.destroy(),
    );
}
