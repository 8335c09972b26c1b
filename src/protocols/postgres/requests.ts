import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Denial, Verdict } from '../../enforcement/operation.ts';
import { Bind, Close, Describe, Execute, Parse } from './codec/extended.ts';
import { type Frame, Pieces } from './codec/frame.ts';
import { encodeFrontend } from './codec/frontend.ts';
import { FunctionCall } from './codec/function-call.ts';
import { Query } from './codec/query.ts';
import { DURING_COPY, FRONTEND } from './codec/types.ts';
import { denialFor } from './denial.ts';
import type { FunctionCalls } from './function-calls.ts';
import { Judge } from './judge.ts';
import { parameterTexts } from './parameters.ts';
import { type Expected, type Portal, stagedName } from './pipeline.ts';
import { type Planned, refused, type StatementPlanner } from './planner.ts';
import { ALL_SHOWN } from './rows.ts';
import { namesAnything, SqlNames, unknownName } from './sql-names.ts';
import { REFUSED_PARSE, REFUSED_QUERY } from './stand-in.ts';
import type { SessionState } from './state.ts';
import { changesReading, unreadOriginal } from './unread.ts';

const FLUSH = encodeFrontend({ name: 'Flush' });

type QueryEntry = Extract<Expected, { kind: 'query' }>;

const NO_STATEMENT = { text: '', index: 0 };

/**
 * The way there: takes the client's messages one by one, asks the enforcer before anything reaches the target, and
 * forwards the very bytes that were judged.
 */
export class RequestPump {
  readonly #state: SessionState;
  readonly #planner: StatementPlanner;
  readonly #names: SqlNames;
  readonly #judge: Judge;
  readonly #calls: FunctionCalls;
  readonly #out = new Pieces();
  readonly #send: (slices: Buffer[]) => void;

  /** @param send Writes to the target, at once and in order. */
  constructor(
    state: SessionState,
    planner: StatementPlanner,
    calls: FunctionCalls,
    send: (slices: Buffer[]) => void,
  ) {
    this.#state = state;
    this.#planner = planner;
    this.#calls = calls;
    this.#judge = new Judge(state, planner);
    this.#names = new SqlNames(state, planner, (settled) => this.#until(settled));
    this.#send = send;
  }

  /** Writes what was gathered. Called when no further message has arrived, and before any wait for the target. */
  flush(): void {
    const slices = this.#out.take();
    if (slices.length > 0) this.#send(slices);
  }

  /**
   * Handles one message; the next may come only when the promise has resolved, if there is one.
   *
   * @throws {HoopError} `ERR_PG_PROTOCOL` the client broke the protocol; `ERR_REVOKED`, `ERR_LOGIN_EXPIRED`. End the
   *   session.
   */
  handle(frame: Frame): MaybeLater {
    const { pipeline } = this.#state;
    if (pipeline.depth <= LIMITS.pgPipelineDepth) return this.#dispatch(frame);
    return this.#until(() => pipeline.depth < LIMITS.pgPipelineDepth / 2).then(() => this.#dispatch(frame));
  }

