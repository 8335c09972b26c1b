import { garbageCollector } from '../core/collector.ts';

/** How often it is looked whether there is something to do, ms. */
const LOOK_MS = 1_000;
/** Over how many looks a process must have done next to nothing. */
const REST_LOOKS = 10;
/** Less than this share of a core means at rest. */
const REST_SHARE = 0.02;
/** CPU since the last time after which collecting at rest is worth it, microseconds. */
const WORTH_US = 1_000_000;
/** From here on pages are given back under load too, octets. */
const PRESSED_OCTETS = 576 * 1024 * 1024;
/** With more objects than this V8 is about to collect by itself, and doing it at once is a long pause, octets. */
const SMALL_HEAP_OCTETS = 160 * 1024 * 1024;
/** Looks between two collections under load; doubled each time that little came back. */
const PRESSED_LOOKS = { least: 20, most: 300 } as const;
/** What makes a collection under load worth its pause, octets. */
const WORTH_OCTETS = 48 * 1024 * 1024;

/** What is measured of this process, and the one thing done about it. */
export interface ProcessMemory {
  /** CPU used since the process began, microseconds. */
  cpuUs(): number;
  /** Memory held, octets. */
  rss(): number;
  /** Of it, objects and their garbage, octets. */
  heapUsed(): number;
  /** Collects garbage and gives empty pages back; everybody waits for 50 to 200 ms. */
  collect(): void;
}

/**
 * Gives memory back that is not used any more.
 *
 * V8 collects when memory is asked for, and keeps the pages that it found empty: a process that was busy once holds what
 * it held at its worst, for good. So it is collected when nobody feels it, and, where much is held, under load as well.
 */
export class SpareMemory {
  readonly #memory: ProcessMemory;
  #restLooks = 0;
  #usedUs: number;
  #collectedAtUs = 0;
  #pressedLooks = 0;
  #pressedAfter: number = PRESSED_LOOKS.least;

  constructor(memory: ProcessMemory) {
    this.#memory = memory;
    this.#usedUs = memory.cpuUs();
  }

  /** Looks once: called every `LOOK_MS`. */
  look(): void {
    this.#pressedLooks++;
    if (this.#atRest() || this.#pressed()) this.#collect();
  }

  #atRest(): boolean {
    if (++this.#restLooks < REST_LOOKS) return false;
    const now = this.#memory.cpuUs();
    const resting = now - this.#usedUs < REST_SHARE * REST_LOOKS * LOOK_MS * 1000;
    this.#restLooks = 0;
    this.#usedUs = now;
    return resting && now - this.#collectedAtUs >= WORTH_US;
  }

  #pressed(): boolean {
    return (
      this.#pressedLooks >= this.#pressedAfter &&
      this.#memory.rss() >= PRESSED_OCTETS &&
      this.#memory.heapUsed() < SMALL_HEAP_OCTETS
    );
  }

  #collect(): void {
    const before = this.#memory.rss();
    this.#memory.collect();
    const helped = before - this.#memory.rss() >= WORTH_OCTETS;
    this.#pressedAfter = helped ? PRESSED_LOOKS.least : Math.min(this.#pressedAfter * 2, PRESSED_LOOKS.most);
    this.#pressedLooks = 0;
    this.#collectedAtUs = this.#memory.cpuUs();
  }
}

/** Looks after this process. @returns What ends that. */
export function keepMemorySpare(): () => void {
  const collect = collector();
  const spare = new SpareMemory({
    cpuUs,
    rss: () => process.memoryUsage.rss(),
    heapUsed: () => process.memoryUsage().heapUsed,
    collect,
  });
  const timer = setInterval(() => spare.look(), LOOK_MS).unref();
  return () => clearInterval(timer);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function collector(): () => void {
  const collect = garbageCollector();
  // The flavour alone gives empty pages back; without it V8 keeps them for the next time.
  return () => void collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
