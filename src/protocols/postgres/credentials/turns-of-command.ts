import { commandError } from '../../stream/run-command.ts';

/** So many run at once: what hangs must not take all processes of the machine. */
const AT_ONCE = 16;
/** So many wait for one of them. */
const WAITING = 256;

/** Lets only so many run at once; whoever waits too long for a turn is refused. */
export class TurnsOfCommand {
  readonly #patienceMs: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** @throws {HoopError} `ERR_TARGET_CREDENTIAL` too many run; what `act` throws. */
  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) await this.#turn();
    else this.#running++;
    try {
      return await act();
    } finally {
      // Whoever waits takes over the place.
      const [next] = this.#waiting;
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #turn(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#waiting.size >= WAITING) throw commandError('is waited for by too many');
    const late = setTimeout(() => {
      this.#waiting.delete(take);
      reject(commandError(`had no turn within ${this.#patienceMs} ms: ${AT_ONCE} of it run`));
    }, this.#patienceMs);
    const take = () => {
      clearTimeout(late);
      this.#waiting.delete(take);
      resolve();
    };
    this.#waiting.add(take);
    return promise;
  }
}
