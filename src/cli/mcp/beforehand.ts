/**
 * What policy says before anything is sent that runs. So a refusal is the gateway's own word, which no target can have written;
 * what waits for people is not waited for blindly; and it is known which columns are masked.
 */
import type { Explanation } from '../../api/explanation.ts';
import type { AheadQuestion } from '../../client/local/protocol.ts';
import { HoopError } from '../../core/errors.ts';
import type { GatewayDesk } from './desk.ts';
import { sameOperation } from './operation.ts';
import { type Refusal, Refused, refusalIn, stepOf } from './refusal.ts';
import { shownText } from './words.ts';

/** @throws {HoopError} What the gateway says no by to the connection. */
export async function explained(
  desk: GatewayDesk,
  resource: string,
  question: AheadQuestion,
  signal: AbortSignal,
): Promise<Explanation> {
  const { explanation } = await desk.ahead({ resource, asks: 'explains' }, question, signal);
  if (explanation !== undefined) return explanation;
  throw new HoopError('ERR_PROTOCOL', 'the gateway did not say what policy would');
}

export interface Foreseen {
  readonly explanation: Explanation;
  /** The gateway will refuse it, in these words. It is to be sent all the same: only so is it on record who wanted what. */
  readonly refusal: Refusal | undefined;
}

/**
 * Says what will become of it when it is sent now. What waits for people and has no yes yet is not to be sent.
 *
 * @throws {Refused} It is not to be sent. @throws {HoopError} As `explained`.
 */
export async function foreseen(
  desk: GatewayDesk,
  resource: string,
  question: AheadQuestion,
  signal: AbortSignal,
): Promise<Foreseen> {
  const explanation = await explained(desk, resource, question, signal);
  const refusal = refusalIn(explanation);
  if (refusal === undefined || explanation.effect === 'deny') return { explanation, refusal };
  const same = sameOperation(resource, question);
  const id = desk.asked.get(same);
  if (id === undefined) throw new Refused(refusal);
  const { api } = await desk.gateway();
  const { status, endedBy, endReason, usedBy } = await api.approval(id);
  if (status === 'pending') throw new Refused(undecided(refusal, id));
  desk.asked.delete(same);
  if (status === 'approved' && usedBy === undefined) return { explanation, refusal: undefined };
  if (status === 'denied') throw new Refused(saidNo(refusal, id, endedBy, endReason));
  throw new Refused({ ...refusal, message: `${refusal.message}; ${id} is over: ask anew` });
}

function undecided(refusal: Refusal, approval: string): Refusal {
  const hint = `nobody has decided yet: wait with approval_status for ${approval}, then make this call again, unchanged`;
  return { ...refusal, approval, hint };
}

/** @param reason In a person's own words. */
function saidNo(refusal: Refusal, approval: string, by = 'an approver', reason?: string): Refusal {
  return {
    ...refusal,
    code: 'ERR_APPROVAL_DENIED',
    message: `${shownText(by, 200)} did not approve this`,
    ...(reason === undefined ? {} : { reason: shownText(reason, 600) }),
    hint: 'do not ask for the same again: do what the reason says, or ask the person you work for',
    ...stepOf('instead'),
    approval,
  };
}
