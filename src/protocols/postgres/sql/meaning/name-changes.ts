import type { NameChange } from './held-names.ts';

/**
 * The last word on each of many names. It grows without being copied: a migration asks it before each of its statements.
 */
export class NameChanges {
  readonly #last = new Map<string, NameChange>();

  get size(): number {
    return this.#last.size;
  }

  /** @param schema Under which it is found; default the one that it says. */
  add(change: NameChange, schema = change.schema): void {
    this.#last.set(key(schema, change.name), change);
  }

  /** @param name Undefined: what became of all names of the schema. */
  of(schema: string, name?: string): NameChange | undefined {
    return this.#last.get(key(schema, name));
  }

  values(): Iterable<NameChange> {
    return this.#last.values();
  }
}

/** No identifier holds a NUL. */
function key(schema: string, name = ''): string {
  return `${schema}\0${name}`;
}
