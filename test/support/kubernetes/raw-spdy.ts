/** Both ends of SPDY/3.1 as frames: nothing here is checked that a test may want to be wrong. */
import { connect, type Socket } from 'node:net';
import { type SpdyEvent, SpdyReader, SpdyWriter } from '../../../src/wire/http/spdy/frames.ts';
import { head, type Message, readMessage } from '../http/messages.ts';
import { eventually } from '../waiting.ts';

/** One end behind its handshake: what was said, a word for each frame, and what is sent. */
export class RawSpdy {
  readonly socket: Socket;
  readonly writer = new SpdyWriter();
  readonly said: string[] = [];
  answer: Message | undefined;
  readonly #reader = new SpdyReader();
  #octets = Buffer.alloc(0);

  /** @param client Whether what comes first is an answer; else it is a request. */
  constructor(socket: Socket, client: boolean, begun: (message: Message) => void = () => undefined) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (this.answer !== undefined) return this.#take(chunk);
      this.#octets = Buffer.concat([this.#octets, chunk]);
      const switched = { response: client, ended: false, bodiless: /^HTTP\/1\.1 101/ };
      this.answer = readMessage(this.#octets, 0, client ? switched : {});
      if (this.answer === undefined) return;
      begun(this.answer);
      if (this.#octets.length > this.answer.end) this.#take(this.#octets.subarray(this.answer.end));
    });
  }

  /** A client that asks for a stream. @param lines Of the head, beside those of every client. */
  static async open(port: number, target: string, lines: readonly string[]): Promise<RawSpdy> {
    const client = new RawSpdy(connect({ port, host: '127.0.0.1', noDelay: true }), true);
    const asks = ['Host: localhost', 'Content-Length: 0', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
    client.socket.write(head(`POST ${target} HTTP/1.1`, ...asks, ...lines));
    await eventually('it is answered', () => client.answer !== undefined || client.socket.destroyed);
    return client;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.answer?.start ?? '')?.[1] ?? 0);
  }

  get closed(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Resolves when this was said. */
  hears(what: RegExp): Promise<string> {
    const look = () => this.said.find((one) => what.test(one));
    return eventually(() => `${what}, but ${this.said.join(' / ')}`, look, Boolean) as Promise<string>;
  }

  #take(chunk: Buffer): void {
    for (const event of this.#reader.push(chunk)) this.said.push(wordOf(event));
  }
}

function wordOf(event: SpdyEvent): string {
  switch (event.kind) {
    case 'opened':
      return `opened ${event.id} ${event.headers.map(([name, value]) => `${name}=${value}`).join()}`;
    case 'data':
      return `data ${event.id} ${event.bytes.toString('latin1')}${event.last ? ' (last)' : ''}`;
    case 'fault':
      return `fault ${event.reason}`;
    default:
      return 'id' in event ? `${event.kind} ${event.id}` : event.kind;
  }
}
