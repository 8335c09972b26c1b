import type { Holder } from '../../../core/allowance.ts';
import { HoopError } from '../../../core/errors.ts';
import type { Later } from '../../../core/later.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { StreamContext } from '../../adapter.ts';
import type { ClientTurn } from '../../stream/client-turn.ts';
import type { Guard } from '../../stream/guard.ts';
import type { SchemaTurn, SchemaTurns } from '../catalog/schema-turns.ts';
import { POSTGRES_LIMITS } from '../limits.ts';
import type { OpenSchema } from '../reading/catalog-view.ts';
import { NameTable } from '../reading/names.ts';
import type { Planned } from '../reading/planner.ts';
import type { Portal } from '../reading/portal.ts';
import { type Prepared, weightOf } from '../reading/prepared.ts';
import { SessionPath } from '../reading/session-path.ts';
import { changesReading, UnreadStatements } from '../reading/unread.ts';
import type { SessionMasks } from '../shown/masks.ts';
import { changesNothing, type SchemaChanges, together } from '../sql/facts/schema-changes.ts';
import type { NameChange } from '../sql/meaning/held-names.ts';
import type { StatementPlan } from '../sql/meaning/plan.ts';
import { LimitedAnswers } from './answer-limits.ts';
import { Pipeline } from './pipeline.ts';
import { ChangedRows } from './row-bounds.ts';

/** What both directions of one session share. The server's answers are its only source of truth. */
export class SessionState {
  readonly context: StreamContext;
  readonly masks: SessionMasks;
  readonly guard: Guard;
  readonly pipeline = new Pipeline();
  readonly unread: UnreadStatements;
  readonly path: SessionPath;
  /** In this transaction. */
  readonly changedRows = new ChangedRows();
  readonly answers: LimitedAnswers;
  readonly statements = new NameTable<Prepared>(POSTGRES_LIMITS.namesPerSession, {
    weigh: weightOf,
    maxWeight: POSTGRES_LIMITS.namedTextUnits,
  });
  readonly portals = new NameTable<Portal>(POSTGRES_LIMITS.namesPerSession, {
    weigh: ({ text, types, planned }) => weightOf({ text, types, writtenAnew: planned.writtenAnew }),
    maxWeight: POSTGRES_LIMITS.namedTextUnits,
    gone: dropPortal,
  });
  /** From the last ReadyForQuery: idle, in a transaction, in a failed one. */
  status: 'I' | 'T' | 'E' = 'I';
  /** Counts Syncs sent, and queries that give or take names: what follows either does not depend on its success. */
  batch = 0;
  /** The server takes COPY data and nothing else. */
  copyIn = false;
  /** This session changed the schema in a transaction that nobody else sees yet. */
  uncommittedDdl = false;
  /** The client said goodbye: it sends nothing more, and what it asked for may still finish. */
  leaving = false;
  /** Values of settings that the client was told, each behind its name. */
  readonly settingsTold = new Set<string>();
  /** By which the server reads literals, as it has said: `READ_BY`. */
  readonly readBy = new Map<string, string>();
  /** The batch in which something ran that may have set them: the server says so only at its end. */
  setIn: number | undefined;
  /** The batch in which a transaction block was ended. */
  endsIn: number | undefined;
  /** Nothing more is to be forwarded. */
  ended = false;
  /** What the client has asked waits for people. */
  #hold: AbortController | undefined;
  #stopLooking = NOT_LOOKING;
  /** What this session makes the gateway hold, of what all sessions may. */
  readonly held: Holder;
  readonly turn: ClientTurn;
  readonly schemaTurn: SchemaTurn;
  readonly tell: (bytes: Buffer) => void;
  readonly definitions: () => Promise<string>;
  /** Takes what a statement asks of masked columns from what may be asked; `looks`: only says whether there is enough. */
  readonly lookUp: (planned: Planned, only?: 'looks') => Denial | undefined;
  readonly #onGoodbye: (said: () => void) => () => void;
  /** Writes what was gathered, and resolves when the target has answered all of it. A batch that is open stays so. */
  answered: () => Later<void> = () => undefined;
  /** How often the schema may have become another: by a change, or what undoes one. */
  #schemaMarks = 0;
  readonly #onSchemaChange: (changes: SchemaChanges, session?: object) => void;
  /** What the transaction has changed so far: nobody else sees it before its end, nor does the catalog's reader. */
  #changed: SchemaChanges | undefined;
  /** The names that came and went with it, where it is one statement by itself. */
  #names: readonly NameChange[] | undefined;
  readonly #end: (error: HoopError | undefined) => void;
  #waiting: (() => void)[] = [];

