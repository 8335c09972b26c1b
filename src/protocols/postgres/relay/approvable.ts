import { createHash } from 'node:crypto';
import type { ExplainedColumn } from '../../../api/explanation.ts';
import type { Original as Shown } from '../../../audit/event.ts';
import { HoopError } from '../../../core/errors.ts';
import { after, type Later } from '../../../core/later.ts';
import type { Approvable, ApprovalWait, Hold, MaskedData, Trial } from '../../../enforcement/operation.ts';
import type { Bind } from '../../../wire/postgres/extended.ts';
import type { FunctionCall } from '../../../wire/postgres/function-call.ts';
import { NoticeResponse } from '../../../wire/postgres/report.ts';
import type { Question } from '../../stream/guard.ts';
import type { Planned } from '../reading/planner.ts';
import type { Original } from '../reading/write-back.ts';
import { explainedColumn } from '../shown/explained-column.ts';
import { trialOffer } from '../trial/offer.ts';
import type { SessionState } from './state.ts';

/** What is asked, beside what it would do. */
export interface Asking {
  /** What was really asked: sealed in the audit. */
  readonly original: Original;
  /** With its parameters or arguments. */
  readonly message?: Bind | FunctionCall;
  /** OIDs of types that the statement gives its parameters. */
  readonly types?: readonly number[];
  /** It is not to run yet: Parse and Describe. */
  readonly prepares?: true;
  /** It cannot be said what exactly it would do: no approval is asked for, and none is used. */
  readonly nobody?: true;
  /** Reads it anew; absent: it cannot wait for people. */
  again?(): Later<Planned>;
}

/** A notice of the gateway's own: it waits for an approval. */
export const HELD_SQLSTATE = '01H02';

/** What an approval covers of a statement, and how its client waits. */
export class ApprovableStatement implements Approvable {
  readonly #state: SessionState;
  readonly #asking: Asking;
  readonly #planned: Planned;
  readonly #reread: (planned: Planned) => Omit<Question, 'approvable'>;
  /** It was read by definitions that were compared. */
  readonly #current: boolean;
  #trial: Trial | undefined;

  /** @param reread Takes what was read anew, and gives the question for it. */
  constructor(
    state: SessionState,
    planned: Planned,
    asking: Asking,
    reread: (planned: Planned) => Omit<Question, 'approvable'>,
    current = false,
  ) {
    this.#current = current;
    this.#state = state;
    this.#planned = planned;
    this.#asking = asking;
    this.#reread = reread;
  }

  /** What was asked before is answered first: only then is it known whether a transaction is open. */
  async exact(): Promise<string> {
    await this.#state.answered();
    if (this.#state.uncommittedDdl) throw notCommitted();
    if (this.#state.pipeline.batchOpen && this.#state.setIn === this.#state.batch) throw notSynced();
    const definitions = await this.#state.definitions();
    const around = [this.#state.path.compared, [...this.#state.readBy].sort(), this.#namedBefore()];
    const { original, message, types } = this.#asking;
    this.#trial = this.#offer(definitions);
    const parts = [definitions, original, shortened(types), valuesOf(message), around];
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  /** Beside the text, settings by which it means something else than most would read in it. */
  get original(): Shown {
    const { original } = this.#asking;
    const strange = [...this.#state.readBy].filter(([name, value]) => !isUsual(name, value));
    if (strange.length === 0) return original;
    const settings = strange.map(([name, value]) => `${name} = ${value}`).sort();
    return { ...original, 'read by': settings.join('\n') };
  }

  get masked(): readonly MaskedData[] {
    const { masks } = this.#state;
    const { plans } = this.#planned;
    const objects = masks.maskedIn(plans.flatMap(({ relations }) => relations));
    const columns = objects.map((one) => ({ name: one.id, objects: [one] }));
    return masks.detecting ? [...columns, masks.detected.hidden] : columns;
  }

  /** Of one statement alone. */
  get columns(): readonly ExplainedColumn[] | undefined {
    const { masks } = this.#state;
    const [plan, ...more] = this.#planned.plans;
    const lineage = more.length === 0 ? plan?.lineage : undefined;
    const { safeColumns: safe = [], withheld = [] } = plan ?? {};
    const has = (all: 'all' | readonly number[], at: number) => all === 'all' || all.includes(at);
    return lineage?.map((column, at) =>
      explainedColumn(column, masks, has(withheld, at) ? 'hidden' : has(safe, at) ? 'safe' : 'masked'),
    );
  }

  /** Of one statement alone: another before it may make what it names. */
  get lacks(): readonly string[] {
    const [plan, ...more] = this.#planned.plans;
    return more.length === 0 ? (plan?.lacks ?? []) : [];
  }

  get spent(): string | undefined {
    return this.#state.lookUp(this.#planned, 'looks')?.reason;
  }

  get trial(): Trial | undefined {
    return this.#trial;
  }

  #offer(definitions: string): Trial {
    const { original, message, types = [], prepares = false } = this.#asking;
    const { readBy: settings, path } = this.#state;
    const place = path.last && { path: path.last, settings, definitions };
    const called = message?.name === 'FunctionCall';
    const statement = called ? undefined : original.statement;
    return trialOffer(this.#planned, {
      statement,
      types,
      bind: called ? undefined : message,
      place,
      prepares,
    });
  }

  /** What EXECUTE and FETCH stand for: the same word for another statement is another question. */
  #namedBefore(): unknown {
    const { statements, portals, batch } = this.#state;
    return this.#planned.plans.map(({ executes, fetches }) => {
      if (executes !== undefined) {
        const found = statements.lookup(executes, batch);
        return found.state === 'known' ? [found.value.text, found.value.index, found.value.types] : null;
      }
      const cursor = fetches === undefined ? undefined : portals.lookup(fetches, batch);
      if (cursor?.state !== 'known') return null;
      if (!cursor.value.declared) throw boundElsewhere();
      return [cursor.value.text, cursor.value.index];
    });
  }

