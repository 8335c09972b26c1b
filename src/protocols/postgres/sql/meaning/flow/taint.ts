import { HINTS } from '../../../hints.ts';
import type { PostgresRefusal } from '../../../refusals.ts';
import { ELSEWHERE, IN_FROM, type StatementFacts } from '../../facts/facts.ts';

/** What stands in a statement's result and cannot be traced to columns, in a session for which columns are masked. */
export interface Untraced {
  /** Output items that must not be shown; `all`: they cannot be told apart. */
  readonly hidden: 'all' | ReadonlySet<number>;
  /** Output items that must not be compared either. */
  readonly uncompared: ReadonlySet<number>;
}

/**
 * Follows values that come out of what the gateway does not read, and so may be what is masked: results of users'
 * functions, operators and casts, expressions of the catalog, relations that are not known.
 *
 * They may stand where a masked column may: in the list of the outermost query, where they are masked. Anywhere else
 * (a condition, a write, COPY, EXPLAIN, …) they could be seen or guessed in another way, so the statement is refused.
 */
export class Taint implements Untraced {
  hidden: 'all' | Set<number> = new Set();
  readonly uncompared = new Set<number>();
  refusal: PostgresRefusal | undefined;
  readonly #facts: StatementFacts;

  constructor(facts: StatementFacts) {
    this.#facts = facts;
  }

  /** Everything can be traced. */
  get isEmpty(): boolean {
    return (
      this.hidden !== 'all' && this.hidden.size + this.uncompared.size === 0 && this.refusal === undefined
    );
  }

  /** @param what For people: `function get_ssn`. @param items Where it stands, as `FunctionUse.items`. */
  unknownSource(what: string, items: readonly number[]): void {
    const { explain, materializes } = this.#facts;
    if (explain !== undefined || materializes || items.includes(ELSEWHERE)) return this.#refuse(what);
    if (items.includes(IN_FROM) && this.#usesRows()) return this.#refuse(what);
    this.#hide(items);
    for (const item of items) this.uncompared.add(item);
  }

  /** What names no person's row by itself, and is asked for by tools everywhere: hidden, and never moved or stored. */
  expression(what: string, items: readonly number[]): void {
    const { copy, materializes, relations } = this.#facts;
    const moves = copy !== undefined || relations.some(({ role }) => MOVES.has(role));
    if (materializes || (moves && items.some((item) => item < 0))) return this.#refuse(what);
    this.#hide(items);
  }

  /** Nothing of the result is certain. */
  everything(): void {
    this.hidden = 'all';
  }

  #hide(items: readonly number[]): void {
    if (this.hidden === 'all') return;
    if (items.some((item) => item < 0)) this.hidden = 'all';
    else for (const item of items) this.hidden.add(item);
  }

  /** Whether columns of a function in FROM may be named anywhere but in the result list, or be compared there. */
  #usesRows(): boolean {
    const { columns, relations, derived, output, natural, using } = this.#facts;
    const plain = (alias: string) =>
      relations.some((one) => one.alias === alias) && derived.every((one) => one.alias !== alias);
    const named = columns.some(
      ({ place, path, star }) =>
        place === 'value' && !(path.length > (star ? 0 : 1) && plain(path.at(star ? -1 : -2) ?? '')),
    );
    const sorted =
      output === undefined || output.distinct || output.positions.length + output.sortNames.length > 0;
    return named || sorted || natural || using.length > 0;
  }

  /** The first reason counts. */
  #refuse(what: string): void {
    const reason = `${what} may give what is masked for you, and may only stand in the list of the outermost query`;
    this.hidden = 'all';
    this.refusal ??= { code: 'ERR_DENIED', rule: 'unknown-source', reason, hint: HINTS.leaveOut };
  }
}

const MOVES: ReadonlySet<string> = new Set(['insert', 'update', 'merge']);
