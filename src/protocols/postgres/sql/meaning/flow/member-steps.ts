import type { Expr, Var } from '../../analysis/tree.ts';

/** A step into a document of jsonb: to a member, to an element, or to what a text says that may be either. */
export type MemberStep =
  | { readonly kind: 'member' | 'either'; readonly name: string }
  | { readonly kind: 'element' };

/** Which steps an expression takes, and into what. */
interface StepsInto {
  readonly column: Var;
  readonly steps: readonly MemberStep[];
}

/** OIDs of types. */
const [INT4, TEXT, TEXT_ARRAY, JSONB] = [23, 25, 1009, 3802];
/** An array of texts as a literal, as far as it is read: none that is quoted, escaped, empty or NULL. */
const PATH = /^\{[\p{L}\p{N}_$@-]{1,128}(?:,[\p{L}\p{N}_$@-]{1,128})*\}$/u;
const MAX_STEPS = 16;

/**
 * Reads `column -> 'a' ->> 'b'`, `column #> '{a,b}'` and `column['a']['b']`, where every step is a constant.
 *
 * @param operatorOf The name of one of PostgreSQL's own operators on jsonb, by its OID.
 * @returns Undefined: it is none of these. Pure.
 */
export function stepsInto(
  expr: Expr,
  operatorOf: (operator: number) => string | undefined,
): StepsInto | undefined {
  const steps: MemberStep[] = [];
  let at = expr;
  for (let more = before(at, operatorOf); more !== undefined; more = before(at, operatorOf)) {
    steps.unshift(...more.steps);
    at = bare(more.of);
  }
  const isRead = steps.length > 0 && steps.length <= MAX_STEPS;
  return isRead && at.kind === 'Var' && at.attribute > 0 ? { column: at, steps } : undefined;
}

/** The last steps of an expression, and what they are taken into. */
function before(
  expr: Expr,
  operatorOf: (operator: number) => string | undefined,
): { readonly of: Expr; readonly steps: readonly MemberStep[] } | undefined {
  if (expr.kind === 'SubscriptingRef') return subscripts(expr);
  if (expr.kind !== 'OpExpr') return undefined;
  const [of, by] = expr.args;
  const name = operatorOf(expr.operator);
  if (of === undefined || by?.kind !== 'Const' || typeof by.value !== 'string') return undefined;
  const steps = ARROWS.has(name ?? '')
    ? arrow(by.type, by.value)
    : PATHS.has(name ?? '')
      ? path(by.type, by.value)
      : undefined;
  return steps && { of, steps };
}

const ARROWS: ReadonlySet<string> = new Set(['->', '->>']);
const PATHS: ReadonlySet<string> = new Set(['#>', '#>>']);

function arrow(type: number, value: string): readonly MemberStep[] | undefined {
  if (type === INT4) return [{ kind: 'element' }];
  return type === TEXT ? [{ kind: 'member', name: value }] : undefined;
}

function path(type: number, value: string): readonly MemberStep[] | undefined {
  if (type !== TEXT_ARRAY || !PATH.test(value)) return undefined;
  const names = value.slice(1, -1).split(',');
  return names.some((name) => name.toUpperCase() === 'NULL') ? undefined : names.map(either);
}

function either(name: string): MemberStep {
  return { kind: 'either', name };
}

function subscripts({ container, base, upper, lower, assigned }: Extract<Expr, { kind: 'SubscriptingRef' }>) {
  if (container !== JSONB || base === undefined || assigned !== undefined || lower.length > 0)
    return undefined;
  const steps: MemberStep[] = [];
  for (const one of upper) {
    if (one?.kind !== 'Const' || typeof one.value !== 'string') return undefined;
    if (one.type !== INT4 && one.type !== TEXT) return undefined;
    steps.push(one.type === INT4 ? { kind: 'element' } : either(one.value));
  }
  return { of: base, steps };
}

/** Without what makes nothing else of a value. */
function bare(expr: Expr): Expr {
  return expr.kind === 'RelabelType' || expr.kind === 'CollateExpr' ? bare(expr.arg) : expr;
}
