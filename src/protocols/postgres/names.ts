/** A name given or taken away whose message the server has not answered yet. */
export interface StagedName<T> {
  readonly name: string;
  /** Undefined: the name is taken away. */
  readonly value: T | undefined;
  readonly batch: number;
}

export type NameLookup<T> =
  | { readonly state: 'known'; readonly value: T }
  | { readonly state: 'unknown' }
  /** An earlier batch that may yet fail decides what the name means: wait for its answers. */
  | { readonly state: 'unsettled' };

/**
 * What the server's statement or portal names stand for, kept exactly as the server keeps them.
 *
 * A name counts only once the server has confirmed it: a `Parse` that fails because its name is taken leaves the old
 * statement in force, and taking the new text for it would be a way around policy. Within one batch (up to Sync) a
 * later message may rely on an earlier one, since the server skips it if the earlier one fails.
 */
export class NameTable<T> {
  readonly #committed = new Map<string, T>();
  #staged: StagedName<T>[] = [];
  readonly #limit: number;

  /** @param limit Names known at once; more are refused, which bounds what a client can make us hold. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#committed.size + this.#staged.length >= this.#limit;
  }

  stage(name: string, value: T | undefined, batch: number): StagedName<T> {
    const staged = { name, value, batch };
    this.#staged.push(staged);
    return staged;
  }

  /** The server confirmed it. */
  commit(staged: StagedName<T>): void {
    this.discard(staged);
    if (staged.value === undefined) this.#committed.delete(staged.name);
    else this.#committed.set(staged.name, staged.value);
  }

  /** The server refused or skipped it. */
  discard(staged: StagedName<T>): void {
    this.#staged = this.#staged.filter((one) => one !== staged);
  }

  /** @param batch The asking message's batch. */
  lookup(name: string, batch: number): NameLookup<T> {
    const staged = this.#staged.findLast((one) => one.name === name);
    if (staged !== undefined && staged.batch !== batch) return { state: 'unsettled' };
    const value = staged === undefined ? this.#committed.get(name) : staged.value;
    return value === undefined ? { state: 'unknown' } : { state: 'known', value };
  }

  /** Forgets confirmed names for which `doomed` says so: a transaction's portals at its end, all at DISCARD ALL. */
  forget(doomed: (value: T) => boolean): T[] {
    const gone: T[] = [];
    for (const [name, value] of this.#committed) {
      if (!doomed(value)) continue;
      this.#committed.delete(name);
      gone.push(value);
    }
    return gone;
  }
}
