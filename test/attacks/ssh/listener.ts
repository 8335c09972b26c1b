/** What must not be reached: a port of the host, on all of its addresses, and a socket of its file system. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

export class Listener {
  readonly #server: Server;
  /** Connections that were made to it. */
  reached = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.reached++;
      socket.on('error', () => undefined).end('reached');
    });
  }

  /** @param where A path, or the port 0 of every address. */
  static async on(where: string | 0): Promise<Listener> {
    const listener = new Listener();
    listener.#server.listen(where === 0 ? { port: 0, host: '::' } : where);
    await once(listener.#server, 'listening');
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
  }
}
