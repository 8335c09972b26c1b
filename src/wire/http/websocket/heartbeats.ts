/** Pings of one side that were not answered yet: of more than these the oldest is forgotten. */
const MAX_OPEN = 64;

/**
 * Pings that go through. What a ping says stays on its own side: the other one is asked with a number, and who pinged is
 * answered with its own octets, as RFC 6455 §5.5.3 has it. Pure.
 */
export class Heartbeats {
  readonly #open = new Map<number, Buffer>();
  #last = 0;

  /** @returns What the other side is pinged with. */
  ping(bytes: Buffer): Buffer {
    this.#last = (this.#last + 1) >>> 0;
    this.#open.set(this.#last, Buffer.from(bytes));
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
    const asked = Buffer.alloc(4);
    asked.writeUInt32BE(this.#last);
    return asked;
  }

  /**
   * @param bytes What the other side's pong says.
   * @returns What who pinged is answered with; undefined where it answers nothing: it goes no further. Pings before it
   *   are answered with it.
   */
  pong(bytes: Buffer): Buffer | undefined {
    const number = bytes.length === 4 ? bytes.readUInt32BE() : 0;
    const answer = this.#open.get(number);
    if (answer === undefined) return undefined;
    for (const one of this.#open.keys()) {
      this.#open.delete(one);
      if (one === number) break;
    }
    return answer;
  }
}
