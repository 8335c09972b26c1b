/** Letters and digits of a code, five rows high, so that they are read across a desk. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '.##.|#..#|####|#..#|#..#',
  B: '###.|#..#|###.|#..#|###.',
  C: '.###|#...|#...|#...|.###',
  D: '###.|#..#|#..#|#..#|###.',
  E: '####|#...|###.|#...|####',
  F: '####|#...|###.|#...|#...',
  G: '.###|#...|#.##|#..#|.###',
  H: '#..#|#..#|####|#..#|#..#',
  I: '###|.#.|.#.|.#.|###',
  J: '..##|...#|...#|#..#|.##.',
  K: '#..#|#.#.|##..|#.#.|#..#',
  L: '#...|#...|#...|#...|####',
  M: '#...#|##.##|#.#.#|#...#|#...#',
  N: '#..#|##.#|#.##|#..#|#..#',
  O: '.##.|#..#|#..#|#..#|.##.',
  P: '###.|#..#|###.|#...|#...',
  Q: '.##.|#..#|#..#|#.##|.###',
  R: '###.|#..#|###.|#.#.|#..#',
  S: '.###|#...|.##.|...#|###.',
  T: '#####|..#..|..#..|..#..|..#..',
  U: '#..#|#..#|#..#|#..#|.##.',
  V: '#...#|#...#|.#.#.|.#.#.|..#..',
  W: '#...#|#...#|#.#.#|##.##|#...#',
  X: '#..#|#..#|.##.|#..#|#..#',
  Y: '#...#|.#.#.|..#..|..#..|..#..',
  Z: '####|..#.|.#..|#...|####',
  '0': '.##.|#..#|#..#|#..#|.##.',
  '1': '.#.|##.|.#.|.#.|###',
  '2': '###.|...#|.##.|#...|####',
  '3': '###.|...#|.##.|...#|###.',
  '4': '#..#|#..#|####|...#|...#',
  '5': '####|#...|###.|...#|###.',
  '6': '.##.|#...|###.|#..#|.##.',
  '7': '####|...#|..#.|.#..|.#..',
  '8': '.##.|#..#|.##.|#..#|.##.',
  '9': '.##.|#..#|.###|...#|.##.',
  '-': '..|..|##|..|..',
};
const ROWS = 5;

/**
 * A code in large letters, and below them as it is typed. Where it is wider than `width`, or has other characters, it is that line alone.
 * Pure.
 */
export function largeText(code: string, width: number): readonly string[] {
  const glyphs = [...code].map((character) => GLYPHS[character]?.split('|'));
  const known = glyphs.filter((glyph) => glyph !== undefined);
  const rows = Array.from({ length: ROWS }, (_, row) =>
    known.map((glyph) => glyph[row]!.replaceAll('#', '█').replaceAll('.', ' ')).join('  '),
  );
  const fits = known.length === glyphs.length && rows[0]!.length <= width;
  return fits ? [...rows, '', code] : [code];
}
