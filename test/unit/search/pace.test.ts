import { describe, expect, test } from 'vitest';
import { Pace } from '../../../src/search/pace.ts';

/** Looks at the pace once a second. @returns ms of each slice, and of the rest behind it. */
function paced(looks: readonly { behind: number; share: number; left: number }[]): number[][] {
  const pace = new Pace();
  let othersMs = 5000;
  return looks.map(({ behind, share, left }, i) => {
    othersMs += share * 1000;
    const look = { behind, othersMs, at: i * 1000 };
    return [pace.slice(look), pace.rest(look, left)];
  });
}

describe('the pace of the audit index', () => {
  const first = { behind: 0, share: 0, left: 0 };
  test.each([
    ['nothing is written and nobody works', { behind: 900, share: 0.05, left: 500 }, [200, 1], 1000],
    ['all is read', { behind: 900, share: 0, left: 0 }, [200, 1000], 1000],
    ['more is written than was read', { behind: 2000, share: 0, left: 900 }, [20, 1000], 1000],
    [
      'nothing is written, but the gateway carries something large',
      { behind: 900, share: 0.9, left: 800 },
      [20, 1000],
      1000,
    ],
  ])('%s', (_, look, expected, before) => {
    expect(paced([first, { behind: before, share: 0, left: before }, look]).at(-1)).toEqual(expected);
  });

  test('what is there at the start is taken for growth', () => {
    expect(
      paced([
        { behind: 900, share: 0, left: 800 },
        { behind: 800, share: 0, left: 100 },
      ]),
    ).toEqual([
      [20, 1000],
      [200, 1],
    ]);
  });
});
