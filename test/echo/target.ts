import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { AdapterTarget, Heard } from '../conformance/trial.ts';

/** What the vault says besides. */
export const TOKEN = 'tok-4711-0815';

/**
 * Answers `TOPIC WORDS` with `TOPIC WORDS`, and of the topic `vault` with a token behind it. Of `nothing` it says nothing at
 * all. It counts what it hears.
 */
export class EchoTarget implements AdapterTarget {
  readonly resource: string;
  readonly #stop: () => void;
  heard: Heard = { connections: 0, octets: 0 };

  private constructor(port: number, stop: () => void) {
    this.resource = `{ protocol: echo, target: { port: ${port} } }`;
    this.#stop = stop;
  }

  static async start(): Promise<EchoTarget> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      target.#serve(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const target: EchoTarget = new EchoTarget((server.address() as AddressInfo).port, () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return target;
  }

  async stop(): Promise<void> {
    this.#stop();
  }

  #serve(socket: Socket): void {
    const connections = this.heard.connections + 1;
    this.heard = { connections, octets: 0 };
    socket.on('data', (chunk: Buffer) => {
      if (connections === this.heard.connections)
        this.heard = { connections, octets: this.heard.octets + chunk.length };
      for (const line of chunk.toString().split('\n').filter(Boolean)) {
        if (line.startsWith('nothing ')) continue;
        socket.write(line.startsWith('vault ') ? `${line} #${TOKEN}\n` : `${line}\n`);
      }
    });
  }
}
