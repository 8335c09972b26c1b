import { type Ast, isAst, strings, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import type { Item, Scope } from '../scope/scope.ts';
import type { JoinNode, RangeColumn } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';

/** What one thing in FROM adds. */
export interface FromItem {
  readonly node: JoinNode;
  /** What stands for the whole of it. */
  readonly top: Item;
  /** All that can be named of it. */
  readonly items: readonly Item[];
}

/** Reads one thing in FROM: what joins things reads these by it. */
export type ReadFromItem = (analysis: Analysis, scope: Scope, node: unknown) => FromItem;

/** `setNamespaceLateralState` */
export function setLateral(items: readonly Item[], only: boolean, ok: boolean): void {
  for (const item of items) {
    item.lateralOnly = only;
    item.lateralOk = ok;
  }
}

/** What something is called by, and its first columns. */
export interface Alias {
  readonly name: string;
  readonly columns: readonly string[];
}

export function aliasOf(body: Ast): Alias | undefined {
  const alias = body['alias'];
  return isAst(alias) ? { name: text(alias['aliasname']), columns: strings(alias['colnames']) } : undefined;
}

/** An alias renames the first columns and leaves the others their names. */
export function renamed<T extends RangeColumn>(columns: readonly T[], alias: Alias | undefined): T[] {
  if ((alias?.columns.length ?? 0) > columns.length) throw new Uncertain('more names than columns');
  return columns.map((column, index) => ({ ...column, name: alias?.columns[index] ?? column.name }));
}
