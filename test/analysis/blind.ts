import type { Query } from '../../src/protocols/postgres/sql/analysis/tree.ts';

type Path = readonly (string | number)[];

/**
 * A copy of a tree in which one number, name or flag that is compared is another: a comparison that does not see it is
 * blind there.
 *
 * @param choice Which one: any number, taken modulo how many there are.
 * @returns What was changed, and the copy.
 */
export function changed(query: Query, choice: number): { readonly path: string; readonly copy: Query } {
  const paths = [...leaves(query, [])];
  const path = paths[choice % paths.length] as Path;
  const copy = structuredClone(query);
  const last = path.at(-1) as string;
  // biome-ignore lint/suspicious/noExplicitAny: a walk through a tree of any shape
  const holder = path.slice(0, -1).reduce((node: any, name) => node[name], copy);
  holder[last] = other(holder[last]);
  return { path: path.join('.'), copy };
}

function* leaves(value: unknown, path: Path): Generator<Path> {
  if (['number', 'boolean', 'string'].includes(typeof value)) yield path;
  if (typeof value !== 'object' || value === null) return;
  const [isConstant, isEntry] = ['kind' in value && value.kind === 'Const', 'alias' in value];
  for (const [name, field] of Object.entries(value)) {
    // Neither of these is in what the server prints, or both print it as they like.
    if (isConstant && name === 'value') continue;
    if (isEntry && name === 'columns') continue;
    yield* leaves(field, [...path, name]);
  }
}

function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'boolean' ? !value : `${value}?`;
}
