import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Bench, event, NOW, request, resource, session } from '../../../support/ui/state.ts';

const golden = (name: string) => join(import.meta.dirname, 'frames', `${name}.txt`);
const ASCII = /^[ -~\n]*$/;

/** With names of people and things that are beyond ASCII. */
function filled(bench: Bench): Bench {
  bench.loaded('resources', [
    resource('pg-demo'),
    resource('bücher', { access: 'hold' }),
    resource('x'.repeat(60)),
  ]);
  bench.press('o');
  const open = { kind: 'open', where: '127.0.0.1:5433', url: 'u', steps: ['s'], deadline: '' } as const;
  bench.tell({ type: 'tunnel', resource: 'pg-demo', tunnel: open });
  bench.press('down', 'o');
  bench.tell({
    type: 'tunnel',
    resource: 'bücher',
    tunnel: { kind: 'waiting', approval: 'apr_1', needs: 'dba' },
  });
  bench.loaded('approvals', [
    request('apr_1', {
      person: 'Zoë',
      reason: '“courier” …',
      original: { statement: "UPDATE t SET a = '…', b = 'а~日'\nWHERE n = 'Tomás'" },
      text: "UPDATE t SET a = '***'",
    }),
    request('apr_2', { mine: [], text: 'drop it too' }),
  ]);
  bench.press('4');
  bench.loaded('sessions', [
    session('ses_1', { actor: 'Zoë' }),
    session('ses_2', { endedAt: '2026-11-30T11:59:30.000Z' }),
  ]);
  bench.press('2');
  bench.loaded(
    'feed',
    Array.from({ length: 40 }, (_, i) =>
      event(`evt_${i}`, {
        at: new Date(NOW - i * i * 1000).toISOString(),
        decision: i % 3 === 0 ? 'deny' : 'allow',
        text: `SELECT 'Tomás' -- ${'long '.repeat(i)}`,
      }),
    ),
  );
  bench.passes(10_000);
  return bench;
}

const SCREENS: readonly (readonly [string, readonly string[]])[] = [
  ['resources', ['1', 'up']],
  ['feed', ['2', '/', 'm', 'á']],
  ['approvals', ['3']],
  ['sessions', ['4']],
  ['event', ['2', 'enter']],
  ['help', ['1', '?']],
];

describe('a terminal that shows ASCII alone', () => {
  test.each(SCREENS)('has %s in it', async (name, keys) => {
    const bench = filled(Bench.online({ columns: 80, rows: 24 }, 'ascii'));
    bench.press(...keys);
    expect(bench.screen()).toMatch(ASCII);
    await expect(bench.screen()).toMatchFileSnapshot(golden(`ascii-${name}-80x24`));
  });

  test('has what is asked written out where somebody decides, so that nothing passes for another thing', async () => {
    const bench = filled(Bench.online({ columns: 80, rows: 60 }, 'ascii'));
    bench.press('3', 'W', 'a');
    bench.tell({ type: 'looked', item: bench.state.lists.approvals.items[0]! });
    const screen = bench.screen();
    expect(screen).toMatch(ASCII);
    expect(screen).toContain("| UPDATE t SET a = '\\u2026', b = '\\u0430~\\u65e5'");
    expect(screen).toContain('has characters beyond ASCII: \\u2026 U+2026, \\u0430 U+0430');
    await expect(screen).toMatchFileSnapshot(golden('ascii-decide-80x60'));
  });

  test('has every window in it, also beside the list, and what is not loaded', () => {
    for (const size of [
      { columns: 40, rows: 15 },
      { columns: 200, rows: 50 },
      { columns: 20, rows: 4 },
    ]) {
      for (const [, keys] of SCREENS) {
        const bench = filled(Bench.online(size, 'ascii'));
        bench.press(...keys);
        expect(bench.screen()).toMatch(ASCII);
      }
      const bench = new Bench(size, 'ascii');
      expect(bench.screen()).toMatch(ASCII);
      bench.tell({
        type: 'disconnected',
        failure: { code: 'ERR_X', message: 'größer …', hint: '“so”' },
        exit: 69,
      });
      expect(bench.screen()).toMatch(ASCII);
    }
  });
});

