import { ERROR_TABLE, type ErrorCode, type HoopError } from '../../core/errors.ts';
import { type Html, html } from './html.ts';
import { asAnother, PAGES, page } from './views.ts';
import type { WebSession } from './web-sessions.ts';

/** What somebody with a browser wanted when it went wrong. */
export interface Wanted {
  /** A path of ours where they go on. */
  readonly back: string;
  /** A form was sent: they must know that nothing came of it. */
  readonly sent?: 'decision' | 'count' | undefined;
}

const SENT = { decision: 'Nothing was decided', count: 'Nothing was counted' } as const;

/** Whoever signs in goes on. */
const SIGN: ReadonlySet<ErrorCode> = new Set([
  'ERR_LOGIN_STALE',
  'ERR_LOGIN_EXPIRED',
  'ERR_REVOKED',
  'ERR_LOGIN_DENIED',
  'ERR_TOKEN_INVALID',
]);

/** What went wrong, and what a person with a browser does about it: no command is of use to them. Pure. */
export function problemPage(error: HoopError, session: WebSession | undefined, wanted: Wanted): string {
  const { code, message } = error;
  if (code === 'ERR_NO_ACCESS') return nothingThere(session, wanted);
  const title = wanted.sent === undefined ? sentence(ERROR_TABLE[code].text) : SENT[wanted.sent];
  const hint = /\bhoopctl\b/.test(error.hint ?? '') ? CURES[code] : error.hint;
  return page(
    title,
    session,
    html`<h1>${title}</h1>
<div class="problem"><p>${sentence(message)}.</p>${hint === undefined ? undefined : html`<p class="dim">${sentence(hint)}.</p>`}</div>
<p>${SIGN.has(code) ? signIn(wanted.back) : onward(wanted)}</p>`,
  );
}

/** In place of what a person at a command line is told. */
const CURES: Partial<Record<ErrorCode, string>> = {
  ERR_LOGIN_STALE: 'sign in again, and decide then',
  ERR_VERIFY: 'it has changed since you opened it: look at it again, and decide then',
  ERR_USAGE: 'look what became of it',
};

function signIn(back: string): Html {
  const address = `${PAGES.signIn}?${new URLSearchParams({ to: back })}`;
  return html`<a class="button" href="${address}">Sign in</a>`;
}

function onward({ back }: Wanted): Html {
  return back === PAGES.list ? ALL : html`<a href="${back}">Back to the request</a>`;
}

const ALL = html`<a href="${PAGES.list}">All requests</a>`;

/** The same for what there is not as for what is none of theirs: nobody learns which. */
function nothingThere(session: WebSession | undefined, { back, sent }: Wanted): string {
  const name = session?.principal.name;
  const title = sent === undefined ? 'No such request, or none for you' : SENT[sent];
  return page(
    title,
    session,
    html`<h1>${title}</h1>
<div class="problem"><p>There is no such request for approval, or no access to it.</p></div>
<ul><li>Is the link whole? It ends with <code>apr_</code> and 26 capital letters and digits.</li>
${
  name === undefined
    ? undefined
    : html`<li>You are signed in as <strong>${name}</strong>. Was it sent to somebody else, or to another account of yours? ${asAnother(back)}</li>`
}
<li>Was it settled long ago? Those are not kept for ever. What is still wanted is asked again, with a new link.</li>
<li>Else ask whoever sent you the link: policy says who decides what.</li></ul>
<p>${ALL}</p>`,
  );
}

/** An address at its beginning stays as it is. */
function sentence(text: string): string {
  return text.replace(/^[a-z](?=[a-z]*[ ,])/, (first) => first.toUpperCase()).replace(/\.$/, '');
}
