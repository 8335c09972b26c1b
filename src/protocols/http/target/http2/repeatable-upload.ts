import { PassThrough, type Readable, type Writable } from 'node:stream';

/** Octets that are kept of a body, so that it can be sent again: as many as a target takes unasked (RFC 9113 §6.9.2). */
const KEPT = 65_535;

/** A request's body on its way to the target. While little of it was sent it can be sent once more from its beginning. */
export class RepeatableUpload {
  readonly #body: Readable;
  #kept: Buffer[] = [];
  #size = 0;

  constructor(body: Readable) {
    this.#body = body;
  }

  get repeatable(): boolean {
    return this.#size <= KEPT && !this.#body.errored;
  }

  /** Sends all of it, as fast as it is taken, until the stream is closed. A body that breaks off breaks the stream off. */
  to(stream: Writable): void {
    const body = this.#body;
    for (const chunk of this.#kept) stream.write(chunk);
    const chunk = (piece: Buffer) => {
      this.#keep(piece);
      if (!stream.write(piece)) body.pause();
    };
    const end = () => stream.end();
    const broken = (error: Error) => stream.destroy(error);
    const resume = () => body.resume();
    if (body.errored) return void broken(body.errored);
    if (body.readableEnded) return void end();
    stream.on('drain', resume).once('close', () => {
      body.off('data', chunk).off('end', end).off('error', broken).pause();
      stream.off('drain', resume);
    });
    body.on('data', chunk).once('end', end).once('error', broken).resume();
  }

  /** All of it, from its beginning, for who reads it. */
  again(): Readable {
    const body = new PassThrough();
    this.to(body);
    return body;
  }

  /** It is not sent again; what is not sent yet is not needed. */
  close(): void {
    this.forget();
    this.#body.destroy();
  }

  /** It is not sent again. */
  forget(): void {
    this.#kept = [];
    this.#size = Number.POSITIVE_INFINITY;
  }

  #keep(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#size <= KEPT) this.#kept.push(piece);
    else this.forget();
  }
}
