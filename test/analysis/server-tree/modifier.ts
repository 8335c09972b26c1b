import type { Expr, Query } from '../../../src/protocols/postgres/sql/analysis/tree.ts';

/**
 * Type modifiers of what has no field for one: all that an expression may give agrees on it, or there is none.
 *
 * @see PostgreSQL, src/backend/nodes/nodeFuncs.c, `exprTypmod`
 */
export function common(type: number, choices: readonly (Expr | undefined)[]): number {
  const modifier = choices[0]?.modifier ?? -1;
  return choices.every((one) => one?.type === type && one.modifier === modifier) ? modifier : -1;
}

/** A function that a cast to a length calls has the modifier as its second argument. */
export function ofLengthCast(form: string, args: readonly Expr[]): number {
  const [, length] = args;
  const isCast = form === 'cast' || form === 'implicit';
  if (!isCast || args.length < 2 || args.length > 3 || length?.kind !== 'Const') return -1;
  return length.type === INTEGER && typeof length.value === 'string' ? Number(length.value) : -1;
}

export function ofFirst(query: Query): number {
  return query.targets[0]?.expr.modifier ?? -1;
}

export const INTEGER = 23;
