import type { PostgresRefusal } from '../refusals.ts';
import type { SearchPath } from '../sql/meaning/name-scope.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';

type Resolved = StatementPlan['resolved'];

/** Most paths remembered of one statement; with more it is as if it were new. */
const MAX_PATHS = 16;

/** The rule holds for whoever may do everything too: what policy and audit name must be what is read. */
export const STALE_NAMES = 'stale-names';

/**
 * What the names of a prepared statement stood for when the server analysed it, by the path of that time.
 *
 * The server analyses it anew by another path, or when something that it stands on has changed, but not when something
 * new hides what it stands on: it goes on with the old one then.
 *
 * @see https://www.postgresql.org/docs/current/sql-prepare.html
 */
export class AnalysedNames {
  readonly #byPath = new Map<string, Resolved>();

  note({ schemas }: SearchPath, resolved: Resolved): void {
    if (this.#byPath.size >= MAX_PATHS) this.#byPath.clear();
    this.#byPath.set(schemas.join('\0'), resolved);
  }

  /**
   * @param stands Whether a relation is still found by that name where it was.
   * @returns The first name that now stands for something else, though what it stood for is still there.
   */
  hidden(
    { schemas }: SearchPath,
    resolved: Resolved,
    stands: (name: string, oid: number) => boolean,
  ): string | undefined {
    const before = this.#byPath.get(schemas.join('\0'));
    if (before === undefined || before === resolved) return undefined;
    const now = new Map(resolved);
    return before.find(([name, oid]) => oid !== 0 && now.get(name) !== oid && stands(name, oid))?.[0];
  }
}

export function sameNames(one: Resolved, other: Resolved): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

export function staleNames(name: string): PostgresRefusal {
  return {
    code: 'ERR_DENIED',
    rule: STALE_NAMES,
    reason: `"${name}" stands for something else than when this was prepared, and the server may keep to either`,
    hint: 'prepare it anew',
  };
}
