import type { Duplex, Writable } from 'node:stream';
import { RECORDING_PENDING_BYTES } from '../../../recording/recorder.ts';
import type { Guard } from '../../stream/guard.ts';
import type { Source } from '../../stream/outlet.ts';
import { SSH_LIMITS } from '../limits.ts';

/**
 * Whether a connection, and the disk under the recording, take more: ssh2 writes to its socket whatever waits there. One for
 * all channels of a connection.
 */
export class Gate {
  readonly #socket: Duplex;
  readonly #evidence: Pick<Guard, 'pendingBytes' | 'drained'>;
  readonly #waiting: (() => void)[] = [];

  constructor(socket: Duplex, evidence: Pick<Guard, 'pendingBytes' | 'drained'>) {
    this.#socket = socket;
    this.#evidence = evidence;
    socket.on('drain', () => this.#open());
  }

  /** Runs `write` when there is room, at once if there is. Not at all once the connection is gone. */
  pass(write: () => void): void {
    if (this.#closed) this.#wait(write);
    else write();
  }

  get #closed(): boolean {
    return this.#socket.writableNeedDrain || this.#evidence.pendingBytes > RECORDING_PENDING_BYTES;
  }

  #wait(write: () => void): void {
    this.#waiting.push(write);
    // Else it is the socket, which says when.
    if (!this.#socket.writableNeedDrain) void this.#evidence.drained().then(() => this.#open());
  }

  #open(): void {
    for (const write of this.#waiting.splice(0)) this.pass(write);
  }
}

interface Piece {
  readonly to: Writable;
  readonly bytes: Buffer;
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
  #writing = false;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** @param source Told to pause until there is room again. */
  send(to: Writable, bytes: Buffer, source?: Source): void {
    if (bytes.length === 0) return;
    this.#pieces.push({ to, bytes });
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
    this.#gate.pass(() => piece.to.write(piece.bytes, () => this.#written(piece.bytes.length)));
  }

  #written(bytes: number): void {
    this.#writing = false;
    this.#waitingBytes -= bytes;
    if (this.#waitingBytes <= SSH_LIMITS.waitingBytes / 2) {
      for (const source of this.#paused) source.resume();
      this.#paused.clear();
    }
    if (this.#waitingBytes === 0) for (const done of this.#whenEmpty.splice(0)) done();
    this.#next();
  }
}
