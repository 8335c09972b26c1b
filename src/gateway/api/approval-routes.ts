import { z } from 'zod';
import type { ApprovalItem, ApprovalList, ApprovalStatus } from '../../api/approvals.ts';
import { PATHS } from '../../api/contract.ts';
import type { ApprovalDesk } from '../../approval/desk.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import type { ApprovalChanges } from '../approvals/changes.ts';
import type { ApprovalOffice } from '../approvals/office.ts';
import type { Routes } from './app.ts';
import { readJson } from './body.ts';
import { type ApiContext, connectionOf, queryOf } from './context.ts';

export interface ApprovalRouteDeps {
  readonly office: ApprovalOffice;
  readonly desk: ApprovalDesk;
  readonly changes: ApprovalChanges;
  readonly clock: Clock;
}

/** A constant's own text, not a template: routes are typed by it. */
const APPROVAL_PATH = '/v1/approvals/:id{apr_[0-9A-Z]{26}}';
const STATUSES: readonly string[] = [
  'pending',
  'approved',
  'denied',
  'expired',
  'cancelled',
  'failed',
] satisfies ApprovalStatus[];
const MAX_WAIT_S = 60;
/** Seconds, for those who do not wait. */
const RETRY_AFTER = '5';

const decision = z.strictObject({
  binding: z.string().regex(/^[0-9a-f]{64}$/),
  reason: z.string().min(1).max(500).optional(),
});

/** What people are asked: to see, to decide, to take back. Who may is the office's to say. */
export function approvalRoutes(deps: ApprovalRouteDeps): Routes {
  const { office } = deps;
  return (app) => {
    app.get(PATHS.approvals, (context) => list(deps, context));
    app.get(APPROVAL_PATH, (context) => show(deps, context, context.req.param('id')));
    app.post(`${APPROVAL_PATH}/approve`, async (context) => {
      const { binding, reason } = await decisionOf(context);
      if (reason !== undefined) throw new HoopError('ERR_USAGE', 'a yes has no reason');
      return said(context, await office.approve(context.var.principal, context.req.param('id'), binding));
    });
    app.post(`${APPROVAL_PATH}/deny`, async (context) => {
      const { binding, reason } = await decisionOf(context);
      return said(
        context,
        await office.deny(context.var.principal, context.req.param('id'), binding, reason),
      );
    });
    app.post(`${APPROVAL_PATH}/try`, async (context) => {
      const { binding, reason } = await decisionOf(context);
      if (reason !== undefined) throw new HoopError('ERR_USAGE', 'a try has no reason');
      const { principal } = context.var;
      return context.json(
        await office.tryOut(principal, context.req.param('id'), binding, connectionOf(context)),
      );
    });
    app.post(`${APPROVAL_PATH}/cancel`, async (context) =>
      said(context, await office.cancel(context.var.principal, context.req.param('id'))),
    );
  };
}

async function list({ office, changes }: ApprovalRouteDeps, context: ApiContext): Promise<Response> {
  const { principal } = context.var;
  const { status, wait, cursor } = queryOf(context, ['status', 'wait', 'cursor']);
  if (status !== undefined && !STATUSES.includes(status))
    throw new HoopError('ERR_USAGE', `status must be one of ${STATUSES.join(', ')}`);
  const waitMs = waitOf(wait);
  if (waitMs > 0 && cursor === changes.cursor)
    await changes.next((approval) => office.sees(approval, principal), waitMs, connectionOf(context));
  // Before the list: what changes in between is told again, and not left out.
  const now = changes.cursor;
  const approvals = office.list(principal, status as ApprovalStatus | undefined);
  return context.json({ schemaVersion: 1, approvals, cursor: now } satisfies ApprovalList);
}

async function show({ office, desk, clock }: ApprovalRouteDeps, context: ApiContext, id: string) {
  const { principal } = context.var;
  const waitMs = waitOf(queryOf(context, ['wait']).wait);
  office.find(principal, id);
  if (waitMs > 0) await desk.settled(id, clock.now() + waitMs, connectionOf(context));
  return said(context, await office.show(principal, id));
}

function said(context: ApiContext, item: ApprovalItem): Response {
  if (item.status === 'pending') context.header('retry-after', RETRY_AFTER);
  return context.json(item);
}

function waitOf(value: string | undefined): number {
  if (value === undefined) return 0;
  const seconds = /^\d{1,2}$/.test(value) ? Number(value) : 0;
  if (seconds < 1 || seconds > MAX_WAIT_S)
    throw new HoopError('ERR_USAGE', `wait must be a number of seconds from 1 to ${MAX_WAIT_S}`);
  return seconds * 1000;
}

async function decisionOf(context: ApiContext): Promise<z.infer<typeof decision>> {
  const parsed = decision.safeParse(await readJson(context));
  if (parsed.success) return parsed.data;
  throw new HoopError('ERR_USAGE', 'the decision is not valid JSON of the documented shape', {
    hint: 'binding is that of the request as it was shown; reason has at most 500 characters',
  });
}
