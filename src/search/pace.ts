/** A slice of work beside a busy gateway, and one while it is quiet. */
const BUSY_SLICE_MS = 20;
const QUIET_SLICE_MS = 200;
/** Between two slices. */
const REST_MS = 1000;
const NO_REST_MS = 1;
/** Of a core, used by the other threads: more is a gateway at work. The collector's threads work for the index as well. */
const QUIET_SHARE = 0.3;

/** What is looked at before each slice. */
export interface Look {
  /** Octets on disk that the index has not read. */
  readonly behind: number;
  /** Of all other threads of the process, in ms since any moment. */
  readonly othersMs: number;
  /** ms since any moment. */
  readonly at: number;
}

/**
 * How fast the index reads on by itself: at once where the gateway neither writes nor works, in small slices beside
 * sessions, which need the cores more. A body of a GiB is one event, so what is written alone does not tell.
 */
export class Pace {
  #last: Look | undefined;

  /** ms that the next slice may take. */
  slice(look: Look): number {
    return this.#isQuiet(look) ? QUIET_SLICE_MS : BUSY_SLICE_MS;
  }

  /** @returns ms until the next look, given what is left of what `look` saw. */
  rest(look: Look, left: number): number {
    const quiet = this.#isQuiet(look);
    this.#last = { ...look, behind: left };
    return quiet && left > 0 ? NO_REST_MS : REST_MS;
  }

  #isQuiet({ behind, othersMs, at }: Look): boolean {
    const last = this.#last ?? { behind: 0, othersMs, at };
    const share = at > last.at ? (othersMs - last.othersMs) / (at - last.at) : 0;
    return behind <= last.behind && share <= QUIET_SHARE;
  }
}
