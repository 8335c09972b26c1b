/** A terminal's screen as SVG, for pages. */
import type { TerminalSize } from '../replays/tmux.ts';

const CELL = { width: 8.4, height: 18 };
const MARGIN = 14;

const COLOURS: Readonly<Record<string, string>> = {
  '31': 'bad',
  '32': 'good',
  '33': 'warn',
  '36': 'accent',
};

const STYLE = `
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; white-space: pre }
.paper { fill: #ffffff; stroke: #d0d7de } .mark { fill: #1f2328 } .turned { fill: #ffffff } .strong { font-weight: 600 } .dim { fill: #656d76 }
.bad { fill: #c62828 } .good { fill: #1a7f37 } .warn { fill: #8a5a00 } .accent { fill: #0969a8 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .paper { fill: #0d1117; stroke: #30363d } .mark { fill: #e6edf3 } .turned { fill: #0d1117 } .dim { fill: #8b949e }
  .bad { fill: #ff7b72 } .good { fill: #3fb950 } .warn { fill: #d29922 } .accent { fill: #58a6ff }
}`;

/**
 * Draws what `Tmux.screen(true)` gives. Pure.
 *
 * @param drawn One column for each character: no wide ones.
 */
export function screenPicture(drawn: string, { columns, rows }: TerminalSize, title: string): string {
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = rows * CELL.height + 2 * MARGIN;
  const lines = drawn.split('\n').slice(0, rows).flatMap(lineOf);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function lineOf(line: string, row: number): readonly string[] {
  const drawn: string[] = [];
  let looks = new Set<string>();
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are sequences.
  for (const part of line.split(/(\x1b\[[\d;]*m|\x0e|\x0f)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are sequences.
    const codes = /^\x1b\[([\d;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) looks = turned(looks, codes.split(';'));
    else if (part !== '' && part > '\x1f') {
      drawn.push(...spanOf(part, looks, column, row));
      column += [...part].length;
    }
  }
  return drawn;
}

function turned(before: ReadonlySet<string>, codes: readonly string[]): Set<string> {
  const looks = new Set(before);
  const colourless = () => {
    for (const name of Object.values(COLOURS)) looks.delete(name);
  };
  for (const code of codes) {
    if (code === '' || code === '0') looks.clear();
    else if (code === '1') looks.add('strong');
    else if (code === '2') looks.add('dim');
    else if (code === '7') looks.add('turned');
    else if (code === '39') colourless();
    else if (COLOURS[code] !== undefined) {
      colourless();
      looks.add(COLOURS[code]);
    }
  }
  return looks;
}

function spanOf(text: string, looks: ReadonlySet<string>, column: number, row: number): readonly string[] {
  const x = round(MARGIN + column * CELL.width);
  const y = MARGIN + row * CELL.height;
  const length = round([...text].length * CELL.width);
  const mark = looks.has('turned')
    ? [`<rect class="mark" x="${x}" y="${y}" width="${length}" height="${CELL.height}"/>`]
    : [];
  if (text.trim() === '') return mark;
  const classes = looks.size === 0 ? '' : ` class="${[...looks].join(' ')}"`;
  return [...mark, `<text${classes} x="${x}" y="${y + 13}" textLength="${length}">${escaped(text)}</text>`];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
