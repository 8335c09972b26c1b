import type { Duplex, Writable } from 'node:stream';
import { RECORDING_PENDING_BYTES } from '../../../recording/recorder.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Source } from '../../stream/outlet.ts';
import { SSH_LIMITS } from '../limits.ts';
import type { Held } from './held.ts';
import type { Keys } from './keys.ts';

/**
 * Whether a connection, its keys, and the disk under the recording, take more: ssh2 writes to its socket whatever waits there. One for
 * all channels of a connection.
 */
export class Gate {
  /** What waits in all channels. */
  readonly held: Held;
  readonly #socket: Duplex;
  readonly #evidence: Pick<Guard, 'pendingBytes' | 'drained'>;
  #keys: Pick<Keys, 'ready'> = { ready: true };
  readonly #waiting: (() => void)[] = [];

  constructor(socket: Duplex, evidence: Pick<Guard, 'pendingBytes' | 'drained'>, held: Held) {
    this.held = held;
    this.#socket = socket;
    this.#evidence = evidence;
    socket.on('drain', () => this.#open());
  }

  /** @param keys Without which nothing is written; behind them comes `renewed`. */
  under(keys: Pick<Keys, 'ready'>): void {
    this.#keys = keys;
  }

  /** There are new keys. */
  renewed(): void {
    this.#open();
  }

  /** Runs `write` when there is room, at once if there is. Not at all once the connection is gone. */
  pass(write: () => void): void {
    if (this.#closed) this.#wait(write);
    else write();
  }

  get #closed(): boolean {
    return this.#waits || this.#evidence.pendingBytes > RECORDING_PENDING_BYTES;
  }

  get #waits(): boolean {
    return this.#socket.writableNeedDrain || !this.#keys.ready;
  }

  #wait(write: () => void): void {
    this.#waiting.push(write);
    // Else it is the socket or its keys, which say when.
    if (!this.#waits) void this.#evidence.drained().then(() => this.#open());
  }

  #open(): void {
    for (const write of this.#waiting.splice(0)) this.pass(write);
  }
}

interface Piece {
  readonly to: Writable;
  readonly bytes: Buffer;
  readonly cost: number;
}

/**
 * What goes to one side of a channel, in order and one piece at a time: ssh2 loses a piece of one of a channel's two streams
 * that waits for room while a piece of the other does.
 */
export class Sink {
  readonly #gate: Gate;
  readonly #pieces: Piece[] = [];
  readonly #paused = new Set<Source>();
  readonly #whenEmpty: (() => void)[] = [];
  #waitingBytes = 0;
  #cost = 0;
  #writing = false;
  #over = false;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** @param source Told to pause until there is room again: the window of its channel. */
  send(to: Writable, bytes: Buffer, source?: Source): void {
    if (bytes.length === 0 || this.#over) return;
    const cost = this.#gate.held.add(bytes.length);
    this.#cost += cost;
    this.#pieces.push({ to, bytes, cost });
    this.#waitingBytes += bytes.length;
    if (source !== undefined && this.#waitingBytes > SSH_LIMITS.waitingBytes) {
      source.pause();
      this.#paused.add(source);
    }
    this.#next();
  }

  /** Calls back when all that was sent is on its way; never, once the other side is gone. */
  emptied(done: () => void): void {
    if (this.#waitingBytes === 0) done();
    else this.#whenEmpty.push(done);
  }

  #next(): void {
    if (this.#writing) return;
    const piece = this.#pieces.shift();
    if (piece === undefined) return;
    this.#writing = true;
    this.#gate.pass(() => piece.to.write(piece.bytes, () => this.#written(piece)));
  }

  /** The other side takes nothing more: what waits for it is forgotten. Safe to call twice. */
  close(): void {
    this.#over = true;
    this.#pieces.length = 0;
    this.#free(this.#cost);
  }

  #free(cost: number): void {
    this.#cost -= cost;
    this.#gate.held.free(cost);
  }

  #written({ bytes, cost }: Piece): void {
    if (this.#over) return;
    this.#writing = false;
    this.#waitingBytes -= bytes.length;
    this.#free(cost);
    if (this.#waitingBytes <= SSH_LIMITS.waitingBytes / 2) {
      const paused = [...this.#paused];
      // Before they go on: one may have to wait again at once.
      this.#paused.clear();
      for (const source of paused) source.resume();
    }
    if (this.#waitingBytes === 0) for (const done of this.#whenEmpty.splice(0)) done();
    this.#next();
  }
}
