/**
 * Draws docs/images/rooms.svg from the sources' own imports: `npm run docs:picture`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, readSources, resolveImport, type SourceFile } from '../support/source-tree.ts';

export const PICTURE = 'docs/images/rooms.svg';

/** What a room is for, in a few words. A room that is not here has none, and the drawing fails. */
const PURPOSES: Readonly<Record<string, string>> = {
  demo: 'hoopd demo: plays every part',
  gateway: 'accepts, composes, reloads, drains',
  'protocols: list': 'one line for each protocol',
  'protocols: contract': 'what a protocol brings and is given',
  'protocols/stream': 'what each session is made of',
  'protocols/postgres': 'bytes ⇄ messages → operations',
  'protocols/http': 'requests in one form → operations',
  'protocols/kubernetes': 'requests to a cluster → operations',
  'protocols/ssh': 'channels and requests → operations',
  approval: 'what people are asked and said',
  enforcement: 'operation → verdict',
  policy: 'request → decision (Cedar)',
  audit: 'event, stored before the verdict',
  masking: 'value → masked value',
  recording: 'masked bytes → replay',
  identity: 'token and proof → principal',
  search: 'chains → what was asked for',
  storage: 'octets that survive',
  cli: 'argv → one command',
  client: 'login, local listeners, streams',
  api: 'the contract of both halves',
  wire: 'bytes ⇄ messages, pure',
  core: 'errors, ids, clock, limits, bytes',
};

/** All others are hoopd's. */
const COLUMNS: Readonly<Record<string, Column>> = {
  cli: 'hoopctl',
  client: 'hoopctl',
  demo: 'both',
  api: 'both',
  wire: 'both',
  core: 'both',
};
type Column = 'hoopctl' | 'both' | 'hoopd';
const HEADS: Readonly<Record<Column, string>> = { hoopctl: 'hoopctl', both: 'both halves', hoopd: 'hoopd' };

type Edges = ReadonlyMap<string, ReadonlySet<string>>;

/** The room that a file is in; the list of protocols is one of its own, for it alone imports them. */
function roomOf(path: string): string {
  const [, room = '', next = ''] = path.split('/');
  if (room !== 'protocols') return room;
  if (next === 'index.ts') return 'protocols: list';
  return next.endsWith('.ts') ? 'protocols: contract' : `protocols/${next}`;
}

/** Which room imports which, for whatever purpose; itself left out. */
function importTable(sources: readonly SourceFile[]): Edges {
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of sources) {
    const from = roomOf(path);
    const to = edges.get(from) ?? new Set();
    edges.set(from, to);
    for (const { specifier, dynamic } of imports) {
      const target = resolveImport(path, specifier);
      // What is loaded only when asked for is no floor that a room stands on.
      if (target !== undefined && !dynamic && roomOf(target) !== from) to.add(roomOf(target));
    }
  }
  return edges;
}

/** Rooms by how far they lie below the top: each below all that import it. @throws {Error} Two import each other. */
function depthsOf(edges: Edges): Map<string, number> {
  const depths = new Map<string, number>();
  const visit = (room: string, trail: readonly string[]): void => {
    if (trail.includes(room)) throw new Error(`rooms import each other: ${[...trail, room].join(' → ')}`);
    if (depths.has(room) && depths.get(room)! >= trail.length) return;
    depths.set(room, trail.length);
    for (const next of edges.get(room) ?? []) visit(next, [...trail, room]);
  };
  for (const room of edges.keys()) visit(room, []);
  return depths;
}

/** Leaves out what follows from the rest: where a room imports another's floor too, one arrow tells both. */
function reduced(edges: Edges): [from: string, to: string][] {
  const reaches = (from: string, to: string): boolean =>
    [...(edges.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  return [...edges].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
      .map((to): [string, string] => [from, to]),
  );
}

const BOX = { width: 232, height: 46 };
const GAP = { x: 26, y: 40 };
const MARGIN = 24;
const HEAD = 34;

interface Place {
  readonly x: number;
  readonly y: number;
}

interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  readonly columns: readonly { readonly name: Column; readonly from: number; readonly width: number }[];
  readonly width: number;
  readonly height: number;
}

