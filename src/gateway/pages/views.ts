import { askedText, standingOf, timeLeft } from '../../api/approval-words.ts';
import type { ApprovalItem } from '../../api/approvals.ts';
import { type Html, html } from './html.ts';
import { LIVE_SCRIPT, type Live, reloading } from './live.ts';
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

/** Settled requests in the list. */
const SETTLED = 20;
/** Of each other kind. */
const ROWS = 200;
/** Characters of one text in a list. */
const ROW_TEXT = 400;
/** Of which so much is looked at: there may be more blanks in it than there is room for. */
const MOST_TEXT = 2 * ROW_TEXT;

/** A whole page. @param live It is kept true to what it shows. Pure, as everything here. */
export function page(title: string, session: WebSession | undefined, body: Html, live?: Live): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">${live === undefined ? undefined : reloading(live)}
<title>${title} · hoop</title>
<link rel="stylesheet" href="${PAGES.style}">
</head>
<body>
<header><a class="brand" href="${PAGES.list}">hoop approvals</a>${session === undefined ? undefined : who(session)}
<p class="told" role="status"></p></header>
<main tabindex="-1"${live === undefined ? undefined : liveData(live)}>
${body}
</main>${live === undefined ? undefined : LIVE_SCRIPT}
</body>
</html>
`.text;
}

function liveData({ as, id, keeps = false }: Live): Html {
  const of = id === undefined ? undefined : html` data-id="${id}"`;
  return html` data-as="${as}"${of}${keeps ? html` data-keeps="yes"` : undefined}`;
}

function who(session: WebSession): Html {
  return html`<form method="post" action="${PAGES.signOut}">${token(session)}<span class="dim">${session.principal.name}</span>
<button class="plain">Sign out</button></form>`;
}

export function token({ formToken }: WebSession): Html {
  return html`<input type="hidden" name="token" value="${formToken}">`;
}

/**
 * Where one signs in.
 *
 * @param to The page that was wanted. @param another The provider asks who it is, also where it knows the browser.
 */
export function signInPage(issuers: readonly string[], to: string, another = false): string {
  if (issuers.length === 0) return page('No sign-in', undefined, NO_SIGN_IN);
  const links = issuers.map((issuer) => {
    const address = `${PAGES.signIn}?${new URLSearchParams({ issuer, to, ...(another ? { as: 'another' } : {}) })}`;
    return html`<p><a class="button" href="${address}">Sign in with ${new URL(issuer).host}</a></p>`;
  });
  return page(
    'Sign in',
    undefined,
    html`<h1>Sign in</h1>
<p>Who approves what an agent asks for must have signed in a short while ago.</p>
${links}${another ? undefined : html`<p>${asAnother(to)}</p>`}`,
  );
}

/** A provider that knows the browser signs the same person in again, without a word. */
export function asAnother(to: string): Html {
  const address = `${PAGES.signIn}?${new URLSearchParams({ to, as: 'another' })}`;
  return html`<a href="${address}">Sign in as somebody else</a>`;
}

const NO_SIGN_IN = html`<h1>Nobody signs in here</h1>
<p>This gateway has no client for browsers. Approvals are decided by <code>hoopctl approval list</code>.</p>
<p class="dim">Its operator gives it one: <code>web: { clientId: … }</code> of an issuer in hoopd.yaml.</p>`;

/** What waits, those first whose yes is missing, and what was settled last. @param cursor Of the changes so far. */
export function listPage(
  items: readonly ApprovalItem[],
  session: WebSession,
  nowMs: number,
  cursor: string,
): string {
  const pending = items.filter(({ status }) => status === 'pending');
  const mine = pending.filter((item) => item.mine.length > 0);
  const others = pending.filter((item) => item.mine.length === 0);
  const settled = items.filter(({ status }) => status !== 'pending').slice(0, SETTLED);
  return page(
    mine.length === 0 ? 'Approvals' : `(${mine.length}) Approvals`,
    session,
    html`<h1>Approvals</h1>
<h2>Waiting for you</h2>
${mine.length === 0 ? html`<p class="dim">Nothing waits for your yes.</p>` : rows(mine, nowMs)}
${others.length === 0 ? undefined : html`<h2>Waiting for others</h2>${rows(others, nowMs)}`}
${settled.length === 0 ? undefined : html`<h2>Settled</h2>${rows(settled, nowMs)}`}`,
    { as: cursor },
  );
}

function rows(items: readonly ApprovalItem[], nowMs: number): Html {
  const more = items.length - ROWS;
  const rest =
    more > 0 ? html`<p class="dim">and ${more} more: <code>hoopctl approval list</code></p>` : undefined;
  return html`<ul class="list">${items.slice(0, ROWS).map((item) => row(item, nowMs))}</ul>${rest}`;
}

function row(item: ApprovalItem, nowMs: number): Html {
  const asked = askedText({ ...item, text: item.text.slice(0, MOST_TEXT) });
  const text = asked.length > ROW_TEXT ? `${asked.slice(0, ROW_TEXT - 1)}…` : asked;
  return html`<li><a href="${pageOf(item.id)}"><span class="head"><span>${asker(item)} at <strong>${item.resource}</strong></span>
${state(item)}</span>
<span class="dim">${until(item, nowMs) ?? timeText(item.at)} · ${needs(item)}</span>
<span class="text">${text}</span></a></li>`;
}

/** How long it may still be decided or used, and until when; undefined: not any more. */
export function until(item: ApprovalItem, nowMs: number): string | undefined {
  const left = timeLeft(item, nowMs);
  return left === undefined ? undefined : `${left} left, until ${timeText(item.expiresAt)}`;
}

/** `2026-03-01 09:30:00 UTC`. */
export function timeText(at: string): string {
  return `${at.slice(0, 19).replace('T', ' ')} UTC`;
}

export function state(item: ApprovalItem): Html {
  return html`<span class="state ${item.status}">${standingOf(item)}</span>`;
}

export function asker({ actor, person }: ApprovalItem): string {
  return person === undefined || person === actor ? actor : `${actor} for ${person}`;
}

function needs(item: ApprovalItem): string {
  return item.needs.map(({ name, count, given }) => `${name} ${given} of ${count}`).join(', ');
}
