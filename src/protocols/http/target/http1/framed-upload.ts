import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** A request's body on its way to the target, framed by its length or in chunks. */
export class FramedUpload {
  readonly #socket: Socket;
  readonly #body: Readable;
  readonly #length: number | undefined;
  readonly #sent: () => void;
  #gone = 0;
  #closed = false;
  readonly #resume = () => void this.#body.resume();
  /** All of it was handed over. */
  ended = false;

  /**
   * @param length Octets; undefined: in chunks.
   * @param sent Called once, when all of it was handed over.
   */
  constructor(socket: Socket, body: Readable, length: number | undefined, sent: () => void) {
    this.#socket = socket;
    this.#body = body;
    this.#length = length;
    this.#sent = sent;
  }

  /** @param head What stands before it. */
  send(head: string): void {
    const [socket, body] = [this.#socket, this.#body];
    socket.write(head, 'latin1');
    if (body.errored) return void socket.destroy(body.errored);
    socket.on('drain', this.#resume);
    body
      .on('data', (chunk: Buffer) => this.#chunk(chunk))
      .once('end', () => this.#end())
      .once('error', (error) => this.#closed || socket.destroy(error))
      .once('close', () => this.#closed || this.ended || body.readableEnded || socket.destroy());
    if (body.readableEnded) this.#end();
  }

  /** Nothing more of it is sent. */
  close(): void {
    this.#closed = true;
    this.#socket.off('drain', this.#resume);
    if (!this.ended) this.#body.destroy();
  }

  #chunk(chunk: Buffer): void {
    if (this.#closed || chunk.length === 0) return;
    this.#gone += chunk.length;
    // What goes beyond its length would be a request of its own.
    if (this.#length !== undefined && this.#gone > this.#length) return void this.#wrongLength();
    if (!this.#write(chunk)) this.#body.pause();
  }

  #write(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (this.#length !== undefined) return socket.write(chunk);
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    const more = socket.write('\r\n', 'latin1');
    socket.uncork();
    return more;
  }

  #end(): void {
    if (this.#closed || this.ended) return;
    if (this.#length !== undefined && this.#gone !== this.#length) return this.#wrongLength();
    this.ended = true;
    this.#socket.off('drain', this.#resume);
    const sent = () => this.#closed || this.#sent();
    if (this.#length === undefined) this.#socket.write('0\r\n\r\n', 'latin1', sent);
    else this.#socket.write('', sent);
  }

  #wrongLength(): void {
    this.#socket.destroy(new Error('the body has another length than was said'));
  }
}
