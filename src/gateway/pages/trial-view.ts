import type { ApprovalTrial } from '../../api/approvals.ts';
import { type Html, html } from './html.ts';

/** Lines of the table. */
const MAX_CHANGES = 500;

/** What a request would change, as it was counted. Pure. */
export function trialView({ command = '', rows = 0, changes, fails, changed, catches }: ApprovalTrial): Html {
  const notes = [
    ...(changed
      ? [html`<p>What is defined at the target has changed since it was asked: it will be asked anew.</p>`]
      : []),
    ...(catches ? [html`<p>Code in it catches errors: what it undid by itself is counted as well.</p>`] : []),
  ];
  const said =
    fails === undefined
      ? `${command} of ${rows} ${rows === 1 ? 'row' : 'rows'}. It was undone; nothing was kept.`
      : `It would fail: ${fails.reason} (${fails.status}). Nothing was kept.`;
  return html`<h2 id="counted">What it would change</h2><div role="status"><p>${said}</p>${notes}</div>
${fails !== undefined || changes.length === 0 ? undefined : table(changes)}`;
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
