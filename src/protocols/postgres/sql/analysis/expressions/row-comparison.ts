import type { Analysis } from '../analysis.ts';
import { boolExpr } from '../make.ts';
import { OID } from '../oids.ts';
import type { QualifiedName } from '../scope/names.ts';
import type { Expr, OpExpr, RowCompare } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';

/** `RowCompareType`, which are strategies of btree, and one more. */
const EQUAL = 3;
const NOT_EQUAL = 6;

/** `make_row_comparison_op` */
export function rowComparison(
  analysis: Analysis,
  name: QualifiedName,
  left: readonly Expr[],
  right: readonly Expr[],
): Expr {
  if (left.length !== right.length || left.length === 0) throw new Uncertain('rows of different lengths');
  const all = left.map((one, index) => analysis.operators.make(name, one, right[index] as Expr));
  if (all.some(({ type }) => type !== OID.bool)) throw new Uncertain('a comparison that is no boolean');
  if (all.length === 1) return all[0] as OpExpr;
  const strategies = all.map(({ operator }) => analysis.operators.strategiesOf(operator));
  const shared = [...(strategies[0] ?? [])].filter((one) => strategies.every((others) => others.has(one)));
  if (shared.length === 0) throw new Uncertain('a comparison of rows');
  const strategy = Math.min(...shared);
  if (strategy === EQUAL) return boolExpr('and', all);
  if (strategy === NOT_EQUAL) return boolExpr('or', all);
  const made: RowCompare = {
    kind: 'RowCompareExpr',
    type: OID.bool,
    modifier: -1,
    operators: all.map(({ operator }) => operator),
    left: all.map(({ args }) => args[0] as Expr),
    right: all.map(({ args }) => args[1] as Expr),
  };
  return made;
}
