import { HoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import { errorDenial } from '../../../enforcement/denial.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import { Parse } from '../../../wire/postgres/extended.ts';
import { type Frame, frameOf } from '../../../wire/postgres/frame.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import type { Planned } from '../reading/planner.ts';
import { type Prepared, type Staged, stagedName, weightOf } from '../reading/prepared.ts';
import type { Statement } from '../reading/statements.ts';
import { ask } from './ask.ts';
import type { RequestParts } from './request-parts.ts';

/** A Parse that the server has not seen. */
interface Held {
  readonly frame: Frame;
  readonly name: string;
  readonly prepared: Prepared;
  readonly read: Statement;
  readonly staged: Staged;
}

/**
 * Keeps a Parse back until there is an event under which it may reach the target: the server takes locks at Parse, runs
 * input functions of literals and, for what it plans, functions of users. Nearly always the statement's own Bind
 * follows at once, and its event is the event of both; before anything else the Parse gets one of its own.
 *
 * At most one is held, so the order of octets stays what it was.
 */
export class HeldParse {
  readonly #parts: RequestParts;
  readonly #refuse: (denial: Denial, name: string | undefined) => void;
  #held: Held | undefined;

  /** @param refuse Answers with a denial in place of the message at hand, and skips what follows up to Sync. */
  constructor(parts: RequestParts, refuse: (denial: Denial, name: string | undefined) => void) {
    this.#parts = parts;
    this.#refuse = refuse;
  }

  get any(): boolean {
    return this.#held !== undefined;
  }

  /** Whether it is this statement's Parse that is held. */
  isOf(name: string): boolean {
    return this.#held?.name === name;
  }

  /** What was understood of its text a moment ago: a long one is not read twice for its Bind. */
  readAs(prepared: Prepared): Planned | undefined {
    return this.#held?.prepared === prepared ? this.#held.read.alone : undefined;
  }

  /** Takes a Parse message; the one before must have been let go. */
  take(frame: Frame): Later<void> {
    let message: Parse | undefined;
    const sql = () => {
      message = Parse.decode(frame.body);
      return message.sql;
    };
    const types = () => message?.parameterTypes ?? [];
    return after(this.#parts.statements.readOrMasked(sql, types), (statement) => {
      if (message === undefined) return this.#unreadable(statement.planned);
      if (statement.planned.writtenAnew === undefined) return this.#hold(frame, message, statement);
      const masked = { ...message, sql: statement.text ?? '' };
      return this.#hold(frameOf(Parse.encode(masked)), masked, statement);
    });
  }

  /** What is no Parse message goes nowhere, whatever policy says. */
  #unreadable(planned: Planned): Later<void> {
    return ask(
      this.#parts.state,
      planned,
      { original: {} },
      {
        send: () => {
          throw new HoopError('ERR_PROTOCOL', 'malformed Parse message');
        },
        refuse: (denial) => this.#refuse(denial, undefined),
      },
    );
  }

  #hold(frame: Frame, { statement: name, sql, parameterTypes }: Parse, read: Statement): void {
    const { statements, pipeline, batch, ended } = this.#parts.state;
    if (pipeline.skipping || ended) return;
    const prepared = this.#parts.statements.prepare(sql, parameterTypes, read);
    if (!statements.hasRoom(1, weightOf(prepared)))
      return this.#refuse(errorDenial(new HoopError('ERR_LIMIT', 'too many prepared statements')), name);
    const staged = stagedName(statements, statements.stage(name, prepared, batch));
    this.#held = { frame, name, prepared, staged, read };
  }

  /** Nothing more has arrived: what stays held does not keep a whole chunk alive. */
  settle(): void {
    if (this.#held === undefined) return;
    const raw = Buffer.from(this.#held.frame.raw);
    this.#held = { ...this.#held, frame: frameOf(raw) };
  }

  /** Something else than its Bind comes next: lets it go under an event of its own, or refuses it. */
  release(): Later<void> {
    const held = this.#held;
    if (held === undefined) return;
    const { state } = this.#parts;
    if (state.pipeline.skipping || state.ended) return this.drop();
    const { planned } = held.read;
    const marked = { ...planned, text: `‹prepared› ${planned.text}` };
    return ask(
      state,
      marked,
      { original: { statement: held.prepared.text }, types: held.prepared.types, prepares: true },
      {
        send: (operation) => this.#forward(operation, true),
        refuse: (denial) => {
          this.drop();
          this.#refuse(denial, held.name);
        },
        skip: () => this.drop(),
      },
    );
  }

  /** Lets it go under its Bind's event. */
  forward(operation: OpenOperation): void {
    this.#forward(operation, false);
  }

  #forward(operation: OpenOperation, ownEvent: boolean): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    const { staged, prepared } = held;
    const { planned } = held.read;
    this.#parts.state.path.analysed(planned.plans);
    this.#parts.state.pipeline.push({
      kind: 'parse',
      staged,
      operation,
      ownEvent,
      planned,
      text: prepared.text,
    });
    this.#parts.out.add(held.frame);
  }

  /** It never reaches the target. */
  drop(): void {
    this.#held?.staged.discard();
    this.#held = undefined;
  }
}
