/** Reads a QR code off a terminal's screen as a phone's camera would: from pixels, by a decoder that is not ours. */
import jsqr from 'jsqr';

/** Upper and lower half of a character: 1 is dark. What is no block is part of the ground. */
const HALVES: Readonly<Record<string, readonly [number, number]>> = { '█': [1, 1], '▀': [1, 0], '▄': [0, 1] };
/** Of a module, in each direction. */
const PIXELS = 4;

/**
 * @param screen As text; what its blocks are drawn in is black, all else is white.
 * @param ascii Two `#` are a module. They begin in an even column, or `odd`.
 */
export function readQr(screen: string, { ascii = false, odd = false } = {}): string | undefined {
  const rows = screen.split('\n').flatMap((line) => {
    if (ascii)
      return [
        [...line].filter((_, i) => i % 2 === Number(odd)).map((character) => (character === '#' ? 1 : 0)),
      ];
    const halves = [...line].map((character) => HALVES[character] ?? [0, 0]);
    return [halves.map(([upper]) => upper), halves.map(([, lower]) => lower)];
  });
  const width = Math.max(...rows.map((row) => row.length)) * PIXELS;
  const height = rows.length * PIXELS;
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (rows[Math.floor(y / PIXELS)]?.[Math.floor(x / PIXELS)] === 1)
        pixels.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
  // Published as CommonJS that says it is an ES module: in one its function is a member of the default.
  const read = jsqr as unknown as { readonly default: typeof jsqr.default };
  return (read.default ?? jsqr)(pixels, width, height)?.data;
}
