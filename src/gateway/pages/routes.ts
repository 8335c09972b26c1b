import { Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { ApprovalTrial } from '../../api/approvals.ts';
import type { Approval } from '../../approval/model.ts';
import type { AuditLog } from '../../audit/event.ts';
import type { Clock } from '../../core/clock.ts';
import { ERROR_TABLE, HoopError, toHoopError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { InstanceRegistry } from '../../identity/instances.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { actorOf } from '../actor.ts';
import type { Routes } from '../api/app.ts';
import { readBody } from '../api/body.ts';
import { type ApiContext, type ApiEnv, connectionOf, singleField } from '../api/context.ts';
import { recordRefusedLogin } from '../api/refused-login.ts';
import type { ApprovalChanges } from '../approvals/changes.ts';
import type { ApprovalOffice } from '../approvals/office.ts';
import type { RefusalBudget } from '../tunnel/refusal-budget.ts';
import { addressOf } from '../tunnel/request.ts';
import type { SignInAttempts } from './attempts.ts';
import { revisionOf, SCRIPT_SOURCE } from './live.ts';
import { problemPage } from './problem-view.ts';
import { requestPage } from './request-view.ts';
import { SIGN_IN_MS, type SignIn } from './sign-in.ts';
import { STYLE } from './style.ts';
import { listPage, PAGES, pageOf, signInPage } from './views.ts';
import { isFormToken, type WebSession, type WebSessions } from './web-sessions.ts';

export interface PageDeps {
  readonly publicUrl: string;
  readonly office: ApprovalOffice;
  readonly changes: ApprovalChanges;
  readonly sessions: WebSessions;
  readonly signIn: SignIn;
  readonly attempts: SignInAttempts;
  readonly instances: Pick<InstanceRegistry, 'revoke'>;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly vocabulary: Vocabulary;
  readonly budget: RefusalBudget;
  readonly clock: Clock;
  readonly log: Log;
}

/** Constants' own texts, not templates: routes are typed by them. */
const ONE = '/:id{apr_[0-9A-Z]{26}}';
const WANTED = /^\/approvals(\/apr_[0-9A-Z]{26})?$/;
/** The prefix binds a cookie to this very host, over TLS: draft-ietf-httpbis-rfc6265bis, §4.1.3.2. */
const SESSION_COOKIE = '__Host-hoop';
const SIGN_IN_COOKIE = '__Host-hoop-sign-in';
/** `Lax`: who follows a link from a chat is still signed in. What changes something demands more, see `demandOwnForm`. */
const COOKIE = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;

/** No script but the one of ours, nothing from elsewhere, framed by nobody. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; script-src ${SCRIPT_SOURCE}; connect-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** How long one question for changes is held back: shorter than what proxies on the way hold. */
const LIVE_MS = 20_000;

const NOTHING = 'there is no such request for approval, or no access to it';

/** Pages for people who decide: the API's office, with a browser's sign-in instead of token and proof. */
export function pageRoutes(deps: PageDeps): Routes {
  const pages = new Hono<ApiEnv>();
  pages.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
  });
  pages.onError((thrown, context) => failed(deps, context, toHoopError(thrown)));
  pages.get('/style.css', (context) =>
    context.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }),
  );
  pages.get('/sign-in', (context) => begin(deps, context));
  pages.get('/signed-in', (context) => finish(deps, context));
  pages.post('/sign-out', (context) => signOut(deps, context));
  pages.get('/', (context) => list(deps, context));
  pages.get('/changed', (context) => changed(deps, context));
  pages.get(ONE, (context) => show(deps, context, context.req.param('id')));
  pages.post(`${ONE}/try`, (context) => tried(deps, context, context.req.param('id')));
  pages.post(`${ONE}/approve`, (context) =>
    decided(deps, context, context.req.param('id'), ({ principal }, { binding }, id) =>
      deps.office.approve(principal, id, binding),
    ),
  );
  pages.post(`${ONE}/deny`, (context) =>
    decided(deps, context, context.req.param('id'), ({ principal }, { binding, reason }, id) =>
      deps.office.deny(principal, id, binding, reason),
    ),
  );
  // A tab that is opened again, or reloaded, asks for what a form was sent to.
  pages.get(`${ONE}/:form{approve|deny|try}`, (context) =>
    context.redirect(pageOf(encodeURIComponent(context.req.param('id'))), 303),
  );
  // Whatever else: as for a request that there is not.
  pages.all('*', () => {
    throw new HoopError('ERR_NO_ACCESS', NOTHING);
  });
  return (app) => {
    app.route(PAGES.list, pages);
  };
}

