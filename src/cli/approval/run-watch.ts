import { setTimeout as delay } from 'node:timers/promises';
import type { ApprovalItem, ApprovalList } from '../../api/approvals.ts';
import type { GatewayApi } from '../../client/gateway-api.ts';
import { systemClock } from '../../core/clock.ts';
import { isHoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import type { Io } from '../io.ts';
import { statusText } from '../render/approval.ts';
import { visible } from '../render/text.ts';
import { AS_PERSON, actorText, withGateway } from '../with-gateway.ts';
import { POLL_S } from './settled.ts';

/** Between tries while the gateway is away, ms. */
const RETRY_MS = 2000;

/** Prints what is pending, then each change, until it is interrupted. A gateway that is away for a while ends nothing. */
export async function runWatch(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  await withGateway(
    invocation,
    async ({ api }) => {
      // What cannot be reached at the start is told, as by any other command.
      let list = await api.approvals();
      await tell(
        io,
        list.approvals.filter(({ status }) => status === 'pending'),
      );
      for (;;) {
        const next = await nextList(api, io, list.cursor);
        await tell(io, changed(list, next));
        list = next;
      }
    },
    AS_PERSON,
  );
}

async function nextList(api: GatewayApi, io: Io, cursor: string): Promise<ApprovalList> {
  for (let told = false; ; told = true) {
    try {
      return await api.approvals({ wait: `${POLL_S}`, cursor });
    } catch (error) {
      if (!isHoopError(error) || error.code !== 'ERR_GATEWAY_UNREACHABLE') throw error;
      if (!told) io.note(`${error.message}; trying again`);
      await delay(RETRY_MS, undefined, { signal: io.signal });
    }
  }
}

/** What is new or has another state, oldest first. Pure. */
export function changed(before: ApprovalList, after: ApprovalList): readonly ApprovalItem[] {
  const known = new Map(before.approvals.map((item) => [item.id, stateOf(item)]));
  return after.approvals.filter((item) => known.get(item.id) !== stateOf(item));
}

function stateOf({ status, votes, usedBy }: ApprovalItem): string {
  return `${status} ${votes.length} ${usedBy ?? ''}`;
}

/** The lists are newest first, a stream is the other way round. */
async function tell(io: Io, items: readonly ApprovalItem[]): Promise<void> {
  for (const item of items.toReversed()) {
    if (io.json) await io.value(item);
    else await io.line(lineOf(item));
  }
}

function lineOf(item: ApprovalItem): string {
  const who = actorText({ name: item.actor, person: item.person });
  const text = visible(item.text.replace(/\s+/g, ' ').trim());
  const status = statusText(item, systemClock.now());
  return `${item.id}  ${status}  ${who}  ${visible(item.resource)}  ${text}`;
}
