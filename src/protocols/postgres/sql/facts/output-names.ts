import { bodyOf, isAst, list, strings, text } from './ast.ts';

/**
 * Names that the columns of a subquery have for certain. Where a star or a nameless expression stands, there are others.
 *
 * @param query As in the tree, wrapped.
 * @param given What its alias calls its columns.
 */
export function outputNames(query: unknown, given: readonly string[] = []): string[] {
  let body = bodyOf(query, 'SelectStmt') ?? {};
  while (isAst(body['larg'])) body = body['larg'];
  const names: (string | undefined)[] = [];
  for (const entry of list(body['targetList'])) {
    const name = nameOf(entry);
    // How many columns a star gives is not known here, so nobody knows which are renamed.
    if (name === '*' && given.length > 0) return [...given];
    names.push(name === '*' ? undefined : name);
  }
  return renamed(names, given);
}

/** An alias renames the first columns and leaves the others their names. */
export function renamed(names: readonly (string | undefined)[], given: readonly string[]): string[] {
  return [...given, ...names.slice(given.length)].filter((name) => name !== undefined);
}

function nameOf(entry: unknown): string | undefined {
  const target = bodyOf(entry, 'ResTarget');
  const alias = text(target?.['name']);
  if (alias !== '') return alias;
  const reference = bodyOf(target?.['val'], 'ColumnRef');
  if (reference !== undefined) {
    const fields = list(reference['fields']);
    return bodyOf(fields.at(-1), 'A_Star') === undefined ? strings(fields).at(-1) : '*';
  }
  return strings(bodyOf(target?.['val'], 'FuncCall')?.['funcname']).at(-1);
}
