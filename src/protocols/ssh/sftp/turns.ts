/** Gives back a turn. Safe to call twice. */
export type Turn = () => void;

interface Waiting {
  readonly alone: boolean;
  begin(): void;
}

/** Who follows paths, many at once, and who changes where paths lead, alone: first come, first served. */
class Queue {
  readonly #waiting: Waiting[] = [];
  #following = 0;
  #alone = false;

  get idle(): boolean {
    return this.#following === 0 && !this.#alone && this.#waiting.length === 0;
  }

  take(alone: boolean, ended: () => void): Promise<Turn> {
    return new Promise((resolve) => {
      this.#waiting.push({ alone, begin: () => resolve(this.#begun(alone, ended)) });
      this.#next();
    });
  }

  #begun(alone: boolean, ended: () => void): Turn {
    if (alone) this.#alone = true;
    else this.#following++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (alone) this.#alone = false;
      else this.#following--;
      this.#next();
      ended();
    };
  }

  #next(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if (this.#alone || (first.alone && this.#following > 0)) return;
      this.#waiting.shift();
      first.begin();
    }
  }
}

/**
 * Keeps clients from racing themselves: from the moment at which a path is looked up until the target has answered what is done
 * with it, no other session of the same owner renames or links anything there. Each owner waits for nobody else.
 */
export class Turns {
  readonly #queues = new Map<string, Queue>();

  /** @param owner Who asks, and where. @param alone What is done changes where paths lead. */
  take(owner: string, alone: boolean): Promise<Turn> {
    const queue = this.#queues.get(owner) ?? new Queue();
    this.#queues.set(owner, queue);
    return queue.take(alone, () => {
      if (queue.idle) this.#queues.delete(owner);
    });
  }
}
