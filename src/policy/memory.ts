/**
 * Remembers answers to questions made of several parts, in bounded memory.
 *
 * Each distinct part gets a number by its content, so that a question asked again costs a few look-ups. Two generations
 * stand for least recently used: what is asked again survives, the rest goes when a generation is full.
 */
export class AnswerMemory<Answer> {
  readonly #capacity: number;
  #young = new Map<string, Answer>();
  #old = new Map<string, Answer>();
  #numbers = new Map<string, number>();
  #next = 0;

  /** @param capacity Answers kept at most, and distinct parts known by content. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Number of a part, by content: equal content, equal number, until it is forgotten; never the same for another. */
  numberOf(content: string): number {
    const known = this.#numbers.get(content);
    if (known !== undefined) return known;
    if (this.#numbers.size >= this.#capacity) this.#numbers.clear();
    this.#numbers.set(content, this.#next);
    return this.#next++;
  }

  get(key: string): Answer | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, answer: Answer): void {
    if (this.#young.size >= this.#capacity / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, answer);
  }
}
