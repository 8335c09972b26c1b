import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string | undefined;
  readonly atMs: number;
}

/** A receiver of webhooks on this machine; what it answers is told in advance, one request after the other. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** Then 204. `hang`: never. */
  readonly answers: (number | 'hang' | ((response: ServerResponse) => void))[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    const receiver = new WebhookReceiver(server);
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        receiver.received.push({ headers: request.headers, body, path: request.url, atMs: Date.now() });
        const answer = receiver.answers.shift() ?? 204;
        if (typeof answer === 'function') answer(response);
        else if (answer !== 'hang') response.writeHead(answer).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook/TOKEN-OF-THE-PATH`;
  }

  /** Ids in the order in which they came. */
  get ids(): readonly unknown[] {
    return this.received.map(({ headers }) => headers['webhook-id']);
  }

  /** How many are open. */
  connections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_, count) => resolve(count)));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
