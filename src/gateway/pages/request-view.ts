import {
  maskedNames,
  meaningOf,
  notMineText,
  notTriedText,
  pairsText,
  stillDenyText,
} from '../../api/approval-words.ts';
import type { ApprovalItem, ApprovalTrial } from '../../api/approvals.ts';
import { exactView } from './exact-view.ts';
import { type Html, html } from './html.ts';
import { changedNotice, type Live, revisionOf } from './live.ts';
import { trialView } from './trial-view.ts';
import { asker, PAGES, page, pageOf, state, timeText, token, until } from './views.ts';
import type { WebSession } from './web-sessions.ts';

/** Entries of one list. */
const MAX_ENTRIES = 500;

export interface RequestView {
  readonly item: ApprovalItem;
  readonly session: WebSession;
  readonly nowMs: number;
  /** The person signed in lately enough to decide. */
  readonly fresh: boolean;
  /** What it would change, where that was just counted. */
  readonly trial?: ApprovalTrial | undefined;
}

/** One request, with what decides it for whoever may. Pure. */
export function requestPage(view: RequestView): string {
  const { item, session, nowMs, trial } = view;
  const exact = exactView(item);
  const whole = exact.whole && item.objects.length <= MAX_ENTRIES;
  const left = until(item, nowMs);
  const live = liveOf(item);
  const masked = maskedNames(item);
  return page(
    `${asker(item)} at ${item.resource}`,
    session,
    html`<p><a href="${PAGES.list}">All requests</a></p>
<h1>${asker(item)} asks for ${firstOf(item.actions)} at ${item.resource}</h1>
<p>${state(item)} ${left === undefined ? undefined : html`<span class="dim">${left}</span>`}</p>
${live?.keeps === true ? changedNotice(pageOf(item.id)) : undefined}
${exact.view}
<h2>What it would do</h2>
<dl>${fact('actions', item.actions.join(', '))}
<dt>to</dt><dd>${listed(item.objects)}</dd>
${masked === undefined ? undefined : html`<dt>masked for the one who asks</dt><dd>${listed(masked)}</dd>`}
${item.rules.map(({ id, reason }) => fact('held by', reason === undefined ? id : `${id}: ${reason}`))}</dl>
${trial === undefined ? undefined : trialView(trial)}
<h2>Who asks</h2>
<dl>${fact('agent', item.actor)}
${fact('for', item.person)}
${fact('signed in by', item.issuer)}
${fact('attested', pairsText(item.attested))}
${fact('instance', item.instance)}
${fact('session', item.session)}</dl>
${unchecked(item)}
<h2>${item.status === 'pending' ? 'Decision' : 'What became of it'}</h2>
<dl>${item.needs.map(({ name, count, given }) => fact('needs', `${name}: ${given} of ${count}`))}
${item.votes.map(({ by, names, at }) => fact('yes', `${by} as ${names.join(', ')}, ${timeText(at)}`))}
${fact('ended by', item.endedBy)}
${fact('reason', item.endReason)}
${fact('used by', item.usedBy)}</dl>
${item.status === 'pending' ? decision(view, whole) : html`<p>${meaningOf(item, nowMs)}</p>`}
<h2>On record</h2>
<dl>${fact('request', item.id)}
${fact('asked', timeText(item.at))}
${fact('protocol', item.protocol)}
${fact('policy', item.policyVersion)}
${fact('binding', item.binding)}</dl>`,
    live,
  );
}

/** Whoever reads exactly what is asked is on record each time, and decides by it: such a page stays as it is. */
function liveOf({ id, status: state, votes, usedBy, mine, original }: ApprovalItem): Live | undefined {
  if (state !== 'pending') return undefined;
  const as = revisionOf({ state, votes, ...(usedBy === undefined ? {} : { usedBy }) });
  return { as, id, keeps: mine.length > 0 || original !== undefined };
}

function fact(name: string, value: string | undefined): Html {
  return value === undefined || value === '' ? html`` : html`<dt>${name}</dt><dd>${value}</dd>`;
}

function listed(texts: readonly string[]): Html {
  const more = texts.length - MAX_ENTRIES;
  const all = texts.slice(0, MAX_ENTRIES).map((text) => html`<code>${text}</code><br>`);
  return html`${all}${more > 0 ? html`and ${more} more` : undefined}`;
}

function firstOf([first = 'something', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

function unchecked({ declared, reason }: ApprovalItem): Html | undefined {
  const said = [
    ...(reason === undefined ? [] : [html`<p>Says why: <q>${reason}</q></p>`]),
    ...(Object.keys(declared).length === 0 ? [] : [html`<p>Says of itself: ${pairsText(declared)}</p>`]),
  ];
  if (said.length === 0) return undefined;
  return html`<div class="warning">${said}<p class="dim">Nobody has checked this: it is the asker's own word.</p></div>`;
}

function decision({ item, session, nowMs, fresh }: RequestView, whole: boolean): Html {
  const others = notMineText(item);
  const still = stillDenyText(item);
  if (others !== undefined && still === undefined) return html`<p class="dim">${others}</p>`;
  const means = html`<p>${meaningOf(item, nowMs)}</p>`;
  const said = others === undefined ? means : html`<p class="dim">${others}</p><p>${still}</p>`;
  if (!fresh) return html`${said}${signInAgain(item)}`;
  const form = (word: string, body: Html) =>
    html`<form method="post" action="${pageOf(item.id)}/${word}">${token(session)}
<input type="hidden" name="binding" value="${item.binding}">${body}</form>`;
  const no = form(
    'deny',
    html`<label for="reason">Why not, for the one who asks</label>
<input id="reason" name="reason" maxlength="500" autocomplete="off"><button class="no">Deny</button>`,
  );
  if (others !== undefined) return html`${said}<div class="decide">${no}</div>`;
  const yes = html`<button class="yes">Approve as ${item.mine.join(' and ')}</button>`;
  const count = html`<button class="plain">Count what it would change</button>
<span class="dim">It is done and undone at the target.</span>`;
  const notTried = notTriedText(item);
  return html`${notTried === undefined ? form('try', count) : html`<p class="dim">${notTried}</p>`}${means}
<div class="decide">
${whole ? form('approve', yes) : TOO_LONG}
${no}
</div>`;
}

/** Nobody says yes here to what they were not shown. */
const TOO_LONG = html`<p>See all of it, and say yes, with <code>hoopctl approval approve</code>.</p>`;

function signInAgain({ id }: ApprovalItem): Html {
  const address = `${PAGES.signIn}?${new URLSearchParams({ to: pageOf(id) })}`;
  return html`<p>Whoever decides must have signed in a short while ago.</p>
<p><a class="button" href="${address}">Sign in again to decide</a></p>`;
}