  /**
   * @param hooks.end Ends the session: an error is told to the client first, undefined means the client said goodbye.
   * @param hooks.schemaChanged The catalog's knowledge is stale; that of this session alone knows it, where it is given.
   * @param hooks.turn Told of whole messages both ways.
   */
  constructor(
    context: StreamContext,
    masks: SessionMasks,
    held: Holder,
    hooks: {
      readonly end: (error: HoopError | undefined) => void;
      readonly schemaChanged: (changes: SchemaChanges, session?: object) => void;
      readonly turn: ClientTurn;
      readonly schemaTurns: SchemaTurns;
      /** Tells the client something of ours, recorded as all that is shown. */
      readonly tell: (bytes: Buffer) => void;
      /** Cancels what runs at the target. */
      readonly cancel: () => Promise<void>;
      /** What the target has defined now, as one value. */
      readonly definitions: () => Promise<string>;
      readonly lookUp: (planned: Planned, only?: 'looks') => Denial | undefined;
      /** Tells when the client's goodbye is among what it has sent and is not handled yet, until the returned function is called. */
      readonly onGoodbye: (said: () => void) => () => void;
    },
  ) {
    this.#onSchemaChange = hooks.schemaChanged;
    this.context = context;
    this.guard = context.guard;
    this.masks = masks;
    this.held = held;
    this.unread = new UnreadStatements(context.guard, masks, context.session.resource);
    this.path = new SessionPath(context.clock);
    this.turn = hooks.turn;
    const { pipeline, path } = this;
    this.schemaTurn = hooks.schemaTurns.join({ masks, path, sent: () => pipeline.plans });
    this.tell = hooks.tell;
    this.definitions = hooks.definitions;
    this.lookUp = hooks.lookUp;
    this.answers = new LimitedAnswers(hooks.cancel);
    this.#onGoodbye = hooks.onGoodbye;
    this.#end = hooks.end;
  }

  /** A ReadyForQuery has come that is the client's. */
  ready(status: string): void {
    this.cycleEnded(status);
    if (this.resting) this.path.rested();
    if (this.pipeline.depth === 0) this.turn.ready();
  }

  /** A message cycle is over, perhaps one of our own: with no transaction open, its portals are gone. */
  cycleEnded(status: string): void {
    if (status !== 'I' && status !== 'T' && status !== 'E') throw new HoopError('ERR_PROTOCOL');
    this.status = status;
    if (status === 'I') {
      this.transactionEnded();
      this.uncommittedDdl = false;
    }
    if (this.pipeline.depth === 0) this.schemaTurn.rested(status !== 'I');
  }

  /** A message of the client's is read from here on. */
  reads(): void {
    if (this.schemaTurn.begins()) this.path.mark();
  }

  /** Whether a transaction is open for certain, and stays so when all that was sent is answered. */
  get staysInBlock(): boolean {
    return this.status === 'T' && !this.pipeline.hasCycles && this.endsIn !== this.batch;
  }