async function list(deps: PageDeps, context: ApiContext): Promise<Response> {
  const session = sessionOf(deps, context);
  if (session === undefined) return context.html(signInPage(deps.signIn.issuers, PAGES.list), 401);
  // Before the list: what changes in between is told again, and not left out.
  const { cursor } = deps.changes;
  return context.html(listPage(deps.office.list(session.principal), session, deps.clock.now(), cursor));
}

/**
 * Whether what a page shows has changed, for the script of ours: 200, or 204 when nothing has within `LIVE_MS`. It tells
 * nothing else, and looks at nothing that is on record.
 */
async function changed(deps: PageDeps, context: ApiContext): Promise<Response> {
  const { office, changes } = deps;
  const session = sessionOf(deps, context);
  if (session === undefined) return context.body(null, 401);
  const { principal } = session;
  const { as = '', id } = context.req.query();
  const now = () => (id === undefined ? changes.cursor : revisionOf(office.find(principal, id)));
  const concerns = (approval: Approval) =>
    id === undefined ? office.sees(approval, principal) : approval.id === id;
  if (now() === as) await changes.next(concerns, LIVE_MS, connectionOf(context));
  return context.body(null, now() === as ? 204 : 200);
}

/** What it would change is told on its own page, once: to look again is to try again. */
async function tried(deps: PageDeps, context: ApiContext, id: string): Promise<Response> {
  const { session, form } = await demandOwnForm(deps, context);
  const { office } = deps;
  const binding = form.get('binding') ?? '';
  const trial = await office.tryOut(session.principal, id, binding, connectionOf(context));
  return shown(deps, context, session, id, trial);
}

async function show(deps: PageDeps, context: ApiContext, id: string): Promise<Response> {
  const session = sessionOf(deps, context);
  // The same for whatever id: a stranger learns nothing of what there is.
  if (session === undefined) return context.html(signInPage(deps.signIn.issuers, pageOf(id)), 401);
  return shown(deps, context, session, id);
}

async function shown(
  { office, clock }: PageDeps,
  context: ApiContext,
  session: WebSession,
  id: string,
  trial?: ApprovalTrial,
): Promise<Response> {
  const item = await office.show(session.principal, id);
  const fresh = office.isFresh(session.principal);
  return context.html(requestPage({ item, session, nowMs: clock.now(), fresh, trial }));
}

type Decide = (
  session: WebSession,
  form: { readonly binding: string; readonly reason: string | undefined },
  id: string,
) => Promise<unknown>;

async function decided(deps: PageDeps, context: ApiContext, id: string, decide: Decide): Promise<Response> {
  const { session, form } = await demandOwnForm(deps, context);
  const reason = form.get('reason') ?? '';
  if (reason.length > 500) throw new HoopError('ERR_USAGE', 'a reason has at most 500 characters');
  await decide(
    session,
    { binding: form.get('binding') ?? '', reason: reason.trim() === '' ? undefined : reason },
    id,
  );
  return context.redirect(pageOf(id), 303);
}

async function begin(deps: PageDeps, context: ApiContext): Promise<Response> {
  const { signIn, log } = deps;
  const { to = '', issuer, as } = context.req.query();
  const another = as === 'another';
  const wanted = WANTED.test(to) ? to : PAGES.list;
  const [only, ...others] = signIn.issuers;
  const chosen = issuer ?? (others.length === 0 ? only : undefined);
  if (chosen === undefined) return context.html(signInPage(signIn.issuers, wanted, another));
  demandAttempt(deps, context);
  const { address, cookie } = await signIn.begin(chosen, wanted, another);
  setCookie(context, SIGN_IN_COOKIE, cookie, { ...COOKIE, maxAge: SIGN_IN_MS / 1000 });
  log.debug('a sign-in was begun', { issuer: chosen });
  return context.redirect(address.href, 303);
}

async function finish(deps: PageDeps, context: ApiContext): Promise<Response> {
  const { audit, vocabulary, sessions, budget, log } = deps;
  const address = addressOf(context.env.incoming);
  const cookie = getCookie(context, SIGN_IN_COOKIE);
  // A browser that goes back comes here with an answer that was taken: whoever is signed in loses nothing by it.
  if (cookie === undefined && sessionOf(deps, context) !== undefined)
    return context.redirect(PAGES.list, 303);
  deleteCookie(context, SIGN_IN_COOKIE, COOKIE);
  try {
    demandAttempt(deps, context);
    const { principal, to } = await deps.signIn.finish(new URL(context.req.url).search, cookie);
    const facts = { address, page: PAGES.list, deadline: new Date(principal.deadline).toISOString() };
    // Before the browser is let in: what is not on record does not happen.
    await audit.append({
      type: 'login.exchanged',
      actor: actorOf(principal, vocabulary),
      outcome: 'success',
      facts,
    });
    // A browser has one: what it had is worth nothing any more, whoever set it.
    sessions.close(getCookie(context, SESSION_COOKIE));
    setCookie(context, SESSION_COOKIE, sessions.open(principal), COOKIE);
    return context.redirect(to, 303);
  } catch (thrown) {
    const error = toHoopError(thrown);
    await recordRefusedLogin({ audit, budget, log }, error, address);
    return failed(deps, context, error, deps.signIn.wanted(cookie));
  }
}

