import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between the gateway and a target, and takes the connections away. */
export class Relay {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #to: { readonly host: string; readonly port: number } | undefined;

  private constructor() {
    this.#server = createServer((socket) => {
      if (this.#to === undefined) return void socket.destroy();
      const target = connect(this.#to.port, this.#to.host);
      for (const [one, other] of [
        [socket, target],
        [target, socket],
      ] as const) {
        this.#open.add(one);
        one.on('error', () => other.destroy()).pipe(other);
        one.on('close', () => this.#open.delete(one));
      }
    });
  }

  static async start(): Promise<Relay> {
    const relay = new Relay();
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  leadsTo(target: { readonly host: string; readonly port: number }): void {
    this.#to = target;
  }

  /** Without a word to either side. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
