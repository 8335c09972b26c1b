import { askedText } from '../../api/approval-words.ts';
import type { ApprovalItem } from '../../api/approvals.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import { limitOf, OLDER_ONES } from '../pages.ts';
import { parseDuration } from '../parse.ts';
import { renderApproval, statusText } from '../render/approval.ts';
import { renderTable } from '../render/table.ts';
import { AS_PERSON, actorText, remember, withGateway } from '../with-gateway.ts';
import { exitCodeOf, settled } from './settled.ts';

const STATUSES = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'failed', 'all'];
const HEADINGS = ['ID', 'ASKED', 'WHO', 'RESOURCE', 'NEEDS', 'STATUS', 'TEXT'];

export async function runList(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const status = textOption(invocation, 'status') ?? 'pending';
  if (!STATUSES.includes(status))
    throw new HoopError('ERR_USAGE', `--status "${status}" is none of ${STATUSES.join(', ')}`);
  const query = status === 'all' ? {} : { status };
  const limit = limitOf(invocation);
  const { approvals: all } = await withGateway(
    invocation,
    async (gateway) => {
      const listed = await gateway.api.approvals(query);
      await remember(gateway, 'approvals', listed.approvals);
      return listed;
    },
    AS_PERSON,
  );
  const approvals = all.slice(0, limit);
  await tell(invocation, status, approvals);
  if (approvals.length < all.length) io.note(OLDER_ONES);
}

async function tell({ io }: Invocation, status: string, approvals: readonly ApprovalItem[]): Promise<void> {
  if (io.json) {
    for (const item of approvals) await io.value(item);
    return;
  }
  if (approvals.length === 0) {
    io.note(
      status === 'pending'
        ? 'nothing waits for approval'
        : 'no such requests for approval that you may see; in the audit: hoopctl audit search --type "approval.*"',
    );
    return;
  }
  const now = systemClock.now();
  await io.line(
    renderTable(
      HEADINGS,
      approvals.map((item) => row(item, now)),
      io.width,
      io.charset,
    ).join('\n'),
  );
}

function row(item: ApprovalItem, now: number): string[] {
  const needs = item.needs.map(({ name, count, given }) => `${name} ${given}/${count}`).join(', ');
  const yours = item.mine.length > 0 ? ' (you)' : '';
  const who = actorText({ name: item.actor, person: item.person });
  return [item.id, item.at, who, item.resource, needs + yours, statusText(item, now), askedText(item)];
}

/** @returns Without `--wait` 0; with it what became of the request. */
export async function runShow(invocation: Invocation): Promise<number> {
  const { io } = invocation;
  const { wait } = invocation.options;
  const untilMs = typeof wait === 'string' ? systemClock.now() + parseDuration(wait, '--wait') : Infinity;
  const [id] = invocation.args;
  const item = await withGateway(
    invocation,
    ({ api }) => (wait === undefined ? api.approval(id!) : settled(api, id!, untilMs, systemClock)),
    AS_PERSON,
  );
  if (io.json) await io.value(item);
  else await io.write(`${renderApproval(item, systemClock.now(), io.width, io.charset).join('\n')}\n`);
  return wait === undefined ? 0 : exitCodeOf(item);
}
