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

export interface NameTableOptions<T> {
  /** How much a value makes us hold, in a unit of the caller's; default nothing. */
  readonly weigh?: (value: T) => number;
  /** Of all values together; default no bound. */
  readonly maxWeight?: number;
  /** Called for a confirmed value that its name no longer stands for: replaced, taken away or forgotten. */
  readonly gone?: (value: T) => void;
}

/**
 * What the server's statement or portal names stand for, kept exactly as the server keeps them.
 *
 * A name counts only once the server has confirmed it: a `Parse` that fails because its name is taken leaves the old
 * statement in force, and taking the new text for it would be a way around policy. Within one batch (up to Sync) a
 * later message may rely on an earlier one, since the server skips it if the earlier one fails.
 */
export class NameTable<T> {
  readonly #committed = new Map<string, T>();
  /** Per name in the order given, so that thousands of names sent ahead cost no search. */
  readonly #staged = new Map<string, StagedName<T>[]>();
  readonly #limit: number;
  readonly #options: NameTableOptions<T>;
  #stagedValues = 0;
  #weight = 0;

  /** @param limit Names known at once; more are refused, which bounds what a client can make us hold. */
  constructor(limit: number, options: NameTableOptions<T> = {}) {
    this.#limit = limit;
    this.#options = options;
  }

  /** Of all values together. */
  get weight(): number {
    return this.#weight;
  }

  /** Whether so many more names fit, with so much weight together. */
  hasRoom(names: number, weight: number): boolean {
    const known = this.#committed.size + this.#stagedValues;
    return known + names <= this.#limit && this.#weight + weight <= (this.#options.maxWeight ?? Infinity);
  }

  stage(name: string, value: T | undefined, batch: number): StagedName<T> {
    const staged = { name, value, batch };
    const before = this.#staged.get(name);
    if (before === undefined) this.#staged.set(name, [staged]);
    else before.push(staged);
    if (value !== undefined) this.#stagedValues++;
    this.#weight += this.#weigh(value);
    return staged;
  }

  /** The server confirmed it. */
  commit(staged: StagedName<T>): void {
    if (!this.#unstage(staged)) return;
    const before = this.#committed.get(staged.name);
    if (staged.value === undefined) this.#committed.delete(staged.name);
    else this.#committed.set(staged.name, staged.value);
    if (before !== undefined && before !== staged.value) this.#leave(before);
  }

  /** The server refused or skipped it. */
  discard(staged: StagedName<T>): void {
    if (this.#unstage(staged)) this.#weight -= this.#weigh(staged.value);
  }

  #unstage(staged: StagedName<T>): boolean {
    const list = this.#staged.get(staged.name);
    const at = list?.indexOf(staged) ?? -1;
    if (list === undefined || at === -1) return false;
    list.splice(at, 1);
    if (list.length === 0) this.#staged.delete(staged.name);
    if (staged.value !== undefined) this.#stagedValues--;
    return true;
  }

  #weigh(value: T | undefined): number {
    return value === undefined ? 0 : (this.#options.weigh?.(value) ?? 0);
  }

  #leave(value: T): void {
    this.#weight -= this.#weigh(value);
    this.#options.gone?.(value);
  }

  /** @param batch The asking message's batch. */
  lookup(name: string, batch: number): NameLookup<T> {
    const staged = this.#staged.get(name)?.at(-1);
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
      this.#leave(value);
      gone.push(value);
    }
    return gone;
  }
}
