import { describe, expect, test } from 'vitest';
import type { ApprovalItem, ApprovalTrial, FirstRows } from '../../../src/api/approvals.ts';
import { renderTrial } from '../../../src/cli/approval/run-try.ts';
import { changed } from '../../../src/cli/approval/run-watch.ts';
import { renderApproval } from '../../../src/cli/render/approval.ts';
import { spanText } from '../../../src/core/span.ts';
import { allVisible } from '../../../src/core/visible.ts';

const NOW = Date.parse('2026-01-31T12:00:00Z');
const item: ApprovalItem = {
  schemaVersion: 1,
  id: 'apr_01JD8M2K7QZX4T9B3N5V6W8Y0C',
  status: 'pending',
  next_action: 'none',
  at: '2026-01-31T11:59:00.000Z',
  expiresAt: '2026-01-31T12:59:00.000Z',
  needs: [{ name: 'dba', count: 2, given: 1 }],
  mine: ['dba'],
  session: 'ses_1',
  resource: 'pg-prod',
  protocol: 'postgres',
  actor: 'shop-copilot',
  person: 'maya@example.com',
  issuer: 'https://login.test',
  instance: 'ins_1',
  attested: { runId: '7' },
  declared: { model: 'planner-2' },
  reason: 'the boss said so\u202e',
  rules: [{ id: 'ddl', reason: 'schema changes are reviewed' }],
  text: 'ALTER TABLE t …',
  actions: ['sql.alter'],
  objects: ['pg-prod/public.t'],
  masked: ['pg-prod/public.t.email', 'pg-prod/detected'],
  policyVersion: 'v1',
  binding: 'ab'.repeat(32),
  votes: [{ by: 'bo@example.com', names: ['dba'], at: '2026-01-31T11:59:30.000Z' }],
};
const shown = (more: Partial<ApprovalItem> = {}) => renderApproval({ ...item, ...more }, NOW).join('\n');

describe('a request as people decide it', () => {
  test('who, attested and declared apart; why, and that nobody checked it; until when', () => {
    const lines = renderApproval(item, NOW).map((line) => line.replace(/ {2,}/, ': '));
    expect(lines).toEqual(
      expect.arrayContaining([
        'status: pending until 2026-01-31T12:59:00.000Z (59 min)',
        'by: shop-copilot for maya@example.com',
        'attested: runId=7 (by https://login.test)',
        'says of itself: "model=planner-2" (not checked)',
        'says why: "the boss said so\\u202e" (not checked)',
        'because: ddl: schema changes are reviewed',
        'needs: dba: 1 of 2',
        'yes: bo@example.com as dba, 2026-01-31T11:59:30.000Z',
        `binding: ${item.binding}`,
        'masked: pg-prod/public.t.email, whatever detectors find',
      ]),
    );
  });

  test('the statement line by line, with nothing in it that hides or moves; letters that only look alike named', () => {
    const statement =
      "ALTER TABLE p\u0430yments\r\n  DROP\u00a0x -- \u202e\u200b\u3164\x1b[2J\nAND 'y\ufe0f'";
    const text = shown({
      original: { statement, parameters: ['a\nb', null] },
      sha256: { statement: 'c0ffee' },
    });
    expect(text).toContain(
      [
        'statement, exactly:',
        '  | ALTER TABLE pаyments\\r',
        '  |   DROP\\xa0x -- \\u202e\\u200b\\u3164\\x1b[2J',
        "  | AND 'y\\ufe0f'",
        'SHA-256 c0ffee',
        "parameters 1: 'a\\nb'",
        'parameters 2: NULL',
        'has characters beyond ASCII: а U+0430, \\xa0 U+00A0, ',
      ].join('\n'),
    );
  });

  test.each<[string, Partial<ApprovalItem>, string]>([
    ['one use', {}, 'exactly this is done once, for this instance of shop-copilot, within 59 min.'],
    ['a window', { window: 7200 }, 'may open pg-prod as often as it likes for 2 h from then on'],
    ['mine to give', {}, 'Your yes is one as dba.'],
    [
      'not mine',
      { mine: [], notMine: 'you have said yes to it' },
      'It waits for others: you have said yes to it.',
    ],
    [
      'not mine any more, but a no is',
      { mine: [], notMine: 'you have said yes to it', mayDeny: true },
      `You may still say no: that ends it, whoever has said yes. (hoopctl approval deny ${item.id})`,
    ],
    ['approved', { status: 'approved' }, 'when exactly the same is sent again'],
    ['approved for a time', { status: 'approved', window: 60 }, 'It is open for another 59 min.'],
    ['used', { status: 'approved', usedBy: 'op_1' }, 'It was done once.'],
    ['denied', { status: 'denied', endReason: 'use the archive' }, 'use the archive'],
    ['expired', { status: 'expired' }, 'which is not a no'],
    ['cancelled', { status: 'cancelled' }, 'taken back'],
  ])('says in plain words what it means: %s', (_, more, words) => expect(shown(more)).toContain(words));

  test('beside it the same in lines, where these differ', () => {
    const original = { statement: 'UPDATE t SET a = 1' };
    const lines = shown({ original, formatted: 'UPDATE t\nSET a = 1' });
    expect(lines).toContain(
      'the same in lines, nothing else changed:\n  | UPDATE t\n  | SET a = 1\nstatement, exactly:',
    );
    expect(shown({ original, formatted: original.statement })).not.toContain('in lines');
    expect(shown({ formatted: 'ALTER TABLE t\n…' })).toContain('values masked:\n  | ALTER TABLE t\n  | …');
  });

  test('whether what it would change is counted, for who decides it while it is undecided', () => {
    expect(shown()).toContain(`What it would change is counted by: hoopctl approval try ${item.id}`);
    const not = shown({ notTried: 'not what \u202eALTER does' });
    expect(not).toContain('What it would change cannot be counted: not what \\u202eALTER does.');
    expect(not).not.toContain('approval try');
    for (const more of [{ mine: [] }, { status: 'approved' }] as const)
      expect(shown({ ...more, notTried: 'x' })).not.toContain('What it would change');
  });

  test('masked where it is not for these eyes', () => {
    expect(shown()).toContain('what was asked, values masked:\n  | ALTER TABLE t …');
  });
});

