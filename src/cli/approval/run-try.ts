import { rowWords, trialWords } from '../../api/approval-words.ts';
import type { ApprovalTrial, FirstRows } from '../../api/approvals.ts';
import { allVisible } from '../../core/visible.ts';
import type { Invocation } from '../command.ts';
import { renderTable } from '../render/table.ts';
import { visible } from '../render/text.ts';
import { AS_PERSON, withGateway } from '../with-gateway.ts';

const HEADINGS = ['CHANGED', 'INSERTED', 'UPDATED', 'DELETED'];
const ROW_HEADINGS = ['', 'COLUMN', 'BEFORE', 'AFTER'];

export async function runTry(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const [id] = invocation.args;
  const trial = await withGateway(
    invocation,
    async ({ api }) => {
      const { binding, id: whole } = await api.approval(id!);
      return api.tryApproval(whole, binding);
    },
    AS_PERSON,
  );
  if (io.json) await io.value(trial);
  else await io.line(renderTrial(trial, io.width).join('\n'));
}

/** What it would change, in words and tables. Pure. */
export function renderTrial(trial: ApprovalTrial, width: number | undefined): string[] {
  const { changes, fails, first } = trial;
  const { outcome, notes } = trialWords(trial);
  const lines = changes.map(({ object, inserted, updated, deleted }) =>
    [object, inserted, updated, deleted].map(String),
  );
  return [
    visible(outcome),
    ...(fails !== undefined || lines.length === 0 ? [] : ['', ...renderTable(HEADINGS, lines, width)]),
    ...(first === undefined ? [] : renderRows(first, width)),
    ...(notes.length === 0 ? [] : ['', ...notes.map(visible)]),
  ];
}

/** Below each other, for rows are wider than terminals. */
function renderRows(first: FirstRows, width: number | undefined): string[] {
  const { heading, rows, leftOut } = rowWords(first);
  const tables = rows.flatMap(({ title, lines }) => {
    const cells = lines.map(({ column, before, after, changed }) => [
      changed ? '*' : '',
      ...[column, before, after].map(allVisible),
    ]);
    return ['', title, ...renderTable(ROW_HEADINGS, cells, width)];
  });
  return ['', `${visible(heading)}:`, ...tables, ...(leftOut === undefined ? [] : ['', visible(leftOut)])];
}
