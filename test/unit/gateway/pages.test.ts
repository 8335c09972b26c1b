import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApprovalItem, ApprovalTrial } from '../../../src/api/approvals.ts';
import { HoopError } from '../../../src/core/errors.ts';
import { SignInAttempts } from '../../../src/gateway/pages/attempts.ts';
import { html } from '../../../src/gateway/pages/html.ts';
import { LIVE_SCRIPT, SCRIPT_SOURCE } from '../../../src/gateway/pages/live.ts';
import { problemPage } from '../../../src/gateway/pages/problem-view.ts';
import { requestPage } from '../../../src/gateway/pages/request-view.ts';
import { SealedCookie } from '../../../src/gateway/pages/sealed-cookie.ts';
import { listPage, signInPage } from '../../../src/gateway/pages/views.ts';
import { isFormToken, WebSessions } from '../../../src/gateway/pages/web-sessions.ts';
import { person } from '../policy/support.ts';

const NOW = Date.parse('2026-03-01T09:00:00.000Z');
const ID = `apr_${'0'.repeat(26)}`;
const session = { principal: person('ada', ['dbas']), formToken: 'T'.repeat(43) };

const item = (more: Partial<ApprovalItem> = {}): ApprovalItem => ({
  schemaVersion: 1,
  id: ID,
  status: 'pending',
  next_action: 'none',
  at: '2026-03-01T08:59:00.000Z',
  expiresAt: '2026-03-01T09:59:00.000Z',
  needs: [{ name: 'dba', count: 2, given: 1 }],
  mine: ['dba'],
  session: 'ses_1',
  resource: 'pg-prod',
  protocol: 'postgres',
  actor: 'copilot',
  person: 'maya@example.com',
  issuer: 'https://idp.example',
  instance: 'ins_1',
  attested: { repository: 'org/shop' },
  declared: { model: 'm-1' },
  rules: [{ id: 'ddl', reason: 'reviewed' }],
  text: 'DROP TABLE t',
  actions: ['sql.drop'],
  objects: ['pg-prod/public.t'],
  policyVersion: 'p1',
  binding: 'b'.repeat(64),
  votes: [],
  original: { statement: 'DROP TABLE t' },
  sha256: { statement: 'c'.repeat(64) },
  ...more,
});
const shown = (more: Partial<ApprovalItem> = {}, fresh = true) =>
  requestPage({ item: item(more), session, nowMs: NOW, fresh });

/** What a browser would make of it: tags of ours and nothing else. */
const tagsOf = (page: string) =>
  [...page.matchAll(/<([a-z0-9]+)([^>]*)>/g)].map(([tag]) => tag.replace(/"[^"]*"/g, '""'));

describe('markup', () => {
  it('holds nothing that acts or hides, whatever is put in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inside = html`${text}`.text;
        expect(inside).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
        expect(inside).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
      }),
    );
  });
});

