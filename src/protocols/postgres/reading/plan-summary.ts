import type { Pair, PolicyObject, PolicyValue } from '../../../policy/model.ts';
import { uncounted } from '../sql/meaning/pairs.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { mergeContexts } from './context.ts';

/** What all statements of a string would do together. Pure. */
export function planSummary(plans: readonly StatementPlan[]): {
  readonly pairs: readonly Pair[];
  readonly context: Readonly<Record<string, PolicyValue>>;
} {
  const pairs = plans.flatMap((plan) => plan.pairs);
  return {
    // What several statements of one string change could not be undone where it is counted.
    pairs: plans.length > 1 ? pairs.map(uncounted) : pairs,
    context: plans.map((plan) => plan.context).reduce(mergeContexts, {}),
  };
}

/** Nothing but comments asks for no more than the connection itself. */
export function emptyPlan(resource: PolicyObject): StatementPlan {
  return {
    tag: '',
    kind: 'utility',
    pairs: [{ action: 'connect', object: resource }],
    context: {},
    changesNothing: false,
    touchesMasked: false,
    safeColumns: 'all',
    relations: [],
    reshapesMasked: false,
    names: { steers: false, follows: true, reshapes: false, changes: [] },
    resolved: [],
    ddl: false,
  };
}
