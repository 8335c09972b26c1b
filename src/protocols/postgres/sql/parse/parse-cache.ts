/** Least-recently-used store of small values by exact text, bounded by count and by the texts' length. */
export class TextCache<T> {
  readonly #entries = new Map<string, T>();
  readonly #limits: { readonly entries: number; readonly chars: number; readonly textChars: number };
  #chars = 0;

  /**
   * @param limits.entries Most entries kept. `chars`: most UTF-16 units of all keys together. `textChars`: longer
   *   texts are not kept at all.
   */
  constructor(limits: { readonly entries: number; readonly chars: number; readonly textChars: number }) {
    this.#limits = limits;
  }

  get(text: string): T | undefined {
    const value = this.#entries.get(text);
    if (value === undefined) return undefined;
    this.#entries.delete(text);
    this.#entries.set(text, value);
    return value;
  }

  set(text: string, value: T): void {
    if (text.length > this.#limits.textChars || this.#entries.has(text)) return;
    this.#entries.set(text, value);
    this.#chars += text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries && this.#chars <= this.#limits.chars) return;
      this.#entries.delete(oldest);
      this.#chars -= oldest.length;
    }
  }
}