const span = (boxes: number) => boxes * BOX.width + (boxes - 1) * GAP.x;

function layoutOf(edges: Edges): Layout {
  const depths = depthsOf(edges);
  const rooms = [...edges.keys()].sort();
  const rowOf = (column: Column, depth: number) =>
    rooms.filter((room) => (COLUMNS[room] ?? 'hoopd') === column && depths.get(room) === depth);
  const rows = Array.from({ length: Math.max(...depths.values()) + 1 }, (_, depth) => depth);
  let from = MARGIN;
  const columns = (['hoopctl', 'both', 'hoopd'] as const).map((name) => {
    const width = span(Math.max(...rows.map((depth) => rowOf(name, depth).length)));
    const column = { name, from, width };
    from += width + 2 * GAP.x;
    return column;
  });
  const places = new Map<string, Place>();
  for (const { name, from: start, width } of columns) {
    for (const depth of rows) {
      const row = rowOf(name, depth);
      const first = start + (width - span(row.length)) / 2;
      const y = HEAD + MARGIN + depth * (BOX.height + GAP.y);
      for (const [i, room] of row.entries()) places.set(room, { x: first + i * (BOX.width + GAP.x), y });
    }
  }
  const height = HEAD + 2 * MARGIN + rows.length * (BOX.height + GAP.y) - GAP.y;
  return { places, columns, width: from - 2 * GAP.x + MARGIN, height };
}

const STYLE = `
text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #57606a; text-anchor: middle }
text.name { font: 600 14px ui-monospace, monospace; fill: #1f2328 }
text.half { font: 600 13px ui-sans-serif, system-ui, sans-serif }
rect { fill: #ffffff; stroke: #8c959f; rx: 6px }
path { fill: none; stroke: #8c959f; marker-end: url(#tip) }
line { stroke: #d0d7de; stroke-dasharray: 4 4 }
polygon { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1 } text.name { fill: #f0f6fc } rect { fill: #151b23; stroke: #656c76 }
  path { stroke: #656c76 } polygon { fill: #656c76 } line { stroke: #3d444d }
}`;

/** The whole picture. The same sources give the same text. @throws {Error} A room's purpose is not told. */
export function drawRooms(sources: readonly SourceFile[]): string {
  const edges = importTable(sources);
  const { places, columns, width, height } = layoutOf(edges);
  const arrows = reduced(edges).map(([from, to]) => arrow(places.get(from)!, places.get(to)!));
  const boxes = [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([room, place]) => box(room, place));
  const heads = columns.map(
    ({ name, from, width: wide }) =>
      `<text class="half" x="${from + wide / 2}" y="${HEAD - 8}">${HEADS[name]}</text>`,
  );
  const walls = columns.slice(1).map(({ from }) => {
    const x = from - GAP.x;
    return `<line x1="${x}" y1="${MARGIN}" x2="${x}" y2="${height - MARGIN}"/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img">`,
    '<title>The rooms of src/, each importing only what lies below it</title>',
    `<style>${STYLE}</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">',
    '<polygon points="0,1 7,4 0,7"/></marker></defs>',
    ...heads,
    ...walls,
    ...arrows,
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}

function box(room: string, { x, y }: Place): string {
  const purpose = PURPOSES[room];
  if (purpose === undefined) throw new Error(`${room} has no purpose in test/docs/picture.ts`);
  const middle = x + BOX.width / 2;
  return [
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}"/>`,
    `<text class="name" x="${middle}" y="${y + 19}">${room}</text>`,
    `<text x="${middle}" y="${y + 36}">${purpose}</text>`,
  ].join('');
}

function arrow(from: Place, to: Place): string {
  const [x1, y1] = [from.x + BOX.width / 2, from.y + BOX.height];
  const [x2, y2] = [to.x + BOX.width / 2, to.y - 1];
  const bend = (y2 - y1) / 2;
  return `<path d="M${x1},${y1} C${x1},${y1 + bend} ${x2},${y2 - bend} ${x2},${y2}"/>`;
}

if (import.meta.main) writeFileSync(join(ROOT, PICTURE), drawRooms(readSources('src')));