/** @throws {HoopError} `ERR_LIMIT` from there, or by everybody, it is tried too often. */
function demandAttempt({ attempts }: PageDeps, context: ApiContext): void {
  if (attempts.spend(addressOf(context.env.incoming))) return;
  throw new HoopError('ERR_LIMIT', 'too many sign-ins are tried', { hint: 'try again in a minute' });
}

async function signOut(deps: PageDeps, context: ApiContext): Promise<Response> {
  // Whoever is signed out already is where they wanted to be.
  if (sessionOf(deps, context) === undefined) return context.redirect(PAGES.list, 303);
  const { session } = await demandOwnForm(deps, context);
  const { instance } = session.principal;
  await deps.audit.append({
    type: 'credential.revoked',
    actor: actorOf(session.principal, deps.vocabulary),
    reason: 'logout',
    facts: { kind: 'instance', value: instance },
  });
  deps.sessions.close(getCookie(context, SESSION_COOKIE));
  deps.instances.revoke({ instance });
  deleteCookie(context, SESSION_COOKIE, COOKIE);
  return context.redirect(PAGES.list, 303);
}

/** @throws {HoopError} `ERR_USAGE` the cookie is given twice: a neighbour may have set one. */
function sessionOf({ sessions }: PageDeps, context: ApiContext): WebSession | undefined {
  const cookies = singleField(context, 'cookie') ?? '';
  if (cookies.split(`${SESSION_COOKIE}=`).length > 2)
    throw new HoopError('ERR_USAGE', 'a cookie is given twice');
  return sessions.find(getCookie(context, SESSION_COOKIE));
}

/**
 * That a form is ours, filled in by the person who is signed in: no other site can make a browser send it.
 *
 * @throws {HoopError} `ERR_LOGIN_EXPIRED` nobody is signed in; `ERR_DENIED` it comes from elsewhere.
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
async function demandOwnForm(
  deps: PageDeps,
  context: ApiContext,
): Promise<{ readonly session: WebSession; readonly form: URLSearchParams }> {
  const elsewhere = new HoopError('ERR_DENIED', 'this did not come from a page of the gateway', {
    hint: 'open the page again; nothing was decided',
  });
  if (!isOwnOrigin(context, deps.publicUrl)) throw elsewhere;
  const type = singleField(context, 'content-type')?.split(';', 1)[0];
  if (type !== 'application/x-www-form-urlencoded') throw elsewhere;
  const session = sessionOf(deps, context);
  if (session === undefined)
    throw new HoopError('ERR_LOGIN_EXPIRED', 'you are not signed in any more', {
      hint: 'sign in, and do it again',
    });
  const form = new URLSearchParams(await readBody(context));
  if (!isFormToken(session, form.get('token') ?? undefined)) throw elsewhere;
  return { session, form };
}

/**
 * Whether the browser says that a page of ours sent it. Our pages send no referrer, and of such a page browsers write
 * `Origin: null`: then they must say that it is of the same origin, which no page can make them say.
 *
 * @see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 * @see https://fetch.spec.whatwg.org/#append-a-request-origin-header
 */
function isOwnOrigin(context: ApiContext, publicUrl: string): boolean {
  const site = singleField(context, 'sec-fetch-site');
  if (site !== undefined && site !== 'same-origin') return false;
  const origin = singleField(context, 'origin');
  return origin === publicUrl || (site !== undefined && (origin === undefined || origin === 'null'));
}

/** @param back Where they wanted to go; absent: where they are. */
function failed(deps: PageDeps, context: ApiContext, error: HoopError, back?: string): Response {
  const { http } = ERROR_TABLE[error.code];
  if (http >= 500)
    deps.log.error('a page failed', { path: context.req.path, code: error.code, detail: error.detail });
  const [, path = '', form] = /^(.*?)(?:\/(approve|deny|try))?$/.exec(context.req.path) ?? [];
  const wanted = {
    back: back ?? (WANTED.test(path) ? path : PAGES.list),
    sent: form === undefined ? undefined : form === 'try' ? ('count' as const) : ('decision' as const),
  };
  const session = deps.sessions.find(getCookie(context, SESSION_COOKIE));
  return context.html(problemPage(error, session, wanted), http as 400);
}
