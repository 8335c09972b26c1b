import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../src/approval/model.ts';
import { messageOf } from '../../../src/gateway/notify/message.ts';
import { deliveryHeaders, parseSigningKey } from '../../../src/gateway/notify/signature.ts';
import { slackText } from '../../../src/gateway/notify/slack.ts';
import { question } from '../approval/support.ts';

const NOW = 1_700_000_000_000;
const vote = (by: string) => ({
  names: ['dba'],
  issuer: 'https://login.test',
  subject: by,
  by,
  at: NOW + 1000,
});

function approval(more: Partial<Approval> = {}): Approval {
  const { actor } = question();
  return {
    ...question({ rules: [{ id: 'ddl', reason: 'schema changes are reviewed' }], reason: 'a migration' }),
    actor: { ...actor, attested: { repository: 'org/shop' }, declared: { model: 'm-1' } },
    id: 'apr_1',
    state: 'pending',
    at: NOW,
    expiresAt: NOW + 3_600_000,
    votes: [],
    ...more,
  };
}

describe('a message', () => {
  const cases: [string, Partial<Approval>, string, string, number][] = [
    ['asked', {}, 'approval.requested', 'apr_1-requested', NOW],
    ['one yes of two', { votes: [vote('ada')] }, 'approval.granted', 'apr_1-granted-1', NOW + 1000],
    [
      'the last yes',
      { state: 'approved', votes: [vote('ada'), vote('bo')] },
      'approval.granted',
      'apr_1-granted-2',
      NOW + 1000,
    ],
    ['denied', { state: 'denied', endedBy: 'ada' }, 'approval.denied', 'apr_1-denied', NOW + 5000],
    ['expired', { state: 'expired' }, 'approval.expired', 'apr_1-expired', NOW + 5000],
    ['cancelled', { state: 'cancelled' }, 'approval.cancelled', 'apr_1-cancelled', NOW + 5000],
    ['used', { state: 'approved', usedBy: 'op_1' }, 'approval.used', 'apr_1-used', NOW + 5000],
  ];

  it.each(cases)('%s', (_, more, type, id, at) => {
    const got = messageOf(approval(more), NOW + 5000);
    expect(got.id).toBe(id);
    expect(got.message).toMatchObject({ schemaVersion: 1, type, timestamp: new Date(at).toISOString() });
  });

  it('tells what is asked apart from what the one who asks says of it', () => {
    const { message } = messageOf(approval(), NOW, 'https://wiki.test/approve?id={id}');
    expect(message.data).toEqual({
      id: 'apr_1',
      status: 'pending',
      at: '2023-11-14T22:13:20.000Z',
      expiresAt: '2023-11-14T23:13:20.000Z',
      resource: 'pg',
      protocol: 'postgres',
      session: 'ses_1',
      actor: 'shop-copilot',
      person: 'maya',
      instance: 'ins_1',
      attested: { repository: 'org/shop' },
      actions: ['sql.drop'],
      rules: [{ id: 'ddl', reason: 'schema changes are reviewed' }],
      needs: [{ name: 'dba', count: 1 }],
      missing: ['dba'],
      votes: [],
      link: 'https://wiki.test/approve?id=apr_1',
      untrusted: {
        text: 'DROP TABLE t',
        reason: 'a migration',
        objects: ['pg/public.t'],
        declared: { model: 'm-1' },
      },
    });
  });

  it('says how long is opened what a yes opens', () => {
    const { message } = messageOf(approval({ windowMs: 7_200_000 }), NOW);
    expect(message.data.window).toBe(7200);
    expect(slackText(message)).toContain('\nOpened for: `7200 s`\n');
  });

  it('never has the exact statement', () => {
    const exact = approval({ original: { statement: "SELECT 'hunter2'", parameters: ['hunter3'] } });
    const { message } = messageOf(exact, NOW);
    expect(JSON.stringify([message, slackText(message)])).not.toMatch(/hunter/);
  });

  it('is short, however much was asked', () => {
    const long = 'x'.repeat(5000);
    const many = Array.from({ length: 500 }, () => long);
    const declared = Object.fromEntries(many.map((text, n) => [`${n}${text}`, text]));
    const { message } = messageOf(
      approval({ text: long, objects: many, actions: many, actor: { ...approval().actor, declared } }),
      NOW,
    );
    expect(JSON.stringify(message).length).toBeLessThan(30_000);
    expect(slackText(message).length).toBeLessThan(30_000);
    expect(message.data.untrusted.text).toMatch(/^x{1999}…$/);
  });
});

