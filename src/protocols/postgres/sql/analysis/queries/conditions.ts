import type { Ast } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { OID } from '../oids.ts';
import type { Scope } from '../scope/scope.ts';
import type { Expr, Query } from '../tree.ts';

/** `transformWhereClause` */
export function condition(analysis: Analysis, scope: Scope, node: unknown): Expr | undefined {
  return node === undefined
    ? undefined
    : analysis.casts.toSpecific(analysis.expression(scope, node), OID.bool);
}

/** `transformLimitClause` */
export function limits(analysis: Analysis, scope: Scope, body: Ast): Pick<Query, 'offset' | 'limit'> {
  const read = (node: unknown) =>
    node === undefined ? undefined : analysis.casts.toSpecific(analysis.expression(scope, node), OID.int8);
  return { offset: read(body['limitOffset']), limit: read(body['limitCount']) };
}
