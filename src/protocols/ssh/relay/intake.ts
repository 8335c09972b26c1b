import type { Duplex } from 'node:stream';
import { SSH_LIMITS } from '../limits.ts';

/**
 * Reads from a connection only while the other side reads what ssh2 answers it by itself, and while what it asks for gets on
 * record: ssh2 answers whatever waits already.
 */
export class Intake {
  readonly #socket: Duplex;
  #asked = 0;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', () => this.#look()).on('drain', () => this.#look());
  }

  /** Counts a question until it is answered. */
  async during<Answer>(asked: Promise<Answer>): Promise<Answer> {
    this.#asked++;
    this.#look();
    try {
      return await asked;
    } finally {
      this.#asked--;
      this.#look();
    }
  }

  #look(): void {
    const { writableLength } = this.#socket;
    if (writableLength > SSH_LIMITS.unreadBytes || this.#asked >= SSH_LIMITS.recordedAtOnce)
      this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }
}
