/** A target of HTTP/1 that keeps every octet it was sent, and answers by hand, so that it can be as wrong as a case needs. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Message, readMessage } from './messages.ts';

/** A request as a careless server reads it. */
export interface Heard extends Message {
  readonly method: string;
  readonly target: string;
}

/** What is written back, one write after the other; `reset` and `end` close the connection behind them. */
export type Answered = readonly (Buffer | 'reset' | 'end')[];

/** Its start line, taken apart as careless servers do: the version may be missing. */
export function heardOf(message: Message): Heard {
  const [, method = '', target = ''] = /^(\S*) +(\S.*?)(?: +HTTP\/\S*)?$/.exec(message.start) ?? [];
  return { ...message, method, target };
}

export class RecordingUpstream {
  readonly port: number;
  /** Requests since the last `clear`, over all connections. */
  heard: Heard[] = [];
  /** Connections that were opened since the last `clear`. */
  connections = 0;
  answer: (request: Heard) => Answered;
  readonly #server: Server;
  readonly #usual: (request: Heard) => Answered;
  readonly #sockets = new Set<Socket>();
  #octets: Buffer[] = [];

  private constructor(server: Server, usual: (request: Heard) => Answered) {
    this.#server = server;
    this.#usual = usual;
    this.answer = usual;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(usual: (request: Heard) => Answered): Promise<RecordingUpstream> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RecordingUpstream(server, usual);
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Every octet that came since the last `clear`. */
  get octets(): Buffer {
    return Buffer.concat(this.#octets);
  }

  /** Forgets what it heard, and answers as usual again. */
  clear(): void {
    this.heard = [];
    this.#octets = [];
    this.connections = 0;
    this.answer = this.#usual;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    this.connections++;
    let unread = Buffer.alloc(0);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk) => {
      this.#octets.push(chunk);
      unread = Buffer.concat([unread, chunk]);
      for (;;) {
        const message = readMessage(unread, 0);
        if (message === undefined) return;
        unread = unread.subarray(message.end);
        const request = heardOf(message);
        this.heard.push(request);
        this.#write(socket, this.answer(request));
      }
    });
  }

  #write(socket: Socket, answered: Answered): void {
    const [first, ...rest] = answered;
    if (first === 'reset') socket.resetAndDestroy();
    else if (first === 'end') socket.end();
    else if (first !== undefined) {
      socket.write(first);
      // A write of its own for each, so that the reader sees them apart.
      setImmediate(() => this.#write(socket, rest));
    }
  }
}
