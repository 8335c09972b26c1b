import type { ApprovalItem } from '../../api/approvals.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { HoopError, isHoopError } from '../../core/errors.ts';
import type { Io } from '../io.ts';
import { openTunnel } from './local-ends.ts';
import type { ConnectPlan } from './plan.ts';

/** One question to the gateway waits so long, seconds. */
const LONG_POLL_S = 20;

/**
 * Asks for a connection that needs an approval, and waits until people have decided. Says on standard error what is
 * waited for; with `--json` on standard output.
 *
 * @param waitMs How long at most; infinity: as long as the request stands.
 * @throws {HoopError} `ERR_APPROVAL_DENIED`, `ERR_APPROVAL_EXPIRED`, `ERR_APPROVAL_REQUIRED` the time was over first; what
 *   else keeps the tunnel from opening.
 */
export async function untilApproved(
  io: Io,
  gateway: OpenGateway,
  plan: ConnectPlan,
  resource: string,
  waitMs: number,
): Promise<void> {
  const id = await askFor(gateway, plan, resource);
  if (id === undefined) return;
  const until = Date.now() + waitMs;
  let item = await gateway.api.approval(id);
  if (item.status === 'pending') await tellWaiting(io, resource, item);
  while (item.status === 'pending' && Date.now() < until) {
    const seconds = Math.max(1, Math.min(LONG_POLL_S, Math.ceil((until - Date.now()) / 1000)));
    item = await orInterrupted(io.signal, gateway.api.approval(id, seconds));
  }
  if (item.status !== 'approved') throw notApproved(resource, item);
}

/** @returns The request that people decide; undefined: it is approved already. */
async function askFor(
  gateway: OpenGateway,
  plan: ConnectPlan,
  resource: string,
): Promise<string | undefined> {
  try {
    (await openTunnel(gateway, plan, resource, { asks: true }).open()).destroy();
    return undefined;
  } catch (error) {
    if (isHoopError(error) && error.approval !== undefined) return error.approval;
    throw error;
  }
}

async function tellWaiting(io: Io, resource: string, { id, needs, expiresAt }: ApprovalItem): Promise<void> {
  const approvals = needs.map(({ name }) => name);
  if (io.json) await io.value({ waiting: resource, approval: id, approvals, expiresAt });
  else
    io.note(
      `a connection to ${resource} waits for the approval of ${approvals.join(' and ')}: ${id}, until ${expiresAt}`,
    );
}

async function orInterrupted<T>(signal: AbortSignal, value: Promise<T>): Promise<T> {
  const interrupted = Promise.withResolvers<never>();
  const onAbort = () => interrupted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([value, interrupted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function notApproved(resource: string, { id, status, endedBy, endReason }: ApprovalItem): HoopError {
  if (status === 'denied')
    return new HoopError(
      'ERR_APPROVAL_DENIED',
      `${endedBy ?? 'an approver'} did not approve a connection to ${resource}`,
      {
        hint: endReason ?? 'no reason was given',
      },
    );
  if (status === 'pending')
    return new HoopError('ERR_APPROVAL_REQUIRED', `nobody has decided yet on a connection to ${resource}`, {
      hint: `wait longer: --wait 15m; the request was ${id}`,
    });
  return new HoopError(
    'ERR_APPROVAL_EXPIRED',
    `nobody approved a connection to ${resource} in time: ${id} is ${status}`,
    {
      hint: 'it is not a no: ask again',
    },
  );
}
