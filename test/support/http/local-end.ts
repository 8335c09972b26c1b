/** The local end of tunnels to one resource, as hoopctl has it: each connection is a stream of one tunnel. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import type { Caller } from '../running-gateway.ts';

export class LocalEnd {
  readonly secret = randomBytes(32).toString('base64url');
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(caller: Caller, resource: string) {
    const proof = createHash('sha256').update(this.secret).digest('base64url');
    const headers = {
      [TUNNEL_HEADERS.localProof]: `bearer-sha256 ${proof}`,
      [TUNNEL_HEADERS.tunnel]: randomBytes(16).toString('base64url'),
    };
    this.#server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (local) => {
      this.#sockets.add(local.on('error', () => undefined));
      void caller.tunnel(resource, { headers }).then(({ socket, head }) => {
        if (!head.startsWith('HTTP/1.1 101')) return local.destroy();
        socket.removeAllListeners('data');
        local.pipe(socket).pipe(local);
        socket.on('close', () => local.destroy());
        local.on('close', () => socket.destroy());
        return local.resume();
      });
    });
  }

  static async open(caller: Caller, resource: string): Promise<LocalEnd> {
    const end = new LocalEnd(caller, resource);
    end.#server.listen(0, '127.0.0.1');
    await once(end.#server, 'listening');
    return end;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** With the secret in it. */
  get url(): string {
    return `http://hoop:${this.secret}@127.0.0.1:${this.port}`;
  }

  /** As a header's value. */
  get authorization(): string {
    return `Basic ${Buffer.from(`hoop:${this.secret}`).toString('base64')}`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