  #dispatch(frame: Frame): MaybeLater {
    const state = this.#state;
    if (state.pipeline.skipping && frame.type !== FRONTEND.Sync && frame.type !== FRONTEND.Terminate) return;
    if (state.copyIn && !DURING_COPY.has(frame.type))
      throw new HoopError('ERR_PG_PROTOCOL', 'this message has no place in a COPY');
    switch (frame.type) {
      case FRONTEND.Query:
        return this.#query(frame);
      case FRONTEND.Parse:
        return this.#parse(frame);
      case FRONTEND.Bind:
        return this.#bind(frame);
      case FRONTEND.Describe:
        return this.#describe(frame);
      case FRONTEND.Execute:
        return this.#execute(frame);
      case FRONTEND.Close:
        return this.#close(frame);
      case FRONTEND.FunctionCall:
        return this.#functionCall(frame);
      default:
        return this.#plain(frame);
    }
  }

  /** Messages that ask nothing of policy. */
  #plain(frame: Frame): void {
    const state = this.#state;
    switch (frame.type) {
      case FRONTEND.Sync:
        // While it takes COPY data the server ignores Sync and Flush.
        if (state.copyIn) return;
        state.pipeline.skipping = false;
        state.batch++;
        state.pipeline.push({ kind: 'sync' });
        return this.#out.add(frame);
      case FRONTEND.Flush:
        if (!state.copyIn) this.#out.add(frame);
        return;
      case FRONTEND.CopyData:
      case FRONTEND.CopyDone:
      case FRONTEND.CopyFail:
        // Outside of a COPY the server drops these, and so do we: the client may not know yet that it failed.
        if (!state.copyIn) return;
        if (frame.type !== FRONTEND.CopyData) state.copyIn = false;
        return this.#out.add(frame);
      case FRONTEND.Terminate:
        state.leaving = true;
        return;
      default:
        throw new HoopError('ERR_PG_PROTOCOL', 'this message has no place after the login');
    }
  }

  async #query(frame: Frame): Promise<void> {
    const { planned, statement } = await this.#judge.read(() => Query.decode(frame.body).sql);
    const complete = namesAnything(planned) ? await this.#names.complete(planned, statement ?? '') : planned;
    const effective = this.#state.unread.judge(complete);
    const verdict = await this.#judge.decide(effective, {
      ...(statement === undefined ? unreadOriginal(effective, frame) : { statement }),
    });
    if (this.#skipped(verdict)) return;
    if (verdict.effect === 'deny') return this.#refuseQuery(verdict.denial);
    const staged = effective.plans.map((plan, index) =>
      this.#names.stage(plan, effective, statement ?? '', index),
    );
    this.#pushQuery({
      planned: effective,
      operation: this.#state.operations.opened(verdict.operation),
      staged,
    });
    // The server goes on after a query that failed: whoever uses its names must know whether it did.
    if (staged.some((one) => one !== undefined)) this.#state.batch++;
    this.#out.add(frame);
    if (changesReading(effective) || effective.plans.some((plan) => plan.copy?.direction === 'in'))
      await this.#answerBarrier();
  }

  #refuseQuery(denial: Denial): void {
    this.#pushQuery({ denial });
    this.#addBytes(REFUSED_QUERY);
  }

  #pushQuery(entry: Partial<Omit<QueryEntry, 'kind'>>): void {
    this.#state.pipeline.push({
      kind: 'query',
      planned: undefined,
      call: false,
      operation: undefined,
      denial: undefined,
      staged: [],
      completed: 0,
      rows: undefined,
      failed: false,
      ...entry,
    });
  }

  async #functionCall(frame: Frame): Promise<void> {
    const call = FunctionCall.decode(frame.body);
    const planned = await this.#calls.plan(call.oid);
    const verdict = await this.#judge.decide(planned, {
      statement: planned.text,
      parameters: parameterTexts(call),
    });
    if (this.#skipped(verdict)) return;
    if (verdict.effect === 'deny') return this.#refuseQuery(verdict.denial);
    this.#pushQuery({ planned, call: true, operation: this.#state.operations.opened(verdict.operation) });
    this.#out.add(frame);
  }

  /** Parse runs nothing: it is refused early where policy already says no, and judged for good at Bind. */
  async #parse(frame: Frame): Promise<void> {
    const { planned: read, message } = await this.#planParse(frame);
    const planned = this.#state.unread.judge(await this.#names.complete(read, message?.sql ?? ''));
    const state = this.#state;
    if (planned.refusal !== undefined || !this.#judge.allows(planned)) {
      const verdict = await this.#judge.decide(planned, {
        ...(message === undefined ? {} : { statement: message.sql }),
      });
      if (this.#skipped(verdict)) return;
      if (verdict.effect === 'deny') return this.#refuseExtended(verdict.denial);
      // Policy was replaced in between. Nothing has run yet: Bind is judged for itself.
      state.operations.opened(verdict.operation).close('unknown');
    }
    if (state.pipeline.skipping || state.ended) return;
    if (message === undefined) throw new HoopError('ERR_PG_PROTOCOL', 'malformed Parse message');
    if (!state.statements.hasRoom(1, message.sql.length))
      return this.#refuseExtended(denialFor(new HoopError('ERR_LIMIT', 'too many prepared statements')));
    const name = state.statements.stage(message.statement, { text: message.sql, index: 0 }, state.batch);
    state.pipeline.push({ kind: 'parse', staged: stagedName(state.statements, name) });
    this.#out.add(frame);
  }

  async #planParse(frame: Frame) {
    let message: Parse | undefined;
    const { planned } = await this.#judge.read(() => {
      message = Parse.decode(frame.body);
      return message.sql;
    });
    return { planned, message: message as Parse | undefined };
  }

  async #bind(frame: Frame): Promise<void> {
    const state = this.#state;
    const message = Bind.decode(frame.body);
    const found = await this.#names.statement(message.statement);
    const { text, index } = found.state === 'known' ? found.value : NO_STATEMENT;
    const planned =
      found.state === 'known'
        ? await this.#plannedAgain(text, index)
        : this.#unknown('unknown-statement', 'prepared statement', message.statement);
    const plan = planned.plans[0];
    const verdict = await this.#judge.decide(planned, {
      statement: text,
      parameters: parameterTexts(message),
    });
    if (this.#skipped(verdict)) return;
    if (verdict.effect === 'deny') return this.#refuseExtended(verdict.denial);
    const operation = state.operations.opened(verdict.operation);
    if (plan === undefined || !state.portals.hasRoom(1, text.length)) {
      operation.close('failure');
      return this.#refuseExtended(denialFor(new HoopError('ERR_LIMIT', 'too many portals')));
    }
    const portal: Portal = {
      plan,
      planned,
      policyVersion: verdict.policyVersion,
      text,
      index,
      operation,
      rows: undefined,
      describing: false,
      holdable: false,
    };
    const name = state.portals.stage(message.portal, portal, state.batch);
    state.pipeline.push({ kind: 'bind', staged: stagedName(state.portals, name), portal });
    this.#out.add(frame);
  }

  async #plannedAgain(text: string, index: number): Promise<Planned> {
    const all = this.#planner.planned(text) ?? (await this.#planner.plan(text));
    const planned = this.#planner.only(all, index);
    const complete = namesAnything(planned) ? await this.#names.complete(planned, text) : planned;
    return this.#state.unread.judge(complete);
  }

  async #describe(frame: Frame): Promise<void> {
    const state = this.#state;
    const { kind, target: name } = Describe.decode(frame.body);
    const found = kind === 'P' ? await this.#names.portal(name) : undefined;
    if (state.pipeline.skipping) return;
    if (found?.state === 'known') {
      found.value.describing = true;
      state.pipeline.push({ kind: 'describe-portal', portal: found.value, visible: true });
    } else state.pipeline.push({ kind: 'describe-statement' });
    this.#out.add(frame);
  }

  async #execute(frame: Frame): Promise<void> {
    const state = this.#state;
    const { portal: name } = Execute.decode(frame.body);
    const found = await this.#names.portal(name);
    if (found.state !== 'known') return this.#refuseUnknown('unknown-portal', 'portal', name);
    const portal = found.value;
    const judged = portal.policyVersion === state.context.enforcer.policyVersion();
    if (!(judged && portal.operation?.open === true) && !(await this.#reopen(portal, judged))) return;
    const operation = portal.operation;
    if (operation === undefined || state.pipeline.skipping || state.ended) return;
    if (portal.rows === undefined && !portal.describing) {
      if (state.masks.active) this.#describeQuietly(portal, name);
      // What becomes masked from here on concerns what is asked from here on.
      else portal.rows = ALL_SHOWN;
    }
    const staged = this.#names.stage(portal.plan, portal.planned, portal.text, portal.index);
    state.pipeline.push({ kind: 'execute', portal, operation, staged });
    this.#out.add(frame);
    if (changesReading(portal.planned)) {
      this.#addBytes(FLUSH);
      await this.#answerBarrier();
    } else if (portal.plan.copy?.direction === 'in') await this.#answerBarrier();
  }

  #describeQuietly(portal: Portal, name: string): void {
    portal.describing = true;
    this.#state.pipeline.push({ kind: 'describe-portal', portal, visible: false });
    this.#addBytes(Describe.encode({ kind: 'P', target: name }));
  }

  /**
   * Executing a portal again, or a cursor that DECLARE made, is an operation of its own. So is executing one that was
   * bound under another policy: what it does, and what of its rows is masked, is asked anew.
   */
  async #reopen(portal: Portal, judged: boolean): Promise<boolean> {
    const planned = judged ? portal.planned : await this.#replanned(portal);
    const verdict = await this.#judge.decide(planned, { statement: portal.text });
    if (this.#skipped(verdict)) return false;
    if (verdict.effect === 'deny') {
      this.#refuseExtended(verdict.denial);
      return false;
    }
    if (!judged) this.#judgedAgain(portal, planned, verdict.policyVersion);
    portal.operation = this.#state.operations.opened(verdict.operation);
    return true;
  }

  /** Waits for what still runs under the old plan: its rows are masked by that. */
  async #replanned({ text, index }: Portal): Promise<Planned> {
    this.#addBytes(FLUSH);
    await this.#until(() => this.#state.pipeline.depth === 0);
    return this.#plannedAgain(text, index);
  }

  #judgedAgain(portal: Portal, planned: Planned, policyVersion: string): void {
    portal.operation?.close(portal.operation.answered ? 'success' : 'unknown');
    portal.planned = planned;
    portal.plan = planned.plans[0] ?? portal.plan;
    portal.policyVersion = policyVersion;
    portal.rows = undefined;
    portal.describing = false;
  }

  #close(frame: Frame): void {
    const state = this.#state;
    const { kind, target: name } = Close.decode(frame.body);
    const staged =
      kind === 'S'
        ? stagedName(state.statements, state.statements.stage(name, undefined, state.batch))
        : stagedName(state.portals, state.portals.stage(name, undefined, state.batch));
    state.pipeline.push({ kind: 'close', staged });
    this.#out.add(frame);
  }

  async #until(settled: () => boolean): Promise<void> {
    while (!settled() && !this.#state.context.signal.aborted && !this.#state.ended) {
      this.flush();
      await this.#state.progress();
    }
  }

  /**
   * What follows COPY FROM STDIN means something else if the server refuses it, and what follows a setting may be read
   * in another way: the answer is awaited.
   */
  async #answerBarrier(): Promise<void> {
    const { pipeline } = this.#state;
    const entry = pipeline.last;
    await this.#until(() => this.#state.copyIn || pipeline.answered(entry));
  }

  /**
   * While the decision was made the server failed the batch, and would skip this message, or the session ended: nobody
   * sends it.
   */
  #skipped(verdict: Verdict): boolean {
    if (!this.#state.pipeline.skipping && !this.#state.ended) return false;
    if (verdict.effect === 'allow') this.#state.operations.opened(verdict.operation).close('unknown');
    return true;
  }

  #unknown(rule: string, what: string, name: string): Planned {
    const refusal = unknownName(rule, what, name);
    return this.#state.unread.judge(refused(refusal.reason, refusal));
  }

  async #refuseUnknown(rule: string, what: string, name: string): Promise<void> {
    const refusal = unknownName(rule, what, name);
    const verdict = await this.#judge.decide(refused(refusal.reason, refusal), {});
    if (!this.#skipped(verdict) && verdict.effect === 'deny') this.#refuseExtended(verdict.denial);
  }

  #refuseExtended(denial: Denial): void {
    this.#state.pipeline.push({ kind: 'denied', denial });
    // The server will skip what follows up to Sync: none of it is judged as if it were to run.
    this.#state.pipeline.skipping = true;
    this.#addBytes(REFUSED_PARSE);
  }

  #addBytes(bytes: Buffer): void {
    this.#out.add({ chunk: bytes, start: 0, end: bytes.length });
  }
}

/** Most messages need no wait. */
type MaybeLater = void | Promise<void>;
