import { type Approval, missing } from '../approval/model.ts';
import type { HoopError } from '../core/errors.ts';
import { type NextStep, stepAfter } from '../core/next-step.ts';
import { wordOf } from '../core/refusal-line.ts';
import type { Pair } from '../policy/model.ts';
import { ATTENUATED } from './attenuated.ts';
import type { Judgement } from './judge.ts';
import type { Denial, Refusal } from './operation.ts';
import { GENERAL_REFUSALS } from './refusals.ts';

const CAUSES = {
  'nothing-to-decide': {
    message: 'this operation could not be described',
    reason: 'nothing was found that policy could permit',
    hint: 'send one statement that the gateway can read',
  },
  'too-many-pairs': {
    message: 'this operation touches too many objects at once',
    reason: 'more objects than the gateway judges in one operation',
    hint: 'divide it into smaller operations',
  },
  'policy-error': {
    message: 'the policy could not be evaluated',
    reason: 'a rule failed, and what cannot be decided is denied',
    hint: 'tell the operator of the gateway; the audit log says which rule it was',
  },
} as const;

/** To whom no policy permits it. */
const TO = {
  any: '',
  agent: ' to the agent, too: the person it acts for has one',
  person: ' to the person you act for, too: the agent has one',
} as const;

/**
 * Says a denial or a hold to the one who asked. Pure.
 *
 * @returns For a denial `ERR_DENIED`, for a hold `ERR_APPROVAL_REQUIRED` with a hint that names the approvals. Never
 *   throws.
 * @see docs/policy.md
 */
export function denialOf(judgement: Judgement): Denial {
  const { decision, pair, cause } = judgement;
  const instead = insteadOf(judgement);
  if (decision.effect === 'hold') {
    const rule = decision.rules[0];
    const names = decision.approvals.map((name) => JSON.stringify(name)).join(' and ');
    const hint = `it needs the approval of ${names}`;
    return {
      code: 'ERR_APPROVAL_REQUIRED',
      message: `${whatOf(pair)} needs an approval (rule ${JSON.stringify(rule?.id ?? '')})`,
      rule: rule?.id ?? 'approval-required',
      reason: rule?.reason ?? 'a rule demands an approval',
      hint: rule?.hint === undefined ? hint : `${hint}; ${rule.hint}`,
      next: 'ask',
    };
  }
  const rule = decision.rules[0];
  if (cause === 'rows-not-counted') {
    return {
      code: 'ERR_DENIED',
      message: `${whatOf(pair)} is denied by rule ${JSON.stringify(rule?.id ?? '')}: its rows cannot be counted`,
      rule: rule?.id ?? cause,
      reason: 'the rule bounds how many rows are changed, and of this statement nobody could say how many',
      hint: 'send each change as a statement of its own, on one table from which nothing follows in others; for anything else ask the operator of the gateway',
      next: GENERAL_REFUSALS[cause].next,
    };
  }
  if (rule !== undefined) {
    return {
      code: 'ERR_DENIED',
      message: `${whatOf(pair)} is denied by rule ${JSON.stringify(rule.id)}`,
      rule: rule.id,
      reason: rule.reason ?? 'a rule forbids it',
      hint:
        rule.hint ??
        `${instead ?? 'do it in another way'}, or ask the operator of the gateway to change the rule`,
      next: rule.id === ATTENUATED ? 'report' : 'instead',
      ...(judgement.from === undefined ? {} : { passes: true }),
    };
  }
  if (cause !== undefined && cause !== 'default-deny')
    return { code: 'ERR_DENIED', rule: cause, ...CAUSES[cause], next: GENERAL_REFUSALS[cause].next };
  const lacks = decision.effect === 'deny' ? decision.lacks : undefined;
  return {
    code: 'ERR_DENIED',
    message: `no policy permits ${whatOf(pair)}`,
    rule: 'default-deny',
    reason: 'what no policy permits is denied',
    hint: `${instead ?? 'use what you are permitted'}, or ask the operator for a policy that permits ${pair?.action ?? 'this'}${TO[lacks ?? 'any']}`,
    next: instead === undefined ? GENERAL_REFUSALS['default-deny'].next : 'instead',
  };
}

