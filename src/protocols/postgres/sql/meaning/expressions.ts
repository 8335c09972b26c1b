import type { Relation } from '../../catalog/model/model.ts';
import { ELSEWHERE, type RelationUse, type StatementFacts } from '../facts/facts.ts';
import type { TouchedRelation } from './flow/masked-flow.ts';
import type { Taint } from './flow/taint.ts';
import { type IsMasked, maskedExpressions } from './lineage.ts';

/** A catalog of the system's that a statement reads, with its columns that hold expressions with masked constants. */
interface Holder {
  readonly use: RelationUse;
  readonly relation: Relation;
  readonly names: readonly string[];
}

/**
 * Notes where expressions of the catalog stand that hold constants of masked columns (defaults, bounds of partitions): by
 * their columns' names, or within a whole row. Where one stands by itself the server says which column it is.
 *
 * @param isTraced Definitions of views and rules are followed through the statement, by `definitionsIn`.
 */
export function taintExpressions(
  facts: StatementFacts,
  touched: readonly TouchedRelation[],
  isMasked: IsMasked,
  taint: Taint,
  isTraced: boolean,
): void {
  const holders = facts.relations.flatMap((use, index): Holder[] => {
    const relation = touched[index]?.relation;
    const names = relation === undefined ? [] : maskedExpressions(relation, isMasked, isTraced);
    return relation === undefined || names.length === 0 ? [] : [{ use, relation, names }];
  });
  if (holders.length === 0) return;
  const renamed = [...holders.map(({ use }) => use), ...facts.derived];
  if (renamed.some((one) => one.renamesColumns)) taint.expression('a catalog', [ELSEWHERE]);
  for (const { path, star, place, item } of facts.columns) {
    const isNamed = star || holders.some(({ names }) => names.includes(path.at(-1) ?? ''));
    const isRow = !star && holders.some((holder) => meansRow(path, holder));
    if ((isNamed && place === 'value') || isRow)
      taint.expression(`${path.at(-1) ?? '*'} of the catalog`, [item]);
  }
}

/** Whether a name stands for the whole row, or for a function that is called with it. */
function meansRow(path: readonly string[], { use, relation }: Holder): boolean {
  const [qualifier, name = ''] = path.length > 1 ? path.slice(-2) : [undefined, path[0]];
  return qualifier === undefined
    ? use.alias === name
    : use.alias === qualifier && !relation.columns.has(name);
}
