import type { Expr, Query } from '../../../sql/analysis/tree.ts';
import { visitAll } from '../../../sql/analysis/walk.ts';

/** One call of a function, as it was analysed. */
export interface FunctionCall {
  readonly fn: number;
  /** Types of the arguments that are given; 0 for one that is not known. */
  readonly args: readonly number[];
  /** Of what it gives. */
  readonly type: number;
  /** `aggregate`: a window function, too. `other`: a method of sampling, or for a window. */
  readonly kind: 'function' | 'operator' | 'aggregate' | 'other';
}

/** All queries of a statement, at any depth, and all calls in them. */
export interface Content {
  readonly queries: readonly Query[];
  readonly calls: readonly FunctionCall[];
}

/** Pure. */
export function contentOf(query: Query): Content {
  const queries: Query[] = [];
  const calls: FunctionCall[] = [];
  const other = (fn: number) => {
    if (fn !== 0) calls.push({ fn, args: [], type: 0, kind: 'other' });
  };
  visitAll(query, {
    query: (one) => {
      queries.push(one);
      for (const { startInRange, endInRange } of one.windows)
        for (const fn of [startInRange, endInRange]) other(fn);
      for (const entry of one.entries)
        if (entry.kind === 'relation' && entry.sample !== undefined) other(entry.sample.function);
    },
    expr: (expr) => {
      const call = callOf(expr);
      if (call !== undefined) calls.push(call);
      return true;
    },
  });
  return { queries, calls };
}

/** Undefined: it is none. */
export function callOf(expr: Expr): FunctionCall | undefined {
  switch (expr.kind) {
    case 'FuncExpr':
      return { fn: expr.function, args: inOrder(expr.args), type: expr.type, kind: 'function' };
    case 'OpExpr':
    case 'DistinctExpr':
    case 'NullIfExpr':
    case 'ScalarArrayOpExpr':
      return {
        fn: expr.function,
        args: expr.args.map(({ type }) => type),
        type: expr.type,
        kind: 'operator',
      };
    case 'Aggref':
    case 'WindowFunc':
      return { fn: expr.function, args: [], type: expr.type, kind: 'aggregate' };
    default:
      return undefined;
  }
}

/** By the place of the parameter, where an argument says which one it is. */
function inOrder(args: readonly Expr[]): number[] {
  const types: number[] = [];
  for (const [index, arg] of args.entries())
    types[arg.kind === 'NamedArgExpr' ? arg.position : index] = arg.type;
  return Array.from(types, (type) => type ?? 0);
}