  /** Portals go with their transaction, and its schema changes are there, even where the next begins in the same string. */
  transactionEnded(): void {
    if (this.#changed !== undefined) this.#tellChange(this.#changed);
    this.#changed = undefined;
    this.#names = undefined;
    this.schemaTurn.ended();
    this.#schemaMarks++;
    this.path.committed();
    this.changedRows.reset();
    this.answers.reset();
    this.portals.forget((one) => !one.holdable);
  }

  #tellChange(changed: SchemaChanges): void {
    if (this.#names === undefined || !this.unread.permitted) return this.#onSchemaChange(changed);
    this.path.took(this.#names);
    this.#onSchemaChange(changed, this.path);
  }

  /**
   * What a statement that has completed means for the session.
   *
   * @param simple It was sent as a query, which is a transaction by itself where none is open.
   */
  took(plan: StatementPlan, planned: Planned | undefined, simple = false): void {
    if (planned?.unread === true) this.unread.wholeSession = true;
    const alone = simple && planned?.plans.length === 1 && this.status === 'I';
    if (alone && plan.changes !== undefined) this.#names = plan.names.changes;
    if (plan.ddl) this.schemaChanged(plan.changes ?? 'anything');
    if (plan.ddl || plan.transaction === 'rollback-to') this.#schemaMarks++;
    if (ENDS_TRANSACTION.has(plan.transaction)) this.transactionEnded();
  }

  /** A statement that changes the schema has completed. */
  schemaChanged(changes: SchemaChanges): void {
    if (changesNothing(changes)) return;
    this.uncommittedDdl = true;
    this.#changed = together(this.#changed, changes);
  }

  /** What of its schema this session alone sees, where that decides what it may be shown. */
  get openSchema(): OpenSchema {
    // Code that may set a path may do more.
    const marks = this.#schemaMarks + this.path.marks;
    return { isOwn: this.uncommittedDdl && this.masks.active, marks };
  }

  /**
   * Whether what comes next may mean something else once this has run: then its answer is awaited before anything is
   * judged. While a schema change is not committed, any statement may be the one that commits it.
   */
  decidesWhatFollows(planned: Planned): boolean {
    return this.uncommittedDdl || changesReading(planned);
  }

  /** Nothing is under way and no transaction is open: the client alone would wait. */
  get resting(): boolean {
    const { depth, batchOpen } = this.pipeline;
    return this.status === 'I' && depth === 0 && !batchOpen && !this.copyIn && !this.ended;
  }

  /** What the client asked waits from now on: for nobody, once the signal is aborted. */
  holds(): { readonly signal: AbortSignal; readonly over: () => void } {
    const hold = new AbortController();
    this.#hold = hold;
    this.schemaTurn.rests();
    if (this.ended) hold.abort();
    this.#stopLooking();
    // Whoever said goodbye behind it reads no answer any more.
    this.#stopLooking = this.#onGoodbye(() => hold.abort());
    const over = () => {
      if (this.#hold === hold) this.released();
    };
    return { signal: hold.signal, over };
  }

  /** Whoever asked does not want it any more. @returns False where nothing waits for people. */
  withdraw(): boolean {
    this.#hold?.abort();
    return this.#hold !== undefined;
  }

  /** Nothing waits any more. @returns Whether it was withdrawn. */
  released(): boolean {
    const withdrawn = this.#hold?.signal.aborted === true;
    this.#hold = undefined;
    this.#stopLooking();
    this.#stopLooking = NOT_LOOKING;
    return withdrawn;
  }

  /** The server has said what a setting is. */
  reported(parameter: string, value: string): void {
    if (READ_BY.has(parameter.toLowerCase())) this.readBy.set(parameter.toLowerCase(), value);
  }

  end(error: HoopError | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.withdraw();
    this.#end(error);
    this.progressed();
  }

  /** Resolves when more of the server's answers have come, or the session has ended. */
  progress(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  progressed(): void {
    this.schemaTurn.moved();
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Settings that the server reports and by which the same text means something else. */
const READ_BY: ReadonlySet<string> = new Set([
  'datestyle',
  'intervalstyle',
  'timezone',
  'standard_conforming_strings',
]);
const NOT_LOOKING = (): void => undefined;
export const ENDS_TRANSACTION: ReadonlySet<string | undefined> = new Set(['commit', 'rollback', 'prepare']);

/** A portal goes with its transaction; what it was asked either happened or never ran. */
function dropPortal(portal: Portal): void {
  portal.operation?.drop();
}
