import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayWidth } from '../../../../src/cli/render/text.ts';
import { HELD_S } from '../../../../src/cli/ui/state/loads.ts';
import { SCREENS } from '../../../../src/cli/ui/state/model.ts';
import { screenAt } from '../../../../src/cli/ui/view/chrome.ts';
import { frameOf } from '../../../../src/cli/ui/view/frame.ts';
import { Bench, event, NOW, request, resource, session } from '../../../support/ui/state.ts';

/** Names as an attacker chooses them: sequences, marks that turn text around, nothing to be seen, two columns wide. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '\x1b[2J\x1b]52;c;eA==\x07',
    'a\u202eb',
    '\u200b\u2800\u3164',
    '数据库数据库',
    '👩‍👩‍👧',
    'e\u0301',
    '\r\n\t',
    '',
  ),
);
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

test('whatever strangers named things, a frame is as large as the window, and nothing in it moves or hides', () => {
  const size = fc.record({
    columns: fc.integer({ min: 1, max: 200 }),
    rows: fc.integer({ min: 1, max: 60 }),
  });
  const charset = fc.constantFrom('utf-8' as const, 'ascii' as const);
  const keys = fc.array(
    fc.constantFrom(
      '1',
      '2',
      '3',
      '4',
      'enter',
      'down',
      'G',
      'W',
      'a',
      'd',
      'A',
      '?',
      '/',
      ':',
      'x',
      'escape',
      ' ',
      'o',
    ),
    {
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(
      size,
      keys,
      fc.array(hostile, { minLength: 1, maxLength: 5 }),
      charset,
      (window, pressed, texts, shows) => {
        const bench = Bench.online(window, shows);
        bench.loaded(
          'resources',
          texts.map((text) => resource(text, { protocol: text, connect: { protocol: text, fact: text } })),
        );
        bench.loaded(
          'approvals',
          texts.map((text, i) =>
            request(`apr_${i}`, { actor: text, text, resource: text, reason: text, declared: { x: text } }),
          ),
        );
        bench.press('4');
        bench.loaded(
          'sessions',
          texts.map((text, i) => session(`ses_${i}`, { actor: text, resource: text, endReason: text })),
        );
        bench.press('2');
        bench.loaded(
          'feed',
          texts.map((text, i) =>
            event(`evt_${i}`, {
              text,
              resource: text,
              rules: [{ id: text, reason: text }],
              facts: { [text]: text },
            }),
          ),
        );
        bench.press(...pressed);
        bench.tell({ type: 'notice', text: texts[0]!, tone: 'bad' });
        const frame = frameOf(bench.state);
        expect(frame).toHaveLength(window.rows);
        for (const line of frame) {
          const text = line.map((span) => span.text).join('');
          expect(displayWidth(text)).toBe(window.columns);
          expect(text).not.toMatch(UNSAFE);
          if (shows === 'ascii') expect(text).toMatch(/^[ -~]*$/);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('of ten thousand rows only those in the window are made', () => {
  const bench = Bench.online();
  let made = 0;
  const items = Array.from({ length: 10_000 }, (_, i) => {
    const item = resource(`r${i}`);
    return Object.defineProperty({ ...item }, 'masks', {
      get: () => {
        made++;
        return false;
      },
    });
  });
  bench.loaded('resources', items);
  bench.press('G');
  made = 0;
  expect(bench.screen()).toContain('▸ r9999');
  expect(made).toBeLessThanOrEqual(24);
});

test('D8: of 10,000 targets with the names that somebody chose, those in the window are drawn, and any is found', () => {
  const bench = Bench.online({ columns: 140, rows: 40 });
  const name = (i: number) => `${i % 2 === 0 ? '数据库\u202e' : 'a\x1b[2J'}-${i}`;
  bench.loaded(
    'resources',
    Array.from({ length: 10_000 }, (_, i) => resource(name(i))),
  );
  expect(bench.screen()).toContain('1 of 10000');
  bench.press('G');
  expect(bench.screen()).toContain('10000 of 10000');
  expect(bench.screen()).toMatch(/▸ a\\x1b\[2J-9999 /);
  bench.press('/');
  bench.type('-4242');
  expect(bench.screen()).toContain('▸ 数据库\\u202e-4242');
  expect(bench.screen()).toContain('1 of 1');
  for (const line of frameOf(bench.state))
    expect(line.reduce((sum, { text }) => sum + displayWidth(text), 0)).toBe(140);
});

test.each([67, 69])(
  'an answer of the login before (%i) leaves the code of the next one where it is',
  (exit) => {
    const bench = Bench.online();
    const failure = { code: 'ERR_X', message: 'it went wrong', hint: 'do better' };
    bench.tell({ type: 'disconnected', failure, exit: 67 });
    bench.press('L');
    bench.tell({
      type: 'login',
      code: { uri: 'https://a.test/x', userCode: 'WDJB', expiresAt: NOW, as: 'yourself' },
    });
    const { asked } = bench.state.loads.resources;
    bench.tell({ type: 'not-loaded', screen: 'resources', asked, failure, exit });
    expect(bench.screen()).toContain('https://a.test/x');
  },
);

describe('a narrow window', () => {
  test.each(SCREENS.flatMap((screen, i) => [40, 50, 60, 80].map((columns) => [screen, i, columns] as const)))(
    'says that it shows %s (%i), and which key helps, in %i columns',
    (screen, i, columns) => {
      const bench = Bench.online({ columns, rows: 12 });
      bench.press(`${i + 1}`);
      const lines = bench.screen().split('\n');
      expect(lines[0]!.toLowerCase()).toContain(`[${i + 1} ${screen}]`);
      expect(lines[0]).toContain('●');
      expect(lines.at(-1)).toContain('? help');
      bench.press('W');
      expect(bench.screen()).toContain('may decide');
    },
  );

  test('is clicked where its short names stand', () => {
    const { state } = Bench.online({ columns: 40, rows: 12 });
    const title = frameOf(state)[0]!
      .map(({ text }) => text)
      .join('');
    expect(screenAt(state, title.indexOf('4'))).toBe('sessions');
  });
});

describe('states', () => {
  const failure = { code: 'ERR_X', message: 'it went wrong', hint: 'do better' };

  test.each([
    ['connecting', (bench: Bench) => bench.tell({ type: 'tick' }), ['connecting to the gateway']],
    [
      'offline from the start',
      (bench: Bench) => bench.tell({ type: 'disconnected', failure, exit: 69 }),
      ['cannot be reached', 'it went wrong', 'do better', 'again in 2 s', 'hoopctl doctor'],
    ],
    [
      'logged out',
      (bench: Bench) => bench.tell({ type: 'disconnected', failure, exit: 67 }),
      ['You are not logged in', 'do better', 'L logs in here'],
    ],
    [
      'a call that is not valid',
      (bench: Bench) => bench.tell({ type: 'disconnected', failure, exit: 64 }),
      ['This cannot go on', 'do better', 'r tries again', 'hoopctl --help'],
    ],
  ])('%s is said, with what to do', (_name, make, said) => {
    const bench = new Bench();
    make(bench);
    for (const text of said) expect(bench.screen()).toContain(text);
  });

  test('what was loaded stays while the gateway is away, and says of when it is', () => {
    const bench = Bench.online();
    bench.loaded('resources', [resource('shop')]);
    bench.passes(16_000);
    const { asked } = bench.state.loads.resources;
    bench.tell({ type: 'not-loaded', screen: 'resources', asked, failure, exit: 69 });
    expect(bench.screen()).toMatch(/▸ shop/);
    expect(bench.screen()).toMatch(/this is of \d\d:\d\d:\d\d; again in 2 s, by r now: it went wrong/);
    expect(bench.screen()).toContain('✗ offline');
    bench.passes(2_000);
    expect(bench.screen()).toMatch(/this is of \d\d:\d\d:\d\d; trying again …: it went wrong/);
  });

  test.each(SCREENS.map((screen, i) => [screen, i + 1] as const))(
    '%s says that it loads, and that it is empty',
    (screen, number) => {
      const bench = Bench.online();
      bench.press(`${number}`);
      expect(bench.screen()).toContain('loading …');
      bench.loaded(screen, []);
      expect(bench.screen()).not.toContain('loading …');
      expect(bench.screen()).toMatch(/nothing|no operation|no session/i);
    },
  );

  test('what one may not see says so in the words of the gateway', () => {
    const bench = Bench.online();
    bench.press('2');
    const { asked } = bench.state.loads.feed;
    bench.tell({ type: 'not-loaded', screen: 'feed', asked, failure, exit: 77 });
    expect(bench.screen()).toContain('it went wrong');
    expect(bench.state.connection.kind).toBe('online');
  });

  test('a gateway that is slow is said to be slow, and keys go on', () => {
    const bench = Bench.online();
    bench.passes(5_000);
    expect(bench.screen()).toContain('the gateway has not answered for 5 s');
    bench.press('?');
    expect(bench.screen()).toContain('Everywhere');
  });

  test('nor is one passed over that may hold back its answer for a while', () => {
    const bench = Bench.online();
    bench.press('3');
    bench.loaded('approvals', [], { cursor: 'c1' });
    bench.passes(1_000);
    expect(bench.state.loads.approvals.waits).toBe(true);
    bench.passes(HELD_S * 1_000);
    expect(bench.screen()).not.toContain('has not answered');
    bench.passes(3_000);
    expect(bench.screen()).toContain('the gateway has not answered for 3 s');
  });

  test('a code to log in with is large, and as it is typed', () => {
    const bench = new Bench();
    bench.tell({ type: 'disconnected', failure, exit: 67 });
    bench.press('L');
    expect(bench.wanted()).toContainEqual({ do: 'log-in' });
    const code = {
      uri: 'https://idp.test/device',
      userCode: 'ABCD-1234',
      expiresAt: NOW,
      as: 'to https://gw.test as yourself',
    };
    bench.tell({ type: 'login', code });
    for (const text of [
      'Log in to https://gw.test as yourself',
      'https://idp.test/device',
      '█  █',
      'ABCD-1234',
    ])
      expect(bench.screen()).toContain(text);
    bench.press('escape');
    expect(bench.wanted()).toEqual([{ do: 'stop-log-in' }]);
  });

  test.each([
    [20, 5],
    [1, 1],
    [39, 24],
    [80, 7],
  ])('a window of %i × %i is too small, and can be left', (columns, rows) => {
    const bench = Bench.online({ columns, rows });
    expect(frameOf(bench.state)).toHaveLength(rows);
    bench.wanted();
    bench.press('q');
    expect(bench.wanted()).toEqual([{ do: 'quit' }]);
  });
});
