import type { ErrorCode } from './errors.ts';

/** What whoever was refused does next: a closed list, by which programs act. `docs/refusals.md` is made from it. */
export const NEXT_STEPS = {
  correct: {
    means: 'What was asked for may well be permitted, and could not be read as it was written.',
    act: 'Write it as the hint says, and send that.',
    retryable: false,
  },
  less: {
    means: 'It is too much at once.',
    act: 'Ask for less: of rows that are changed or shown for `most` at a time, where that is there.',
    retryable: false,
  },
  'leave-out': {
    means: 'A part of it may not be used so; the rest may.',
    act: 'Do the same without what `leaveOut` names or the hint says, if the purpose can do without it.',
    retryable: false,
  },
  instead: {
    means: 'It stays refused, and the hint says what there is in its place.',
    act: 'Take another way to the same end, which the hint names; if you know none, report.',
    retryable: false,
  },
  ask: {
    means: 'People must say yes first.',
    act: 'Send exactly the same again, with a pause between: it waits, or it is asked about. Where `approval` is there, that request is waited for.',
    retryable: true,
  },
  again: {
    means: 'Nobody decided anything: something is away or busy, and comes back.',
    act: 'Send the same again in a while; if it lasts, report.',
    retryable: true,
  },
  reconnect: {
    means: 'The connection is of no more use.',
    act: 'Open a new connection, and send the same again.',
    retryable: true,
  },
  login: {
    means: 'Whoever you are, the gateway does not know it any more.',
    act: 'Tell whom you work for that a login is needed. Go on when there is one.',
    retryable: true,
  },
  report: {
    means: 'There is nothing that you can do about it.',
    act: 'Tell whom you work for what was refused and why, and stop.',
    retryable: false,
  },
} as const satisfies Readonly<
  Record<string, { readonly means: string; readonly act: string; readonly retryable: boolean }>
>;

export type NextStep = keyof typeof NEXT_STEPS;

/** What follows where no rule says it. */
const STEP_BY_CODE: Readonly<Record<ErrorCode, NextStep>> = {
  ERR_USAGE: 'correct',
  ERR_NOT_LOGGED_IN: 'login',
  ERR_LOGIN_EXPIRED: 'login',
  ERR_LOGIN_STALE: 'login',
  ERR_LOGIN_DENIED: 'report',
  ERR_TOKEN_INVALID: 'login',
  ERR_TOKEN_TOO_LARGE: 'report',
  ERR_NO_ID_TOKEN: 'login',
  ERR_PROOF_INVALID: 'report',
  ERR_PROOF_NONCE: 'again',
  ERR_REVOKED: 'report',
  ERR_AGENT_UNKNOWN: 'report',
  ERR_GROUPS_MISSING: 'report',
  ERR_NO_ACCESS: 'report',
  ERR_DENIED: 'report',
  ERR_APPROVAL_REQUIRED: 'ask',
  ERR_APPROVAL_EXPIRED: 'ask',
  ERR_APPROVAL_DENIED: 'instead',
  ERR_GATEWAY_UNREACHABLE: 'again',
  ERR_GATEWAY_TLS: 'report',
  ERR_ISSUER_UNREACHABLE: 'again',
  ERR_TARGET_UNREACHABLE: 'again',
  ERR_TARGET_TLS: 'report',
  ERR_TARGET_IDENTITY: 'report',
  ERR_TARGET_NO_TLS: 'report',
  ERR_TARGET_AUTH: 'again',
  ERR_TARGET_CREDENTIAL: 'again',
  ERR_TARGET_LOST: 'reconnect',
  ERR_AUDIT_UNAVAILABLE: 'again',
  ERR_RECORDING_UNAVAILABLE: 'reconnect',
  ERR_LOCAL_AUTH: 'report',
  ERR_PROTOCOL: 'correct',
  ERR_MESSAGE_LENGTH: 'less',
  ERR_MESSAGE_TYPE: 'correct',
  ERR_UNSUPPORTED: 'instead',
  ERR_SYNTAX: 'correct',
  ERR_TOO_LARGE: 'less',
  ERR_SESSION_ENDED: 'reconnect',
  ERR_LIMIT: 'again',
  ERR_BUSY: 'reconnect',
  ERR_CONFIG: 'report',
  ERR_KEY_REUSED: 'correct',
  ERR_NOT_TRIED: 'instead',
  ERR_VERIFY: 'report',
  ERR_INTERNAL: 'report',
};

/** What follows an error of ours, where no rule says more. Pure. */
export function stepAfter(code: ErrorCode): NextStep {
  return STEP_BY_CODE[code];
}
