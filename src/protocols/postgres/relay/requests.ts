import { HoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import { type Frame, frameOf } from '../../../wire/postgres/frame.ts';
import { encodeFrontend } from '../../../wire/postgres/frontend.ts';
import { FunctionCall } from '../../../wire/postgres/function-call.ts';
import { Query } from '../../../wire/postgres/query.ts';
import { DURING_COPY, FRONTEND } from '../../../wire/postgres/types.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { POSTGRES_LIMITS } from '../limits.ts';
import type { FunctionCalls } from '../reading/function-calls.ts';
import type { MaskedQueries } from '../reading/masked-queries.ts';
import { parameterTexts } from '../reading/parameters.ts';
import type { Planned, StatementPlanner } from '../reading/planner.ts';
import { SqlNames } from '../reading/sql-names.ts';
import { Statements } from '../reading/statements.ts';
import { unreadOriginal } from '../reading/unread.ts';
import { unlimitable } from './answer-limits.ts';
import { ask } from './ask.ts';
import { CountedQueries } from './counted-queries.ts';
import { ExtendedRequests } from './extended-requests.ts';
import type { Forwarder } from './forwarder.ts';
import type { Expected } from './pipeline.ts';
import { boundOf } from './row-bounds.ts';
import { REFUSED_QUERY } from './stand-in.ts';
import type { SessionState } from './state.ts';

const FLUSH = encodeFrontend({ name: 'Flush' });

type QueryEntry = Extract<Expected, { kind: 'query' }>;

/** By what requests are read. */
interface ReadingParts {
  readonly planner: StatementPlanner;
  readonly calls: FunctionCalls;
  readonly instead: MaskedQueries;
}

/**
 * The way there: takes the client's messages one by one, asks the enforcer before anything reaches the target, and
 * forwards the very bytes that were judged.
 */
export class RequestPump {
  readonly #state: SessionState;
  readonly #names: SqlNames;
  readonly #statements: Statements;
  readonly #out: Forwarder;
  readonly #extended: ExtendedRequests;
  readonly #counted: CountedQueries;

  constructor(state: SessionState, { planner, calls, instead }: ReadingParts, out: Forwarder) {
    state.answered = () => {
      // Without a Sync the server keeps what it has answered until its own buffer is full.
      if (state.pipeline.batchOpen) out.addBytes(FLUSH);
      return out.until(() => state.pipeline.depth === 0);
    };
    const names = new SqlNames(state, planner, (settled) => out.until(settled));
    const statements = new Statements({ planner, names, unread: state.unread, calls, instead });
    this.#state = state;
    this.#names = names;
    this.#statements = statements;
    this.#out = out;
    this.#counted = new CountedQueries(state, out);
    this.#extended = new ExtendedRequests({ state, statements, names, out });
  }

  /** Writes what was gathered. Called when no further message has arrived. */
  flush(): void {
    this.#extended.settle();
    this.#out.flush();
  }

  /**
   * Handles one message; the next may come only when the promise has resolved, if there is one.
   *
   * @throws {HoopError} `ERR_PROTOCOL` the client broke the protocol; `ERR_REVOKED`, `ERR_LOGIN_EXPIRED`. End the
   *   session.
   */
  handle(frame: Frame): Later<void> {
    const { pipeline, turn, copyIn } = this.#state;
    const { copying } = this.#counted;
    this.#state.reads();
    if (copying !== undefined && !copyIn) return copying.then(() => this.handle(frame));
    turn.asked();
    if (pipeline.depth <= POSTGRES_LIMITS.pipelineDepth) return this.#dispatch(frame);
    // Without a Sync the server keeps what it has answered until its own buffer is full.
    if (!this.#state.copyIn) this.#out.addBytes(FLUSH);
    return after(
      this.#out.until(() => pipeline.depth < POSTGRES_LIMITS.pipelineDepth / 2),
      () => this.#dispatch(frame),
    );
  }

  /** A Parse that is held back goes before whatever is not its Bind. */
  #dispatch(frame: Frame): Later<void> {
    const held = this.#extended.holds && frame.type !== FRONTEND.Bind && frame.type !== FRONTEND.Terminate;
    return held ? after(this.#extended.release(), () => this.#take(frame)) : this.#take(frame);
  }

  #take(frame: Frame): Later<void> {
    const state = this.#state;
    if (state.ended) return;
    if (state.pipeline.skipping && frame.type !== FRONTEND.Sync && frame.type !== FRONTEND.Terminate) return;
    if (state.copyIn && !DURING_COPY.has(frame.type))
      throw new HoopError('ERR_PROTOCOL', 'this message has no place in a COPY');
    switch (frame.type) {
      case FRONTEND.Query:
        return this.#query(frame);
      case FRONTEND.Parse:
        return this.#extended.parse(frame);
      case FRONTEND.Bind:
        return this.#extended.bind(frame);
      case FRONTEND.Describe:
        return this.#extended.describe(frame);
      case FRONTEND.Execute:
        return this.#extended.execute(frame);
      case FRONTEND.Close:
        return this.#extended.close(frame);
      case FRONTEND.FunctionCall:
        return this.#functionCall(frame);
      default:
        return this.#plain(frame);
    }
  }

  /** Messages that ask nothing of policy. */
  #plain(frame: Frame): Later<void> {
    const state = this.#state;
    switch (frame.type) {
      case FRONTEND.Sync:
        // While it takes COPY data the server ignores Sync and Flush.
        return state.copyIn ? undefined : this.#sync(frame);
      case FRONTEND.Flush:
        if (!state.copyIn) this.#out.add(frame);
        return;
      case FRONTEND.CopyData:
      case FRONTEND.CopyDone:
      case FRONTEND.CopyFail:
        // Outside of a COPY the server drops these, and so do we: the client may not know yet that it failed.
        if (!state.copyIn) return;
        this.#out.add(frame);
        return frame.type === FRONTEND.CopyData ? undefined : this.#copied();
      case FRONTEND.Terminate:
        state.leaving = true;
        return;
      default:
        throw new HoopError('ERR_PROTOCOL', 'this message has no place after the login');
    }
  }

  /** It keeps what the batch has done, where no transaction is open. */
  #sync(frame: Frame): Later<void> {
    const { schemaTurn, staysInBlock, pipeline } = this.#state;
    const keeps = schemaTurn.keepsChanges && !staysInBlock && !pipeline.skipping;
    return after(keeps ? schemaTurn.takeEffect() : true, (isFree) => {
      const refused = isFree || pipeline.skipping ? undefined : this.#extended.refuseBatch();
      return after(refused, () => this.#synced(frame));
    });
  }

  #synced(frame: Frame): Later<void> {
    const state = this.#state;
    if (state.ended) return;
    state.pipeline.skipping = false;
    state.batch++;
    state.pipeline.push({ kind: 'sync' });
    state.path.synced(state.status === 'T');
    this.#out.add(frame);
    state.schemaTurn.went();
    return state.uncommittedDdl ? this.#out.answerBarrier() : undefined;
  }

  #copied(): Later<void> {
    this.#state.copyIn = false;
    return this.#counted.copying === undefined ? this.#extended.copied() : this.#counted.copied();
  }

  #query(frame: Frame): Later<void> {
    const sql = () => Query.decode(frame.body).sql;
    return after(this.#statements.readOrMasked(sql), ({ text, planned }) => {
      const original = text === undefined ? unreadOriginal(planned, frame) : { statement: text };
      const { writtenAnew } = planned;
      const sent = writtenAnew === undefined ? frame : frameOf(Query.encode({ sql: writtenAnew.text }));
      const again = () =>
        writtenAnew === undefined
          ? after(this.#statements.read(sql), (read) => read.planned)
          : after(
              this.#statements.read(() => writtenAnew.text),
              (read) => ({ ...read.planned, writtenAnew }),
            );
      return ask(
        this.#state,
        planned,
        { original, again },
        {
          send: (operation, latest) => this.#runQuery(sent, latest, text ?? '', operation),
          refuse: (denial) => this.#refuseQuery(denial),
        },
      );
    });
  }

  #runQuery(frame: Frame, planned: Planned, text: string, operation: OpenOperation): Later<void> {
    operation.bound = boundOf(operation, planned);
    const denial = unlimitable(operation, planned);
    if (denial !== undefined) return this.#refuseAllowed(denial, operation);
    const told = this.#state.masks.active ? text : '';
    const staged = planned.plans.map((plan, index) => this.#names.stage(plan, planned, text, index));
    if (operation.bound !== undefined || operation.limits !== undefined)
      return this.#runCounted(queryEntry({ planned, operation, staged, text: told }), planned, text);
    this.#pushQuery({ planned, operation, staged, text: told });
    for (const plan of planned.plans) this.#state.path.sent(plan);
    // The server goes on after a query that failed: whoever uses its names must know whether it did.
    if (staged.some((one) => one !== undefined)) this.#state.batch++;
    this.#out.add(frame);
    if (
      this.#state.decidesWhatFollows(planned) ||
      planned.plans.some((plan) => plan.copy?.direction === 'in')
    )
      return this.#out.answerBarrier();
  }

  #runCounted(entry: QueryEntry, planned: Planned, text: string): Later<void> {
    for (const plan of planned.plans) this.#state.path.sent(plan);
    return this.#counted.run(entry, text);
  }

  /** Policy allows it within limits that cannot be kept. */
  #refuseAllowed(denial: Denial, operation: OpenOperation): void {
    operation.close('failure', '42501', 'refused: not limited');
    this.#refuseQuery(denial);
  }

  #refuseQuery(denial: Denial): void {
    this.#pushQuery({ denial });
    this.#out.addBytes(REFUSED_QUERY);
  }

  #pushQuery(entry: Partial<Omit<QueryEntry, 'kind'>>): void {
    this.#state.pipeline.push(queryEntry(entry));
  }

  #functionCall(frame: Frame): Later<void> {
    const call = FunctionCall.decode(frame.body);
    return after(this.#statements.call(call.oid), (planned) => {
      const original = { statement: planned.text, parameters: parameterTexts(call) };
      const again = () => this.#statements.call(call.oid);
      return ask(
        this.#state,
        planned,
        { original, message: call, again },
        {
          send: (operation, latest) => this.#call(frame, latest, operation),
          refuse: (denial) => this.#refuseQuery(denial),
        },
      );
    });
  }

  #call(frame: Frame, planned: Planned, operation: OpenOperation): void {
    const denial = unlimitable(operation, { ...planned, plans: [] });
    if (denial !== undefined) return this.#refuseAllowed(denial, operation);
    this.#pushQuery({ planned, call: true, operation });
    for (const plan of planned.plans) this.#state.path.sent(plan);
    this.#out.add(frame);
  }
}

function queryEntry(entry: Partial<Omit<QueryEntry, 'kind'>>): QueryEntry {
  return {
    kind: 'query',
    planned: undefined,
    call: false,
    operation: undefined,
    denial: undefined,
    text: '',
    staged: [],
    completed: 0,
    rows: undefined,
    failed: false,
    ...entry,
  };
}
