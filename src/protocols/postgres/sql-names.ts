import type { Refusal } from '../../enforcement/operation.ts';
import type { NameLookup, NameTable } from './names.ts';
import { type Portal, type Prepared, type Staged, stagedName } from './pipeline.ts';
import type { Planned, StatementPlanner } from './planner.ts';
import type { StatementPlan } from './sql/plan.ts';
import { dropPortal, type SessionState } from './state.ts';

/** As SQL has it: DEALLOCATE ALL and CLOSE ALL. */
const ALL = '';

/**
 * Ties names to what they stand for, whichever way they were given: PREPARE and `Parse` share one space of names, as
 * do DECLARE and `Bind`.
 */
export class SqlNames {
  readonly #state: SessionState;
  readonly #planner: StatementPlanner;
  readonly #until: (settled: () => boolean) => Promise<void>;

  /** @param until Waits for the target's answers until the condition holds or the session has ended. */
  constructor(
    state: SessionState,
    planner: StatementPlanner,
    until: (settled: () => boolean) => Promise<void>,
  ) {
    this.#state = state;
    this.#planner = planner;
    this.#until = until;
  }

  /** What a prepared statement's name stands for, waiting where an earlier batch is still to decide it. */
  statement(name: string): Promise<NameLookup<Prepared>> {
    return this.#settled(this.#state.statements, name);
  }

  /** As `statement`, for a portal or cursor. */
  portal(name: string): Promise<NameLookup<Portal>> {
    return this.#settled(this.#state.portals, name);
  }

  async #settled<T>(table: NameTable<T>, name: string): Promise<NameLookup<T>> {
    await this.#until(() => table.lookup(name, this.#state.batch).state !== 'unsettled');
    return table.lookup(name, this.#state.batch);
  }

  /** Adds to a plan what its EXECUTE and FETCH refer to; an unknown name is refused. */
  async complete(planned: Planned): Promise<Planned> {
    const refers = (plan: StatementPlan) => plan.executes !== undefined || plan.fetches !== undefined;
    if (planned.refusal !== undefined || !planned.plans.some(refers)) return planned;
    const plans: StatementPlan[] = [];
    for (const plan of planned.plans) plans.push(refers(plan) ? await this.#completed(plan) : plan);
    return this.#planner.combine(planned, plans);
  }

  async #completed(plan: StatementPlan): Promise<StatementPlan> {
    if (plan.fetches !== undefined) {
      const found = await this.portal(plan.fetches);
      if (found.state === 'known') return borrow(plan, found.value.plan);
      return { ...plan, refusal: unknownName('unknown-portal', 'cursor', plan.fetches) };
    }
    const name = plan.executes ?? '';
    const found = await this.statement(name);
    const inner =
      found.state === 'known'
        ? (await this.#planner.plan(found.value.text)).plans[found.value.index]
        : undefined;
    if (inner !== undefined) return borrow(plan, inner);
    return { ...plan, refusal: unknownName('unknown-statement', 'prepared statement', name) };
  }

  /** Names that the statement itself gives or takes; they count once the server has completed it. */
  stage(plan: StatementPlan, planned: Planned, text: string, index: number): Staged | undefined {
    const { statements, portals, batch } = this.#state;
    if (plan.prepares !== undefined) {
      return stagedName(statements, statements.stage(plan.prepares, { text, index }, batch));
    }
    if (plan.declares !== undefined) {
      const portal = cursor(plan, planned, text, index);
      return stagedName(portals, portals.stage(plan.declares, portal, batch));
    }
    if (plan.deallocates !== undefined) return this.#stageRemoval(statements, plan.deallocates);
    if (plan.closes !== undefined) return this.#stageRemoval(portals, plan.closes);
    return plan.discardsAll === true ? this.#stageDiscard() : undefined;
  }

  #stageRemoval<T>(table: NameTable<T>, name: string): Staged {
    if (name === ALL) return { commit: () => void table.forget(() => true), discard: () => undefined };
    return stagedName(table, table.stage(name, undefined, this.#state.batch));
  }

  #stageDiscard(): Staged {
    const { statements, portals } = this.#state;
    const commit = () => {
      statements.forget(() => true);
      for (const portal of portals.forget(() => true)) dropPortal(portal);
    };
    return { commit, discard: () => undefined };
  }

  /** A `Close` of a portal. */
  stagePortalEnd(name: string): Staged {
    const { portals, batch } = this.#state;
    const found = portals.lookup(name, batch);
    const staged = stagedName(portals, portals.stage(name, undefined, batch));
    const commit = () => {
      staged.commit();
      if (found.state === 'known') dropPortal(found.value);
    };
    return { commit, discard: staged.discard };
  }
}

function cursor(plan: StatementPlan, planned: Planned, text: string, index: number): Portal {
  return {
    plan,
    planned,
    text,
    index,
    operation: undefined,
    rows: undefined,
    describing: false,
    holdable: plan.holdable === true,
  };
}

/** EXECUTE does what its statement does, FETCH shows what its cursor shows. */
function borrow(plan: StatementPlan, inner: StatementPlan): StatementPlan {
  return {
    ...plan,
    pairs: [...plan.pairs, ...inner.pairs],
    context: { ...inner.context, ...plan.context },
    touchesMasked: plan.touchesMasked || inner.touchesMasked,
    safeColumns: inner.safeColumns,
    ddl: plan.ddl || inner.ddl,
    ...(inner.refusal === undefined ? {} : { refusal: inner.refusal }),
    ...(inner.copy === undefined ? {} : { copy: inner.copy }),
  };
}

export function unknownName(rule: string, what: string, name: string): Refusal {
  return { code: 'ERR_DENIED', rule, reason: `${what} "${name}" does not exist`, hint: 'prepare it first' };
}
