interface Entry<T> {
  readonly value: T;
  /** UTF-16 units of its key, and what it holds itself. */
  readonly chars: number;
}

/** Least-recently-used store of small values by exact text, bounded by count and by length. */
export class TextCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #limits: { readonly entries: number; readonly chars: number; readonly textChars: number };
  #chars = 0;

  /**
   * @param limits.entries Most entries kept. `chars`: most UTF-16 units of all keys, and of what values hold. `textChars`: longer
   *   texts are not kept at all.
   */
  constructor(limits: { readonly entries: number; readonly chars: number; readonly textChars: number }) {
    this.#limits = limits;
  }

  get(text: string): T | undefined {
    const entry = this.#entries.get(text);
    if (entry === undefined) return undefined;
    this.#entries.delete(text);
    this.#entries.set(text, entry);
    return entry.value;
  }

  /** @param holds UTF-16 units of text that the value keeps. */
  set(text: string, value: T, holds = 0): void {
    if (text.length > this.#limits.textChars || this.#entries.has(text)) return;
    const chars = text.length + holds;
    this.#entries.set(text, { value, chars });
    this.#chars += chars;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#chars <= this.#limits.chars) return;
      this.#entries.delete(oldest);
      this.#chars -= entry.chars;
    }
  }
}
