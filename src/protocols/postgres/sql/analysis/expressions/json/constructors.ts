import { type Ast, bodyOf, isAst, list } from '../../../facts/ast.ts';
import type { Analysis } from '../../analysis.ts';
import { aggregateCall } from '../../calls/aggregates.ts';
import { windowCall } from '../../calls/windows.ts';
import { JSON_AGGREGATES, OID } from '../../oids.ts';
import type { Scope } from '../../scope/scope.ts';
import type { Expr, Json } from '../../tree.ts';
import { Uncertain } from '../../uncertain.ts';
import { jsonValue, parsed, part, type Returning, returned, returningOf } from './values.ts';

const PLAIN = { format: 'default' } as const;

/** `makeJsonConstructorExpr` */
function constructs(
  analysis: Analysis,
  args: readonly Expr[],
  call: Expr | undefined,
  returning: Returning,
): Json {
  const own = returning.format === 'jsonb' ? OID.jsonb : OID.json;
  const placeholder: Expr = {
    kind: 'CaseTestExpr',
    type: call?.type ?? own,
    modifier: call?.modifier ?? -1,
  };
  const coercion = returned(analysis, placeholder, returning);
  return {
    kind: 'JsonConstructorExpr',
    type: returning.type,
    modifier: returning.modifier,
    args: [...args, call, coercion === placeholder ? undefined : coercion],
  };
}

/** `transformJsonConstructorOutput`: where nothing else is said, what holds a jsonb is one. */
function constructed(analysis: Analysis, output: unknown, args: readonly Expr[]): Returning {
  const returning = returningOf(analysis, output);
  if (returning.type !== 0) return returning;
  return args.some(({ type }) => type === OID.jsonb) ? JSONB : JSON_;
}

const JSON_: Returning = { type: OID.json, modifier: -1, format: 'json' };
const JSONB: Returning = { type: OID.jsonb, modifier: -1, format: 'jsonb' };

function keyAndValue(analysis: Analysis, scope: Scope, body: Ast): [Expr, Expr] {
  return [analysis.expression(scope, body['key']), jsonValue(analysis, scope, part(body, 'value'), PLAIN)];
}

/** `transformJsonObjectConstructor` */
export function jsonObject(analysis: Analysis, scope: Scope, body: Ast): Json {
  const args = list(body['exprs']).flatMap((one) =>
    keyAndValue(analysis, scope, bodyOf(one, 'JsonKeyValue') ?? {}),
  );
  return constructs(analysis, args, undefined, constructed(analysis, body['output'], args));
}

/** `transformJsonArrayConstructor` */
export function jsonArray(analysis: Analysis, scope: Scope, body: Ast): Json {
  const args = list(body['exprs']).map((one) =>
    jsonValue(analysis, scope, bodyOf(one, 'JsonValueExpr') ?? (isAst(one) ? one : {}), PLAIN),
  );
  return constructs(analysis, args, undefined, constructed(analysis, body['output'], args));
}

/** `transformJsonArrayQueryConstructor`: `(SELECT JSON_ARRAYAGG(a) FROM (…) q (a))`. */
export function jsonArrayOfQuery(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const name = (sval: string) => ({ String: { sval } });
  const aggregate = {
    constructor: { ...(body['output'] === undefined ? {} : { output: body['output'] }) },
    arg: { raw_expr: { ColumnRef: { fields: [name('q'), name('a')] } }, format: body['format'] },
    absent_on_null: body['absent_on_null'],
  };
  const select = {
    targetList: [{ ResTarget: { val: { JsonArrayAgg: aggregate } } }],
    fromClause: [
      { RangeSubselect: { subquery: body['query'], alias: { aliasname: 'q', colnames: [name('a')] } } },
    ],
  };
  return analysis.expression(scope, {
    SubLink: { subLinkType: 'EXPR_SUBLINK', subselect: { SelectStmt: select } },
  });
}

/** `transformJsonObjectAgg` */
export function jsonObjectAgg(analysis: Analysis, scope: Scope, body: Ast): Json {
  const args = keyAndValue(analysis, scope, part(body, 'arg'));
  return aggregated(analysis, scope, body, args, 'object');
}

/** `transformJsonArrayAgg` */
export function jsonArrayAgg(analysis: Analysis, scope: Scope, body: Ast): Json {
  const args = [jsonValue(analysis, scope, part(body, 'arg'), PLAIN)];
  return aggregated(analysis, scope, body, args, 'array');
}

/** `transformJsonAggConstructor` */
function aggregated(
  analysis: Analysis,
  scope: Scope,
  body: Ast,
  args: readonly Expr[],
  what: 'object' | 'array',
): Json {
  const own = part(body, 'constructor');
  const returning = constructed(analysis, own['output'], args);
  const isBinary = returning.format === 'jsonb';
  const variant = (body['absent_on_null'] === true ? 1 : 0) + (body['unique'] === true ? 2 : 0);
  const oid = JSON_AGGREGATES[isBinary ? 'jsonb' : 'json'][what][variant];
  const fn = oid === undefined ? undefined : analysis.catalog.function(oid);
  if (fn === undefined) throw new Uncertain('an aggregate that is not known');
  const filter =
    own['agg_filter'] === undefined
      ? undefined
      : analysis.casts.toSpecific(analysis.expression(scope, own['agg_filter']), OID.bool);
  const resolved = { fn, args, filter, returned: { type: isBinary ? OID.jsonb : OID.json, modifier: -1 } };
  const call = isAst(own['over'])
    ? windowCall(analysis, scope, { ...resolved, over: own['over'] })
    : aggregateCall(analysis, scope, { ...resolved, body: { agg_order: own['agg_order'] } });
  return constructs(analysis, [], call, returning);
}

/** `transformJsonReturning` */
function jsonOnly(analysis: Analysis, output: unknown): Returning {
  return isAst(output) ? returningOf(analysis, output) : JSON_;
}

/** `transformJsonParseExpr`: `JSON(…)`. */
export function jsonParse(analysis: Analysis, scope: Scope, body: Ast): Json {
  const returning = jsonOnly(analysis, body['output']);
  const value = part(body, 'expr');
  const arg =
    body['unique_keys'] === true
      ? parsed(analysis, scope, value['raw_expr'])
      : jsonValue(analysis, scope, value, { format: 'json', target: returning.type });
  return constructs(analysis, [arg], undefined, returning);
}

/** `transformJsonScalarExpr` */
export function jsonScalar(analysis: Analysis, scope: Scope, body: Ast): Json {
  const arg = analysis.expression(scope, body['expr']);
  const typed = arg.type === OID.unknown ? analysis.casts.toSpecific(arg, OID.text) : arg;
  return constructs(analysis, [typed], undefined, jsonOnly(analysis, body['output']));
}

/** `transformJsonSerializeExpr` */
export function jsonSerialize(analysis: Analysis, scope: Scope, body: Ast): Json {
  const arg = jsonValue(analysis, scope, part(body, 'expr'), { format: 'json' });
  const returning: Returning = isAst(body['output'])
    ? returningOf(analysis, body['output'])
    : { type: OID.text, modifier: -1, format: 'json' };
  return constructs(analysis, [arg], undefined, returning);
}

/** `transformJsonIsPredicate` */
export function isJson(analysis: Analysis, scope: Scope, body: Ast): Json {
  return {
    kind: 'JsonIsPredicate',
    type: OID.bool,
    modifier: -1,
    args: [parsed(analysis, scope, body['expr'])],
  };
}
