import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { HoopError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { ApiEnv } from '../api/context.ts';
import { refuseTunnel } from '../tunnel/answer.ts';
import { isTunnelRequest } from '../tunnel/request.ts';
import type { Tunnels } from '../tunnel/tunnels.ts';
import type { ConnectionLimits } from './connection-gate.ts';
import { type Listener, openListener, type TlsPair } from './listener.ts';
import { problemOf } from './problem.ts';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * The port, and what stands behind it once everything is composed. It is opened early, so that an address that is
 * taken stops the start before anything is written; until `serve` it answers 503.
 */
export class Frontdoor {
  #listener: Listener | undefined;
  #api: RequestListener | undefined;
  #tunnels: Tunnels | undefined;

  /** @throws {HoopError} `ERR_CONFIG` the address cannot be taken. */
  static async open(
    at: { readonly host: string; readonly port: number },
    tls: TlsPair,
    limits: ConnectionLimits,
    log: Log,
  ): Promise<Frontdoor> {
    const door = new Frontdoor();
    door.#listener = await openListener({
      ...at,
      tls,
      limits,
      log,
      request: (request, response) => door.#request(request, response),
      isTunnel: isTunnelRequest,
      tunnel: (request, socket, head) => door.#stream(request, socket, head),
    });
    return door;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  serve(api: Hono<ApiEnv>, tunnels: Tunnels): void {
    this.#api = getRequestListener(api.fetch, { overrideGlobalObjects: false });
    this.#tunnels = tunnels;
  }

  setTls(pair: TlsPair): void {
    this.#listener?.setTls(pair);
  }

  /** As `Listener.keep`. */
  keep(socket: Duplex): void {
    if (socket instanceof Socket) this.#listener?.keep(socket);
  }

  stopAccepting(): void {
    this.#listener?.stopAccepting();
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#api !== undefined) void this.#api(request, response);
    else {
      const problem = problemOf(notReady(), { status: 503 });
      response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' });
      response.end(JSON.stringify(problem));
    }
  }

  #stream(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#tunnels !== undefined) void this.#tunnels.accept(request, socket, head);
    else {
      socket.on('error', () => undefined);
      refuseTunnel(socket, notReady());
    }
  }
}

function notReady(): HoopError {
  return new HoopError('ERR_LIMIT', 'the gateway is starting', { hint: 'try again in a moment' });
}
