/** What was made of a few short texts, so that the same text gives the same object: the oldest is forgotten. */
export class Known<T> {
  readonly #most: number;
  readonly #made = new Map<string, T>();

  /** @param most Texts that are remembered, of at most `MAX_CHARS` each. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Throws what `make` throws, and remembers nothing then. @param make Of the text alone. */
  of(text: string, make: () => T): T {
    const known = this.#made.get(text);
    if (known !== undefined || text.length > MAX_CHARS) return known ?? make();
    const made = make();
    const [oldest] = this.#made.size >= this.#most ? this.#made.keys() : [];
    if (oldest !== undefined) this.#made.delete(oldest);
    this.#made.set(text, made);
    return made;
  }
}

const MAX_CHARS = 512;
