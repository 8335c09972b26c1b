import { type Ast, bodyOf, isAst, list, text } from '../../../facts/ast.ts';
import type { Analysis } from '../../analysis.ts';
import { constant, nullConstant } from '../../make.ts';
import { OID } from '../../oids.ts';
import type { Scope } from '../../scope/scope.ts';
import type { Expr, Json } from '../../tree.ts';
import { Uncertain } from '../../uncertain.ts';
import { asJson, formatOf, type JsonFormat, jsonValue, part, returningOf } from './values.ts';

/** `JsonExprOp`: what it gives where nothing is said of it, and what it does where nothing is found or all fails. */
interface Operation {
  readonly format: JsonFormat;
  /** 0: what is read. */
  readonly gives: number;
  readonly onEmpty?: string;
  readonly onError: string;
}

const NULL = 'JSON_BEHAVIOR_NULL';
const OPERATIONS: Readonly<Record<string, Operation>> = {
  JSON_EXISTS_OP: { format: 'default', gives: OID.bool, onError: 'JSON_BEHAVIOR_FALSE' },
  JSON_QUERY_OP: { format: 'jsonb', gives: OID.jsonb, onEmpty: NULL, onError: NULL },
  JSON_VALUE_OP: { format: 'default', gives: OID.text, onEmpty: NULL, onError: NULL },
  JSON_TABLE_OP: { format: 'jsonb', gives: 0, onError: 'JSON_BEHAVIOR_EMPTY_ARRAY' },
};

/** `transformJsonFuncExpr`: JSON_EXISTS, JSON_QUERY, JSON_VALUE, and JSON_TABLE with its columns. */
export function jsonFunction(analysis: Analysis, scope: Scope, body: Ast, context?: Expr): Json {
  const operation = OPERATIONS[text(body['op'])];
  if (operation === undefined) throw new Uncertain('a function of JSON of an unknown kind');
  const item = part(body, 'context_item');
  const wanted = { format: operation.format, target: OID.jsonb };
  const read =
    context === undefined
      ? jsonValue(analysis, scope, item, wanted)
      : asJson(analysis, context, formatOf(item['format']), wanted);
  const path = analysis.casts.required(analysis.expression(scope, body['pathspec']), OID.jsonpath, -1, {
    context: 'e',
    form: 'implicit',
  });
  const passed = list(body['passing']).map((one) => {
    const value = part(bodyOf(one, 'JsonArgument') ?? {}, 'val');
    return jsonValue(analysis, scope, value, { format: 'jsonb', isArgument: true });
  });
  const written = returningOf(analysis, body['output']);
  const { modifier } = written;
  const type = written.type || operation.gives || read.type;
  const behave = (name: string, otherwise: string | undefined) =>
    otherwise === undefined
      ? undefined
      : behavior(analysis, scope, body[name], otherwise, { type, modifier });
  const onEmpty = behave('on_empty', operation.onEmpty);
  const onError = behave('on_error', operation.onError);
  return { kind: 'JsonExpr', type, modifier, args: [read, path, ...passed, onEmpty, onError] };
}

/** `GetJsonBehaviorConst`; what is not here is NULL. */
const CONSTANTS: Readonly<Record<string, Expr>> = {
  JSON_BEHAVIOR_EMPTY_ARRAY: constant(OID.jsonb),
  JSON_BEHAVIOR_EMPTY_OBJECT: constant(OID.jsonb),
  JSON_BEHAVIOR_TRUE: constant(OID.bool),
  JSON_BEHAVIOR_FALSE: constant(OID.bool),
};

/**
 * `transformJsonBehavior`: what stands for what is not found, or has failed.
 *
 * @returns Undefined: an error.
 */
function behavior(
  analysis: Analysis,
  scope: Scope,
  node: unknown,
  otherwise: string,
  { type, modifier }: { readonly type: number; readonly modifier: number },
): Expr | undefined {
  const body = isAst(node) ? (bodyOf(node, 'JsonBehavior') ?? node) : {};
  const kind = text(body['btype']) || otherwise;
  if (kind === 'JSON_BEHAVIOR_ERROR') return undefined;
  const expr =
    kind === 'JSON_BEHAVIOR_DEFAULT'
      ? analysis.expression(scope, body['expr'])
      : (CONSTANTS[kind] ?? nullConstant(OID.int4));
  const isNull = expr.kind === 'Const' && expr.value === null;
  if (expr.type === type && (modifier < 0 || isNull)) return expr;
  // These become what is returned when they are needed.
  if (isNull || expr.type === OID.jsonb) return expr;
  // Not all releases of 17 and 18 do the same.
  if (expr.type === type) throw new Uncertain('what stands for a value, cut to a length');
  if (expr.type === OID.bool && analysis.types.base(type) !== OID.int4) return constant(OID.jsonb);
  const isString = ['S', 'V'].includes(analysis.types.category(type));
  return analysis.casts.required(expr, type, modifier, { context: isString ? 'a' : 'e', form: 'cast' });
}
