import { type Line, span } from './line.ts';

/** Light modules around the code: as the standard wants them, and as few as cameras take. */
const QUIET = [4, 2] as const;
/** Two modules, one above the other, in one character: dark is drawn, light is the ground. */
const HALVES: Readonly<Record<string, string>> = { '##': '█', '#.': '▀', '.#': '▄', '..': ' ' };

/**
 * A QR code as lines of a terminal, dark on light whatever the terminal's own colours are.
 *
 * Pure. @param modules As `qrModules` gives them. @returns Undefined where it does not fit.
 */
export function qrLines(
  modules: readonly string[],
  room: { readonly columns: number; readonly rows: number },
): readonly Line[] | undefined {
  for (const quiet of QUIET) {
    const size = modules.length + 2 * quiet;
    if (size > room.columns || Math.ceil(size / 2) > room.rows) continue;
    const none = '.'.repeat(size);
    const around = Array.from({ length: quiet }, () => none);
    const side = '.'.repeat(quiet);
    return halved([...around, ...modules.map((row) => side + row + side), ...around], none);
  }
  return undefined;
}

function halved(rows: readonly string[], none: string): readonly Line[] {
  return Array.from({ length: Math.ceil(rows.length / 2) }, (_, i) => {
    const [upper, lower] = [rows[2 * i]!, rows[2 * i + 1] ?? none];
    return [span([...upper].map((module, at) => HALVES[module + lower[at]!]).join(''), 'code')];
  });
}
