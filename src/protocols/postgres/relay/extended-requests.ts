import { HoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import { errorDenial } from '../../../enforcement/denial.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import { Bind, Close, Describe, Execute } from '../../../wire/postgres/extended.ts';
import type { Frame } from '../../../wire/postgres/frame.ts';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { AnalysedNames, sameNames, staleNames } from '../reading/analysed-names.ts';
import { parameterTexts } from '../reading/parameters.ts';
import { type Planned, refused } from '../reading/planner.ts';
import type { Portal } from '../reading/portal.ts';
import { type Prepared, stagedName, weightOf } from '../reading/prepared.ts';
import { type SqlNames, unknownName } from '../reading/sql-names.ts';
import type { Bindable, Statements } from '../reading/statements.ts';
import { ALL_SHOWN } from '../shown/rows.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { ask, NOT_NOW, refuseTurn } from './ask.ts';
import type { Forwarder } from './forwarder.ts';
import { HeldParse } from './held-parse.ts';
import type { RequestParts } from './request-parts.ts';
import { boundOf } from './row-bounds.ts';
import { REFUSED_PARSE, REFUSED_UNNAMED_PARSE } from './stand-in.ts';
import { ENDS_TRANSACTION, type SessionState } from './state.ts';

const FLUSH = encodeFrontend({ name: 'Flush' });
const UNNAMED = '';
/** What is on record of a Sync that keeps nothing. */
const END_OF_BATCH: Planned = { plans: [], pairs: [], context: {}, text: '‹end of a batch›' };

/**
 * The extended query protocol: statements are named by Parse, judged before they reach the target and again at each
 * Bind, and run by Execute.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export class ExtendedRequests {
  readonly #state: SessionState;
  readonly #statements: Statements;
  readonly #names: SqlNames;
  readonly #out: Forwarder;
  readonly #held: HeldParse;
  /** Takes its data, whose rows are counted when it ends. */
  #copying: OpenOperation | undefined;

  constructor(parts: RequestParts) {
    this.#state = parts.state;
    this.#statements = parts.statements;
    this.#names = parts.names;
    this.#out = parts.out;
    this.#held = new HeldParse(parts, (denial, name) => this.#refuseExtended(denial, name === UNNAMED));
  }

  /** Whether a Parse waits for its event: `release` comes before whatever is not its Bind. */
  get holds(): boolean {
    return this.#held.any;
  }

  /** Lets a held Parse go, under an event of its own, or refuses it. */
  release(): Later<void> {
    return this.#held.release();
  }

  /** No further message has arrived. */
  settle(): void {
    this.#held.settle();
  }

  parse(frame: Frame): Later<void> {
    return this.#held.take(frame);
  }

  bind(frame: Frame): Later<void> {
    const message = Bind.decode(frame.body);
    if (!this.#held.any || this.#held.isOf(message.statement)) return this.#bind(frame, message);
    return after(this.#held.release(), () =>
      this.#state.pipeline.skipping ? undefined : this.#bind(frame, message),
    );
  }

  #bind(frame: Frame, message: Bind): Later<void> {
    const readAs = (prepared: Prepared) => this.#held.readAs(prepared);
    return after(this.#statements.named(message.statement, readAs), (bound) => {
      const original = { statement: bound.prepared.text, parameters: parameterTexts(message) };
      const again = () => after(this.#statements.named(message.statement, readAs), (one) => one.planned);
      const { types } = bound.prepared;
      return ask(
        this.#state,
        bound.planned,
        { original, message, types, again },
        {
          send: (operation, planned) =>
            this.#openPortal(frame, message.portal, { ...bound, planned }, operation),
          refuse: (denial) => this.#refuseBoth(denial),
          skip: () => this.#held.drop(),
        },
      );
    });
  }

  #openPortal(frame: Frame, name: string, { prepared, planned }: Bindable, operation: OpenOperation): void {
    const state = this.#state;
    operation.bound = boundOf(operation, planned, prepared.inner);
    const plan = planned.plans[0];
    if (plan === undefined || !state.portals.hasRoom(1, weightOf(prepared))) {
      operation.close('failure');
      return this.#refuseBoth(errorDenial(new HoopError('ERR_LIMIT', 'too many portals')));
    }
    const portal: Portal = {
      plan,
      planned,
      policyVersion: operation.policyVersion,
      text: prepared.text,
      index: prepared.index,
      types: prepared.types,
      inner: prepared.inner,
      operation,
      rows: undefined,
      describing: false,
      declared: false,
      holdable: false,
    };
    this.#held.forward(operation);
    state.path.analysed([plan]);
    const staged = stagedName(state.portals, state.portals.stage(name, portal, state.batch));
    state.pipeline.push({ kind: 'bind', staged, portal });
    this.#out.add(frame);
  }

  /** A Bind, and the Parse that was held for it. */
  #refuseBoth(denial: Denial): void {
    const unnamed = this.#held.isOf(UNNAMED);
    this.#held.drop();
    this.#refuseExtended(denial, unnamed);
  }

  describe(frame: Frame): Later<void> {
    const { kind, target: name } = Describe.decode(frame.body);
    if (kind === 'S') return this.#describeStatement(frame, name);
    return after(this.#names.portal(name), (found) =>
      this.#described(frame, found.state === 'known' ? found.value : undefined),
    );
  }

  /** The server analyses a statement anew where the schema has changed since: what that runs must still be permitted. */
  #describeStatement(frame: Frame, name: string): Later<void> {
    return after(this.#names.statement(name), (found) =>
      found.state === 'known' ? this.#describeKnown(frame, found.value) : this.#described(frame, undefined),
    );
  }

  #describeKnown(frame: Frame, prepared: Prepared): Later<void> {
    return after(this.#statements.again(prepared), (planned) => {
      if (planned.refusal === undefined && this.#state.guard.allows(planned.pairs, planned.context))
        return this.#described(frame, undefined);
      const original = { statement: prepared.text };
      return ask(
        this.#state,
        planned,
        { original, prepares: true },
        {
          send: (operation) => {
            // Policy was replaced in between, or running it needs an approval.
            operation.close('unknown');
            this.#described(frame, undefined);
          },
          refuse: (denial) => this.#refuseExtended(denial),
        },
      );
    });
  }

  #described(frame: Frame, portal: Portal | undefined): void {
    const { pipeline } = this.#state;
    if (pipeline.skipping) return;
    if (portal === undefined) pipeline.push({ kind: 'describe-statement' });
    else {
      portal.describing = true;
      pipeline.push({ kind: 'describe-portal', portal, visible: true });
    }
    this.#out.add(frame);
  }

  execute(frame: Frame): Later<void> {
    const { portal: name } = Execute.decode(frame.body);
    return after(this.#names.portal(name), (found) => {
      if (found.state !== 'known') return this.#refuseUnknown(name);
      const portal = found.value;
      const isSame = portal.policyVersion === this.#state.guard.policyVersion();
      const judged = isSame && this.#statements.holds(portal.planned);
      const open = judged && portal.operation?.open === true;
      return after(this.#ends(portal), (isFree) => {
        if (!isFree) return this.#refuseEnd(portal);
        return open ? this.#run(frame, name, portal) : this.#runAgain(frame, name, portal, judged);
      });
    });
  }

  /** The end of a transaction keeps what it has changed. @returns Whether it may do so now. */
  #ends({ plan: { transaction } }: Portal): Later<boolean> {
    const { schemaTurn, batch } = this.#state;
    if (!ENDS_TRANSACTION.has(transaction)) return true;
    this.#state.endsIn = batch;
    if (transaction === 'rollback') schemaTurn.undoes();
    return schemaTurn.keepsChanges ? schemaTurn.takeEffect() : true;
  }

  #refuseEnd({ operation, planned, text }: Portal): Later<void> {
    operation?.close('failure', ...NOT_NOW);
    return refuseTurn(this.#state, planned, { statement: text }, (denial) => this.#refuseExtended(denial));
  }

  /** Fails a batch at its end, so that nothing of it is kept. */
  refuseBatch(): Later<void> {
    return refuseTurn(this.#state, END_OF_BATCH, {}, (denial) => this.#refuseExtended(denial));
  }

  #run(frame: Frame, name: string, portal: Portal): Later<void> {
    const state = this.#state;
    const { operation } = portal;
    if (operation === undefined || state.pipeline.skipping || state.ended) return;
    if (portal.rows === undefined && !portal.describing) {
      if (state.masks.active) this.#describeQuietly(portal, name);
      // What becomes masked from here on concerns what is asked from here on.
      else portal.rows = ALL_SHOWN;
    }
    const staged = portal.declared
      ? undefined
      : this.#names.stage(portal.plan, portal.planned, portal.text, portal.index);
    state.pipeline.push({ kind: 'execute', portal, operation, staged });
    state.path.sent(portal.plan);
    if (maySet(portal.plan)) state.setIn = state.batch;
    this.#out.add(frame);
    state.answers.begin(operation);
    if (operation.bound !== undefined || operation.limits !== undefined) return this.#counted(operation);
    if (state.decidesWhatFollows(portal.planned)) {
      this.#out.addBytes(FLUSH);
      return this.#out.answerBarrier();
    }
    if (portal.plan.copy?.direction === 'in') return this.#out.answerBarrier();
  }

  /** Nothing more goes to the target, least of all a Sync or COMMIT, until it is known how many rows were changed. */
  #counted(operation: OpenOperation): Later<void> {
    this.#out.addBytes(FLUSH);
    return after(this.#out.answerBarrier(), () => {
      if (this.#state.copyIn) this.#copying = operation;
      else return after(this.#state.answers.ended(), () => this.#answered(operation));
    });
  }

  /** Where it was cancelled the server has failed already, and skips what follows. */
  #answered({ refused }: OpenOperation): void {
    if (refused !== undefined && !this.#state.pipeline.skipping) this.#refuseExtended(refused);
  }

  /** The data of a COPY has ended. */
  copied(): Later<void> {
    const operation = this.#copying;
    this.#copying = undefined;
    return operation === undefined ? undefined : this.#counted(operation);
  }

  #describeQuietly(portal: Portal, name: string): void {
    portal.describing = true;
    this.#state.pipeline.push({ kind: 'describe-portal', portal, visible: false });
    this.#out.addBytes(Describe.encode({ kind: 'P', target: name }));
  }

  /**
   * Executing a portal again, or a cursor that DECLARE made, is an operation of its own. So is executing one that was
   * bound under another policy: what it does, and what of its rows is masked, is asked anew.
   */
  async #runAgain(frame: Frame, name: string, portal: Portal, judged: boolean): Promise<void> {
    const planned = judged ? portal.planned : this.#withItsNames(portal, await this.#readAgain(portal));
    const original = { statement: portal.text };
    // With which values it was bound is not known any more.
    return ask(
      this.#state,
      planned,
      { original, nobody: true },
      {
        send: (operation) => {
          if (!judged) this.#judgedAgain(portal, planned, operation.policyVersion);
          operation.bound = boundOf(operation, planned, portal.inner);
          portal.operation = operation;
          return this.#run(frame, name, portal);
        },
        refuse: (denial) => this.#refuseExtended(denial),
      },
    );
  }

  /** Waits for what still runs under the old plan: its rows are masked by that. */
  async #readAgain(portal: Portal): Promise<Planned> {
    this.#out.addBytes(FLUSH);
    await this.#out.until(() => this.#state.pipeline.depth === 0);
    const { writtenAnew } = portal.planned;
    const anew = { ...portal, analysed: new AnalysedNames() };
    return this.#statements.again(writtenAnew === undefined ? anew : { ...anew, writtenAnew });
  }

  /** A portal stays what it was bound to, wherever names are looked up now. */
  #withItsNames({ plan, text }: Portal, planned: Planned): Planned {
    const now = planned.plans[0];
    if (now === undefined || sameNames(plan.resolved, now.resolved)) return planned;
    return { ...planned, refusal: staleNames(plan.resolved[0]?.[0] ?? text) };
  }

  #judgedAgain(portal: Portal, planned: Planned, policyVersion: string): void {
    portal.operation?.drop();
    portal.planned = planned;
    portal.plan = planned.plans[0] ?? portal.plan;
    portal.policyVersion = policyVersion;
    portal.rows = undefined;
    portal.describing = false;
  }

  close(frame: Frame): void {
    const state = this.#state;
    const { kind, target: name } = Close.decode(frame.body);
    const staged =
      kind === 'S'
        ? stagedName(state.statements, state.statements.stage(name, undefined, state.batch))
        : stagedName(state.portals, state.portals.stage(name, undefined, state.batch));
    state.pipeline.push({ kind: 'close', staged });
    this.#out.add(frame);
  }

  #refuseUnknown(name: string): Later<void> {
    const refusal = unknownName('unknown-portal', 'portal', name);
    return ask(
      this.#state,
      refused(refusal.reason, refusal),
      { original: {} },
      {
        send: (operation) => operation.close('unknown'),
        refuse: (denial) => this.#refuseExtended(denial),
      },
    );
  }

  /** @param unnamed What is refused is a Parse without a name. */
  #refuseExtended(denial: Denial, unnamed = false): void {
    const { statements, batch, ended } = this.#state;
    if (ended) return;
    const dropped = unnamed ? stagedName(statements, statements.stage(UNNAMED, undefined, batch)) : undefined;
    this.#state.pipeline.push({ kind: 'denied', denial, dropped });
    // The server will skip what follows up to Sync: none of it is judged as if it were to run.
    this.#state.pipeline.skipping = true;
    this.#out.addBytes(unnamed ? REFUSED_UNNAMED_PARSE : REFUSED_PARSE);
  }
}

/** By SET, by set_config, or by a function of which nothing is known. */
function maySet({ setting, names, pairs }: StatementPlan): boolean {
  return setting !== undefined || names.steers || pairs.some(({ action }) => action === 'sql.set');
}