  /**
   * Analysis runs input functions and casts, which are calls like any other. Where policy permits these, the statement
   * may be prepared under an event of its own, and what needs the approval is its running.
   */
  get prepares(): boolean {
    if (this.#asking.prepares !== true) return false;
    const { pairs, context } = this.#planned;
    const calls = pairs.filter(({ action }) => action === 'sql.call');
    return calls.length === 0 || this.#state.guard.allows(calls, context);
  }

  /** With a transaction or a batch open its locks would be held meanwhile. */
  get wait(): ApprovalWait | undefined {
    const { again } = this.#asking;
    if (again === undefined || !this.#state.resting) return undefined;
    const { signal, over } = this.#state.holds();
    return {
      signal,
      told: (hold) => this.#state.tell(noticeOf(hold)),
      again: () => {
        over();
        this.#state.reads();
        // What is read now is read by the definitions that are compared: whoever changed them just now is not overlooked.
        return after(this.#state.definitions().then(again, again), (planned) => this.#next(planned));
      },
    };
  }

  /** What was made from outside a moment ago is not in what it was read by, and people are asked about it once. */
  async anew(): Promise<Question | undefined> {
    const { again } = this.#asking;
    if (again === undefined || this.#current) return undefined;
    this.#state.reads();
    const planned = await again();
    return planned.pairs === this.#planned.pairs ? undefined : this.#next(planned);
  }

  #next(planned: Planned): Question {
    const approvable = new ApprovableStatement(this.#state, planned, this.#asking, this.#reread, true);
    return { ...this.#reread(planned), approvable };
  }
}

/** Nobody else sees them yet, and what they define is not compared. */
function notCommitted(): HoopError {
  return new HoopError(
    'ERR_DENIED',
    'what needs an approval does not go behind schema changes that are not committed',
    {
      hint: 'commit them first, or roll them back',
    },
  );
}

/** As PostgreSQL has them unless it is configured otherwise: month before day, and the time of no place. */
const USUAL: Readonly<Record<string, RegExp>> = {
  datestyle: /^\w+, MDY$/,
  intervalstyle: /^(?!sql_standard$)/,
  standard_conforming_strings: /^on$/,
  timezone: /^(?:Etc\/)?(?:UTC|GMT)$/,
};

function isUsual(name: string, value: string): boolean {
  return USUAL[name]?.test(value) === true;
}

/** By which settings it would be read is not known. */
function notSynced(): HoopError {
  return new HoopError(
    'ERR_DENIED',
    'what needs an approval does not go in one batch behind changed settings',
    {
      hint: 'send a Sync between them',
    },
  );
}

function boundElsewhere(): HoopError {
  return new HoopError('ERR_DENIED', 'what was bound with values is not approved by its name', {
    hint: 'declare the cursor with its values in it',
  });
}

/** However a driver writes the same: no format, and text for each, are one thing to the server. */
function valuesOf(message: Bind | FunctionCall | undefined): unknown {
  if (message === undefined) return null;
  const hex = (value: Buffer | null) => value?.toString('hex') ?? null;
  return message.name === 'Bind'
    ? [shortened(message.parameterFormats), message.parameters.map(hex), shortened(message.resultFormats)]
    : [shortened(message.argumentFormats), message.arguments.map(hex), message.resultFormat];
}

/**
 * Without the zeros at its end, where they say what is so anyway: text, or a type that the server finds out.
 *
 * A single `1` is for all, and stays: only what is all zeros is made shorter in a list of formats.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html Bind, Parse
 */
function shortened(codes: readonly number[] | undefined): readonly number[] {
  return codes?.every((code) => code === 0) === true ? [] : (codes ?? []);
}

function noticeOf({ id, approvals, waitsUntil, expiresAt, page }: Hold): Buffer {
  const who = approvals.map((name) => JSON.stringify(name)).join(' and ');
  const [wait, end] = [waitsUntil, expiresAt].map((at) => new Date(at).toISOString());
  const or = page === undefined ? '' : `, or ${page}`;
  return NoticeResponse.encode({
    fields: [
      ['S', 'NOTICE'],
      ['V', 'NOTICE'],
      ['C', HELD_SQLSTATE],
      ['M', `waiting for the approval of ${who} until ${wait} (${id})`],
      ['H', `The request itself stands until ${end}. To decide: hoopctl approval show ${id}${or}`],
    ],
  });
}
