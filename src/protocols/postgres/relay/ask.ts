import { after, type Later } from '../../../core/later.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { HINTS } from '../hints.ts';
import type { Planned } from '../reading/planner.ts';
import { type Original, writesMaskBack } from '../reading/write-back.ts';
import { POSTGRES_REFUSALS, type PostgresRefusal } from '../refusals.ts';
import { ApprovableStatement, type Asking } from './approvable.ts';
import { ENDS_TRANSACTION, type SessionState } from './state.ts';

/** What becomes of a message when its answer is there. */
interface Answers {
  /**
   * It may go to the target, and the operation must be closed.
   *
   * @param planned As it was read last: anew, where it waited for an approval.
   */
  send(operation: OpenOperation, planned: Planned): Later<void>;
  refuse(denial: Denial): Later<void>;
  /** While the decision was made the server failed the batch, and would skip it, or the session ended. */
  skip?(): void;
}

/** How often a statement is read anew because others have changed the schema. */
const TRIES = 5;

/**
 * Puts what was read before the guard: no statement comes to the target in another way.
 *
 * @throws {HoopError} As `Guard.ask`, and what `answers` throw.
 */
export function ask(state: SessionState, planned: Planned, asking: Asking, answers: Answers): Later<void> {
  // What did not come to its turn is refused by the guard as well, and so is on record.
  return after(inTurn(state, planned, asking), (found = { ...planned, refusal: NOT_ITS_TURN }) =>
    askGuard(state, found, asking, answers),
  );
}

function askGuard(state: SessionState, planned: Planned, asking: Asking, answers: Answers): Later<void> {
  let latest = planned;
  const reread = (again: Planned) => {
    latest = again;
    return questionOf(again, asking.original);
  };
  const approvable = new ApprovableStatement(state, planned, asking, reread);
  const question = questionOf(planned, asking.original);
  const asked = asking.nobody === true ? question : { ...question, approvable };
  return after(state.guard.ask(asked), (answer) => {
    const cancelled = state.released();
    if (state.pipeline.skipping || state.ended) {
      state.schemaTurn.rests();
      if (answer.effect === 'allow') answer.close('unknown');
      return answers.skip?.();
    }
    if (answer.effect === 'deny') {
      state.schemaTurn.rests();
      return answers.refuse(cancelled ? CANCELLED : answer.denial);
    }
    const turn = latest === planned ? 'its' : judgedNow(state, latest, asking);
    return after(turn, (now) => (now === 'its' ? sent(answer, latest) : notNow(answer)));
  });

  function sent(operation: OpenOperation, judged: Planned): Later<void> {
    // What is only prepared asks nothing yet.
    const spent = asking.prepares === true ? undefined : state.lookUp(judged);
    if (spent !== undefined) {
      state.schemaTurn.rests();
      operation.close('failure', '42501', 'refused: lookups');
      return answers.refuse(spent);
    }
    const later = answers.send(operation, judged);
    state.schemaTurn.went();
    return later;
  }

  function notNow(operation: OpenOperation): Later<void> {
    state.schemaTurn.rests();
    operation.close('failure', ...NOT_NOW);
    return answers.refuse(SCHEMA_CHANGING);
  }
}

/** What would have to end now, and others have no end yet: refused by the guard, so that it is on record. */
export function refuseTurn(
  state: SessionState,
  planned: Planned,
  original: Original,
  refuse: Answers['refuse'],
): Later<void> {
  const late = { ...planned, refusal: NOT_ITS_TURN };
  const answers = { refuse, send: (operation: OpenOperation) => operation.close('unknown') };
  return askGuard(state, late, { original, nobody: true }, answers);
}

/** What is only prepared, or was read by the server before, means what it meant. */
function isRead(planned: Planned, { prepares, nobody }: Asking): boolean {
  return planned.refusal === undefined && prepares !== true && nobody !== true;
}

/**
 * Waits where other sessions change what a statement's names stand for, or it would change that for them; it is read anew then.
 *
 * @returns Undefined: that did not come in time.
 */
function inTurn(state: SessionState, planned: Planned, asking: Asking): Later<Planned | undefined> {
  if (!isRead(planned, asking)) return planned;
  return after(judgedNow(state, planned, asking), (turn) => {
    if (turn === 'its') return planned;
    return turn === 'late' ? readAnew(state, planned, asking) : gaveUp(state);
  });
}

async function readAnew(state: SessionState, first: Planned, asking: Asking): Promise<Planned | undefined> {
  let planned = first;
  for (let left = TRIES; left > 0; left--) {
    state.schemaTurn.rests();
    if (asking.again === undefined || !(await state.schemaTurn.clear(planned.plans))) return undefined;
    state.reads();
    planned = await asking.again();
    const turn = await judgedNow(state, planned, asking);
    if (turn === 'its') return planned;
    if (turn === 'busy') return gaveUp(state);
  }
  return gaveUp(state);
}

function gaveUp({ schemaTurn }: SessionState): undefined {
  schemaTurn.rests();
}

/** Whether what was just read may go: `late` where it may mean something else by now, `busy` where others must be done first. */
function judgedNow(state: SessionState, planned: Planned, asking: Asking): Later<'its' | 'late' | 'busy'> {
  const { schemaTurn } = state;
  if (!isRead(planned, asking)) return 'its';
  if (schemaTurn.isLate(planned.plans)) return 'late';
  const free = schemaTurn.judged(planned.plans, mayTakeEffect(state, planned, asking));
  if (free === true) return 'its';
  return after(free, (isFree) => {
    if (!isFree) return 'busy';
    return schemaTurn.isLate(planned.plans) ? 'late' : 'its';
  });
}

/** What a Bind names is run by Execute, and kept by Sync. */
function mayTakeEffect(state: SessionState, { plans }: Planned, { message }: Asking): boolean {
  if (message?.name === 'Bind') return false;
  // It keeps nothing, and is not to be refused.
  if (plans.length === 1 && plans[0]?.transaction === 'rollback') return false;
  return !state.staysInBlock || plans.some(({ transaction }) => ENDS_TRANSACTION.has(transaction));
}

function questionOf(planned: Planned, original: Original) {
  const { pairs, context, text } = planned;
  const refusal = planned.refusal ?? writesMaskBack(planned, original);
  return refusal === undefined
    ? { pairs, context, text, original }
    : { pairs, context, text, original, refusal };
}

/** As the server says it. @see https://www.postgresql.org/docs/current/errcodes-appendix.html 57014 */
const CANCELLED: Denial = {
  code: 'ERR_APPROVAL_EXPIRED',
  message: 'canceling statement due to user request',
  rule: 'cancelled',
  reason: 'the client did not wait for the approval any longer',
  hint: 'it did not run; send it again, and it is asked for anew',
  next: 'ask',
};

/** Why an operation ended that policy had allowed. */
export const NOT_NOW = ['55P03', 'refused: schema changing'] as const;
const REASON =
  'names that it uses, or that it changes, are in use or changed by another session at this moment';
const NOT_ITS_TURN = {
  code: 'ERR_DENIED',
  rule: 'schema-changing',
  reason: REASON,
  hint: HINTS.sendAgain,
} as const satisfies PostgresRefusal;
/** @see docs/decisions/0029-schema-turns.md */
const SCHEMA_CHANGING: Denial = {
  ...NOT_ITS_TURN,
  message: `refused: ${REASON}`,
  next: POSTGRES_REFUSALS['schema-changing'].next,
};
