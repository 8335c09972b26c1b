/**
 * The signals that end a program, and who hears them: normally they end hoopctl, under a child they are the child's.
 */
export const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** As POSIX numbers them everywhere. `node:os` knows them too, and would be loaded at every start for it. */
const NUMBERS: Readonly<Record<EndingSignal, number>> = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };

/** The user or the system told us to stop. */
export class Interrupted extends Error {
  readonly signal: EndingSignal;
  readonly exitCode: number;

  constructor(signal: EndingSignal) {
    super('interrupted');
    this.signal = signal;
    this.name = 'AbortError';
    this.exitCode = 128 + NUMBERS[signal];
  }
}

export class SignalHub {
  readonly #stop = new AbortController();
  readonly #ignored = new Set<EndingSignal>();
  #taker: ((signal: EndingSignal) => void) | undefined;

  /** Aborted by the first ending signal that nobody took, with an `Interrupted` as its reason. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** This one ends nothing any more. */
  ignore(signal: EndingSignal): void {
    this.#ignored.add(signal);
  }

  /** Gives signals to `handler` until the returned function is called. */
  take(handler: (signal: EndingSignal) => void): () => void {
    this.#taker = handler;
    return () => {
      this.#taker = undefined;
    };
  }

  /** Listens on the process; a second untaken signal ends it on the spot. */
  listen(): void {
    for (const name of ENDING_SIGNALS) process.on(name, () => this.deliver(name));
  }

  deliver(signal: EndingSignal): void {
    if (this.#ignored.has(signal)) return;
    if (this.#taker) this.#taker(signal);
    else if (this.#stop.signal.aborted) process.exit(new Interrupted(signal).exitCode);
    else this.#stop.abort(new Interrupted(signal));
  }
}
