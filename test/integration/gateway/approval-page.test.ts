import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApprovalItem } from '../../../src/api/approvals.ts';
import { PATHS, TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import { LIVE_SCRIPT } from '../../../src/gateway/pages/live.ts';
import { startIssuer, type TestIssuer } from '../../support/identity/oidc-issuer.ts';
import { freePort } from '../../support/postgres/server.ts';
import { type Caller, OPEN_POLICY, RunningGateway } from '../../support/running-gateway.ts';
import { type Page, signInAs, WebBrowser } from '../../support/web-browser.ts';

const POLICY = `${OPEN_POLICY}
@id("held") @approval("dba") @reason("it is <production>")
forbid (principal in Group::"ai-agents", action == Action::"connect", resource)
unless { context.approvals.contains("dba") };
@id("dbas-approve")
permit (principal in Group::"dbas", action == Action::"approval.grant", resource)
when { resource.name == "dba" };`;

let people: TestIssuer;
let running: RunningGateway;
let agent: Caller;
let auditor: Caller;
let operator: Caller;
let origin: string;
/** hoopd's clock goes on by so much; the provider's does not. */
let aheadMs = 0;

beforeAll(async () => {
  const port = await freePort();
  origin = `https://localhost:${port}`;
  people = await startIssuer({
    users: {
      ada: { email: 'ada@example.com', groups: ['dbas'] },
      otto: { email: 'otto@example.com', groups: ['auditors'] },
    },
    clients: [
      {
        client_id: 'hoop-web',
        client_secret: 'web-secret',
        redirect_uris: [`${origin}/approvals/signed-in`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        require_auth_time: true,
      },
    ],
  });
  const scope = '"openid email groups"';
  running = await RunningGateway.start({
    policy: POLICY,
    port,
    publicUrl: origin,
    issuers: `  - { issuer: "${people.issuer}", audience: hoop, clientId: hoopctl, scope: ${scope}, claims: { groups: groups },
      web: { clientId: hoop-web, clientSecret: { file: web-secret } } }`,
    files: { 'web-secret': 'web-secret' },
    more: 'approvals: { signIn: 1m, life: 2m }',
    deps: { clock: { now: () => Date.now() + aheadMs } },
  });
  agent = await running.person(['developers'], { agent: 'copilot' });
  operator = await running.person(['operators'], { name: 'olga' });
  auditor = await running.person(['auditors'], { name: 'audrey' });
});
afterAll(async () => {
  await running.remove();
  await people.stop();
});

const newBrowser = () => new WebBrowser(running.authority);

/** A connection that is held, asked for by an instance of its own: a yes opens it for a time. */
async function asked(reason = 'ticket 4711', resource = 'echo'): Promise<ApprovalItem> {
  const instance = await running.person(['developers'], { agent: 'copilot' });
  const tunnel = await instance.tunnel(resource, {
    headers: { [TUNNEL_HEADERS.approval]: 'ask', [TUNNEL_HEADERS.reason]: encodeURIComponent(reason) },
  });
  tunnel.socket.destroy();
  return (await agent.get(`${PATHS.approvals}?status=pending`)).json.approvals[0];
}

const pageOf = (item: ApprovalItem) => `${origin}/approvals/${item.id}`;
const statusOf = async ({ id }: ApprovalItem) => (await agent.get(`${PATHS.approvals}/${id}`)).json.status;

/** While hoopd's clock is ahead. */
async function later<T>(ms: number, act: () => Promise<T>): Promise<T> {
  aheadMs = ms;
  try {
    return await act();
  } finally {
    aheadMs = 0;
  }
}

/** Opens a page as somebody who is not signed in yet, and signs in. */
async function signedIn(browser: WebBrowser, address: string, login = 'ada'): Promise<Page> {
  const door = await browser.open(address);
  expect(door.status).toBe(401);
  const link = /href="([^"]*sign-in[^"]*)"/.exec(door.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
  return signInAs(browser, await browser.open(new URL(link, origin)), login);
}

describe('the approval page', () => {
  it('shows a request to whoever signs in and may decide it, and takes their yes', async () => {
    const item = await asked('<img src=x onerror=alert(1)> \u202eticket');
    expect(item.page).toBe(pageOf(item));
    const browser = newBrowser();
    const page = await signedIn(browser, pageOf(item));
    expect(page).toMatchObject({ status: 200, url: new URL(pageOf(item)) });
    expect(page.html).toContain('copilot for dana@example.com');
    expect(page.html).toContain('it is &lt;production&gt;');
    expect(page.html).not.toContain('<img');
    // Controls of direction never arrive: hoopd takes them out of a reason when it is given.
    expect(page.html).not.toContain('\u202e');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'x-frame-options': 'DENY' });
    expect(page.html.replace(LIVE_SCRIPT.text, '')).not.toMatch(/<script|style=|onclick/);
    const after = await browser.submit(page, '/approve');
    expect(after.html).toContain('class="state approved"');
    expect(await statusOf(item)).toBe('approved');
    const story = (await auditor.get(`${PATHS.auditEvents}?approval=${item.id}`)).json.events;
    // The page is looked at before the yes, and shown again behind it.
    expect(story.map(({ type }: { type: string }) => type)).toEqual([
      'approval.viewed',
      'approval.granted',
      'approval.viewed',
      'operation.decided',
      'approval.requested',
    ]);
    expect(story[1]).toMatchObject({ facts: { decidedBy: 'ada@example.com' } });
    const { events } = (await auditor.get(`${PATHS.auditEvents}?type=login.exchanged&limit=1`)).json;
    expect(events[0]).toMatchObject({ actor: { name: 'ada@example.com' }, facts: { page: '/approvals' } });
  });

  it('tells the one who asked why not', async () => {
    const item = await asked('ticket 4712', 'short');
    const browser = newBrowser();
    const list = await signedIn(browser, `${origin}/approvals`);
    expect(list.html).toContain(item.id);
    const page = await browser.open(pageOf(item));
    await browser.submit(page, '/deny', { reason: 'use the replica' });
    expect((await agent.get(`${PATHS.approvals}/${item.id}`)).json).toMatchObject({
      status: 'denied',
      endReason: 'use the replica',
    });
  });

  it('shows nothing to others: to strangers, nor to whoever may not decide', async () => {
    const item = await asked('ticket 4713');
    const stranger = await newBrowser().open(pageOf(item));
    const nowhere = await newBrowser().open(`${origin}/approvals/apr_${'0'.repeat(26)}`);
    expect(stranger.html.replaceAll(item.id, 'X')).toBe(
      nowhere.html.replaceAll(`apr_${'0'.repeat(26)}`, 'X'),
    );
    const otto = newBrowser();
    const refused = await signedIn(otto, pageOf(item), 'otto');
    expect(refused.html).not.toContain('ticket 4713');
    const unknown = await otto.open(`${origin}/approvals/apr_${'0'.repeat(26)}`);
    expect([refused.status, unknown.status]).toEqual([404, 404]);
    expect(refused.html.replaceAll(item.id, 'X')).toBe(unknown.html.replaceAll(`apr_${'0'.repeat(26)}`, 'X'));
    expect(refused.html).toContain('You are signed in as <strong>otto@example.com</strong>');
    expect(refused.html).not.toContain('hoopctl');
    expect(await statusOf(item)).toBe('pending');
  });

  describe('takes no yes', () => {
    let item: ApprovalItem;
    let browser: WebBrowser;
    let page: Page;
    beforeAll(async () => {
      item = await asked('ticket 4714');
      browser = newBrowser();
      page = await signedIn(browser, pageOf(item));
    });
    const token = () => /name="token" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const form = () => ({ token: token(), binding: item.binding });
    const send = (fields: Record<string, string>, headers: Record<string, string | undefined> = {}) =>
      browser.open(`${pageOf(item)}/approve`, { fields, headers }, 0);

    it.each([
      ['without the form’s token', () => send({ binding: item.binding })],
      ['with another token', () => send({ ...form(), token: 'A'.repeat(43) })],
      ['for another binding', () => send({ ...form(), binding: 'f'.repeat(64) })],
      ['from another origin', () => send(form(), { origin: 'https://evil.example' })],
      [
        'from another origin that calls itself ours',
        () => send(form(), { origin: `${origin}.evil.example` }),
      ],
      ['from an origin that is hidden', () => send(form(), { origin: 'null', 'sec-fetch-site': undefined })],
      [
        'from a frame that hides its origin',
        () => send(form(), { origin: 'null', 'sec-fetch-site': 'cross-site' }),
      ],
      ['without an origin', () => send(form(), { origin: undefined, 'sec-fetch-site': undefined })],
      ['by an address that was typed', () => send(form(), { origin: undefined, 'sec-fetch-site': 'none' })],
      [
        'from another site that names our origin',
        () => send(form(), { origin, 'sec-fetch-site': 'cross-site' }),
      ],
      ['from a site beside it', () => send(form(), { 'sec-fetch-site': 'same-site' })],
      ['as another kind of form', () => send(form(), { 'content-type': 'text/plain' })],
      [
        'with two cookies',
        () =>
          send(form(), {
            cookie: `__Host-hoop=a; __Host-hoop=${browser.cookies.get(origin)?.get('__Host-hoop')}`,
          }),
      ],
      ['without a cookie', () => send(form(), { cookie: undefined })],
      [
        'with a token of the API',
        () => send(form(), { cookie: undefined, authorization: `DPoP ${agent.issued.access_token}` }),
      ],
    ])('%s', async (_, attempt) => {
      const answer = await attempt();
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(await statusOf(item)).toBe('pending');
    });

    it('by a link, which shows the request: a tab that is opened again asks for what its form was sent to', async () => {
      for (const word of ['approve', 'deny', 'try']) {
        const answer = await browser.open(
          `${pageOf(item)}/${word}?${new URLSearchParams(form())}`,
          undefined,
          0,
        );
        expect([answer.status, answer.headers.location]).toEqual([303, `/approvals/${item.id}`]);
      }
      expect(await statusOf(item)).toBe('pending');
    });

    it('after its person signed out; and does before', async () => {
      const other = newBrowser();
      const open = await signedIn(other, pageOf(item));
      const kept = new Map(other.cookies.get(origin));
      await other.submit(open, '/sign-out');
      other.cookies.set(origin, kept);
      expect((await other.open(pageOf(item))).status).toBe(401);
      const { events } = (await auditor.get(`${PATHS.auditEvents}?type=credential.revoked&limit=1`)).json;
      expect(events[0]).toMatchObject({ actor: { name: 'ada@example.com' }, facts: { kind: 'instance' } });
      expect((await send(form())).status).toBe(303);
      expect(await statusOf(item)).toBe('approved');
    });
  });

  it('takes no yes of whoever signed in too long ago, and says so before', async () => {
    const item = await asked('ticket 4716');
    const browser = newBrowser();
    const page = await signedIn(browser, pageOf(item));
    const [late, stale] = await later(61_000, async () => [
      await browser.submit(page, '/approve'),
      await browser.open(pageOf(item)),
    ]);
    expect(late.status).toBe(401);
    expect(late.html).toContain('you must have signed in within the last 60 s');
    expect(stale.html).toContain('Sign in again to decide');
    expect(stale.html).not.toContain('/approve"');
    expect(await statusOf(item)).toBe('pending');
    const link = /class="button" href="([^"]*)"/.exec(stale.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const fresh = await signInAs(browser, await browser.open(new URL(link, origin)), 'ada');
    await browser.submit(fresh, '/approve');
    expect(await statusOf(item)).toBe('approved');
  });

  it('takes no yes when the time is over, nor of a browser whose credential is', async () => {
    const item = await asked('ticket 4717');
    const browser = newBrowser();
    const page = await signedIn(browser, pageOf(item));
    await later(121_000, async () => {
      expect((await browser.submit(page, '/approve')).status).toBeGreaterThanOrEqual(400);
      expect((await browser.open(pageOf(item))).html).toContain('class="state expired"');
    });
    expect((await later(7 * 60_000, () => browser.open(pageOf(item)))).status).toBe(401);
  });

  it('has a yes of nobody for what was asked on their own authority', async () => {
    const held = await running.person(['developers'], { agent: 'copilot', name: 'ada' });
    expect(held.issued.access_token).not.toBe('');
    // Ada of the other provider is somebody else by issuer and subject; of the same name is enough to be refused.
    const tunnel = await held.tunnel('echo', { headers: { [TUNNEL_HEADERS.approval]: 'ask' } });
    tunnel.socket.destroy();
    const [own] = (await held.get(`${PATHS.approvals}?status=pending`)).json.approvals;
    const browser = newBrowser();
    const page = await signedIn(browser, `${origin}/approvals/${own.id}`);
    expect(page.html).not.toContain('/approve"');
    const token = /name="token" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
    const fields = { token, binding: own.binding };
    const answer = await browser.open(`${origin}/approvals/${own.id}/approve`, { fields }, 0);
    expect(answer.status).toBeGreaterThanOrEqual(403);
    expect((await held.get(`${PATHS.approvals}/${own.id}`)).json.status).toBe('pending');
  });

  it.each(['/approvals/', '/approvals/x', '/approvals/apr_1', '/approvals/apr_1/approve'])(
    'has nothing at %s, in the headers of every page',
    async (path) => {
      const { status, headers } = await newBrowser().open(origin + path);
      expect(status).toBe(404);
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      });
    },
  );

  it('keeps its cookies from scripts, from other hosts and from plain connections', async () => {
    const browser = newBrowser();
    const begun = await browser.open(`${origin}/approvals/sign-in`, undefined, 0);
    const back = await untilCode(browser, new URL(begun.headers.location ?? ''));
    const landed = await browser.open(back, undefined, 0);
    const cookies = [...(begun.headers['set-cookie'] ?? []), ...(landed.headers['set-cookie'] ?? [])];
    expect(cookies.length).toBe(3);
    for (const cookie of cookies)
      expect(cookie).toMatch(
        /^__Host-hoop(-sign-in)?=[^;]*;(?=.* HttpOnly)(?=.* Secure)(?=.* SameSite=Lax).* Path=\//,
      );
    const [session = ''] = cookies.filter((cookie) => cookie.startsWith('__Host-hoop='));
    expect(session.split(/[=;]/)[1]).toMatch(/^[\w-]{43}$/);
  });

  it('ends with the credential: whoever is revoked is out at once', async () => {
    const item = await asked('ticket 4715');
    const browser = newBrowser();
    const page = await signedIn(browser, pageOf(item));
    const ended = await operator.call('POST', PATHS.revocations, { json: { person: 'ada@example.com' } });
    expect(ended.status).toBe(200);
    const late = await browser.submit(page, '/approve');
    expect(late.status).toBe(401);
    expect(await statusOf(item)).toBe('pending');
    const { revocations } = (await operator.get(PATHS.revocations)).json;
    const { id } = revocations.find((one: { value: string }) => one.value === 'ada@example.com');
    await operator.call('DELETE', `${PATHS.revocations}/${id}`);
  });

  it('signs in whoever began there, once', async () => {
    const browser = newBrowser();
    const begun = await browser.open(`${origin}/approvals/sign-in?to=//evil.example`, undefined, 0);
    expect(begun.status).toBe(303);
    const asks = new URL(begun.headers.location ?? '');
    expect(Object.fromEntries(asks.searchParams)).toMatchObject({
      client_id: 'hoop-web',
      code_challenge_method: 'S256',
      response_type: 'code',
      max_age: '60',
    });
    const back = await untilCode(browser, asks);
    const victim = newBrowser();
    // Whose browser did not begin it is not signed in by it: nobody decides in the name of somebody else.
    expect((await victim.open(back, undefined, 0)).status).toBe(401);
    const forged = new URL(back);
    forged.searchParams.set('state', 'forged');
    const jar = new Map(browser.cookies.get(origin));
    const wrong = await browser.open(forged, undefined, 0);
    expect(wrong.status).toBeGreaterThanOrEqual(400);
    browser.cookies.set(origin, jar);
    // It was used up by the attempt: a code is worth one.
    expect((await browser.open(back, undefined, 0)).status).toBe(401);
    const again = await signedIn(newBrowser(), `${origin}/approvals`);
    expect(again.html).toContain('<h1>Approvals</h1>');
    expect(again.url.pathname).toBe('/approvals');
  });

  it('leads whom the provider did not sign in back to what they wanted, and who comes from there again to the list', async () => {
    const item = await asked('ticket 4718');
    const browser = newBrowser();
    const wanted = new URLSearchParams({ to: `/approvals/${item.id}` });
    const begin = (more = '') => browser.open(`${origin}/approvals/sign-in?${wanted}${more}`, undefined, 0);
    const asks = new URL((await begin()).headers.location ?? '');
    expect(asks.searchParams.has('prompt')).toBe(false);
    const said = new URLSearchParams({
      error: 'access_denied',
      state: asks.searchParams.get('state') ?? '',
      iss: people.issuer,
    });
    const refused = await browser.open(`${origin}/approvals/signed-in?${said}`, undefined, 0);
    expect(refused.status).toBe(403);
    expect(refused.html).toContain(`/approvals/sign-in?${wanted}`);
    expect(refused.html).toContain(`<p>${people.issuer} did not sign you in`);
    // A provider that remembers somebody would give nobody else a chance.
    const another = new URL((await begin('&as=another')).headers.location ?? '');
    expect(another.searchParams.get('prompt')).toBe('login');
    const page = await signedIn(browser, pageOf(item));
    const again = await browser.open(`${origin}/approvals/signed-in?${said}`, undefined, 0);
    expect([again.status, again.headers.location]).toEqual([303, '/approvals']);
    await browser.submit(page, '/sign-out');
    const twice = await browser.open(`${origin}/approvals/sign-out`, { fields: { token: 'x' } }, 0);
    expect([twice.status, twice.headers.location]).toEqual([303, '/approvals']);
  });

  it('is not tried without end', async () => {
    const tried = async () => (await newBrowser().open(`${origin}/approvals/sign-in`, undefined, 0)).status;
    const answers = new Set<number>();
    await later(60_000, async () => {
      for (let times = 0; times < 70; times++) answers.add(await tried());
    });
    expect([...answers]).toEqual([303, 429]);
    expect(await later(121_000, tried)).toBe(303);
  });
});

/** Signs in at the provider and stops before the browser goes back. */
async function untilCode(browser: WebBrowser, asks: URL): Promise<string> {
  const page = await browser.open(asks);
  let now = page;
  for (let steps = 0; steps < 6; steps++) {
    const location = now.headers.location;
    if (location?.startsWith(origin)) return location;
    const prompt = /name="prompt" value="([^"]*)"/.exec(now.html)?.[1];
    const action = /<form[^>]*action="([^"]+)"/.exec(now.html)?.[1];
    if (location !== undefined) now = await browser.open(new URL(location, now.url), undefined, 0);
    else if (prompt !== undefined && action !== undefined) {
      const fields: Record<string, string> =
        prompt === 'login' ? { prompt, login: 'ada', password: 'x' } : { prompt };
      now = await browser.open(new URL(action, now.url), { fields }, 0);
    }
  }
  throw new Error('the provider sent nobody back');
}
