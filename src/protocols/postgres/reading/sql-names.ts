import { after, type Later } from '../../../core/later.ts';
import { HINTS } from '../hints.ts';
import type { PostgresRefusal, PostgresRule } from '../refusals.ts';
import { uncounted } from '../sql/meaning/pairs.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { uncertainExecute } from '../sql/meaning/uncertain-name.ts';
import { AnalysedNames, sameNames, staleNames } from './analysed-names.ts';
import { mergeContexts } from './context.ts';
import type { NameLookup, NameTable } from './names.ts';
import type { Planned, StatementPlanner } from './planner.ts';
import type { Portal } from './portal.ts';
import { type Prepared, type Staged, stagedName } from './prepared.ts';
import type { SessionPath } from './session-path.ts';

/** As SQL has it: DEALLOCATE ALL and CLOSE ALL. */
const ALL = '';

/** What a session's names stand for, and what decides it. */
export interface SessionNames {
  readonly statements: NameTable<Prepared>;
  readonly portals: NameTable<Portal>;
  /** Of messages up to Sync; names within one are known before the server has confirmed them. */
  readonly batch: number;
  readonly path: SessionPath;
  readonly uncommittedDdl: boolean;
  readonly guard: { policyVersion(): string };
}

/**
 * Ties names to what they stand for, whichever way they were given: PREPARE and `Parse` share one space of names, as
 * do DECLARE and `Bind`.
 */
export class SqlNames {
  readonly #state: SessionNames;
  readonly #planner: StatementPlanner;
  readonly #until: (settled: () => boolean) => Later<void>;

  /** @param until Waits for the target's answers until the condition holds or the session has ended. */
  constructor(
    state: SessionNames,
    planner: StatementPlanner,
    until: (settled: () => boolean) => Later<void>,
  ) {
    this.#state = state;
    this.#planner = planner;
    this.#until = until;
  }

  /** What a prepared statement's name stands for, waiting where an earlier batch is still to decide it. */
  statement(name: string): Later<NameLookup<Prepared>> {
    return this.#settled(this.#state.statements, name);
  }

  /** As `statement`, for a portal or cursor. */
  portal(name: string): Later<NameLookup<Portal>> {
    return this.#settled(this.#state.portals, name);
  }

  #settled<T>(table: NameTable<T>, name: string): Later<NameLookup<T>> {
    const found = table.lookup(name, this.#state.batch);
    if (found.state !== 'unsettled') return found;
    const lookup = () => table.lookup(name, this.#state.batch);
    return after(
      this.#until(() => lookup().state !== 'unsettled'),
      lookup,
    );
  }

  /**
   * Adds to a plan what its EXECUTE and FETCH refer to; an unknown name is refused. Statements of one string see the
   * names that those before them gave and took: the server runs them one after the other, and stops at the first error.
   *
   * @param text The string itself, to know what the names it gives would make us hold.
   */
  complete(planned: Planned, text: string): Later<Planned> {
    return namesAnything(planned) ? this.#complete(planned, text) : planned;
  }

  async #complete(planned: Planned, text: string): Promise<Planned> {
    if (planned.refusal !== undefined) return planned;
    const tooMany = this.#tooMany(planned.plans, text.length);
    if (tooMany !== undefined) return { ...planned, refusal: tooMany };
    const refers = (plan: StatementPlan) => plan.executes !== undefined || plan.fetches !== undefined;
    if (!planned.plans.some(refers)) return planned;
    const plans: StatementPlan[] = [];
    const earlier = new EarlierNames(this.#state.path.moved || this.#state.uncommittedDdl);
    for (const plan of planned.plans) {
      plans.push(refers(plan) ? await this.#completed(plan, earlier) : plan);
      earlier.note(plan);
    }
    return this.#planner.combine(planned, plans);
  }

  #tooMany(plans: readonly StatementPlan[], weight: number): PostgresRefusal | undefined {
    const { statements, portals } = this.#state;
    const prepares = plans.filter((plan) => plan.prepares !== undefined).length;
    const declares = plans.filter((plan) => plan.declares !== undefined).length;
    if (prepares > 0 && !statements.hasRoom(prepares, prepares * weight))
      return tooManyNames('prepared statements');
    if (declares > 0 && !portals.hasRoom(declares, declares * weight)) return tooManyNames('cursors');
    return undefined;
  }

  async #completed(plan: StatementPlan, earlier: EarlierNames): Promise<StatementPlan> {
    const isFetch = plan.fetches !== undefined;
    const name = plan.fetches ?? plan.executes ?? '';
    const names = isFetch ? earlier.portals : earlier.statements;
    const found = names.get(name) ?? names.get(ALL);
    if (!isFetch && earlier.steered) return { ...plan, refusal: uncertainExecute() };
    const inner = found === undefined ? await (isFetch ? this.#cursor(name) : this.#prepared(name)) : found;
    if (inner !== undefined && inner !== GONE) return borrow(plan, inner, isFetch);
    const refusal = isFetch
      ? unknownName('unknown-portal', 'cursor', name)
      : unknownName('unknown-statement', 'prepared statement', name);
    return { ...plan, refusal };
  }

  async #cursor(name: string): Promise<StatementPlan | undefined> {
    const found = await this.portal(name);
    if (found.state !== 'known') return undefined;
    const { plan, planned, policyVersion } = found.value;
    const isSame = policyVersion === this.#state.guard.policyVersion();
    if (isSame && this.#planner.holds(planned)) return plan;
    // Made under another policy, or of functions as they were: what may be shown of it is asked anew.
    const again = await this.#planner.planOne(found.value);
    if (again === undefined || sameNames(plan.resolved, again.resolved)) return again;
    return { ...again, refusal: staleNames(name) };
  }

  async #prepared(name: string): Promise<StatementPlan | undefined> {
    const found = await this.statement(name);
    if (found.state !== 'known') return undefined;
    return this.#planner.planOne(found.value, found.value.analysed);
  }