describe('what a request would change', () => {
  const counted: ApprovalTrial = {
    schemaVersion: 1,
    id: 'apr_1',
    changes: [],
    changed: false,
    catches: false,
  };
  const told = (more: Partial<ApprovalTrial>) =>
    renderTrial({ ...counted, ...more }, undefined).map((line) => line.replace(/ {2,}/g, ' '));

  test('in numbers, by object', () => {
    const changes = [{ object: 'public.t\u202e', inserted: 1, updated: 0, deleted: 12 }];
    expect(told({ command: 'DELETE', rows: 12, changes })).toEqual([
      'DELETE of 12 rows. It was undone; nothing was kept.',
      '',
      'CHANGED INSERTED UPDATED DELETED',
      'public.t\\u202e 1 0 12',
    ]);
    expect(told({ command: 'UPDATE', rows: 1 })).toEqual([
      'UPDATE of 1 row. It was undone; nothing was kept.',
    ]);
  });

  test('and the first rows below each other, whatever stands in them; or why there are none', () => {
    const first: FirstRows = {
      object: 'public.t',
      columns: ['id', 'email', 'note'],
      rows: [
        {
          before: [{ text: '1' }, { text: '***', masked: true }, { text: null }],
          after: [{ text: '1' }, { text: '***', masked: true }, { text: 'a\u202e\n', cut: true }],
        },
        { after: [{ text: '2' }, { text: null, masked: true }, { text: 'NULL' }] },
        { before: [{ text: '3' }, { text: '' }, { text: '' }] },
      ],
      leftOut: ['photo'],
    };
    expect(told({ command: 'MERGE', rows: 3, first }).map((line) => line.trim())).toEqual([
      'MERGE of 3 rows. It was undone; nothing was kept.',
      '',
      'The first 3 rows of public.t:',
      ...['', '1: would be changed', 'COLUMN BEFORE AFTER', "id '1' '1'", 'email *** (masked) *** (masked)'],
      "* note NULL 'a\\u202e\\n…'",
      ...['', '2: would be new', 'COLUMN BEFORE AFTER', "id '2'", 'email NULL (masked)', "note 'NULL'"],
      ...['', '3: would be gone', 'COLUMN BEFORE AFTER', "id '3'", "email ''", "note ''"],
      '',
      'Not shown: photo.',
    ]);
    expect(told({ command: 'UPDATE', rows: 1, notShown: '"t" is no table' })).toContain(
      'Rows are not shown: "t" is no table.',
    );
  });

  test('that it would fail, that it is another question by now, and what is counted twice', () => {
    const fails = { status: '23514', reason: 'a check ("c")' };
    expect(told({ fails, changed: true })).toEqual([
      'It would fail: a check ("c") (23514). Nothing was kept.',
      '',
      expect.stringContaining('asked anew'),
    ]);
    expect(told({ command: 'UPDATE', rows: 1, catches: true }).at(-1)).toContain('catches errors');
  });
});

test('what cannot be seen is written out, and common text is left alone', () => {
  expect(allVisible("select 'é 日本' \\n")).toBe("select 'é 日本' \\n");
  expect(allVisible('\u00ad\u034f\u2003\u{e0100}')).toMatch(/^[\x20-\x7e]+$/);
});

test.each([
  [0, '0 s'],
  [90_000, '90 s'],
  [3_540_000, '59 min'],
  [7_200_000, '2 h'],
  [7_500_000, '2 h 5 min'],
])('%i ms are %s', (ms, text) => expect(spanText(ms)).toBe(text));

test('a stream tells what is new or changed, each once', () => {
  const list = (...approvals: ApprovalItem[]) => ({ schemaVersion: 1, approvals, cursor: 'c' }) as const;
  const other = { ...item, id: 'apr_2' };
  expect(changed(list(item), list(item))).toEqual([]);
  expect(changed(list(item), list(other, item))).toEqual([other]);
  const done = { ...item, status: 'approved' } as const;
  expect(changed(list(item), list(done))).toEqual([done]);
  expect(changed(list(done), list({ ...done, usedBy: 'op_1' }))).toHaveLength(1);
  expect(changed(list(item), list({ ...item, votes: [] }))).toHaveLength(1);
});
