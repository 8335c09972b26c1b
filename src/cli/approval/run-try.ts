import type { ApprovalTrial } from '../../api/approvals.ts';
import type { Invocation } from '../command.ts';
import { renderTable } from '../render/table.ts';
import { visible } from '../render/text.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

const HEADINGS = ['CHANGED', 'INSERTED', 'UPDATED', 'DELETED'];

export async function runTry(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const [id] = invocation.args;
  const trial = await withGateway(
    invocation,
    async ({ api }) => {
      const { binding } = await api.approval(id!);
      return api.tryApproval(id!, binding);
    },
    AS_PERSON,
  );
  if (io.json) await io.value(trial);
  else await io.line(renderTrial(trial, io.width).join('\n'));
}

/** What it would change, in words and a table. Pure. */
export function renderTrial(trial: ApprovalTrial, width: number | undefined): string[] {
  const { command = '', rows = 0, changes, fails, changed, catches } = trial;
  const said = [
    ...(changed
      ? ['What is defined at the target has changed since it was asked: it will be asked anew.']
      : []),
    ...(catches ? ['Code in it catches errors: what it undid by itself is counted as well.'] : []),
  ];
  const notes = said.length === 0 ? [] : ['', ...said];
  if (fails !== undefined)
    return [
      `It would fail: ${visible(fails.reason)} (${visible(fails.status)}). Nothing was kept.`,
      ...notes,
    ];
  const head = `${visible(command)} of ${rows} ${rows === 1 ? 'row' : 'rows'}. It was undone; nothing was kept.`;
  const lines = changes.map(({ object, inserted, updated, deleted }) =>
    [object, inserted, updated, deleted].map(String),
  );
  return [head, ...(lines.length === 0 ? [] : ['', ...renderTable(HEADINGS, lines, width)]), ...notes];
}
