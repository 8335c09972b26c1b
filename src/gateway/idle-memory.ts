import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often it is looked whether there is something to do, ms. */
const LOOK_MS = 10_000;
/** Less than this share of a core means idle. */
const IDLE_SHARE = 0.02;
/** CPU since the last time after which collecting is worth it, microseconds. */
const WORTH_US = 1_000_000;

/**
 * Gives memory back when there is nothing to do.
 *
 * V8 collects when memory is asked for: a process that has been busy and then rests keeps every page that its garbage
 * lies in, for hours. Collecting takes a pause of some tens of milliseconds, so it waits for a time when nobody feels it.
 */
export class IdleMemory {
  readonly #timer: NodeJS.Timeout;
  #usedUs = cpuUs();
  #collectedAtUs = 0;
  /** It was collected once since there was work. */
  #once = false;
  readonly #collect = collector();

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = cpuUs();
    const idle = now - this.#usedUs < IDLE_SHARE * LOOK_MS * 1000;
    this.#usedUs = now;
    const worth = now - this.#collectedAtUs >= WORTH_US;
    if (!idle || (!worth && !this.#once)) return;
    this.#collect();
    // The first time frees objects; pages go when they are found empty the next time.
    this.#once = worth;
    this.#usedUs = this.#collectedAtUs = cpuUs();
  }
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Node offers it behind a flag; a context made while that is set has it all the same. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}