describe('in a chat', () => {
  it('a request reads so', () => {
    const { message } = messageOf(approval(), NOW);
    expect(slackText(message)).toBe(
      [
        '*Approval wanted*: `apr_1`, `shop-copilot` for `maya` on `pg`',
        'Rules: `ddl: schema changes are reviewed`',
        'Actions: `sql.drop`',
        'Attested: `repository=org/shop`',
        'Objects: `pg/public.t`',
        'Says of itself: `model=m-1`',
        'Why, as it says: `a migration`',
        'Masked, worded by the one who asks: `DROP TABLE t`',
        'Needs `dba` by `2023-11-14T23:13:20.000Z`: `hoopctl approval show apr_1`',
      ].join('\n'),
    );
  });

  it('a decision reads so', () => {
    const denied = approval({ state: 'denied', endedBy: 'ada', endReason: 'use the archive' });
    expect(slackText(messageOf(denied, NOW).message)).toBe(
      '*Denied*: `apr_1`, `shop-copilot` for `maya` on `pg`\nBy: `ada`\nBecause: `use the archive`',
    );
  });

  it.each([
    ['<!channel>', '`&lt;!channel&gt;`'],
    ['<https://evil.test|docs>', '`&lt;https\\x3a//evil.test|docs&gt;`'],
    ['&lt;!here&gt;', '`&amp;lt;!here&amp;gt;`'],
    ['a` *b* <@U1>', '`a\\x60 *b* &lt;@U1&gt;`'],
    ['a\n*Approval wanted*', '`a\\n*Approval wanted*`'],
    ['a\u202eb\u200bc\u034fd\u3164\ufe0f', '`a\\u202eb\\u200bc\\u034fd\\u3164\\ufe0f`'],
    ['', '` `'],
  ])('%j has no effect', (text, shown) => {
    expect(slackText(messageOf(approval({ text }), NOW).message)).toContain(`who asks: ${shown}\n`);
  });
});

/** Whatever the wicked might write. */
const wicked = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '<',
      '>',
      '&',
      '`',
      '@',
      '!',
      '|',
      '*',
      '://',
      '&lt;',
      '\n',
      '\r',
      '\0',
      '\x1b',
      '\u202e',
    ),
    fc.constantFrom('\u200b', '\u2028', '\u034f', '\ufe0f', '\ud83d'),
    fc.string({ unit: 'binary', maxLength: 2 }),
  ),
});
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return [...Object.keys(value), ...Object.values(value).flatMap(stringsOf)];
}

describe('whatever is asked', () => {
  it('no character of it is unseen, nothing in a chat is markup, a mention or a link', () => {
    fc.assert(
      fc.property(fc.array(wicked, { minLength: 8, maxLength: 8 }), ([a, b, c, d, e, f, g, h]) => {
        const { actor } = question();
        const asked = approval({
          actor: { ...actor, name: a!, person: b!, attested: { [c!]: d! }, declared: { [d!]: c! } },
          text: e!,
          objects: [f!],
          reason: g!,
          needs: [{ name: h!, count: 1 }],
          rules: [{ id: a!, reason: b! }],
        });
        const ended = { ...asked, state: 'denied', endedBy: c!, endReason: d! } as const;
        for (const one of [asked, ended]) {
          const { message } = messageOf(one, NOW);
          for (const text of stringsOf(message)) expect(text).not.toMatch(UNSEEN);
          for (const line of slackText(message).split('\n')) {
            expect(line).not.toMatch(UNSEEN);
            expect(line).not.toMatch(/[<>]|&(?!(amp|lt|gt);)|:\/\//);
            // Between code spans stands nothing but our own words.
            const ours = line.split('`').filter((_, n) => n % 2 === 0);
            expect(line.split('`').length % 2).toBe(1);
            for (const words of ours) expect(words).toMatch(/^[A-Za-z ,:]*$|^\*[A-Za-z ]+\*: $/);
          }
        }
      }),
    );
  });
});

describe('a signature', () => {
  it("is the one of the specification's own libraries", () => {
    const key = parseSigningKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    expect(
      deliveryHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_999, '{"test": 2432232314}', key),
    ).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it.each([
    ['bare base64', Buffer.alloc(24, 1).toString('base64'), 24],
    ['the longest', `whsec_${Buffer.alloc(64, 1).toString('base64')}`, 64],
    ['too short', `whsec_${Buffer.alloc(23, 1).toString('base64')}`, undefined],
    ['too long', Buffer.alloc(65, 1).toString('base64'), undefined],
    ['a password', 'correct horse battery staple, twice', undefined],
    ['a key of the other kind', `whsk_${Buffer.alloc(32, 1).toString('base64')}`, undefined],
    ['nothing', '', undefined],
  ])('key: %s', (_, text, length) => {
    expect(parseSigningKey(text)?.length).toBe(length);
  });
});
