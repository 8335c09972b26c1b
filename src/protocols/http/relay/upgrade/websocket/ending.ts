import { toHoopError } from '../../../../../core/errors.ts';
import type { Close } from '../../../../../wire/http/websocket/close.ts';
import type { CarriedEnd } from '../carried.ts';

/** Of which side something is told. */
export type SideName = 'client' | 'target';

/** How a WebSocket ends, and what each side is told, unless it was told before. RFC 6455 §7.4.1. */
export interface Ending extends CarriedEnd {
  readonly client: Close;
  readonly target: Close;
}

const GOING_AWAY: Close = { code: 1001, reason: '' };
const [POLICY_VIOLATION, INTERNAL_ERROR, LOST] = [1008, 1011, 1006];

/** What a side is told that sent what it must not; of errors that are not named, 1011. */
const CODES: Readonly<Record<string, number>> = {
  ERR_PROTOCOL: 1002,
  ERR_UNSUPPORTED: 1003,
  ERR_TARGET_LOST: 1007,
  ERR_TOO_LARGE: 1009,
  ERR_LIMIT: POLICY_VIOLATION,
  ERR_DENIED: POLICY_VIOLATION,
  ERR_APPROVAL_REQUIRED: POLICY_VIOLATION,
  ERR_REVOKED: POLICY_VIOLATION,
  ERR_LOGIN_EXPIRED: POLICY_VIOLATION,
};

/** One side sent what goes no further. Pure. @param code Where it is not told by the error. */
export function refusedTo(side: SideName, error: unknown, code?: number): Ending {
  const known = toHoopError(error);
  const told: Close = { code: code ?? CODES[known.code] ?? INTERNAL_ERROR, reason: known.message };
  const ended = { outcome: 'failure', reason: known.message } as const;
  if (side === 'client') return { ...ended, status: String(told.code), client: told, target: GOING_AWAY };
  const client = { code: INTERNAL_ERROR, reason: known.message };
  return { ...ended, status: String(INTERNAL_ERROR), client, target: told };
}

/** The session is over, or what was permitted is not any more. Pure. */
export function cutShort(error: unknown): Ending {
  const reason = toHoopError(error).message;
  const client = { code: POLICY_VIOLATION, reason };
  return { outcome: 'failure', status: String(POLICY_VIOLATION), reason, client, target: GOING_AWAY };
}

/** Both have said that it is over, or one has, and the other does not answer. Pure. @param close Who said it first. */
export function closedBy(close: Close): Ending {
  return { outcome: 'success', status: String(close.code), client: close, target: close };
}

/** A side left without a word. Pure. */
export function leftBy(side: SideName): Ending {
  const reason = `the ${side} left`;
  const client = { code: INTERNAL_ERROR, reason };
  const outcome = side === 'client' ? 'unknown' : 'failure';
  return { outcome, status: String(LOST), reason, client, target: GOING_AWAY };
}
