/** A statement, or a piece of it, whose analysis is not certain: what it is, in words for people. */
export class Uncertain extends Error {}

/** What is named and not there, as far as the catalog goes: the server would say so as well. */
export class NotThere extends Uncertain {
  /** As it is written; of a function with `()`. */
  readonly lacks: string;

  /** @param what In words: `a column`. */
  constructor(what: string, lacks: string) {
    super(`${what} that is not known`);
    this.lacks = lacks;
  }
}
