import { OID } from './oids.ts';
import type { BoolExpr, Const, Expr, Query, Var } from './tree.ts';

/** A constant whose octets do not matter. */
export function constant(type: number, modifier = -1): Const {
  return { kind: 'Const', type, modifier, value: undefined };
}

export function nullConstant(type: number, modifier = -1): Const {
  return { kind: 'Const', type, modifier, value: null };
}

export function boolExpr(word: BoolExpr['word'], args: readonly Expr[]): BoolExpr {
  return { kind: 'BoolExpr', type: OID.bool, modifier: -1, word, args };
}

export function isWholeRow(expr: Expr): expr is Var {
  return expr.kind === 'Var' && expr.attribute === 0;
}

/** The modifier that all have, if they are of one type; else -1. */
export function commonModifier(exprs: readonly Expr[], type: number): number {
  const [first] = exprs;
  if (first === undefined) return -1;
  return exprs.every((one) => one.type === type && one.modifier === first.modifier) ? first.modifier : -1;
}

/** A query of which nothing is said yet but what it does. */
export function emptyQuery(command: Query['command']): Query {
  return {
    command,
    target: 0,
    entries: [],
    ctes: [],
    from: [],
    where: undefined,
    targets: [],
    returning: [],
    group: [],
    groupingSets: false,
    having: undefined,
    windows: [],
    distinct: [],
    sort: [],
    offset: undefined,
    limit: undefined,
    set: undefined,
    onConflict: undefined,
    merge: [],
    mergeCondition: undefined,
  };
}
