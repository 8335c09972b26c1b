/** Ends the session when the client is silent for longer than its resource allows. */
export interface IdleTimer {
  /** It is the client's turn to speak; counts from now, also where it was counting. */
  start(): void;
  /** It is not the client whom we wait for. */
  stop(): void;
}

/**
 * Knows when it is the client who is to speak next: from the answer that it has been given until a whole message of its
 * own. Only then can it be idle; a request that runs, one that is half sent, and an answer that waits to be read are
 * nobody's idleness.
 */
export class ClientTurn {
  readonly #idle: IdleTimer;
  readonly #given: () => boolean;
  #ready = false;

  /** @param given Whether the client has been given all that is for it. */
  constructor(idle: IdleTimer, given: () => boolean) {
    this.#idle = idle;
    this.#given = given;
  }

  /** The answer to all that was asked is on its way, whole. */
  ready(): void {
    this.#ready = true;
  }

  /** Octets have come from the client, or have been taken by it. */
  moved(): void {
    if (this.#ready && this.#given()) this.#idle.start();
  }

  /** A whole message of the client's has come. */
  asked(): void {
    if (!this.#ready) return;
    this.#ready = false;
    this.#idle.stop();
  }
}
