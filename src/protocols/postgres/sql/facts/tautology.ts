import { type Ast, bodyOf, constant, isAst, list, strings, text, unwrap } from './ast.ts';

/**
 * Whether a condition plainly holds for every row. Best effort: it catches the ways in which a WHERE is written only to
 * get past a rule that asks for one; it proves nothing about any other condition.
 */
function isTautology(node: unknown): boolean {
  const found = unwrap(node);
  if (found === undefined) return false;
  const { type, body } = found;
  if (type === 'BoolExpr') return booleanTautology(body);
  if (type === 'A_Expr') return comparisonTautology(body);
  if (type === 'NullTest')
    return body['nulltesttype'] === 'IS_NOT_NULL' && typeof constant(body['arg']) === 'string';
  if (type === 'BooleanTest') return body['booltesttype'] === 'IS_TRUE' && isTautology(body['arg']);
  if (type === 'SubLink') return existsOfConstant(body);
  if (type === 'TypeCast') return isTautology(body['arg']) || isTrueWord(constant(body['arg']));
  return isTrueWord(constant(node)) && type === 'A_Const';
}

function isTrueWord(value: string | null | undefined): boolean {
  return typeof value === 'string' && /^(t|true|y|yes|on|1)$/i.test(value.trim());
}

function booleanTautology(body: Ast): boolean {
  const args = list(body['args']);
  if (body['boolop'] === 'AND_EXPR') return args.length > 0 && args.every(isTautology);
  if (body['boolop'] === 'OR_EXPR') return args.some(isTautology) || hasOpposites(args);
  return args.length === 1 && isContradiction(args[0]);
}

/** `x OR NOT x`, `x IS NULL OR x IS NOT NULL`. */
function hasOpposites(args: readonly unknown[]): boolean {
  const seen = new Set(args.map(shape));
  return args.some((arg) => {
    const negated = bodyOf(arg, 'BoolExpr');
    if (negated?.['boolop'] === 'NOT_EXPR') return seen.has(shape(list(negated['args'])[0]));
    const test = bodyOf(arg, 'NullTest');
    return (
      test?.['nulltesttype'] === 'IS_NULL' &&
      seen.has(shape({ NullTest: { ...test, nulltesttype: 'IS_NOT_NULL' } }))
    );
  });
}

function isContradiction(node: unknown): boolean {
  const value = constant(node);
  if (typeof value === 'string') return /^(f|false|n|no|off|0)$/i.test(value.trim());
  const body = bodyOf(node, 'A_Expr');
  if (body === undefined) return false;
  const [left, right] = [constant(body['lexpr']), constant(body['rexpr'])];
  const known = typeof left === 'string' && typeof right === 'string';
  const operator = strings(body['name']).at(-1);
  if (operator === '=') return known && left !== right;
  return (operator === '<>' || operator === '!=') && known && left === right;
}

function comparisonTautology(body: Ast): boolean {
  const kind = text(body['kind']);
  const same = shape(body['lexpr']) === shape(body['rexpr']);
  if (kind === 'AEXPR_NOT_DISTINCT') return same;
  if (kind === 'AEXPR_LIKE' || kind === 'AEXPR_ILIKE') return /^%+$/.test(constant(body['rexpr']) ?? '');
  if (kind === 'AEXPR_IN') return bodyOf(body['rexpr'], 'List') !== undefined && inOwnList(body);
  if (kind !== 'AEXPR_OP') return false;
  const operator = strings(body['name']).at(-1);
  if (operator === '=' || operator === '>=' || operator === '<=') return same;
  return operator === undefined ? false : constantComparison(operator, body);
}

function inOwnList(body: Ast): boolean {
  const left = shape(body['lexpr']);
  return list(bodyOf(body['rexpr'], 'List')?.['items']).some((item) => shape(item) === left);
}

function constantComparison(operator: string, body: Ast): boolean {
  const [left, right] = [constant(body['lexpr']), constant(body['rexpr'])];
  if (typeof left !== 'string' || typeof right !== 'string') return false;
  if (operator === '<>' || operator === '!=') return left !== right;
  const [a, b] = [Number(left), Number(right)];
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  return { '<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b }[operator] ?? false;
}

function existsOfConstant(body: Ast): boolean {
  if (body['subLinkType'] !== 'EXISTS_SUBLINK') return false;
  const select = bodyOf(body['subselect'], 'SelectStmt');
  return select !== undefined && select['fromClause'] === undefined && select['whereClause'] === undefined;
}

/** The node without its positions, as text: equal texts are equal expressions. */
function shape(node: unknown): string {
  return JSON.stringify(node, (key, value) => (key === 'location' ? undefined : value)) ?? '';
}

/** `hasWhere` and `tautology` of an UPDATE, DELETE or MERGE. */
export function whereFact(role: 'update' | 'delete', clause: unknown) {
  const hasWhere = isAst(clause);
  return { role, hasWhere, tautology: hasWhere && isTautology(clause) };
}
