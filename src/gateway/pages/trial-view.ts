import { type RowWords, rowWords, trialWords } from '../../api/approval-words.ts';
import type { ApprovalTrial, FirstRows } from '../../api/approvals.ts';
import { type Html, html } from './html.ts';

/** Lines of the table. */
const MAX_CHANGES = 500;

/** What a request would change, as it was counted. Pure. */
export function trialView(trial: ApprovalTrial): Html {
  const { outcome, notes } = trialWords(trial);
  const { changes, fails, first } = trial;
  return html`<h2 id="counted">What it would change</h2><div role="status"><p>${outcome}</p>${notes.map((note) => html`<p>${note}</p>`)}</div>
${fails !== undefined || changes.length === 0 ? undefined : table(changes)}
${first === undefined ? undefined : rowsView(first)}`;
}

function rowsView(first: FirstRows): Html {
  const { heading, rows, leftOut } = rowWords(first);
  return html`<h2>${heading}</h2>${rows.map(rowView)}
${leftOut === undefined ? undefined : html`<p class="dim">${leftOut}</p>`}`;
}

/** What changes is said by a word too: a colour alone does not tell everybody. */
function rowView({ title, lines }: RowWords): Html {
  const body = lines.map(
    ({ column, before, after, changed }) => html`<tr${changed ? html` class="changed"` : undefined}>
<th scope="row">${column}${changed ? html` <span class="dim">changes</span>` : undefined}</th>
<td><code>${before}</code></td><td><code>${after}</code></td></tr>`,
  );
  return html`<table class="row"><caption>${title}</caption><thead><tr><th scope="col">column</th><th scope="col">before</th>
<th scope="col">after</th></tr></thead><tbody>${body}</tbody></table>`;
}

function table(changes: ApprovalTrial['changes']): Html {
  const more = changes.length - MAX_CHANGES;
  const lines = changes
    .slice(0, MAX_CHANGES)
    .map(
      ({ object, inserted, updated, deleted }) =>
        html`<tr><td><code>${object}</code></td><td>${inserted}</td><td>${updated}</td><td>${deleted}</td></tr>`,
    );
  return html`<table><thead><tr><th scope="col">changed</th><th scope="col">inserted</th><th scope="col">updated</th>
<th scope="col">deleted</th></tr></thead><tbody>${lines}</tbody></table>
${more > 0 ? html`<p>and ${more} more</p>` : undefined}`;
}
