/**
 * Why a tool did not do what it was called for, so that an agent can go on by itself: from which every refusal is made.
 */
import type { Explanation } from '../../api/explanation.ts';
import { ERROR_TABLE, type ErrorCode, type HoopError } from '../../core/errors.ts';
import { NEXT_STEPS, type NextStep, stepAfter } from '../../core/next-step.ts';
import { shownText } from './words.ts';

export interface Refusal {
  /** A code of `docs/cli.md`; absent where the target itself failed. */
  readonly code?: ErrorCode;
  /** What the target's protocol has for it: `42501`. */
  readonly status?: string;
  /** A rule of policy by its id, a word of `docs/refusals.md`, or the code. */
  readonly rule?: string;
  readonly message: string;
  readonly reason?: string;
  /** What to do instead, or first. */
  readonly hint?: string;
  /** The same for programs: a word of `docs/refusals.md`. */
  readonly next: NextStep;
  /** Names of what it may not use so. */
  readonly leaveOut?: readonly string[];
  /** The same call may succeed later, once done what the hint says. */
  readonly retryable: boolean;
  /** The request that people decide (`apr_…`). */
  readonly approval?: string;
  /** Under which names people would say yes. */
  readonly approvals?: readonly string[];
  /** Present where a target can have written these words. */
  readonly untrusted?: string;
}

/** Ends a tool's work with a refusal. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = 'Refused';
    this.refusal = refusal;
  }
}

/** Longest text of a refusal, code units. */
export const TEXT_CHARS = 2_000;

/** The rule by which the gateway denies what an instance gave up, and what that means here. */
export const GIVEN_UP = 'attenuated';
const GIVEN_UP_HINT =
  'this server gave up that right when it was started: do without, or ask the person you work for to start hoopctl mcp with --write, or with a wider --only';

/** Of an error of ours or the gateway's. Pure. */
export function refusalOf({ code, message, hint, approval }: HoopError): Refusal {
  const told = hintFor(code, hint, approval);
  return {
    code,
    rule: code,
    message: shownText(message, TEXT_CHARS),
    ...(told === undefined ? {} : { hint: shownText(told, TEXT_CHARS) }),
    ...stepOf(stepAfter(code)),
    ...(approval === undefined ? {} : { approval }),
  };
}

/** Of what policy says beforehand; undefined: it would run. Pure. */
export function refusalIn({ effect, told, approvals = [] }: Explanation): Refusal | undefined {
  if (effect === 'allow') return undefined;
  const held = effect === 'hold';
  const hint = held ? askFor(approvals) : told?.rule === GIVEN_UP ? GIVEN_UP_HINT : told?.hint;
  return {
    code: held ? 'ERR_APPROVAL_REQUIRED' : 'ERR_DENIED',
    rule: told?.rule ?? 'default-deny',
    message: shownText(told?.message ?? ERROR_TABLE.ERR_DENIED.text, TEXT_CHARS),
    ...(told?.reason === undefined ? {} : { reason: shownText(told.reason, TEXT_CHARS) }),
    ...(hint === undefined ? {} : { hint: shownText(hint, TEXT_CHARS) }),
    ...stepOf(held ? 'ask' : (told?.next ?? 'report')),
    ...(told?.leaveOut === undefined
      ? {}
      : { leaveOut: told.leaveOut.map((name) => shownText(name, TEXT_CHARS)) }),
    ...(held ? { approvals } : {}),
  };
}

/** Of a call that took too long. Pure. */
export function refusalAfter(seconds: number): Refusal {
  return {
    code: 'ERR_LIMIT',
    rule: 'timeout',
    message: `no answer within ${seconds} s, and nothing is waited for any more`,
    hint: 'ask for less, or give it longer: timeout_seconds',
    ...stepOf('again'),
  };
}

/** What follows, and whether the same may succeed then. Pure. */
export function stepOf(next: NextStep): Pick<Refusal, 'next' | 'retryable'> {
  return { next, retryable: NEXT_STEPS[next].retryable };
}

/** How to come to a yes, in words of these tools. Pure. */
function askFor(approvals: readonly string[]): string {
  const names = approvals.length === 0 ? 'an approval' : `the approval of ${approvals.join(' and ')}`;
  return `it needs ${names}: call request_approval with the same resource and operation and a reason, wait with approval_status, then make this call again, unchanged`;
}

function hintFor(
  code: ErrorCode,
  hint: string | undefined,
  approval: string | undefined,
): string | undefined {
  if (code === 'ERR_APPROVAL_REQUIRED')
    return approval === undefined
      ? 'call request_approval with the resource and a reason, wait with approval_status, then make this call again'
      : `wait with approval_status for ${approval}, then make this call again, unchanged`;
  if (code === 'ERR_NO_ACCESS') return 'list_resources names what you may reach';
  if (code === 'ERR_REVOKED')
    return 'somebody ended this server for good: stop, and tell the person you work for, who can start it anew';
  if (ERROR_TABLE[code].exit === 67)
    return `ask the person you work for to do this in a terminal, then make this call again: ${hint ?? 'hoopctl login'}`;
  if (code === 'ERR_GATEWAY_UNREACHABLE')
    return `${hint === undefined ? '' : `${hint}; `}make this call again in a while`;
  return hint;
}
