import type { StatementPlan } from '../sql/meaning/plan.ts';
import type { RowPlan } from './rows.ts';

/** Statements of one session whose answers are remembered. */
const STATEMENTS = 64;
/** Octets of a description; longer ones are read each time. */
const DESCRIPTION_BYTES = 2048;

interface Known {
  readonly description: Buffer;
  readonly rows: RowPlan;
}

/** How answers are shown, found once for a statement that is sent again and answered in the same columns. */
export class RowPlans {
  readonly #known = new Map<StatementPlan, Known>();

  /**
   * @param description What the server says of the columns, octet by octet: a copy is kept.
   * @param make Finds it, from these two alone and what holds until `clear`.
   */
  of(description: Buffer, statement: StatementPlan, make: () => RowPlan): RowPlan {
    const known = this.#known.get(statement);
    if (known?.description.equals(description) === true) return known.rows;
    const rows = make();
    if (description.length > DESCRIPTION_BYTES) return rows;
    if (known === undefined && this.#known.size >= STATEMENTS) this.clear();
    this.#known.set(statement, { description: Buffer.from(description), rows });
    return rows;
  }

  clear(): void {
    this.#known.clear();
  }
}
