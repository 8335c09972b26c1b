import type { Duplex } from 'node:stream';
import {
  type RequestHead,
  RequestReader,
  type RequestSink,
} from '../../../../wire/http/http1/request-reader.ts';
import { lastWords } from '../../../stream/farewell.ts';
import { HTTP_LIMITS } from '../../limits.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import type { Receiver } from '../incoming.ts';
import { type Carrier, Http1Incoming } from './incoming.ts';

/**
 * A client's connection of HTTP/1.1: one request after the other is read, handed over and answered, since the second may rest on
 * what the first has done. What is sent ahead waits, up to a bound beyond which the client is not read.
 */
export class Http1Connection implements RequestSink, Carrier {
  readonly stream: Duplex;
  readonly #receiver: Receiver;
  readonly #reader = new RequestReader(HTTP_LIMITS.headBytes);
  /** Is being answered. */
  #request: Http1Incoming | undefined;
  /** Its head has come, and nobody was told yet. */
  #fresh = false;
  /** What was sent ahead. */
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  /** The client says nothing more. */
  #ended = false;
  /** Nothing more of it is read. */
  #deaf = false;
  #late: NodeJS.Timeout | undefined;
  readonly #onData = (chunk: Buffer) => this.#data(chunk);
  readonly #onEnd = () => this.#end();
  readonly #onClose = () => this.#closed();

  constructor(stream: Duplex, receiver: Receiver) {
    this.stream = stream;
    this.#receiver = receiver;
  }

  /** Takes the stream over. */
  serve(): void {
    this.stream.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose).resume();
  }

  resume(): void {
    if (this.#aheadBytes <= HTTP_LIMITS.aheadBytes && this.stream.isPaused()) this.stream.resume();
  }

  takeOver(fields: readonly Field[]): Duplex {
    const { stream } = this;
    stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.#deaf = true;
    this.#request?.reply.takenOver();
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    stream.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`, 'latin1');
    if (this.#aheadBytes > 0) stream.unshift(Buffer.concat(this.#ahead));
    this.#ahead = [];
    // Whoever has it now begins to read.
    return Object.assign(stream, { readableFlowing: null });
  }

  head(head: RequestHead): void {
    this.#request = new Http1Incoming(head, this);
    this.#fresh = true;
  }

  body(data: Buffer): void {
    if (this.#request?.push(data) === false) this.stream.pause();
  }

  end(): void {
    this.#request?.end();
    if (this.#request === undefined) this.#goOn();
  }

  #data(chunk: Buffer): void {
    if (this.#deaf) return;
    try {
      const read = this.#reader.push(chunk, 0, this);
      if (read < chunk.length) this.#keep(read === 0 ? chunk : chunk.subarray(read));
      this.#watch();
      if (this.#fresh) this.#begin();
    } catch {
      this.#malformed(false);
    }
  }

  #keep(octets: Buffer): void {
    this.#ahead.push(octets);
    this.#aheadBytes += octets.length;
    if (this.#aheadBytes > HTTP_LIMITS.aheadBytes) this.stream.pause();
  }

  /** A head that has begun is to end in time. */
  #watch(): void {
    if (this.#reader.inHead) this.#late ??= setTimeout(() => this.#malformed(true), HTTP_LIMITS.headMs);
    else if (this.#late !== undefined) {
      clearTimeout(this.#late);
      this.#late = undefined;
    }
  }

  #begin(): void {
    const request = this.#request!;
    this.#fresh = false;
    void this.#receiver.request(request).then(() => this.#answered(request));
  }

  #answered(request: Http1Incoming): void {
    if (this.#deaf) return;
    this.#request = undefined;
    request.drop();
    if (request.reply.last || !request.reply.closed) return this.#close();
    this.#goOn();
  }

  /** To the next request, once the last one has come whole and the client takes its answers. */
  #goOn(): void {
    if (this.#deaf) return;
    if (!this.#reader.over) {
      // The client may still be sending what nobody reads.
      if (this.#ended) this.#close();
      else this.stream.resume();
    } else if (this.stream.writableNeedDrain) this.stream.once('drain', () => this.#goOn());
    else if (this.#ahead.length > 0) setImmediate(() => this.#next());
    else this.#next();
  }

  #next(): void {
    // One that was cut is closed a little later than it is destroyed.
    if (this.#deaf || this.stream.destroyed) return;
    this.#reader.next();
    const ahead = this.#ahead;
    this.#ahead = [];
    this.#aheadBytes = 0;
    for (const chunk of ahead) this.#data(chunk);
    this.resume();
    if (this.#ended) this.#end();
  }

  /** A client that has said all still waits for the answer. */
  #end(): void {
    this.#ended = true;
    if (this.#deaf || (this.#reader.over && this.#request !== undefined)) return;
    if (this.#reader.amid && (this.#request !== undefined || this.#reader.inHead)) this.#malformed(false);
    else if (this.#ahead.length === 0) this.#close();
  }

  /** Nobody is told anything after it: where an answer has begun, that is cut. */
  #malformed(late: boolean): void {
    if (this.#deaf) return;
    this.#listenNoMore();
    if (this.#request?.reply.begun === true) this.stream.destroy();
    else this.#request?.lost();
    this.#receiver.malformed(late);
  }

  #close(): void {
    this.#listenNoMore();
    void lastWords(this.stream);
  }

  /** What still comes is dropped. */
  #listenNoMore(): void {
    this.#deaf = true;
    this.#ahead = [];
    clearTimeout(this.#late);
    this.stream.resume();
  }

  #closed(): void {
    this.#deaf = true;
    clearTimeout(this.#late);
    this.#request?.lost();
  }
}
