/**
 * Draws docs/images/demo.svg from what `npm start` really prints, up to the change of the schema: `npm run docs:demo`, after a build.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { displayWidth } from '../../src/cli/render/text.ts';
import { ROOT } from '../support/source-tree.ts';

const PICTURE = 'docs/images/demo.svg';
const FIRST = '1. ';
/** What comes from here on is longer than anybody looks at a picture. */
const AFTER = 'It reads everything there is';

const COLUMNS = 132;
const WIDTH = 1120;
const LINE = 19;
const TOP = 58;
const STYLE =
  'text{font:13.4px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d5dbe5}' +
  '.h{font-weight:700;fill:#fff}.p{fill:#5cc8d7}.e{fill:#f0717b}.w{fill:#e6c15c}';
/** What is coloured how: the first that fits; what lies before is left plain. */
const LOOKS = [
  ['h', /^\d\. .*/],
  ['p', /^ *(?:\$|[a-z-]+>)(?= )/],
  ['e', /^ *ERROR .*/],
  ['w', /^ *HINT .*/],
] as const;

async function printed(): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-demo-picture-'));
  const demo = spawn(process.execPath, [join(ROOT, 'bin/hoopd.js'), 'demo'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((done) => demo.once('close', done));
  const lines: string[] = [];
  try {
    for await (const line of createInterface(demo.stdout)) {
      if (line.includes(AFTER)) return lines;
      if (lines.length > 0 || line.startsWith(FIRST)) lines.push(line);
    }
    throw new Error(`the demo never came to "${AFTER}"`);
  } finally {
    demo.kill('SIGINT');
    demo.stdout.resume();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Longer ones go on in the next line, further in. The look is of the whole. */
function drawn(line: string): readonly string[] {
  const look = LOOKS.find(([, pattern]) => pattern.test(line));
  const marked = look?.[1].exec(line)?.[0] ?? '';
  const indent = `${' '.repeat(line.length - line.trimStart().length)}  `;
  return pieces(line, indent).map((piece, n) => {
    const all = marked.length === line.length ? piece : n === 0 ? marked : '';
    if (look === undefined || all === '') return escaped(piece);
    const text = all.trimStart();
    const before = all.slice(0, all.length - text.length);
    return `${before}<tspan class="${look[0]}">${escaped(text)}</tspan>${escaped(piece.slice(all.length))}`;
  });
}

function pieces(line: string, indent: string): readonly string[] {
  if (displayWidth(line) <= COLUMNS) return [line];
  const at = line.lastIndexOf(' ', COLUMNS);
  const end = at <= indent.length ? COLUMNS : at;
  return [line.slice(0, end), ...pieces(indent + line.slice(end).trimStart(), indent)];
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function picture(lines: readonly string[]): string {
  const height = TOP + lines.length * LINE + 10;
  const texts = lines.flatMap((line, n) =>
    line.trim() === '' ? [] : [`<text x="18" y="${TOP + n * LINE}" xml:space="preserve">${line}</text>`],
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Output of npm start">`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${height}" rx="9" fill="#161b24"/>`,
    '<circle cx="20" cy="18" r="5.5" fill="#f0717b"/><circle cx="38" cy="18" r="5.5" fill="#e6c15c"/><circle cx="56" cy="18" r="5.5" fill="#7fc77f"/>',
    '<text x="76" y="22.5">npm start</text>',
    ...texts,
    '</svg>',
    '',
  ].join('\n');
}

writeFileSync(join(ROOT, PICTURE), picture((await printed()).flatMap(drawn)));
