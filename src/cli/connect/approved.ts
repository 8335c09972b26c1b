import type { ApprovalItem } from '../../api/approvals.ts';
import type { OpenGateway } from '../../client/gateway.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError, isHoopError } from '../../core/errors.ts';
import { settled } from '../approval/settled.ts';
import type { Io } from '../io.ts';
import type { LastActs } from '../with-gateway.ts';
import { openTunnel } from './local-ends.ts';
import type { ConnectPlan } from './plan.ts';

/**
 * Asks for a connection that needs an approval, and waits until people have decided. Says on standard error what is
 * waited for; with `--json` on standard output.
 *
 * @param waitMs How long at most; infinity: as long as the request stands.
 * @param interrupted Takes back what was asked where Ctrl-C comes first.
 * @throws {HoopError} `ERR_APPROVAL_DENIED`, `ERR_APPROVAL_EXPIRED`, `ERR_APPROVAL_REQUIRED` the time was over first; what
 *   else keeps the tunnel from opening.
 */
export async function untilApproved(
  io: Io,
  gateway: OpenGateway,
  plan: ConnectPlan,
  resource: string,
  waitMs: number,
  interrupted: LastActs,
): Promise<void> {
  const id = await askFor(gateway, plan, resource);
  if (id === undefined) return;
  const untilMs = systemClock.now() + waitMs;
  // A yes that came later would be for a process that is gone.
  const takeBack = () => gateway.api.cancelApproval(id).catch(() => undefined);
  const decided = interrupted(takeBack);
  const asked = await gateway.api.approval(id);
  if (asked.status === 'pending') await tellWaiting(io, resource, asked);
  const item = await settled(gateway.api, id, untilMs, systemClock);
  decided();
  if (item.status === 'approved') return;
  if (item.status === 'pending') await takeBack();
  throw notApproved(`a connection to ${resource}`, item);
}

/** @returns The request that people decide; undefined: it is approved already. */
async function askFor(
  gateway: OpenGateway,
  plan: ConnectPlan,
  resource: string,
): Promise<string | undefined> {
  try {
    (await openTunnel(gateway, plan, resource, { asks: 'ask' }).open()).destroy();
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

function notApproved(what: string, { id, status, endedBy, endReason }: ApprovalItem): HoopError {
  if (status === 'denied')
    return new HoopError('ERR_APPROVAL_DENIED', `${endedBy ?? 'an approver'} did not approve ${what}`, {
      hint: endReason ?? 'no reason was given',
    });
  if (status === 'pending')
    return new HoopError('ERR_APPROVAL_REQUIRED', `nobody has decided yet on ${what}`, {
      hint: `wait longer: --wait 15m; the request was ${id}`,
    });
  return new HoopError('ERR_APPROVAL_EXPIRED', `nobody approved ${what} in time: ${id} is ${status}`, {
    hint: 'it is not a no: ask again',
  });
}

/**
 * Looks at what was asked ahead before anything is opened for it: what is settled otherwise would only be asked anew.
 *
 * @throws {HoopError} `ERR_APPROVAL_DENIED`, `ERR_APPROVAL_EXPIRED` it is not approved and will not be.
 */
export async function demandAskedAhead(io: Io, gateway: OpenGateway, id: string): Promise<void> {
  const item = await gateway.api.approval(id);
  if (item.status === 'pending') io.note(`${id} is still pending: nobody has decided yet`);
  else if (item.status !== 'approved') throw notApproved(id, item);
  else if (item.usedBy !== undefined) io.note(`${id} was used: the same again is asked again`);
}
