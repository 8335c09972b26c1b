import { describe, expect, test } from 'vitest';
import { Bench, event, NOW, request, resource, session } from '../../../support/ui/state.ts';

describe('the transcript of a session that lives', () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}`);
  const live = () => {
    const bench = Bench.online();
    bench.press('4');
    bench.loaded('sessions', [session('ses_1')]);
    bench.press('enter');
    const heard = (count: number, status: 'live' | 'whole' = 'live') =>
      bench.tell({ type: 'transcript', id: 'ses_1', part: { lines: lines(count), status } });
    return { bench, heard };
  };

  test('is asked for with what is still to come, and that of one that is over is not', () => {
    const { bench } = live();
    expect(bench.wanted()).toContainEqual({ do: 'transcript', id: 'ses_1', follow: true });
    bench.press('escape');
    bench.passes(6_000);
    bench.loaded('sessions', [session('ses_1', { endedAt: new Date(NOW).toISOString() })]);
    bench.press('enter');
    expect(bench.wanted()).toContainEqual({ do: 'transcript', id: 'ses_1', follow: false });
  });

  test('stays at its newest line, until somebody reads further up', () => {
    const { bench, heard } = live();
    heard(100);
    expect(bench.screen()).toContain('line 100');
    heard(120);
    expect(bench.screen()).toContain('line 120');
    bench.press('pageup');
    heard(140);
    expect(bench.screen()).not.toContain('line 140');
    bench.press('G');
    heard(160, 'whole');
    expect(bench.screen()).toContain('line 160');
  });
});

describe('screens', () => {
  test.each([
    [['2'], 'feed'],
    [['tab'], 'feed'],
    [['shift-tab'], 'sessions'],
    [['4', 'tab'], 'resources'],
    [[':', ...'app', 'enter'], 'approvals'],
    [[':', ...'audit', 'enter'], 'feed'],
    [[':', ...'ses_01', 'enter'], 'sessions'],
    [[':', ...'apr_01', 'enter'], 'approvals'],
    [[':', ...'nowhere', 'enter'], 'resources'],
    [[':', 'escape'], 'resources'],
  ])('%j leads to %s', (keys, screen) => {
    const bench = Bench.online();
    bench.press(...keys);
    expect(bench.state.screen).toBe(screen);
    expect(bench.state.input).toBeUndefined();
  });

  test.each([
    ['details', ['enter', '2'], 'feed'],
    ['details', ['enter', 'tab'], 'feed'],
    ['help', ['?', '4'], 'sessions'],
    ['help', ['?', 'shift-tab'], 'sessions'],
  ])('from %s too: %j', (_, keys, screen) => {
    const bench = Bench.online();
    bench.loaded('resources', [resource('pg')]);
    bench.press(...keys);
    expect(bench.state.screen).toBe(screen);
    expect(bench.state.overlay).toBeUndefined();
  });

  test('what does not fit below is counted, until it is read', () => {
    const bench = Bench.online({ columns: 80, rows: 10 });
    bench.press('2');
    bench.loaded('feed', [event('evt_1', { text: 'select 1' })]);
    bench.press('enter');
    expect(bench.screen()).toMatch(/\d+ more lines? below/);
    bench.press('G');
    expect(bench.screen()).toContain('select 1');
    expect(bench.screen()).not.toContain('below');
  });

  test.each(['decision:nope', 'since:yesterday'])(
    'a filter that is kept and cannot be asked for says why: %s',
    (filter) => {
      const bench = Bench.online();
      bench.press('2');
      bench.loaded('feed', [event('evt_1')]);
      bench.press('/');
      bench.type(filter);
      bench.press('enter');
      bench.passes(5_000);
      expect(bench.screen()).toContain(`not searched: ${filter.split(':')[0]}:`);
      expect(bench.screen()).not.toContain('searching');
    },
  );

  test('a jump may bring a filter', () => {
    const bench = Bench.online();
    bench.press(':');
    bench.type('feed decision:deny');
    bench.press('enter');
    expect(bench.state.filters.feed).toBe('decision:deny');
  });

  test('only what is on the screen is asked for, and what waits for approval', () => {
    const bench = Bench.online();
    expect(bench.wanted().map((effect) => effect.do)).toEqual(['load-resources', 'load-approvals']);
    bench.press('2');
    expect(bench.wanted().map((effect) => effect.do)).toEqual(['load-feed']);
    bench.passes(60_000);
    expect(bench.wanted()).toEqual([]);
  });
});

describe('lists', () => {
  const thirty = Array.from({ length: 30 }, (_, i) => resource(`r${String(i).padStart(2, '0')}`));
  const at = (bench: Bench) => bench.state.lists.resources.shown[bench.state.lists.resources.at]?.name;

  test.each([
    [['down', 'down', 'up'], 'r01'],
    [['up'], 'r00'],
    [['G'], 'r29'],
    [['G', 'down'], 'r29'],
    [['G', 'g'], 'r00'],
    [['pagedown'], 'r19'],
    [['pagedown', 'pagedown', 'pagedown'], 'r29'],
    [['ctrl-d', 'k'], 'r09'],
  ])('%j chooses %s', (keys, name) => {
    const bench = Bench.online();
    bench.loaded('resources', thirty);
    bench.press(...keys);
    expect(at(bench)).toBe(name);
    expect(bench.screen()).toContain(`▸ ${name}`);
  });

  test('the chosen one stays chosen when the list changes, and when the window does', () => {
    const bench = Bench.online();
    bench.loaded('resources', thirty);
    bench.press('G', 'up');
    bench.passes(16_000);
    bench.loaded('resources', thirty.slice(5));
    expect(at(bench)).toBe('r28');
    bench.tell({ type: 'resize', size: { columns: 60, rows: 9 } });
    expect(bench.screen()).toContain('▸ r28');
    bench.tell({ type: 'resize', size: { columns: 200, rows: 60 } });
    expect(bench.screen()).toContain('▸ r28');
  });

  test('a filter is typed, kept, and taken away', () => {
    const bench = Bench.online();
    bench.loaded('resources', thirty);
    bench.press('/');
    bench.type('r2 ');
    bench.press('backspace', '9');
    expect(bench.state.lists.resources.shown.map(({ name }) => name)).toEqual(['r29']);
    bench.press('enter', 'down');
    expect(bench.screen()).toContain('filter r29');
    bench.press('escape');
    expect(bench.state.lists.resources.shown).toHaveLength(30);
  });

  test('an answer to an older question is left', () => {
    const bench = Bench.online();
    const { asked } = bench.state.loads.resources;
    bench.press('r');
    bench.tell({ type: 'loaded', screen: 'resources', asked, items: thirty });
    expect(bench.state.lists.resources.items).toEqual([]);
  });
});

describe('the feed', () => {
  const online = () => {
    const bench = Bench.online();
    bench.press('2');
    return bench;
  };
  const texts = (bench: Bench) => bench.state.lists.feed.shown.map(({ id }) => id);

  test('grows at its top, and knows what became of an operation', () => {
    const bench = online();
    bench.loaded('feed', [event('e2'), event('e1', { outcome: 'unknown' })]);
    bench.passes(3_000);
    bench.loaded('feed', [event('e3'), event('e2'), event('e1', { outcome: 'success' })]);
    expect(texts(bench)).toEqual(['e3', 'e2', 'e1']);
    expect(bench.state.lists.feed.items.at(-1)).toMatchObject({ outcome: 'success' });
    expect(bench.state.lists.feed.at).toBe(0);
  });

  test('whoever reads further down is not carried away', () => {
    const bench = online();
    bench.loaded('feed', [event('e2'), event('e1')]);
    bench.press('down');
    bench.passes(3_000);
    bench.loaded('feed', [event('e4'), event('e3'), event('e2'), event('e1')]);
    expect(texts(bench)[bench.state.lists.feed.at]).toBe('e1');
  });

  test('asks for what is older when the cursor comes near the end, once', () => {
    const bench = online();
    bench.loaded(
      'feed',
      Array.from({ length: 100 }, (_, i) => event(`e${i}`)),
      { next: 'older' },
    );
    bench.wanted();
    bench.press('down');
    expect(bench.wanted()).toEqual([]);
    bench.press('G', 'up', 'down');
    expect(bench.wanted()).toMatchObject([{ do: 'load-feed', older: true, query: { cursor: 'older' } }]);
    bench.loaded('feed', [event('e100')], { older: true });
    expect(texts(bench)).toHaveLength(101);
    bench.press('G');
    expect(bench.wanted()).toEqual([]);
  });

  test('where more came than a page holds, what lies between is not passed over in silence', () => {
    const bench = online();
    bench.loaded('feed', [event('e1')], { next: 'a' });
    bench.passes(3_000);
    bench.loaded('feed', [event('e99'), event('e98')], { next: 'b' });
    expect(texts(bench)).toEqual(['e99', 'e98']);
    expect(bench.state.loads.feed.next).toBe('b');
  });

  test('is filtered at once by what is at hand, and by the gateway when the typing stops', () => {
    const bench = online();
    bench.loaded('feed', [event('e2', { decision: 'deny', text: 'purge' }), event('e1')]);
    bench.wanted();
    bench.press('/');
    bench.type('decision:de pur');
    expect(texts(bench)).toEqual(['e2']);
    expect(bench.wanted()).toEqual([]);
    bench.passes(400);
    expect(bench.wanted()).toMatchObject([
      { do: 'load-feed', query: { type: 'operation.decided', decision: 'deny', q: 'pur*' } },
    ]);
    bench.loaded('feed', [event('e7', { text: 'Purgatory' })]);
    expect(texts(bench)).toEqual(['e7']);
  });

  test('a filter that cannot be is told, and nobody is asked', () => {
    const bench = online();
    bench.loaded('feed', []);
    bench.wanted();
    bench.press('/');
    bench.type('decision:perhaps');
    bench.passes(1_000);
    expect(bench.screen()).toContain('decision: is one of allow, deny, hold');
    expect(bench.wanted()).toEqual([]);
  });

  test('stands still when it is told to', () => {
    const bench = online();
    bench.loaded('feed', [event('e1')]);
    bench.press(' ');
    bench.wanted();
    bench.passes(60_000);
    expect(bench.wanted().filter((effect) => effect.do === 'load-feed')).toEqual([]);
    bench.press(' ');
    expect(bench.wanted()).toMatchObject([{ do: 'load-feed' }]);
  });

  test('leads to the session of an operation', () => {
    const bench = online();
    bench.loaded('feed', [event('e1', { session: 'ses_7' })]);
    bench.press('s');
    expect(bench.state).toMatchObject({ screen: 'sessions', filters: { sessions: 'ses_7' } });
  });
});

describe('tunnels', () => {
  const online = (access: 'allow' | 'hold' = 'allow') => {
    const bench = Bench.online();
    bench.loaded('resources', [resource('shop', { access })]);
    bench.wanted();
    return bench;
  };
  const open = {
    kind: 'open',
    where: '127.0.0.1:4000',
    url: 'echo://127.0.0.1:4000',
    steps: ['echo'],
    deadline: '2026-11-30T20:00:00.000Z',
  } as const;

  test('one is opened, copied, and closed by a key', () => {
    const bench = online();
    bench.press('o');
    expect(bench.wanted()).toMatchObject([{ do: 'open-tunnel', resource: { name: 'shop' } }]);
    bench.press('o', 'c');
    expect(bench.wanted()).toEqual([]);
    bench.tell({ type: 'tunnel', resource: 'shop', tunnel: open });
    expect(bench.screen()).toContain('shop is ready on 127.0.0.1:4000');
    bench.press('c', 'e');
    expect(bench.wanted()).toEqual([
      { do: 'copy', text: 'echo://127.0.0.1:4000' },
      { do: 'copy', text: 'echo' },
    ]);
    bench.press('enter');
    expect(bench.screen()).toContain('echo://127.0.0.1:4000');
    bench.press('x');
    expect(bench.wanted()).toEqual([{ do: 'close-tunnel', resource: 'shop' }]);
    bench.tell({ type: 'tunnel', resource: 'shop', tunnel: open });
    expect(bench.state.tunnels.size).toBe(0);
  });

  test('whoever leaves with tunnels open is asked', () => {
    const bench = online();
    bench.press('o');
    bench.wanted();
    bench.press('q');
    expect(bench.screen()).toContain('a tunnel is open and would end');
    bench.press('n', 'q', 'y');
    expect(bench.wanted()).toEqual([{ do: 'quit' }]);
  });
});

describe('approvals', () => {
  const online = (more = {}) => {
    const bench = Bench.online();
    bench.press('3');
    bench.loaded('approvals', [request('apr_1', more), request('apr_0', { status: 'denied' })]);
    bench.wanted();
    return bench;
  };
  const exact = request('apr_1', { original: { statement: 'drop it' }, binding: 'exactly' });

  test('nothing is decided before somebody has said that it may be', () => {
    const bench = online();
    bench.press('a', 'y', 'd', 'y');
    expect(bench.wanted()).toEqual([]);
    expect(bench.screen()).toContain('read-only: press W first');
  });

  test('a yes is for exactly what was shown, to its end', () => {
    const bench = online();
    bench.press('W', 'a');
    expect(bench.wanted()).toEqual([{ do: 'look', id: 'apr_1' }]);
    // What is typed before anything is shown is no answer.
    bench.press('y');
    bench.tell({ type: 'looked', item: exact });
    expect(bench.screen()).toContain('there is more below');
    bench.press('y');
    expect(bench.wanted()).toEqual([]);
    bench.press('G');
    expect(bench.screen()).toContain('Approve exactly this?');
    bench.tell({ type: 'key', key: 'y', many: true });
    bench.tell({ type: 'paste', text: 'y' });
    expect(bench.wanted()).toEqual([]);
    bench.press('y', 'y');
    expect(bench.wanted()).toEqual([
      { do: 'decide', id: 'apr_1', word: 'approve', binding: 'exactly', reason: '' },
    ]);
    bench.tell({ type: 'decided', item: request('apr_1', { status: 'approved' }), word: 'approve' });
    expect(bench.screen()).toContain('apr_1: approved');
  });

  test('a no has a reason, and what is refused is told where the question was', () => {
    const bench = online();
    bench.press('W', 'd');
    bench.tell({ type: 'looked', item: exact });
    bench.press('G', 'r');
    bench.type('use the archive');
    bench.press('enter', 'y');
    expect(bench.wanted()).toContainEqual({
      do: 'decide',
      id: 'apr_1',
      word: 'deny',
      binding: 'exactly',
      reason: 'use the archive',
    });
    bench.tell({
      type: 'not-decided',
      id: 'apr_1',
      failure: { code: 'ERR_LOGIN_STALE', message: 'a fresher login', hint: 'log in' },
    });
    expect(bench.screen()).toContain('a fresher login; log in');
    bench.press('n');
    expect(bench.state.overlay).toBeUndefined();
  });

  test('what is settled while it is read is asked about no longer', () => {
    const bench = online();
    bench.press('W', 'a');
    bench.tell({ type: 'looked', item: exact });
    const failure = { code: 'ERR_NO_ACCESS', message: 'this request is cancelled', hint: 'see it' };
    bench.press('G', 'y');
    bench.tell({ type: 'not-decided', id: 'apr_1', failure });
    bench.tell({ type: 'looked', item: { ...exact, binding: 'another' } });
    expect(bench.state.overlay).toMatchObject({ kind: 'decide', item: { binding: 'exactly' } });
    bench.tell({ type: 'looked', item: { ...exact, status: 'cancelled' } });
    expect(bench.state.overlay).toBeUndefined();
    expect(bench.screen()).toContain('it is cancelled already');
  });

  test.each([
    [{ mine: [], notMine: 'you have said yes to it' }, 'It waits for others: you have said yes to it.'],
    [
      { mine: [], notMine: 'you have said yes to it', mayDeny: true as const },
      'It waits for others: you have said yes to it. d says no',
    ],
    [{ status: 'approved' as const }, 'it is approved already'],
  ])('%j cannot be decided here', (more, said) => {
    const bench = online(more);
    bench.press('A', 'W', 'a');
    expect(bench.wanted()).toEqual([]);
    expect(bench.screen()).toContain(said);
  });

  test("a no may follow one's own yes, while it waits for others", () => {
    const given = { mine: [], notMine: 'you have said yes to it', mayDeny: true as const };
    const bench = online(given);
    bench.press('W', 'd');
    expect(bench.wanted()).toEqual([{ do: 'look', id: 'apr_1' }]);
    bench.tell({ type: 'looked', item: { ...exact, ...given } });
    bench.press('G');
    expect(bench.screen()).toContain('You may still say no');
    bench.press('y');
    expect(bench.wanted()).toMatchObject([{ do: 'decide', word: 'deny', id: 'apr_1' }]);
  });

  test('how many wait is seen from every screen', () => {
    const bench = online();
    bench.press('1');
    expect(bench.screen()).toContain('3 Approvals (1)');
  });
});

test('a transcript is read, and a session played', () => {
  const bench = Bench.online();
  bench.press('4');
  bench.loaded('sessions', [session('ses_1')]);
  bench.wanted();
  bench.press('enter');
  expect(bench.wanted()).toEqual([{ do: 'transcript', id: 'ses_1', follow: true }]);
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`);
  bench.tell({
    type: 'transcript',
    id: 'ses_1',
    part: { lines, asked: [0, 5], refused: [5], status: 'whole' },
  });
  expect(bench.screen()).toContain('2 asked');
  bench.press('G');
  expect(bench.screen()).toContain('line 99');
  bench.press('p');
  expect(bench.wanted()).toEqual([{ do: 'play', id: 'ses_1', follow: true }]);
});

test('Ctrl-C leaves from everywhere', () => {
  for (const keys of [[], ['/'], [':'], ['?'], ['3', 'W', 'a']]) {
    const bench = Bench.online();
    bench.press(...keys);
    bench.wanted();
    bench.press('ctrl-c');
    expect(bench.wanted()).toEqual([{ do: 'quit' }]);
  }
});

test('what is pasted is text on one line, and no command', () => {
  const bench = Bench.online();
  bench.loaded('resources', [resource('shop')]);
  bench.wanted();
  bench.tell({ type: 'paste', text: 'q' });
  expect(bench.wanted()).toEqual([]);
  bench.press('/');
  bench.tell({ type: 'paste', text: 'a\x1b[2J\nb' });
  expect(bench.state.filters.resources).toBe('a [2J b');
});
