/** What stands behind hoopd for attacks on a cluster: one of raw octets, or a pipe to a real API server that keeps them. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { connect } from 'node:tls';
import type { ClusterSettings } from '../../support/kubernetes/cluster.ts';

/** Whatever is sent to a cluster goes on, and is kept. */
export class RecordingPipe {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #octets: Buffer[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start({ server: url, caFile }: ClusterSettings): Promise<RecordingPipe> {
    const { hostname, port } = new URL(url);
    const ca = readFileSync(caFile, 'utf8');
    const server = createServer({ noDelay: true });
    const pipe = new RecordingPipe(server);
    server.on('connection', (socket) => {
      const behind = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ['http/1.1'] });
      for (const one of [socket, behind]) pipe.#sockets.add(one.on('error', () => undefined));
      socket.on('data', (chunk: Buffer) => pipe.#octets.push(chunk)).on('close', () => behind.destroy());
      behind.on('close', () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return pipe;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Every octet that was sent since the last `clear`. */
  get octets(): Buffer {
    return Buffer.concat(this.#octets);
  }

  clear(): void {
    this.#octets = [];
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
