/** What a mouse sends is read however it comes, and no part of it is ever a key. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MouseReader, type MouseReport } from '../../../../src/cli/ui/terminal/mouse.ts';
import { Bench, event, resource } from '../../../support/ui/state.ts';

const CLICK = '\x1b[<0;12;7M';
const WHEEL = '\x1b[<65;1;1M';
const clicked: MouseReport = { what: 'click', column: 11, row: 6 };

function read(...chunks: readonly string[]) {
  const reader = new MouseReader();
  const all = chunks.map((chunk) => reader.push(chunk));
  return {
    typed: all.map(({ typed }) => typed).join(''),
    reports: all.flatMap(({ reports }) => reports),
    reader,
  };
}

describe('reports', () => {
  test('are taken out of what is typed', () => {
    expect(read(`j${CLICK}\x1b[A${WHEEL}\x1b[<80;3;4Mk`)).toMatchObject({
      typed: 'j\x1b[Ak',
      reports: [clicked, { what: 'wheel-down', column: 0, row: 0 }, { what: 'wheel-up', column: 2, row: 3 }],
    });
  });

  test('are the same at every split', () => {
    const all = `a${CLICK}b\x1b[200~x${CLICK}y\x1b[201~${CLICK}c\x1b[<0;1;1mé\x1b[M !!d`;
    for (let first = 0; first <= all.length; first++)
      for (let second = first; second <= all.length; second++)
        expect(read(all.slice(0, first), all.slice(first, second), all.slice(second))).toMatchObject({
          typed: `ab\x1b[200~x${CLICK}y\x1b[201~céd`,
          reports: [clicked, clicked],
        });
  });

  test.each([
    ['a button that comes up', '\x1b[<0;1;1m'],
    ['other buttons', '\x1b[<1;1;1M\x1b[<2;1;1M'],
    ['a drag, a held Ctrl, the wheel sideways', '\x1b[<32;1;1M\x1b[<16;1;1M\x1b[<66;1;1M'],
    ['what is nowhere', '\x1b[<0;0;1M\x1b[<0;1;0M\x1b[<0;123456;1M'],
    ['what is none', '\x1b[<M\x1b[<;;M\x1b[<0;1M\x1b[<0;1;1;1M\x1b[<-1;1;1M\x1b[<?q\x1b[<0;1;1~'],
    ['the old form', '\x1b[MqWy'],
    ['one that another breaks off', '\x1b[<4;4'],
    ['one without an end', `\x1b[<${'4;'.repeat(5_000)}`],
  ])('D8: %s: nothing happens, and no key is pressed', (_, sequence) => {
    expect(read(sequence, CLICK)).toMatchObject({ typed: '', reports: [clicked] });
  });

  test('one that never ends is no report when it ends, and takes no memory', () => {
    const { reader } = read('\x1b[<', '4'.repeat(10_000), ';1', ';1');
    expect(reader.push('Mj')).toEqual({ typed: 'j', reports: [] });
  });

  test('an Escape alone is one after a moment, and half a report is no key then', () => {
    const alone = read('\x1b');
    expect([alone.typed, alone.reader.isHolding, alone.reader.settle()]).toEqual(['', true, '\x1b']);
    const half = read('\x1b[<4;4');
    expect(half.reader.settle()).toBe('');
    expect(half.reader.push(';4Mj').typed).toBe('j');
  });

  test('whatever else is typed is handed on to the letter', () => {
    const texts = fc.string({
      unit: fc.constantFrom('\x1b', '[', '2', '0', '1', '~', 'O', 'A', ';', 'é', 'y'),
    });
    fc.assert(
      fc.property(fc.array(texts), (chunks) => {
        const { typed, reports, reader } = read(...chunks);
        expect(typed + reader.settle()).toBe(chunks.join(''));
        expect(reports).toEqual([]);
      }),
    );
  });
});

describe('the mouse', () => {
  const many = (columns = 80) => {
    const bench = Bench.online({ columns, rows: 24 });
    bench.loaded(
      'resources',
      Array.from({ length: 100 }, (_, i) => resource(`r${i}`)),
    );
    return bench;
  };
  const at = ({ state }: Bench) => {
    const { at, top } = state.lists[state.screen];
    return { at, top };
  };
  const mouse = (bench: Bench, what: MouseReport['what'], column = 0, row = 0) =>
    bench.tell({ type: 'mouse', what, column, row });

  test('is off until somebody asks for it', () => {
    const bench = many();
    mouse(bench, 'wheel-down');
    mouse(bench, 'click', 3, 5);
    expect(at(bench)).toEqual({ at: 0, top: 0 });
    bench.press('m');
    mouse(bench, 'click', 3, 5);
    expect(at(bench)).toEqual({ at: 2, top: 0 });
    bench.press('m');
    expect(bench.state.mouse).toBe(false);
  });

  test('its wheel moves the window, and the cursor where it would be left behind', () => {
    const bench = many();
    bench.press('m');
    mouse(bench, 'wheel-down');
    expect(at(bench)).toEqual({ at: 3, top: 3 });
    mouse(bench, 'click', 3, 10);
    mouse(bench, 'wheel-up');
    expect(at(bench)).toEqual({ at: 10, top: 0 });
    for (let i = 0; i < 50; i++) mouse(bench, 'wheel-down');
    expect(at(bench)).toEqual({ at: 81, top: 81 });
  });

  test('a click beside rows chooses nothing', () => {
    const bench = many(140);
    bench.press('m');
    for (const [column, row] of [
      [0, 2],
      [3, 1],
      [3, 22],
      [3, 9_999],
      [90, 5],
      [9_999, 5],
    ] as const)
      mouse(bench, 'click', column, row);
    expect(at(bench)).toEqual({ at: 0, top: 0 });
    mouse(bench, 'click', 60, 5);
    expect(at(bench)).toEqual({ at: 2, top: 0 });
  });

  test('a click on a name shows that screen, over whatever is read', () => {
    const bench = many();
    bench.press('m', '?');
    const column = bench.screen().split('\n')[0]!.indexOf('Feed');
    mouse(bench, 'click', column);
    expect(bench.state).toMatchObject({ screen: 'feed', overlay: undefined });
    mouse(bench, 'click', 79);
    expect(bench.state.screen).toBe('feed');
    bench.loaded(
      'feed',
      Array.from({ length: 50 }, (_, i) => event(`evt_${i}`)),
    );
    mouse(bench, 'click', 5, 6);
    expect(at(bench)).toEqual({ at: 0, top: 0 });
    mouse(bench, 'click', 5, 7);
    expect(at(bench)).toEqual({ at: 1, top: 0 });
  });

  test('nothing is opened, left or answered by it', () => {
    const bench = many();
    bench.press('m', 'o');
    bench.tell({
      type: 'tunnel',
      resource: 'r0',
      tunnel: { kind: 'open', where: '127.0.0.1:5', url: 'u', steps: [], deadline: '' },
    });
    bench.effects.length = 0;
    bench.press('q');
    for (const what of ['click', 'wheel-up', 'wheel-down'] as const)
      for (let row = 0; row < 24; row++) mouse(bench, what, 20, row);
    expect(bench.state.overlay).toEqual({ kind: 'quit' });
    expect(bench.effects).toEqual([]);
  });
});
