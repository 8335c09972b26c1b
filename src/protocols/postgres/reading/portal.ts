import type { OpenOperation } from '../../stream/operations.ts';
import type { RowPlan } from '../shown/rows.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import type { Planned } from './planner.ts';

/** A portal or cursor: what it shows, and the operation under which it runs. */
export interface Portal {
  plan: StatementPlan;
  planned: Planned;
  /** The policy under which it was judged: under another it is judged anew. */
  policyVersion: string;
  readonly text: string;
  /** Which statement of the text. */
  readonly index: number;
  readonly types: readonly number[];
  /** As of `Prepared`. */
  readonly inner: boolean;
  /** Open until the server has answered the first Execute; a later one is an operation of its own. */
  operation: OpenOperation | undefined;
  /** Known once the server has described it. */
  rows: RowPlan | undefined;
  /** A Describe is on its way, ours or the client's. */
  describing: boolean;
  /** A cursor that DECLARE made: executing it reads from it, and declares nothing. */
  readonly declared: boolean;
  /** Lives on after its transaction (`WITH HOLD`). */
  readonly holdable: boolean;
}