/** From when it is permitted, and what is in its place until then. */
function insteadOf({ instead, from }: Judgement): string | undefined {
  if (from === undefined || instead === undefined) return from ?? instead;
  return `${from}; until then ${instead}`;
}

/**
 * Says what became of a request for approval to the one who waited for it, or could not. Pure.
 *
 * @returns `ERR_APPROVAL_DENIED` with the approver's words, `ERR_APPROVAL_EXPIRED`, or `ERR_APPROVAL_REQUIRED` with the
 *   request's id: the same may be sent again once it is approved. Never throws.
 * @see docs/approvals.md
 */
export function approvalDenial(judgement: Judgement, approval: Approval): Denial {
  const { id, state, endedBy, endReason, ahead, usedBy } = approval;
  const needed = denialOf(judgement);
  const rule = needed.rule;
  if (state === 'denied') {
    return {
      code: 'ERR_APPROVAL_DENIED',
      message: `${whatOf(judgement.pair)} was not approved by ${endedBy ?? 'those who were asked'}${said(endReason)}`,
      rule,
      reason: endReason ?? 'no reason was given',
      hint:
        endReason === undefined
          ? 'ask whoever said no why, or do something else: asking for the same again will hardly be answered otherwise'
          : 'do what the reason says, or something else: asking for the same again will hardly be answered otherwise',
      next: 'instead',
    };
  }
  if (state === 'expired' || state === 'cancelled' || state === 'failed') {
    return {
      code: 'ERR_APPROVAL_EXPIRED',
      message: `${whatOf(judgement.pair)} was not approved: the request is ${state}`,
      rule,
      reason: endReason ?? 'nobody decided in time',
      hint: 'it is not a no: send it again, and it is asked for anew',
      next: 'ask',
    };
  }
  if (usedBy !== undefined) {
    return {
      code: 'ERR_APPROVAL_EXPIRED',
      message: `${whatOf(judgement.pair)} was approved, and done once`,
      rule,
      reason: `its yes was used for ${usedBy}`,
      hint: 'ask for it anew, under another idempotency key',
      next: 'ask',
    };
  }
  const names = missing(approval).map((name) => JSON.stringify(name));
  const who = names.length === 0 ? 'it is approved' : `it waits for the approval of ${names.join(' and ')}`;
  const where = ahead === true ? `with hoopctl connect --approval ${id}` : 'over the same tunnel';
  return {
    ...needed,
    hint: `${who}; send exactly the same again ${where} when it is approved: hoopctl approval show ${id} --wait`,
    approval: id,
  };
}

/** A person's words, in one line of any terminal. */
function said(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')}`;
}

/**
 * Says an adapter's refusal. Pure.
 *
 * @param step What follows by the list that its rule is of; undefined: its code says it.
 * @returns The refusal's own code, rule, reason and hint. Never throws.
 * @see docs/policy.md
 */
export function refusalDenial(
  { code, rule, reason, hint, next, leaveOut }: Refusal,
  step: NextStep | undefined,
): Denial {
  return {
    code,
    rule,
    reason,
    message: `refused: ${reason}`,
    hint: hint ?? 'ask for it in a simpler form',
    next: next ?? step ?? stepAfter(code),
    ...(leaveOut === undefined ? {} : { leaveOut }),
  };
}

/**
 * Says an error of ours that refuses one operation without a decision: the audit cannot be written, or a bound is reached.
 * Pure.
 *
 * @returns The error's code, message and hint; the code is its rule. Never throws.
 * @see docs/policy.md
 */
export function errorDenial(error: HoopError): Denial {
  const { code, message } = error;
  return { ...wordOf(error), code, message };
}

function whatOf(pair: Pair | undefined): string {
  if (pair === undefined) return 'this';
  const through = pair.through === undefined ? '' : ` (by ${pair.through})`;
  return `${pair.action} on ${pair.object.shownId ?? pair.object.id}${through}`;
}
