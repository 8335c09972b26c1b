import type { ApprovalItem } from '../../api/approvals.ts';
import type { HoopError } from '../../core/errors.ts';
import { ERROR_TABLE } from '../../core/errors.ts';
import { allVisible, visible } from '../../core/visible.ts';
import { type Html, html } from './html.ts';
import type { WebSession } from './web-sessions.ts';

/** Where the pages are, below the gateway's own address. */
export const PAGES = {
  list: '/approvals',
  style: '/approvals/style.css',
  signIn: '/approvals/sign-in',
  signedIn: '/approvals/signed-in',
  signOut: '/approvals/sign-out',
} as const;

/** The address of one request's page. */
export function pageOf(id: string): string {
  return `${PAGES.list}/${id}`;
}

/** Seconds between two looks of an open list. */
const LOOK_AGAIN_S = 15;
/** Settled requests in the list. */
const SETTLED = 20;

/** A whole page. Pure, as everything here: what strangers wrote is escaped, and nothing in it is invisible. */
function page(title: string, session: WebSession | undefined, body: Html, lookAgain = false): string {
  const again = lookAgain ? html`<meta http-equiv="refresh" content="${LOOK_AGAIN_S}">` : undefined;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">${again}
<title>${visible(title)} · hoop</title>
<link rel="stylesheet" href="${PAGES.style}">
</head>
<body>
<header><a class="brand" href="${PAGES.list}">hoop approvals</a>${session === undefined ? undefined : who(session)}</header>
<main>
${body}
</main>
</body>
</html>
`.text;
}

function who(session: WebSession): Html {
  return html`<form method="post" action="${PAGES.signOut}">${token(session)}<span class="dim">${visible(session.principal.name)}</span>
<button class="plain">Sign out</button></form>`;
}

function token({ formToken }: WebSession): Html {
  return html`<input type="hidden" name="token" value="${formToken}">`;
}

/** Where one signs in. @param to The page that was wanted. */
export function signInPage(issuers: readonly string[], to: string): string {
  if (issuers.length === 0) return page('No sign-in', undefined, NO_SIGN_IN);
  const links = issuers.map((issuer) => {
    const address = `${PAGES.signIn}?${new URLSearchParams({ issuer, to })}`;
    return html`<p><a class="button" href="${address}">Sign in with ${new URL(issuer).host}</a></p>`;
  });
  return page(
    'Sign in',
    undefined,
    html`<h1>Sign in</h1>
<p>Who approves what an agent asks for must have signed in a short while ago.</p>
${links}`,
  );
}

const NO_SIGN_IN = html`<h1>Nobody signs in here</h1>
<p>This gateway has no client for browsers. Approvals are decided by <code>hoopctl approval list</code>.</p>
<p class="dim">Its operator gives it one: <code>web: { clientId: … }</code> of an issuer in hoopd.yaml.</p>`;

/** What went wrong, and where to go on. */
export function problemPage(error: HoopError, session: WebSession | undefined, back: string): string {
  const { text } = ERROR_TABLE[error.code];
  const said = error.message === text ? undefined : html`<p>${visible(error.message)}</p>`;
  const hint = error.hint === undefined ? undefined : html`<p class="dim">${visible(error.hint)}</p>`;
  const again = `${PAGES.signIn}?${new URLSearchParams({ to: back })}`;
  const sign = ['ERR_LOGIN_STALE', 'ERR_LOGIN_EXPIRED', 'ERR_REVOKED', 'ERR_LOGIN_DENIED'].includes(
    error.code,
  );
  return page(
    text,
    session,
    html`<h1>${visible(text)}</h1>
<div class="problem">${said}${hint}</div>
<p>${sign ? html`<a class="button" href="${again}">Sign in</a>` : html`<a href="${back}">Back</a>`}</p>`,
  );
}

export function listPage(items: readonly ApprovalItem[], session: WebSession): string {
  const pending = items.filter(({ status }) => status === 'pending');
  const settled = items.filter(({ status }) => status !== 'pending').slice(0, SETTLED);
  const rows = (some: readonly ApprovalItem[]) => html`<ul class="list">${some.map(row)}</ul>`;
  return page(
    'Approvals',
    session,
    html`<h1>Waiting for approval</h1>
${pending.length === 0 ? html`<p class="dim">Nothing waits.</p>` : rows(pending)}
${settled.length === 0 ? undefined : html`<h2>Settled</h2>${rows(settled)}`}`,
    true,
  );
}

function row(item: ApprovalItem): Html {
  const text = item.text.replace(/\s+/g, ' ').trim().slice(0, 400);
  const yours = item.mine.length > 0 ? html` <strong>your yes is missing</strong>` : undefined;
  return html`<li><a href="${pageOf(item.id)}"><span class="head"><span>${asker(item)} at <strong>${visible(item.resource)}</strong></span>
${state(item)}</span>
<span class="dim">${item.at} · ${needs(item)}</span>${yours}
<span class="text">${allVisible(text)}</span></a></li>`;
}

function state({ status, usedBy }: ApprovalItem): Html {
  return html`<span class="state ${status}">${status === 'approved' && usedBy !== undefined ? 'approved, used' : status}</span>`;
}

function asker({ actor, person }: ApprovalItem): string {
  return visible(person === undefined ? actor : `${actor} for ${person}`);
}

function needs(item: ApprovalItem): string {
  return item.needs.map(({ name, count, given }) => `${visible(name)} ${given} of ${count}`).join(', ');
}

/** One request, with what decides it for whoever may. */
export function approvalPage(item: ApprovalItem, session: WebSession): string {
  return page(
    item.id,
    session,
    html`<p><a href="${PAGES.list}">All requests</a></p>
<h1>${asker(item)} asks at ${visible(item.resource)} ${state(item)}</h1>
${exact(item)}
<h2>What it would do</h2>
${facts([
  ['actions', item.actions.join(', ')],
  ['to', item.objects.join(', ')],
  ...item.rules.map(({ id, reason }) => ['held by', reason === undefined ? id : `${id}: ${reason}`] as const),
])}
<h2>Who asks</h2>
${facts([
  ['agent', item.actor],
  ['for', item.person],
  ['attested', `${pairs(item.attested)} (by ${item.issuer})`.trim()],
  ['instance', item.instance],
  ['session', item.session],
])}
${unchecked(item)}
<h2>Decision</h2>
${facts([
  ['request', item.id],
  ['asked', item.at],
  ['until', item.expiresAt],
  ...item.needs.map(({ name, count, given }) => ['needs', `${name}: ${given} of ${count}`] as const),
  ...item.votes.map(({ by, names, at }) => ['yes', `${by} as ${names.join(', ')}, ${at}`] as const),
  ['ended by', item.endedBy],
  ['reason', item.endReason],
  ['used by', item.usedBy],
  ['policy', item.policyVersion],
  ['binding', item.binding],
])}
${item.status === 'pending' ? decide(item, session) : undefined}`,
    item.status === 'pending' && item.mine.length === 0,
  );
}

function facts(rows: readonly (readonly [string, string | undefined])[]): Html {
  const there = rows.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, value] as const],
  );
  return html`<dl>${there.map(([name, value]) => html`<dt>${name}</dt><dd>${allVisible(value)}</dd>`)}</dl>`;
}

function exact({ original, text }: ApprovalItem): Html {
  if (original === undefined) return html`<h2>What is asked, values masked</h2><pre>${lines(text)}</pre>`;
  return html`${Object.entries(original).map(([name, value]) =>
    typeof value === 'string'
      ? html`<h2>${visible(name)}, exactly</h2><pre>${lines(value)}</pre>${foreign(value)}`
      : html`<h2>${visible(name)}</h2><pre>${value.map((one, index) => `${index + 1}: ${one === null ? 'NULL' : `'${allVisible(one)}'`}`).join('\n')}</pre>`,
  )}`;
}

function lines(text: string): string {
  return text.split('\n').map(allVisible).join('\n');
}

/** Letters that look like others are said to be there. */
function foreign(text: string): Html | undefined {
  const found = [...new Set(text.match(/[^\0-\x7f]/gu) ?? [])].slice(0, 8);
  if (found.length === 0) return undefined;
  const named = found.map(
    (one) => `${allVisible(one)} U+${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`,
  );
  return html`<p class="warning">Has characters beyond ASCII: ${named.join(', ')}</p>`;
}

function unchecked({ declared, reason }: ApprovalItem): Html | undefined {
  const said = [
    ...(reason === undefined ? [] : [html`<p>Says why: <q>${allVisible(reason)}</q></p>`]),
    ...(Object.keys(declared).length === 0
      ? []
      : [html`<p>Says of itself: ${allVisible(pairs(declared))}</p>`]),
  ];
  if (said.length === 0) return undefined;
  return html`<div class="warning">${said}<p class="dim">Nobody has checked this: it is the asker's own word.</p></div>`;
}

function decide(item: ApprovalItem, session: WebSession): Html {
  if (item.mine.length === 0)
    return html`<p class="dim">You cannot say yes to it${item.original === undefined ? '' : ', or have already'}.</p>`;
  const form = (
    word: string,
    body: Html,
  ) => html`<form method="post" action="${pageOf(item.id)}/${word}">${token(session)}
<input type="hidden" name="binding" value="${item.binding}">${body}</form>`;
  return html`<p>${means(item)} Whatever differs in anything is asked again.</p>
<div class="decide">
${form('approve', html`<button class="yes">Approve as ${item.mine.map(visible).join(' and ')}</button>`)}
${form(
  'deny',
  html`<label for="reason">Why not, for the one who asks</label>
<input id="reason" name="reason" maxlength="500" autocomplete="off"><button class="no">Deny</button>`,
)}
</div>`;
}

function means({ window, actor, resource, expiresAt }: ApprovalItem): string {
  const who = `this instance of ${visible(actor)}`;
  if (window === undefined)
    return `Once all have said yes, exactly this is done once, for ${who}, until ${expiresAt}.`;
  const minutes = Math.round(window / 60);
  return `Once all have said yes, ${who} may open ${visible(resource)} as often as it likes for ${minutes} min from then on.`;
}

function pairs(record: Readonly<Record<string, string>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
