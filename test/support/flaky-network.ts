import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The network between hoopctl and hoopd, as an HTTP proxy in this process: it can fall silent, come back, lose every
 * connection, and lead elsewhere.
 */
export class FlakyNetwork {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Duplex, Socket]>();
  readonly #near = new Set<Duplex>();
  #waiting: (() => void)[] = [];
  #silent = false;
  /** Where every CONNECT leads. */
  port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(port: number): Promise<FlakyNetwork> {
    const server = createServer((_, response) => response.end());
    const network = new FlakyNetwork(server, port);
    server.on('connect', (_, socket) => network.#take(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  /** For `HTTPS_PROXY`. */
  get proxy(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Nothing arrives any more, in either direction; nobody is told. */
  silence(): void {
    this.#silent = true;
    for (const [near, far] of this.#pairs) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  /** What was on its way arrives. */
  restore(): void {
    this.#silent = false;
    for (const [near, far] of this.#pairs) join(near, far);
    for (const open of this.#waiting.splice(0)) open();
  }

  /** Every connection is gone, without a word to either end but a reset. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      (near as Socket).resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  async stop(): Promise<void> {
    this.cut();
    for (const near of this.#near) near.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(near: Duplex): void {
    this.#near.add(near.on('error', () => undefined));
    near.once('close', () => this.#near.delete(near));
    if (this.#silent) this.#waiting.push(() => this.#open(near));
    else this.#open(near);
  }

  #open(near: Duplex): void {
    if (near.destroyed) return;
    const far = connect(this.port, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    far.once('connect', () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      if (!this.#silent) join(near, far);
    });
    far.on('error', () => void near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    far.once('close', () => {
      this.#pairs.delete(pair);
      near.end();
      setTimeout(() => near.destroy(), 200).unref();
    });
    near.once('close', () => far.destroy());
  }
}

function join(near: Duplex, far: Socket): void {
  near.pipe(far);
  far.pipe(near);
}
