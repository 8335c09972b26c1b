import type { Charset } from '../../../core/terminal/charset.ts';
import { type Line, type Span, span } from './line.ts';

/** Light modules around the code: as the standard wants them, and as few as cameras take. */
const QUIET = [4, 2] as const;
/** Two modules, one above the other, in one character: dark is drawn, light is the ground. */
const HALVES: Readonly<Record<string, string>> = { '##': '█', '#.': '▀', '.#': '▄', '..': ' ' };

/** One module in ASCII, about as wide as it is high; the colours behind the letters draw it. */
const SQUARES: Readonly<Record<string, Span>> = { '#': span('##', 'ink'), '.': span('  ', 'code') };

/**
 * A QR code as lines of a terminal, dark on light whatever the terminal's own colours are. In ASCII it is four times as large.
 *
 * Pure. @param modules As `qrModules` gives them. @returns Undefined where it does not fit.
 */
export function qrLines(
  modules: readonly string[],
  room: { readonly columns: number; readonly rows: number },
  charset: Charset,
): readonly Line[] | undefined {
  const [wide, high] = charset === 'ascii' ? [2, 1] : [1, 0.5];
  for (const quiet of QUIET) {
    const size = modules.length + 2 * quiet;
    if (size * wide > room.columns || Math.ceil(size * high) > room.rows) continue;
    const none = '.'.repeat(size);
    const around = Array.from({ length: quiet }, () => none);
    const side = '.'.repeat(quiet);
    const rows = [...around, ...modules.map((row) => side + row + side), ...around];
    return charset === 'ascii' ? rows.map(squared) : halved(rows, none);
  }
  return undefined;
}

function squared(row: string): Line {
  return [...row].map((module) => SQUARES[module]!);
}

function halved(rows: readonly string[], none: string): readonly Line[] {
  return Array.from({ length: Math.ceil(rows.length / 2) }, (_, i) => {
    const [upper, lower] = [rows[2 * i]!, rows[2 * i + 1] ?? none];
    return [span([...upper].map((module, at) => HALVES[module + lower[at]!]).join(''), 'code')];
  });
}
