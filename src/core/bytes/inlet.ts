import type { Duplex } from 'node:stream';
import { HoopError } from '../errors.ts';
import type { Later } from '../later.ts';

/** Unread octets beyond which the peer is not read any further. */
const HIGH_WATER_BYTES = 256 * 1024;

const ENDS = ['end', 'close', 'error'] as const;

interface Consumer {
  readonly take: (chunk: Buffer) => Later<boolean>;
  busy: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One stream's read side as a queue of chunks: the login and then the session take from it in turn, and a peer that
 * sends faster than it is served is paused.
 */
export class Inlet {
  readonly #stream: Duplex;
  readonly #changed: (bytes: number) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  /** Octets that have arrived. */
  received = 0;
  #wake: (() => void) | undefined;
  #consumer: Consumer | undefined;
  #watcher: ((chunk: Buffer) => void) | undefined;
  readonly #onData = (chunk: Buffer) => this.#take(chunk);
  readonly #onEnd = () => this.#finish();

  /** @param changed Told how many octets have arrived and are not handed out yet, whenever that changes. */
  constructor(stream: Duplex, changed: (bytes: number) => void = () => undefined) {
    this.#stream = stream;
    this.#changed = changed;
    stream.on('data', this.#onData);
    for (const event of ENDS) stream.on(event, this.#onEnd);
  }

  /** The peer says nothing more, or the inlet was closed. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Leaves the stream to somebody else, paused.
   *
   * @returns What was read ahead.
   */
  release(): Buffer {
    this.#stream.pause();
    this.#stream.off('data', this.#onData);
    for (const event of ENDS) this.#stream.off(event, this.#onEnd);
    const rest = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return rest;
  }

  /**
   * Shows every chunk that waits to be handed out, and each that arrives, until the returned function is called: for who
   * must know what comes while the one before is not done with. One at a time.
   */
  watch(watcher: (chunk: Buffer) => void): () => void {
    this.#watcher = watcher;
    for (const chunk of this.#chunks) watcher(chunk);
    return () => {
      if (this.#watcher === watcher) this.#watcher = undefined;
    };
  }

  #take(chunk: Buffer): void {
    this.#watcher?.(chunk);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.received += chunk.length;
    if (this.#consumer === undefined) this.#wake?.();
    else this.#feed(this.#consumer);
    if (this.#bytes > 0) this.#changed(this.#bytes);
    if (this.#bytes > HIGH_WATER_BYTES) this.#stream.pause();
  }

  /**
   * Hands every chunk to `take` as it arrives, in order, the next only when the one before is done with.
   *
   * @param take Its promise is waited for; `false` asks for no more.
   * @returns Resolves when the peer has ended, the inlet was closed or nothing more is asked for; rejects with what `take`
   *   throws.
   */
  consume(take: (chunk: Buffer) => Later<boolean>): Promise<void> {
    return new Promise((resolve, reject) => {
      const consumer = { take, busy: false, resolve, reject };
      this.#consumer = consumer;
      this.#feed(consumer);
    });
  }

  #feed(consumer: Consumer): void {
    try {
      while (!consumer.busy && this.#consumer === consumer) {
        const chunk = this.#shift();
        if (chunk === undefined) {
          if (this.#ended) this.#release(consumer);
          return;
        }
        this.#went(consumer, consumer.take(chunk));
      }
    } catch (error) {
      this.#release(consumer, error);
    }
  }

  #went(consumer: Consumer, more: Later<boolean>): void {
    if (typeof more === 'boolean') {
      if (!more) this.#release(consumer);
      return;
    }
    consumer.busy = true;
    more.then(
      (goOn) => {
        consumer.busy = false;
        this.#went(consumer, goOn);
        this.#feed(consumer);
      },
      (error: unknown) => this.#release(consumer, error),
    );
  }

  #release(consumer: Consumer, error?: unknown): void {
    if (this.#consumer === consumer) this.#consumer = undefined;
    if (error === undefined) consumer.resolve();
    else consumer.reject(error);
  }

  #finish(): void {
    this.#ended = true;
    this.#wake?.();
    if (this.#consumer !== undefined) this.#feed(this.#consumer);
  }

  /** The next chunk in order, or undefined when the peer has ended or the inlet was closed. One caller at a time. */
  async next(): Promise<Buffer | undefined> {
    if (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#shift();
  }

  #shift(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.length;
    this.#changed(this.#bytes);
    if (this.#bytes <= HIGH_WATER_BYTES && this.#stream.isPaused()) this.#stream.resume();
    return chunk;
  }

  /** As `next`, but a peer that stays silent too long is an error. @throws {HoopError} `ERR_PROTOCOL`. */
  async nextWithin(ms: number): Promise<Buffer | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new HoopError('ERR_PROTOCOL', 'the login took too long')), ms);
    });
    try {
      return await Promise.race([this.next(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Puts bytes back in front: what a login read beyond its own end. */
  unshift(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.unshift(bytes);
    this.#bytes += bytes.length;
  }

  /** Wakes whoever waits, with the end. */
  close(): void {
    this.#chunks = [];
    this.#finish();
  }
}
