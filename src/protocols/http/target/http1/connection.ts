import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { readsDirectly } from '../../../../core/bytes/direct-reads.ts';
import { AnswerReader } from '../../../../wire/http/http1/answer-reader.ts';
import { closedUnanswered, type Patience } from '../patience.ts';
import { type Asking, Call } from './call.ts';
import type { Carrier } from './carrier.ts';
import type { LentMemory } from './lent-memory.ts';

/** Told by a connection of what becomes of it. */
export interface Keeper {
  /** Another request may be sent. @param forMs How long the target keeps it. */
  free(connection: Connection, forMs: number): void;
  /** It is closed. */
  gone(connection: Connection): void;
}

/** A connection of HTTP/1.1 to a target that stands: one request after the other. */
export class Connection implements Carrier {
  readonly socket: Socket;
  readonly #keeper: Keeper;
  readonly #patience: Patience;
  readonly #memory: LentMemory;
  readonly #reader = new AnswerReader();
  #call: Call | undefined;
  #failure: NodeJS.ErrnoException | undefined;
  #released = false;
  /** Requests that it has carried before. */
  #carried = 0;
  /** An octet of an answer to the last request has come. */
  #heard = false;
  /** No other request follows. */
  #last = false;
  readonly #onData = (chunk: Buffer) => this.#data(chunk);
  readonly #onEnd = () => this.#end();
  readonly #onError = (error: Error) => {
    this.#failure ??= error;
  };
  readonly #onClose = () => this.#closed();

  /** Takes the socket over. @param memory For what is read directly. */
  constructor(socket: Socket, patience: Patience, keeper: Keeper, memory: LentMemory) {
    this.socket = socket;
    this.#patience = patience;
    this.#keeper = keeper;
    this.#memory = memory;
    socket
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onClose);
    // What is read is kept for longer than this turn.
    if (readsDirectly(socket)) socket.deliver((bytes) => this.#data(memory.copyOf(bytes)));
  }

  /** Sends a request. One at a time. */
  ask(asking: Asking): Call {
    const { outgoing, head, upgrade, last } = asking;
    const call = new Call(this, asking, this.#patience);
    this.#call = call;
    this.#heard = false;
    this.#last = last;
    this.#reader.expect({ method: outgoing.request.method, upgrade });
    if (this.socket.destroyed) queueMicrotask(this.#onClose);
    else call.send(head);
    return call;
  }

  /** The target had closed it before it could carry the last request, as far as anybody knows. */
  get stale(): boolean {
    const code = this.#failure?.code;
    return this.#carried > 0 && !this.#heard && (code === 'ECONNRESET' || code === 'EPIPE');
  }

  /** Breaks off what it carries, if that is this call. */
  breakOff(call: Call, reason: Error): void {
    if (this.#call === call) this.socket.destroy(reason);
  }

  resume(): void {
    if (this.socket.isPaused()) this.socket.resume();
  }

  giveBack(chunk: Uint8Array): void {
    this.#memory.giveBack(chunk);
  }

  pause(): void {
    this.socket.pause();
  }

  release(): Duplex {
    const { socket } = this;
    this.#released = true;
    if (readsDirectly(socket)) socket.deliver(undefined);
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError);
    socket.on('error', () => undefined);
    // Whoever has it now begins to read.
    Object.assign(socket, { readableFlowing: null });
    return socket;
  }

  done(): void {
    const call = this.#call;
    this.#call = undefined;
    this.#carried++;
    call?.finish();
    this.#keeper.free(this, call?.keptMs ?? 0);
  }

  #data(chunk: Buffer): void {
    const call = this.#call;
    // Nobody asked: a farewell, or an answer to what is asked next.
    if (call === undefined || this.#reader.idle) return void this.socket.destroy();
    this.#heard = true;
    try {
      const read = this.#reader.push(chunk, call);
      call.came(this.#reader.inHead);
      if (this.#released) return this.#behind(chunk.subarray(read));
      if (!this.#reader.idle) return;
      if (read < chunk.length || call.keptMs === 0 || this.#last) this.socket.destroy();
      else if (call.isOver) this.done();
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }

  /** What came behind the 101 is of the other protocol. */
  #behind(rest: Buffer): void {
    this.#call = undefined;
    if (rest.length > 0) this.socket.unshift(rest);
  }

  #end(): void {
    const call = this.#call;
    if (call === undefined || !this.#reader.end(call)) this.#failure ??= reset();
    this.socket.destroy();
  }

  #closed(): void {
    const call = this.#call;
    this.#call = undefined;
    this.#keeper.gone(this);
    call?.fail(this.#failure ?? closedUnanswered());
  }
}

function reset(): NodeJS.ErrnoException {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