  /** Names that the statement itself gives or takes; they count once the server has completed it. */
  stage(plan: StatementPlan, planned: Planned, text: string, index: number): Staged | undefined {
    const { statements, portals, batch } = this.#state;
    if (plan.prepares !== undefined) {
      const analysed = new AnalysedNames();
      if (this.#state.path.last !== undefined) analysed.note(this.#state.path.last, plan.resolved);
      const prepared = { text, index, types: [], inner: true, analysed };
      return stagedName(statements, statements.stage(plan.prepares, prepared, batch));
    }
    if (plan.declares !== undefined) {
      const policyVersion = this.#state.guard.policyVersion();
      const portal = cursor(plan, planned, { text, index, types: [], policyVersion });
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
      portals.forget(() => true);
    };
    return { commit, discard: () => undefined };
  }
}

const GONE = 'gone';

/** What the statements of one string have done to names before the statement that is looked at. */
class EarlierNames {
  readonly statements = new Map<string, StatementPlan | typeof GONE>();
  readonly portals = new Map<string, StatementPlan | typeof GONE>();
  /** Names may stand for something else than when the string was planned. */
  steered = false;
  #moved: boolean;

  /** @param moved The path was set, or the schema changed, in a transaction block that is still open. */
  constructor(moved: boolean) {
    this.#moved = moved;
  }

  note(plan: StatementPlan): void {
    const moves = plan.names.steers || plan.ddl;
    this.#moved ||= moves;
    this.steered ||= moves || (this.#moved && plan.transaction !== undefined);
    if (plan.prepares !== undefined) this.statements.set(plan.prepares, plan);
    if (plan.declares !== undefined) this.portals.set(plan.declares, plan);
    if (plan.deallocates !== undefined) takeAway(this.statements, plan.deallocates);
    if (plan.closes !== undefined) takeAway(this.portals, plan.closes);
  }
}

function takeAway(names: Map<string, StatementPlan | typeof GONE>, name: string): void {
  if (name === ALL) names.clear();
  names.set(name, GONE);
}

function cursor(
  plan: StatementPlan,
  planned: Planned,
  origin: Pick<Portal, 'text' | 'index' | 'types' | 'policyVersion'>,
): Portal {
  return {
    ...origin,
    inner: false,
    plan,
    planned,
    operation: undefined,
    rows: undefined,
    describing: false,
    declared: true,
    holdable: plan.holdable === true,
  };
}

/** EXECUTE does what its statement does, FETCH shows what its cursor shows. */
function borrow(plan: StatementPlan, inner: StatementPlan, isFetch: boolean): StatementPlan {
  // What a cursor asks was asked when it was opened.
  const lookups = isFetch ? undefined : inner.lookups;
  const refusal = inner.refusal ?? (lookups === undefined || plan.tag === 'EXECUTE' ? undefined : asksMore());
  // FETCH and EXPLAIN ANALYZE do not tell how many rows were changed.
  const counts = plan.tag === 'EXECUTE' || plan.changesNothing;
  const told = plan.explainsMasked === undefined ? [] : (inner.explaining ?? []);
  return {
    ...plan,
    pairs: [...plan.pairs, ...told, ...(counts ? inner.pairs : inner.pairs.map(uncounted))],
    context: mergeContexts(inner.context, plan.context),
    touchesMasked: plan.touchesMasked || inner.touchesMasked,
    ...(plan.explainsMasked === undefined ? {} : { explainsMasked: inner.touchesMasked }),
    safeColumns: inner.safeColumns,
    ...(inner.outputColumns === undefined ? {} : { outputColumns: inner.outputColumns }),
    relations: [...plan.relations, ...inner.relations],
    reshapesMasked: plan.reshapesMasked || inner.reshapesMasked,
    ddl: plan.ddl || inner.ddl,
    names: inner.names,
    resolved: [...plan.resolved, ...inner.resolved],
    ...(refusal === undefined ? {} : { refusal }),
    ...(lookups === undefined ? {} : { lookups }),
    ...(inner.copy === undefined ? {} : { copy: inner.copy }),
    ...(inner.clears === undefined ? {} : { clears: inner.clears }),
  };
}

/** EXPLAIN tells how many rows there are, or guesses it; what is stored may be looked at in other ways. */
function asksMore(): PostgresRefusal {
  const reason = 'a statement that asks whether a masked column equals something is only executed by itself';
  return { code: 'ERR_DENIED', rule: 'masked-column-flow', reason, hint: HINTS.leaveOutOrAlone };
}

function tooManyNames(what: string): PostgresRefusal {
  const hint = HINTS.forget;
  return { code: 'ERR_LIMIT', rule: 'too-many-names', reason: `too many ${what}`, hint };
}

export function unknownName(rule: PostgresRule, what: string, name: string): PostgresRefusal {
  const hint = rule === 'unknown-portal' ? HINTS.declareFirst : HINTS.prepareFirst;
  return { code: 'ERR_DENIED', rule, reason: `${what} "${name}" does not exist`, hint };
}

/** Whether it refers to, gives or takes names that the session keeps: most statements do not. */
function namesAnything({ plans }: Planned): boolean {
  return plans.some(
    ({ executes, fetches, prepares, declares }) =>
      (executes ?? fetches ?? prepares ?? declares) !== undefined,
  );
}
