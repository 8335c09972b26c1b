import { type Mask, strongest } from '../mask.ts';
import type { FieldPath } from './field-path.ts';
import { foldedName } from './folded-name.ts';

/** A member that is not shown, and how it is masked. */
export interface MaskedField {
  readonly path: FieldPath;
  readonly kind: Mask;
  /** Clients take its text for base64: so must they what stands for it. */
  readonly base64?: boolean;
}

/** States that are kept of one set of paths. A document cannot make it more: others are made anew when they are met. */
const MAX_STATES = 1024;

/**
 * How far the names from the root of a document down to a value have followed the paths of masked fields. One state for
 * each set of places in paths, made when it is met first.
 */
export class FieldState {
  /** How a value here is masked, with all that is in it; undefined: it is not. */
  readonly mask: Mask | undefined;
  /** What stands for a text here is read as base64. */
  readonly base64: boolean;
  /** A text here is a document, in which these members are masked; undefined: it is none. */
  readonly inner: FieldState | undefined;
  /** Nothing at any depth below is masked. */
  readonly idle: boolean;
  readonly #places: readonly Place[];
  readonly #known: Map<string, FieldState>;
  /** Names that any of the paths goes on with, in lower case, by their length in octets; those of ASCII only. */
  readonly #byLength: (readonly Named[] | undefined)[] = [];
  readonly #named: ReadonlySet<string>;
  readonly #next = new Map<string, FieldState>();
  #other: FieldState | undefined;

  private constructor(places: readonly Place[], known: Map<string, FieldState>) {
    const ended = places.filter(({ field, at }) => at === field.path.steps.length);
    const masked = ended.flatMap(({ field }) => ('kind' in field ? [field] : []));
    this.mask = masked.length === 0 ? undefined : strongest(masked.map(({ kind }) => kind));
    this.base64 = masked.some(({ base64 }) => base64);
    this.inner = ended.flatMap(({ field }) => ('inner' in field ? [field.inner()] : []))[0];
    this.#places = places.filter(({ field, at }) => at < field.path.steps.length);
    this.#known = known;
    this.idle = this.#places.length === 0;
    this.#named = new Set(this.#places.flatMap(({ field, at }) => field.path.steps[at]!.name ?? []));
    for (const name of this.#named) {
      const octets = Buffer.from(name);
      this.#byLength[octets.length] = [...(this.#byLength[octets.length] ?? []), { name, octets }];
    }
  }

  /**
   * Where every document begins; undefined: nothing is masked by its path.
   *
   * @param documents Texts that are documents of their own, with the same members and such texts in them. Each stands in the one
   *   around it with twice as many backslashes, so that they are few in whatever has a length.
   */
  static start(fields: readonly MaskedField[], documents: readonly FieldPath[] = []): FieldState | undefined {
    if (fields.length === 0) return undefined;
    const inner = (): FieldState => start;
    const followed: readonly Followed[] = [...fields, ...documents.map((path) => ({ path, inner }))];
    const start = new FieldState(
      followed.map((field) => ({ field, at: 0 })),
      new Map(),
    );
    return start;
  }

  /**
   * The state of a member's value.
   *
   * @param bytes Hold the name from `start` to `end`, as it stands between its quotes.
   * @param text What the name says, where it has escapes or is not ASCII.
   */
  member(bytes: Uint8Array, start: number, end: number, text: string | undefined): FieldState {
    if (this.idle) return this;
    if (text !== undefined) return this.#step(foldedName(text));
    const named = this.#byLength[end - start];
    if (named !== undefined)
      for (let i = 0; i < named.length; i++)
        if (isSame(named[i]!.octets, bytes, start)) return this.#step(named[i]!.name);
    return this.#elsewhere();
  }

  /** The state of the member of that name. Pure. */
  at(name: string): FieldState {
    return this.#step(foldedName(name));
  }

  /** Whether something is masked on the way that these names lead from here. Pure. */
  hides(names: readonly string[]): boolean {
    let state: FieldState = this;
    return names.some((name) => {
      state = state.at(name);
      return state.mask !== undefined;
    });
  }

  #step(name: string): FieldState {
    if (!this.#named.has(name)) return this.#elsewhere();
    const known = this.#next.get(name);
    if (known !== undefined) return known;
    const next = this.#after(name);
    if (this.#known.size < MAX_STATES) this.#next.set(name, next);
    return next;
  }

  /** Behind a name that no path has. */
  #elsewhere(): FieldState {
    const next = this.#other ?? this.#after(undefined);
    if (this.#known.size < MAX_STATES) this.#other = next;
    return next;
  }

  #after(name: string | undefined): FieldState {
    const places: Place[] = [];
    for (const { field, at } of this.#places) {
      const step = field.path.steps[at]!;
      if (step.name === undefined || step.name === name) places.push({ field, at: at + 1 });
      if (step.deep) places.push({ field, at });
    }
    const key = places.map(({ field, at }) => `${field.path.text}\n${at}`).join('\n');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = new FieldState(places, this.#known);
    if (this.#known.size < MAX_STATES) this.#known.set(key, made);
    return made;
  }
}

type Followed = MaskedField | { readonly path: FieldPath; readonly inner: () => FieldState };

/** The names up to `at` were met. */
interface Place {
  readonly field: Followed;
  readonly at: number;
}

interface Named {
  readonly name: string;
  readonly octets: Uint8Array;
}

/** Whether the octets at `start` spell a name in lower case, in whichever case; as many as the name has are there. */
function isSame(name: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i]!;
    if (byte !== name[i] && (byte < 0x41 || byte > 0x5a || byte + 0x20 !== name[i])) return false;
  }
  return true;
}
