import { createInterface } from 'node:readline/promises';
import { stillDenyText } from '../../api/approval-words.ts';
import type { ApprovalItem } from '../../api/approvals.ts';
import type { GatewayApi } from '../../client/gateway-api.ts';
import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { type Invocation, textOption } from '../command.ts';
import type { Io } from '../io.ts';
import { renderApproval } from '../render/approval.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

const NOT_GIVEN = 75;

/** @returns 0 if every yes was given; 75 if one was not. */
export async function runApprove(invocation: Invocation): Promise<number> {
  const { args, io, options } = invocation;
  const binding = textOption(invocation, 'binding');
  if (binding !== undefined && args.length > 1)
    throw new HoopError('ERR_USAGE', '--binding is that of one request: name one');
  if (binding !== undefined && !/^[0-9a-f]{64}$/.test(binding))
    throw new HoopError('ERR_USAGE', `--binding "${binding.slice(0, 100)}" is no binding`, {
      hint: `it has 64 hexadecimal digits: hoopctl approval show ${args[0]}`,
    });
  if (options['yes'] !== true && !asksHere(io))
    throw new HoopError('ERR_USAGE', 'nobody can be asked here: look at it, then say --yes', {
      hint: `see: hoopctl approval show ${args[0]}`,
    });
  return withGateway(
    invocation,
    async ({ api }) => {
      let code = 0;
      for (const id of args) if (!(await approved(invocation, api, id, binding))) code = NOT_GIVEN;
      return code;
    },
    AS_PERSON,
  );
}

async function approved(
  { io, options }: Invocation,
  api: GatewayApi,
  id: string,
  binding: string | undefined,
): Promise<boolean> {
  const item = await api.approval(id);
  if (!io.json && item.status === 'pending')
    io.streams.stderr.write(
      `${renderApproval(item, systemClock.now(), io.noteWidth, io.charset).join('\n')}\n\n`,
    );
  if (options['yes'] !== true && !(await saysYes(io, item))) {
    io.note(`${item.id} was not approved`);
    return false;
  }
  const next = await api.decideApproval(item.id, 'approve', { binding: binding ?? item.binding });
  await say(
    io,
    next,
    next.status === 'approved' ? 'approved' : `your yes is given; it is still ${next.status}`,
  );
  return true;
}

/** Nobody is asked for a yes that would not count; of what is settled, the gateway says how it stands. */
async function saysYes(io: Io, item: ApprovalItem): Promise<boolean> {
  if (item.status !== 'pending') return true;
  if (item.mine.length === 0)
    throw new HoopError('ERR_DENIED', `your yes does not count for ${item.id}${whyNot(item)}`, {
      hint:
        stillDenyText(item) === undefined
          ? 'nobody decides what was asked on their own authority, and only who policy names decides: sign in as one of them, under a profile of their own (--profile)'
          : `it waits for others; you may still say no: hoopctl approval deny ${item.id}`,
    });
  return asked(io, `Approve ${item.id}? [y/N] `);
}

function whyNot({ notMine }: ApprovalItem): string {
  return notMine === undefined ? '' : `: ${notMine}`;
}

export async function runDeny(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const [id] = invocation.args;
  const reason = textOption(invocation, 'reason');
  const item = await withGateway(
    invocation,
    async ({ api }) => {
      const { binding, id: whole } = await api.approval(id!);
      return api.decideApproval(whole, 'deny', reason === undefined ? { binding } : { binding, reason });
    },
    AS_PERSON,
  );
  await say(io, item, item.status);
}

export async function runCancel(invocation: Invocation): Promise<undefined> {
  const [id] = invocation.args;
  const item = await withGateway(invocation, ({ api }) => api.cancelApproval(id!), AS_PERSON);
  await say(invocation.io, item, item.status);
}

function say(io: Io, item: ApprovalItem, words: string): Promise<void> {
  return io.json ? io.value(item) : io.line(`${item.id}: ${words}`);
}

/** Whether a person sits here. */
function asksHere({ json, streams }: Io): boolean {
  return !json && streams.stdin.isTTY === true && streams.stderr.isTTY === true;
}

async function asked(io: Io, question: string): Promise<boolean> {
  const { stdin: input, stderr: output } = io.streams;
  // Not a terminal of readline's own: Ctrl-C stays a signal.
  const lines = createInterface({ input, output, terminal: false });
  const gone = new AbortController();
  lines.once('close', () => gone.abort());
  try {
    const answer = await lines.question(question, { signal: AbortSignal.any([io.signal, gone.signal]) });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (gone.signal.aborted && !io.signal.aborted) return false;
    throw error;
  } finally {
    lines.close();
  }
}
