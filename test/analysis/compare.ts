import type { Query } from '../../src/protocols/postgres/sql/analysis/tree.ts';

/** A place at which two trees are not the same. */
export interface Difference {
  /** `targets[0].expr.args[1].function` */
  readonly path: string;
  readonly server: string;
  readonly ours: string;
}

/** Longest piece of a tree that is shown. */
const SHOWN_CHARS = 400;

/** @returns Where two trees are not the same, in the order of the tree; below such a place nothing is looked at. */
export function differences(server: Query, ours: Query): Generator<Difference> {
  return between(server, ours, '');
}

function* between(server: unknown, ours: unknown, path: string): Generator<Difference> {
  if (Array.isArray(server) && Array.isArray(ours)) yield* ofLists(server, ours, path);
  else if (isObject(server) && isObject(ours)) yield* ofObjects(server, ours, path);
  else if (!Object.is(server, ours)) yield { path, server: shown(server), ours: shown(ours) };
}

function* ofLists(server: readonly unknown[], ours: readonly unknown[], path: string): Generator<Difference> {
  const common = Math.min(server.length, ours.length);
  for (let index = 0; index < common; index++)
    yield* between(server[index], ours[index], `${path}[${index}]`);
  if (server.length === ours.length) return;
  yield { path: `${path}[${common}]`, server: shown(server[common]), ours: shown(ours[common]) };
}

function* ofObjects(
  server: Readonly<Record<string, unknown>>,
  ours: Readonly<Record<string, unknown>>,
  path: string,
): Generator<Difference> {
  // Of two kinds all the rest differs too: what they are says more.
  if (server['kind'] !== ours['kind'] || server['command'] !== ours['command']) {
    yield { path, server: shown(server), ours: shown(ours) };
    return;
  }
  for (const name of new Set([...Object.keys(server), ...Object.keys(ours)]))
    yield* between(
      comparable(server, name, server[name]),
      comparable(ours, name, ours[name]),
      path === '' ? name : `${path}.${name}`,
    );
}

/** What is compared of a field. */
function comparable(node: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  // A constant's value is the input function's matter, not analysis's.
  if (name === 'value' && node['kind'] === 'Const') return value === null;
  // The server breaks lines at blanks, also at one in a name: which it was cannot be told.
  if (typeof value === 'string') return value.replaceAll(/\s/g, ' ');
  // The server says of a range table entry only what its columns are called. Their types are in what refers to them.
  if (name === 'columns' && 'alias' in node && Array.isArray(value))
    return value.map((column) => (isObject(column) ? column['name'] : column));
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = inWords(value);
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

/** `(OpExpr operator=96 … args=[(Var …) (Const …)])`, without what is empty. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inWords).join(' ')}]`;
  if (!isObject(value)) return value === undefined ? '-' : String(value);
  const { kind, ...rest } = value;
  const fields = Object.entries(rest)
    .filter(([, field]) => field !== undefined && !(Array.isArray(field) && field.length === 0))
    .map(([name, field]) => ` ${name}=${inWords(field)}`);
  return `(${kind ?? ''}${fields.join('')})`;
}
