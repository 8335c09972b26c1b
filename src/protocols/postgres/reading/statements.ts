import { type HoopError, isHoopError } from '../../../core/errors.ts';
import { after, type Later, rescued } from '../../../core/later.ts';
import { stepAfter } from '../../../core/next-step.ts';
import type { PostgresRefusal } from '../refusals.ts';
import type { WrittenAnew } from '../shown/written-anew.ts';
import { AnalysedNames } from './analysed-names.ts';
import type { FunctionCalls } from './function-calls.ts';
import type { MaskedQueries } from './masked-queries.ts';
import { type Planned, refused, type StatementPlanner } from './planner.ts';
import type { Prepared } from './prepared.ts';
import { type SqlNames, unknownName } from './sql-names.ts';
import type { UnreadStatements } from './unread.ts';

/** What a message of the client's says, understood. */
export interface Statement {
  /** Undefined: it cannot be read as text. */
  readonly text: string | undefined;
  /** What it would do, with all that it names. */
  readonly planned: Planned;
  /** As its text says, before its names were looked up. */
  readonly alone: Planned;
}

/** A statement that is to be bound. */
export interface Bindable {
  readonly prepared: Omit<Prepared, 'analysed'>;
  readonly planned: Planned;
}

/** What a name stands for that was given to none: for who may do anything the server says so. */
const NO_STATEMENT: Bindable['prepared'] = { text: '', index: 0, types: [], inner: false };

/**
 * Reads statements, from whichever message: its text is found among those that were planned before, or parsed and
 * resolved; names that the session keeps are looked up; what is not understood is refused, but for those who may run
 * what nobody reads. Whatever fails on the way is a refusal and never the session's end: nothing is known of it then.
 *
 * What is at hand is read at once.
 */
export class Statements {
  readonly #planner: StatementPlanner;
  readonly #names: SqlNames;
  readonly #unread: UnreadStatements;
  readonly #calls: FunctionCalls;
  readonly #instead: MaskedQueries;

  constructor(parts: {
    readonly planner: StatementPlanner;
    readonly names: SqlNames;
    readonly unread: UnreadStatements;
    readonly calls: FunctionCalls;
    readonly instead: MaskedQueries;
  }) {
    this.#planner = parts.planner;
    this.#names = parts.names;
    this.#unread = parts.unread;
    this.#calls = parts.calls;
    this.#instead = parts.instead;
  }

  /**
   * As `read`; where that refuses a query for computing with masked columns, and one with masks in their place is not
   * refused, it is that one: then its text is another than the message's, and `planned.writtenAnew` says how.
   */
  readOrMasked(decode: () => string, types?: () => readonly number[]): Later<Statement> {
    return after(this.read(decode, types), (statement) => {
      const instead = this.#instead.of(statement);
      return instead === undefined ? statement : this.#masked(statement, instead, types);
    });
  }

  #masked(
    statement: Statement,
    instead: WrittenAnew,
    types: (() => readonly number[]) | undefined,
  ): Later<Statement> {
    return after(
      this.read(() => instead.text, types),
      (read) =>
        isCertain(read) ? { ...read, planned: { ...read.planned, writtenAnew: instead } } : statement,
    );
  }

  /**
   * @param decode Gives the text of the message; may throw.
   * @param types Asked when the text is decoded: OIDs of types that it gives its parameters.
   */
  read(decode: () => string, types: () => readonly number[] = () => []): Later<Statement> {
    let text: string | undefined;
    let alone: Planned | undefined;
    const plan = () => {
      text = decode();
      return this.#planner.plan(text, types());
    };
    const named = (planned: Planned) => {
      alone = planned;
      return this.#names.complete(planned, text ?? '');
    };
    return after(
      this.#understood(() => after(plan(), named)),
      (planned) => ({ text, planned, alone: alone ?? planned }),
    );
  }

  /** A statement gets its name: what its own names stand for by now is noted. */
  prepare(text: string, types: readonly number[], { alone, planned }: Statement): Prepared {
    const { writtenAnew } = planned;
    const prepared: Prepared = {
      ...{ text, index: 0, types, inner: false, analysed: new AnalysedNames() },
      ...(writtenAnew === undefined ? {} : { writtenAnew }),
    };
    // As it stands: what it runs by name is noted where that was prepared.
    this.#planner.reanalysed(prepared.analysed, alone);
    return prepared;
  }

  /**
   * What a name stands for, as the server would run it now.
   *
   * @param before Gives what was understood of it a moment ago: a long text is not read twice.
   */
  named(name: string, before: (prepared: Prepared) => Planned | undefined): Later<Bindable> {
    return after(this.#names.statement(name), (found) => {
      if (found.state !== 'known') return { prepared: NO_STATEMENT, planned: this.#unknown(name) };
      const prepared = found.value;
      return after(this.again(prepared, before(prepared)), (planned) => ({ prepared, planned }));
    });
  }

  /** A statement that was read before, as the server would run it now. */
  again(
    prepared: Pick<Prepared, 'text' | 'index' | 'types' | 'analysed' | 'writtenAnew'>,
    before?: Planned,
  ): Later<Planned> {
    const { writtenAnew } = prepared;
    const named = (one: Planned) =>
      this.#names.complete(this.#planner.reanalysed(prepared.analysed, one), prepared.text);
    return after(
      this.#understood(() => after(this.#planner.one(prepared, before), named)),
      (planned) => (writtenAnew === undefined ? planned : { ...planned, writtenAnew }),
    );
  }

  /** As of `StatementPlanner`. */
  holds(planned: Planned): boolean {
    return this.#planner.holds(planned);
  }

  /** A function-call message. @param oid Of the function. */
  call(oid: number): Later<Planned> {
    return this.#understood(() => this.#calls.plan(oid));
  }

  #unknown(name: string): Planned {
    const refusal = unknownName('unknown-statement', 'prepared statement', name);
    return this.#unread.admit(refused(refusal.reason, refusal));
  }

  #understood(read: () => Later<Planned>): Later<Planned> {
    return after(rescued(read, unreadable), (planned) => this.#unread.admit(planned));
  }
}

/** What is not analysed may be what the server refuses: a query of system columns, or of names with their schema. */
function isCertain({ planned: { refusal, plans } }: Statement): boolean {
  return refusal === undefined && plans.length === 1 && plans[0]?.analysed === true;
}

function unreadable(error: unknown): Planned {
  if (!isHoopError(error)) throw error;
  return refused('‹statement that cannot be read›', asRefusal(error));
}

function asRefusal(error: HoopError): PostgresRefusal {
  return {
    code: error.code,
    rule: 'unreadable-statement',
    reason: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    next: stepAfter(error.code),
  };
}
