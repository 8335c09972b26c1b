import { Readable } from 'node:stream';
import type { TargetAnswer } from '../http-target.ts';
import type { Carrier } from './carrier.ts';

/** What is held of a body that nobody reads yet before its target is not read, octets. */
const HELD_BYTES = 64 * 1024;

/** An answer by HTTP/1.1. Most come whole at once: no stream is made of such a body unless somebody asks for one. */
export class Http1Answer implements TargetAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly #carrier: Carrier;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #stream: AnswerBody | undefined;
  #ended = false;
  #failure: Error | undefined;
  #trailers: readonly string[] = [];

  /** @param rawHeaders Names and values in turn. */
  constructor(status: number, rawHeaders: readonly string[], carrier: Carrier) {
    this.status = status;
    this.rawHeaders = rawHeaders;
    this.#carrier = carrier;
  }

  readonly trailers = (): readonly string[] => this.#trailers;

  get body(): Readable {
    this.#stream ??= this.#made();
    return this.#stream;
  }

  atHand(): Buffer | undefined {
    if (!this.#ended || this.#stream !== undefined) return undefined;
    const held = this.#held;
    this.#held = [];
    return held.length === 1 ? held[0] : Buffer.concat(held);
  }

  giveBack(chunk: Uint8Array): void {
    this.#carrier.giveBack(chunk);
  }

  leave(): void {
    if (this.#stream !== undefined) this.#stream.destroy();
    else if (!this.#ended) this.#carrier.socket.destroy();
  }

  /** @returns Whether more is wanted at once. */
  push(data: Buffer): boolean {
    if (this.#stream !== undefined) return this.#stream.push(data);
    this.#held.push(data);
    this.#heldBytes += data.length;
    return this.#heldBytes < HELD_BYTES;
  }

  /** All of it has come. */
  end(trailers: readonly string[]): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#stream?.push(null);
  }

  /** It broke off. */
  fail(failure: Error): void {
    this.#failure = failure;
    this.#stream?.destroy(failure);
  }

  #made(): AnswerBody {
    const stream = new AnswerBody(this.#carrier, () => this.#ended);
    for (const data of this.#held) stream.push(data);
    this.#held = [];
    if (this.#ended) stream.push(null);
    if (this.#failure !== undefined) stream.destroy(this.#failure);
    return stream;
  }
}

/** Whoever leaves it unread closes the connection. */
class AnswerBody extends Readable {
  readonly #carrier: Carrier;
  readonly #ended: () => boolean;

  constructor(carrier: Carrier, ended: () => boolean) {
    super();
    // It may break off before anybody reads it, as where the client is told something else: nobody hears that then.
    this.on('error', () => undefined);
    this.#carrier = carrier;
    this.#ended = ended;
  }

  override _read(): void {
    if (!this.#ended()) this.#carrier.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#ended()) this.#carrier.socket.destroy();
    done(error);
  }
}