describe('a request on a page', () => {
  const HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u0000\u200b&lt;';
  const fields: readonly (readonly [string, Partial<ApprovalItem>])[] = [
    ['reason', { reason: HOSTILE }],
    ['statement', { original: { statement: HOSTILE } }],
    ['name of what was asked', { original: { [HOSTILE]: 'x' } }],
    ['parameters', { original: { statement: 'x', parameters: [HOSTILE, null] } }],
    ['masked text', { original: undefined as never, text: HOSTILE }],
    ['text in lines', { formatted: HOSTILE }],
    ['declared', { declared: { [HOSTILE]: HOSTILE } }],
    ['attested', { attested: { [HOSTILE]: HOSTILE } }],
    ['objects', { objects: [HOSTILE], actions: [HOSTILE] }],
    ['names', { actor: HOSTILE, person: HOSTILE, resource: HOSTILE }],
    ['rules', { rules: [{ id: HOSTILE, reason: HOSTILE }], needs: [{ name: HOSTILE, count: 1, given: 0 }] }],
    ['an end', { status: 'denied', endedBy: HOSTILE, endReason: HOSTILE }],
  ];
  it.each(fields)('shows hostile text as text: %s', (_, more) => {
    for (const whole of [shown(more), listPage([item(more)], session, NOW, 'c.1')]) {
      const page = whole.replace(LIVE_SCRIPT.text, '');
      expect(page).not.toMatch(/<script|<img|(?!\n)[\p{Cc}\p{Cf}]/u);
      expect(tagsOf(page).filter((tag) => / on\w+=| style=| src=/.test(tag))).toEqual([]);
    }
    if (!('status' in more)) expect(shown(more)).toContain('\\u202e');
  });

  it('says who attested what, and what nobody did', () => {
    const page = shown({ reason: 'ignore all rules' });
    expect(page).toMatch(
      /<dt>signed in by<\/dt><dd>https:\/\/idp\.example<\/dd>\n<dt>attested<\/dt><dd>repository=org\/shop</,
    );
    const unchecked = /<div class="warning">([\s\S]*?)<\/div>/.exec(page)?.[1];
    expect(unchecked).toContain('ignore all rules');
    expect(unchecked).toContain('model=m-1');
    expect(unchecked).toContain('Nobody has checked this');
  });

  it('shows the exact text by lines, its hash, the same in lines, and letters that only look like others', () => {
    const page = shown({
      original: { statement: 'DROP TABLE\n  "\u0430"', parameters: ['1', null] },
      formatted: 'DROP\n  TABLE "\u0430"',
    });
    expect(page).toContain(
      '<span class="line">DROP TABLE</span>\n<span class="line">  &quot;\u0430&quot;</span>',
    );
    expect(page).toContain('<span class="line">&#39;1&#39;</span>\n<span class="line">NULL</span>');
    expect(page).toContain('c'.repeat(64));
    expect(page).toContain('\u0430 U+0430');
    expect(page).toContain('The same in lines, nothing else changed');
  });

  it.each([
    ['4 MiB on one line', { original: { statement: 'x'.repeat(4 * 1024 * 1024) } }],
    ['4 MiB that are written out', { original: { statement: '\u0000'.repeat(4 * 1024 * 1024) } }],
    ['many lines', { original: { statement: '\n'.repeat(100_000) } }],
    ['many values', { original: { statement: 'x', parameters: Array(60_000).fill('1') } }],
    ['many objects', { objects: Array(100_000).fill('pg/public.t') }],
  ])('is bounded, and then takes no yes: %s', (_, more) => {
    const page = shown(more);
    expect(page.length).toBeLessThan(2_000_000);
    expect(page).not.toContain('/approve"');
    expect(page).toContain('hoopctl approval approve');
    expect(page).toContain('/deny"');
  });

  it('takes no decision of whoever signed in too long ago, or may not', () => {
    expect(shown({}, true)).toContain(`action="/approvals/${ID}/approve"`);
    expect(shown({}, false)).not.toMatch(/\/(approve|deny)"/);
    expect(shown({ mine: [] })).not.toMatch(/\/(approve|deny)"/);
    expect(shown({ status: 'approved' })).not.toMatch(/\/(approve|deny)"/);
  });

  it.each([
    ['counted', { command: 'DELETE', rows: 3 }, 'DELETE of 3 rows. It was undone; nothing was kept.'],
    ['failed', { fails: { status: '23503', reason: 'a <key>' } }, 'It would fail: a &lt;key&gt; (23503).'],
    ['other definitions', { command: 'UPDATE', rows: 1, changed: true }, 'it will be asked anew'],
    ['caught errors', { command: 'UPDATE', rows: 1, catches: true }, 'catches errors'],
  ])('tells what it would change: %s', (_, more, words) => {
    const changes = [{ object: 'pg/public.<t>', inserted: 0, updated: 1, deleted: 3 }];
    const trial = { schemaVersion: 1, id: ID, changes, changed: false, catches: false, ...more } as const;
    const page = requestPage({ item: item(), session, nowMs: NOW, fresh: true, trial });
    expect(page).toContain(words);
    const line = '<code>pg/public.&lt;t&gt;</code></td><td>0</td><td>1</td><td>3</td>';
    expect(page.includes(line)).toBe(!('fails' in more));
  });

  it('offers to count where the gateway can, and else says why not', () => {
    expect(shown()).toContain(`action="/approvals/${ID}/try"`);
    expect(shown()).not.toContain('cannot be counted');
    const not = shown({ notTried: 'not what <ALTER> does' });
    expect(not).not.toContain('/try"');
    expect(not).toContain('What it would change cannot be counted: not what &lt;ALTER&gt; does.');
    for (const more of [{ mine: [] }, { status: 'approved' }] as const) {
      expect(shown(more)).not.toContain('/try"');
      expect(shown({ ...more, notTried: 'x' })).not.toContain('cannot be counted');
    }
  });

  it('loads itself again only where looking is not on record', () => {
    const { original: _, ...masked } = item({ mine: [] });
    expect(requestPage({ item: masked, session, nowMs: NOW, fresh: true })).toContain('http-equiv="refresh"');
    expect(shown({ mine: [] })).not.toContain('http-equiv');
    expect(shown()).not.toContain('http-equiv');
  });
});

describe('a page that stays true', () => {
  const main = (page: string) => /<main[^>]*>/.exec(page)?.[0];
  const as = /data-as="pending\.0\."/;

  it('of a list and of a request that others decide: in place, and loaded again without scripts', () => {
    const list = listPage([item()], session, NOW, 'c.1');
    expect(main(list)).toBe('<main tabindex="-1" data-as="c.1">');
    const others = shown({ mine: [], original: undefined as never });
    expect(main(others)).toMatch(as);
    for (const page of [list, others]) {
      expect(page).toContain('<noscript><meta http-equiv="refresh" content="15"></noscript>');
      expect(page).not.toContain('id="changed"');
      expect(page).toContain(LIVE_SCRIPT.text);
    }
  });

  it('by which somebody decides is left alone: they are told', () => {
    for (const page of [shown(), shown({ mine: [] })]) {
      expect(main(page)).toMatch(new RegExp(`${as.source} data-id="${ID}" data-keeps="yes"`));
      expect(page).toMatch(/<p id="changed"[^>]* hidden>/);
      expect(page).not.toContain('refresh');
    }
  });

  it('that is settled, or shows nothing that changes, runs nothing', () => {
    for (const page of [shown({ status: 'denied' }), signInPage([], '/approvals')])
      expect(page).not.toMatch(/<script|refresh|data-as/);
  });

  it('permits the one script to the octet, and its text ends nowhere but at its end', () => {
    const [, text = ''] = /^<script>([\s\S]*)<\/script>$/.exec(LIVE_SCRIPT.text) ?? [];
    expect(SCRIPT_SOURCE).toBe(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    expect(text).not.toMatch(/<\/script|<!--|innerHTML|eval/);
  });
});

describe('rows on a page', () => {
  const trial: ApprovalTrial = {
    ...{ schemaVersion: 1, id: ID, changes: [], changed: false, catches: false, command: 'UPDATE', rows: 1 },
    first: {
      object: 'public.<t>',
      columns: ['id', '<b>'],
      rows: [
        {
          before: [{ text: '1' }, { text: '<img src=x>\u202e' }],
          after: [{ text: '1' }, { text: '***', masked: true }],
        },
      ],
      leftOut: ['<i>'],
    },
  };
  it('are text, whatever stands in them; what changes is said by a word', () => {
    const page = requestPage({ item: item(), session, nowMs: NOW, fresh: true, trial });
    expect(tagsOf(page).filter((tag) => /^<(img|b|t|i)[ >]/.test(tag))).toEqual([]);
    expect(page).toContain('&#39;&lt;img src=x&gt;\\u202e&#39;');
    expect(page).toMatch(/&lt;b&gt; <span class="dim">changes<\/span>/);
    expect(page).toContain('*** (masked)');
    expect(page).toContain('Not shown: &lt;i&gt;.');
  });
});

describe('the other pages', () => {
  it('bound a long list, those first whose yes is missing', () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      item({ mine: index === 999 ? ['dba'] : [], text: ' \n'.repeat(1_000_000).slice(0, 100_000) }),
    );
    const page = listPage(many, session, NOW, 'c.1');
    expect(page.length).toBeLessThan(1_000_000);
    expect(page.indexOf('Waiting for you')).toBeLessThan(page.indexOf('Waiting for others'));
    expect(page).toContain('and 799 more');
  });

  it('say what is asked in a line each: cut with a sign, and of what is masked whole what it would do', () => {
    const of = (more: Parameters<typeof item>[0]) => listPage([item(more)], session, NOW, 'c.1');
    const long = 'SELECT 1, '.repeat(100);
    expect(of({ text: long })).toContain(`${long.slice(0, 399)}…<`);
    const [actions, objects] = [['sql.delete'], ['pg/public.payments']];
    expect(of({ text: "'***'", actions, objects })).toContain('sql.delete: pg/public.payments<');
  });

  it('say what to do where nobody can sign in, and repeat an error as text', () => {
    expect(signInPage([], '/approvals')).toContain('hoopctl approval list');
    expect(
      signInPage(['https://a.example', 'https://b.example'], '/approvals').match(/class="button"/g),
    ).toHaveLength(2);
    const page = problemPage(new HoopError('ERR_USAGE', '<b>', { hint: '<i>' }), undefined, {
      back: '/approvals',
    });
    expect(page).toContain('&lt;b&gt;');
    expect(page).not.toMatch(/<b>|<i>/);
  });

  it.each([
    [
      'ERR_NO_ACCESS',
      undefined,
      ['No such request', 'signed in as <strong>ada</strong>', 'as=another', 'link whole'],
    ],
    ['ERR_NO_ACCESS', 'decision', ['Nothing was decided', 'ask whoever sent you the link']],
    ['ERR_VERIFY', 'decision', ['Nothing was decided', 'look at it again', 'Back to the request']],
    ['ERR_USAGE', 'decision', ['Nothing was decided', 'what became of it']],
    ['ERR_USAGE', 'count', ['Nothing was counted']],
    [
      'ERR_LOGIN_STALE',
      'decision',
      ['Nothing was decided', 'ign in again', `sign-in?to=%2Fapprovals%2F${ID}`],
    ],
    ['ERR_LOGIN_DENIED', undefined, ['denied', `sign-in?to=%2Fapprovals%2F${ID}`]],
    ['ERR_DENIED', 'decision', ['Nothing was decided']],
  ] as const)('say of %s (%s) what a person with a browser does, and no command', (code, sent, texts) => {
    const error = new HoopError(code, 'it is so', { hint: 'see: hoopctl approval show' });
    const page = problemPage(error, session, { back: `/approvals/${ID}`, sent });
    for (const text of texts) expect(page.toLowerCase()).toContain(text.toLowerCase());
    expect(page.replace('hoopctl approval list', '')).not.toContain('hoopctl');
  });

  it('let whoever has said yes say no, as long as it waits for others', () => {
    const given = { mine: [], notMine: 'you have said yes to it', mayDeny: true } as const;
    const page = shown(given);
    expect(page).toContain('you have said yes to it');
    expect(page).toContain('You may still say no');
    expect(page).toContain(`action="/approvals/${ID}/deny"`);
    expect(page).not.toContain(`action="/approvals/${ID}/approve"`);
    expect(page).not.toContain(`action="/approvals/${ID}/try"`);
    expect(shown(given, false)).not.toContain('/deny"');
    expect(shown(given, false)).toContain('Sign in again to decide');
    expect(shown({ mine: [], notMine: 'it was asked on your own authority' })).not.toContain('/deny"');
  });
});

describe('what a browser keeps', () => {
  it('is sealed: whatever is changed in it, or is old, opens nothing', () => {
    const sealed = new SealedCookie();
    const text = sealed.seal({ state: 's' }, NOW + 1000);
    expect(sealed.open(text, NOW)).toEqual({ state: 's' });
    expect(sealed.open(text, NOW + 1000)).toBeUndefined();
    expect(new SealedCookie().open(text, NOW)).toBeUndefined();
    expect(text).not.toBe(sealed.seal({ state: 's' }, NOW + 1000));
    const octets = Buffer.from(text, 'base64url');
    for (let at = 0; at < octets.length; at++) {
      const other = Buffer.from(octets);
      other[at]! ^= 1;
      expect(sealed.open(other.toString('base64url'), NOW)).toBeUndefined();
    }
    for (const bad of ['', 'A', 'A'.repeat(100_000)]) expect(sealed.open(bad, NOW)).toBeUndefined();
  });

  it('is one of at most twenty of a person; the oldest makes room', () => {
    const live = { assertLive: () => undefined, current: <T>(one: T) => one, onEnd: () => () => undefined };
    const sessions = new WebSessions(live);
    const other = sessions.open({ ...person('bob', []), subject: 'bob' });
    const cookies = Array.from({ length: 21 }, () => sessions.open(session.principal));
    expect(sessions.find(cookies[0])).toBeUndefined();
    for (const cookie of [other, ...cookies.slice(1)]) expect(sessions.find(cookie)).toBeDefined();
    const [one, two] = [sessions.find(cookies[1])!, sessions.find(cookies[2])!];
    expect(isFormToken(one, one.formToken)).toBe(true);
    for (const wrong of [two.formToken, '', undefined]) expect(isFormToken(one, wrong)).toBe(false);
    sessions.close(cookies[1]);
    expect(sessions.find(cookies[1])).toBeUndefined();
    expect(sessions.find(undefined)).toBeUndefined();
  });
});

describe('sign-ins that are tried', () => {
  it('are bounded for an address, a subscriber of IPv6, and all', () => {
    let now = NOW;
    const attempts = new SignInAttempts({ now: () => now });
    const tries = (address: (index: number) => string, times: number) =>
      Array.from({ length: times }, (_, index) => attempts.spend(address(index))).filter(Boolean).length;
    expect(tries(() => '192.0.2.1', 100)).toBe(60);
    expect(tries(() => '::ffff:192.0.2.2', 1)).toBe(1);
    expect(tries((index) => `2001:db8:0:1::${index}`, 100)).toBe(60);
    expect(tries((index) => `198.51.100.${index % 250}`, 10_000)).toBe(600 - 121);
    now += 60_000;
    expect(tries(() => '192.0.2.1', 100)).toBe(60);
    now -= 3_600_000;
    expect(tries(() => '192.0.2.1', 1)).toBe(1);
  });
});
