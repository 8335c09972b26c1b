import { z } from 'zod';
import type { ApprovalItem } from '../../../api/approvals.ts';
import type { AheadQuestion } from '../../../client/local/protocol.ts';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { explained } from '../beforehand.ts';
import type { GatewayDesk } from '../desk.ts';
import { RESOURCE, sameOperation, textOfAtMost } from '../operation.ts';
import { Refused, refusalIn, refusalOf } from '../refusal.ts';
import { type ToolContext, tool } from '../tool.ts';
import { shownName, shownText } from '../words.ts';
import { OPERATION } from './operations.ts';

/** Seconds that one call waits: shorter than what clients of MCP wait for an answer. */
const MAX_WAIT_S = 45;

const STATE = {
  needed: z.boolean().describe('False: no approval is needed; make the call.'),
  approval: z.string().optional().describe('The request that people decide: apr_….'),
  status: z.enum(['pending', 'approved', 'denied', 'expired', 'cancelled', 'failed']).optional(),
  for: z.string().optional().describe('What it opens: a connection, or one operation.'),
  needs: z.array(z.string()).optional().describe('Under which names people say yes.'),
  until: z.string().optional(),
  page: z
    .string()
    .optional()
    .describe('Where a person decides it with a browser: give it to the person you work for.'),
  reason: z.string().optional().describe('Why it was denied, in the words of the one who did.'),
  next: z.string().describe('What to do now.'),
};

export const requestApproval = tool({
  name: 'request_approval',
  title: 'Ask people for an approval',
  description:
    'Asks people to approve one operation, and runs nothing. Give exactly what you will call the tool with afterwards: a yes is for ' +
    'that and nothing else, once. Leave operation away to ask for the connection to a resource. The reason is read by the people who ' +
    'decide: say what it is for and what it changes. Asking again for the same finds the same request.',
  input: z.strictObject({
    resource: RESOURCE,
    operation: OPERATION.optional(),
    reason: textOfAtMost(300).min(1).describe('Why, for the people who decide.'),
  }),
  output: z.object(STATE),
  everywhere: true,
  asks: true,
  async run({ resource, operation, reason }, { desk, tools, signal }) {
    if (operation !== undefined) await demandTool({ desk, tools }, resource, operation);
    const id = await asked(desk, resource, operation, reason, signal);
    if (id === undefined) return { needed: false, next: 'no approval is needed: make the call' };
    const { api } = await desk.gateway();
    const item = await api.approval(id);
    const connects = item.actions.every((action) => action === 'connect');
    if (operation !== undefined && !connects) desk.asked.set(sameOperation(resource, operation), id);
    return shownApproval(item, operation !== undefined && connects);
  },
});

export const approvalStatus = tool({
  name: 'approval_status',
  title: 'Look whether people have decided',
  description:
    'Says what has become of a request for an approval. With wait_seconds the answer comes when it is decided, or after so long.',
  input: z.strictObject({
    approval: z.string().regex(/^apr_[0-9A-Z]{26}$/),
    wait_seconds: z.int().min(1).max(MAX_WAIT_S).optional(),
  }),
  output: z.object(STATE),
  seconds: ({ wait_seconds = 0 }) => wait_seconds + 15,
  async run({ approval, wait_seconds }, { desk }) {
    const { api } = await desk.gateway();
    try {
      return shownApproval(await api.approval(approval, wait_seconds), false);
    } catch (error) {
      if (!isHoopError(error) || error.code !== 'ERR_NO_ACCESS') throw error;
      throw new Refused({ ...refusalOf(error), hint: UNKNOWN_REQUEST });
    }
  },
});

const UNKNOWN_REQUEST =
  'give the id as request_approval gave it, apr_…; search_audit with the type approval.* finds what you asked for before';

/**
 * A yes is for this server's instance: to what none of its tools does, people would be asked for nothing.
 *
 * @throws {HoopError} No tool does it.
 */
async function demandTool(
  { desk, tools }: Pick<ToolContext, 'desk' | 'tools'>,
  resource: string,
  { text }: AheadQuestion,
): Promise<void> {
  const { api } = await desk.gateway();
  const [item] = await api.namedResources([resource]);
  if (tools.some(({ protocol, does }) => protocol === item?.protocol && does?.(text) !== false)) return;
  throw new HoopError(
    'ERR_UNSUPPORTED',
    `no tool of this server does that at ${resource}: a yes to it would be of no use`,
    {
      hint: `with a shell: hoopctl approval request ${resource} -c OPERATION --reason WHY, then hoopctl connect ${resource} --approval apr_…; without one tell the person you work for`,
    },
  );
}

/** @returns The request; undefined: none is needed. */
async function asked(
  desk: GatewayDesk,
  resource: string,
  question: AheadQuestion | undefined,
  reason: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await desk.ahead({ resource, asks: 'asks', reason }, question, signal)).approval;
  } catch (error) {
    if (isHoopError(error) && error.approval !== undefined) return error.approval;
    // Policy's own words, as every other tool has them: which rule, why, what this server gave up.
    const refusal =
      isHoopError(error) && error.code === 'ERR_DENIED' && question !== undefined
        ? refusalIn(await explained(desk, resource, question, signal))
        : undefined;
    throw refusal === undefined ? error : new Refused(refusal);
  }
}

/** @param onlyFirst It is for the connection, and an operation was to be asked for. Pure. */
export function shownApproval(item: ApprovalItem, onlyFirst: boolean) {
  const { id, status, needs, expiresAt, page, endReason, actions } = item;
  return {
    needed: true,
    approval: id,
    status,
    for: actions.every((action) => action === 'connect') ? 'a connection' : 'one operation',
    needs: needs.map(({ name }) => shownName(name)),
    until: expiresAt,
    ...(page === undefined ? {} : { page: shownName(page, 500) }),
    ...(endReason === undefined ? {} : { reason: shownText(endReason, 600) }),
    next: nextOf(item, onlyFirst),
  };
}

function nextOf({ id, status, usedBy }: ApprovalItem, onlyFirst: boolean): string {
  if (status === 'pending') return `wait: approval_status for ${id}; meanwhile do something else`;
  if (status === 'denied')
    return 'do not ask for the same again: do what the reason says, or ask the person you work for';
  if (status !== 'approved') return 'nobody decided in time: ask again if it is still needed';
  if (usedBy !== undefined) return 'it has been used: what comes next is another question';
  return onlyFirst
    ? 'this was for the connection: call request_approval once more for the operation'
    : 'make the call now, unchanged';
}
