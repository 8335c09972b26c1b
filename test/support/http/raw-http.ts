/** A client of HTTP/1 that sends what it is told to, octet for octet. */
import { connect, type Socket } from 'node:net';
import { eventually } from '../waiting.ts';
import { type Message, readMessage } from './messages.ts';

export class RawHttp {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #ended = false;
  /** What is answered has no body. */
  #head = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#received.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
    });
    socket.on('end', () => {
      this.#ended = true;
    });
  }

  static async connect(port: number): Promise<RawHttp> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawHttp(socket);
  }

  /** Every octet that came. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  get closed(): boolean {
    return this.#ended;
  }

  send(octets: Buffer | string): void {
    this.#head ||= Buffer.from(octets).subarray(0, 5).includes('HEAD ');
    if (!this.#socket.destroyed)
      this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** Each octet range in a segment of its own. */
  async sendApart(...parts: readonly (Buffer | string)[]): Promise<void> {
    for (const part of parts) {
      this.send(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Whole answers so far, without those that come before an answer. */
  answers({ informing = false } = {}): Message[] {
    const octets = this.received;
    const found: Message[] = [];
    for (let at = 0; at < octets.length; ) {
      const message = readMessage(octets, at, {
        response: true,
        ended: this.#ended,
        ...(this.#head ? { bodiless: /^/ } : {}),
      });
      if (message === undefined) break;
      const informs = /^HTTP\/1\.1 1(?!01)/.test(message.start);
      if (!informs || informing) found.push(message);
      at = message.end;
    }
    return found;
  }

  /** So many answers, or as many as came before the connection was closed. */
  async answered(count = 1, withinMs = 15_000): Promise<Message[]> {
    const said = () =>
      `${count} answers; got ${JSON.stringify(this.received.toString('latin1').slice(0, 500))}`;
    const look = () => this.answers();
    return eventually(said, look, (all) => all.length >= count || this.#ended, { withinMs, everyMs: 5 });
  }
}

export function statusOf({ start }: Message): number {
  return Number(/^HTTP\/1\.\d (\d{3})/.exec(start)?.[1] ?? Number.NaN);
}

export function headerOf({ headers }: Message, name: string): string | undefined {
  return headers.find((one) => one[0].toLowerCase() === name)?.[1];
}
