import type { Ast } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { constant } from '../make.ts';
import { OID, SUBSCRIPT } from '../oids.ts';
import type { Scope } from '../scope/scope.ts';
import type { Expr, SubscriptingRef } from '../tree.ts';
import { ASSIGNMENT, IMPLICIT } from '../typing/casts.ts';
import { canCoerce } from '../typing/pathways.ts';
import { Uncertain } from '../uncertain.ts';

/** Vectors are subscripted as the arrays that they are like. */
const VECTORS: ReadonlyMap<number, number> = new Map([
  [OID.int2vector, 1005],
  [OID.oidvector, 1028],
]);

/** `transformContainerType` */
export function containerOf(analysis: Analysis, type: number, modifier: number): readonly [number, number] {
  const [base, own] = analysis.types.baseAndModifier(type, modifier);
  return [VECTORS.get(base) ?? base, own];
}

/** A value that is read by subscripts. */
export function subscripted(
  analysis: Analysis,
  scope: Scope,
  base: Expr,
  subscripts: readonly Ast[],
): SubscriptingRef {
  const [container, modifier] = containerOf(analysis, base.type, base.modifier);
  return subscriptingRef(analysis, scope, { base, container, modifier, subscripts });
}

/** `transformContainerSubscripts` */
export function subscriptingRef(
  analysis: Analysis,
  scope: Scope,
  {
    base,
    container,
    modifier,
    subscripts,
  }: {
    readonly base: Expr | undefined;
    readonly container: number;
    readonly modifier: number;
    readonly subscripts: readonly Ast[];
  },
): SubscriptingRef {
  const { subscript, element } = analysis.types.get(container);
  const slice = subscripts.some((one) => one['is_slice'] === true);
  const made = { kind: 'SubscriptingRef' as const, container, base, assigned: undefined };
  if (subscript === SUBSCRIPT.jsonb) {
    const upper = subscripts.map((one) => ofJson(analysis, analysis.expression(scope, one['uidx'])));
    return { ...made, type: OID.jsonb, modifier: -1, upper, lower: [] };
  }
  if (subscript !== SUBSCRIPT.array && subscript !== SUBSCRIPT.raw)
    throw new Uncertain('a subscript of a type of its own');
  const index = (node: unknown) =>
    node === undefined
      ? undefined
      : analysis.casts.required(analysis.expression(scope, node), OID.int4, -1, ASSIGNMENT);
  const upper: (Expr | undefined)[] = [];
  const lower: (Expr | undefined)[] = [];
  for (const one of subscripts) {
    if (slice) lower.push(one['is_slice'] === true ? index(one['lidx']) : constant(OID.int4));
    upper.push(index(one['uidx']));
  }
  return { ...made, type: slice ? container : element, modifier, upper, lower };
}

/** `jsonb_subscript_transform`: a number or a key. */
function ofJson(analysis: Analysis, expr: Expr): Expr {
  const fits = [OID.int4, OID.text].filter((type) => canCoerce(analysis.types, expr.type, type, 'i'));
  const [target, ...more] = expr.type === OID.unknown ? [OID.text] : fits;
  if (target === undefined || more.length > 0) throw new Uncertain('a subscript of jsonb');
  return analysis.casts.toType(expr, target, -1, IMPLICIT);
}