describe('a narrow window', () => {
  test.each([
    [40, ['pg-demo', '127.0.0.1:5433', 'waits for dba', 'allowed']],
    [50, ['pg-demo', '127.0.0.1:5433', 'waits for dba', 'allowed']],
    [60, ['pg-demo', 'ACCESS', '127.0.0.1:5433', 'waits for dba', 'needs approval']],
    [80, ['PROTOCOL', 'ACCESS', 'MASKED', '127.0.0.1:5433', 'waits for dba', 'needs approval']],
  ])('of %i columns says how each resource and its tunnel stand', (columns, texts) => {
    const bench = filled(Bench.online({ columns, rows: 20 }));
    bench.press('1');
    for (const text of texts) expect(bench.screen()).toContain(text);
  });

  test.each([40, 50, 60, 80, 100, 140])(
    'of %i columns says whose yes is missing, and what is asked',
    (columns) => {
      const bench = filled(Bench.online({ columns, rows: 20 }));
      bench.press('3');
      const screen = bench.screen();
      for (const text of ['you', '0/1', 'NEEDS', 'LEFT', 'drop it too'.slice(0, 8)])
        expect(screen).toContain(text);
    },
  );

  test.each([40, 50, 60, 70, 80])(
    'of %i columns says who is at what, in at least fifteen columns',
    (columns) => {
      const bench = filled(Bench.online({ columns, rows: 20 }));
      bench.press('4');
      expect(bench.screen()).toMatch(/live {2,}Zoë for ada {2,}shop|live {2,}Zoë for ada/);
      bench.press('2');
      expect(bench.screen()).toMatch(/SELECT 'Tomás'/);
    },
  );
});

describe('what is longer than the window', () => {
  const long =
    'pg-demo is ready on 127.0.0.1:36235: c copies the connection string, and e the commands that use it';

  test('is said below the list to its end, and stands over no request that is decided', () => {
    const bench = filled(Bench.online({ columns: 40, rows: 15 }));
    bench.press('1');
    bench.tell({ type: 'notice', text: long, tone: 'good' });
    expect(bench.screen().replace(/\s+/g, ' ')).toContain(long);
    expect(bench.screen().split('\n')).toHaveLength(15);
    bench.press('3', 'W', 'a');
    bench.tell({ type: 'looked', item: bench.state.lists.approvals.items[0]! });
    const before = bench.screen().split('\n').length;
    bench.tell({ type: 'notice', text: long, tone: 'good' });
    const lines = bench.screen().split('\n');
    expect(lines).toHaveLength(before);
    expect(lines.at(-3)).toContain('there is more below');
    expect(lines.at(-2)).toContain('pg-demo is ready');
  });

  test('is typed with its end in sight, and where there is no room for more that is said', () => {
    const bench = filled(Bench.online({ columns: 60, rows: 15 }));
    bench.press('3', '/');
    bench.tell({ type: 'paste', text: `${'x'.repeat(400)} the end` });
    expect(bench.screen()).toMatch(/\/…x+ the end▏/);
    bench.tell({ type: 'paste', text: 'y'.repeat(5000) });
    expect(bench.screen()).toMatch(/y▏ +no room for more/);
  });

  test('of who one is leaves out where, not as whom tunnels are opened', () => {
    const bench = new Bench({ columns: 60, rows: 15 });
    const me = {
      gateway: 'https://gateway.example.com:7443',
      name: 'ada@shop.example',
      deadline: '',
      tunnelsAs: 'shop-copilot',
    };
    bench.tell({ type: 'connected', me });
    expect(bench.screen()).toContain('ada@shop.example · tunnels as shop-copilot');
  });

  test.each(['1', '2', '3', '4'])('is whole on the empty screen %s', (key) => {
    const bench = Bench.online({ columns: 40, rows: 15 });
    bench.press(key);
    for (const screen of ['resources', 'feed', 'approvals', 'sessions'] as const)
      if (bench.state.screen === screen) bench.loaded(screen, []);
    expect(bench.screen().split('\n').slice(2, -2).join('\n')).not.toContain('…');
  });
});
