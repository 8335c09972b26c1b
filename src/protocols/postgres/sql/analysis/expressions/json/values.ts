import { type Ast, isAst, text } from '../../../facts/ast.ts';
import type { Analysis } from '../../analysis.ts';
import { constant } from '../../make.ts';
import { JSON_FUNCTIONS, OID } from '../../oids.ts';
import type { Scope } from '../../scope/scope.ts';
import type { Expr, Json } from '../../tree.ts';
import { ASSIGNMENT, EXPLICIT, IMPLICIT } from '../../typing/casts.ts';
import { namedType } from '../../typing/type-names.ts';
import { Uncertain } from '../../uncertain.ts';

/** `JsonFormatType` */
export type JsonFormat = 'default' | 'json' | 'jsonb';

const FORMATS: Readonly<Record<string, JsonFormat>> = {
  JS_FORMAT_DEFAULT: 'default',
  JS_FORMAT_JSON: 'json',
  JS_FORMAT_JSONB: 'jsonb',
};

/** Of a `JsonFormat` node, where one is written. */
export function formatOf(node: unknown): JsonFormat {
  const format = isAst(node) ? FORMATS[text(node['format_type'])] : undefined;
  return format ?? 'default';
}

export function part(body: Ast, name: string): Ast {
  const found = body[name];
  return isAst(found) ? found : {};
}

/** A call that nobody has written: `makeFuncExpr`. */
function called(oid: number, type: number, args: readonly Expr[]): Expr {
  return { kind: 'FuncExpr', type, modifier: -1, function: oid, returnsSet: false, args, form: 'call' };
}

/** `makeJsonByteaToTextConversion`; the second argument is the encoding. */
function textOfOctets(expr: Expr): Expr {
  return called(JSON_FUNCTIONS.convertFrom, OID.text, [expr, constant(OID.name)]);
}

/** What has two forms: as it was written, and as JSON. */
function valueExpr(raw: Expr, formatted: Expr): Json {
  const { type, modifier } = formatted;
  return { kind: 'JsonValueExpr', type, modifier, args: [raw, formatted] };
}

/** Types that may be passed to a path as they are. */
const PASSED: ReadonlySet<number> = new Set([
  OID.bool,
  OID.numeric,
  OID.int2,
  OID.int4,
  OID.int8,
  OID.float4,
  OID.float8,
  OID.text,
  OID.varchar,
  OID.date,
  OID.time,
  OID.timetz,
  OID.timestamp,
  OID.timestamptz,
]);

export interface ValueWanted {
  /** Where none is written. */
  readonly format: JsonFormat;
  /** 0: json or jsonb, as the format says. */
  readonly target?: number;
  /** It is passed to a path. */
  readonly isArgument?: boolean;
}

/** `transformJsonValueExpr`, of a `JsonValueExpr`. */
export function jsonValue(analysis: Analysis, scope: Scope, body: Ast, wanted: ValueWanted): Expr {
  return asJson(analysis, analysis.expression(scope, body['raw_expr']), formatOf(body['format']), wanted);
}

/** @param written The format that is written beside it. */
export function asJson(analysis: Analysis, given: Expr, written: JsonFormat, wanted: ValueWanted): Expr {
  const raw = given.type === OID.unknown ? analysis.casts.toSpecific(given, OID.text) : given;
  const isJson = raw.type === OID.json || raw.type === OID.jsonb;
  const { target = 0 } = wanted;
  if (wanted.isArgument === true && written === 'default') {
    const isString = analysis.types.category(raw.type) === 'S';
    if (PASSED.has(raw.type) || isString) return raw;
  }
  const kept = written === 'default' && wanted.isArgument === true ? false : isJson;
  const format = kept ? 'default' : written === 'default' ? wanted.format : written;
  if (format === 'default' && (target === 0 || raw.type === target)) return raw;
  const expr = format === 'json' && raw.type === OID.bytea ? textOfOctets(raw) : raw;
  const type = target || (format === 'jsonb' ? OID.jsonb : OID.json);
  const cast = analysis.casts.toTarget(expr, type, -1, EXPLICIT);
  if (cast === undefined && target !== 0) throw new Uncertain('a value that cannot be JSON');
  const toJson = type === OID.json ? JSON_FUNCTIONS.toJson : JSON_FUNCTIONS.toJsonb;
  const formatted = cast ?? called(toJson, type, [expr]);
  return formatted === expr ? raw : valueExpr(raw, formatted);
}

/** `transformJsonParseArg` */
export function parsed(analysis: Analysis, scope: Scope, node: unknown): Expr {
  const raw = analysis.expression(scope, node);
  if (raw.type === OID.bytea) return valueExpr(raw, textOfOctets(raw));
  const isText = raw.type === OID.unknown || analysis.types.category(raw.type) === 'S';
  return isText ? analysis.casts.required(raw, OID.text, -1, IMPLICIT) : raw;
}

/** `JsonReturning` */
export interface Returning {
  /** 0: nothing is said of it. */
  readonly type: number;
  readonly modifier: number;
  readonly format: JsonFormat;
}

/** `transformJsonOutput` */
export function returningOf(analysis: Analysis, output: unknown): Returning {
  if (!isAst(output)) return { type: 0, modifier: -1, format: 'default' };
  const { type, modifier } = namedType(analysis.types, part(output, 'typeName'));
  const format = formatOf(part(output, 'returning')['format']);
  return { type, modifier, format: format !== 'default' ? format : type === OID.jsonb ? 'jsonb' : 'json' };
}

/** Before, what is made was cast as if somebody had written the cast. */
const BY_ASSIGNMENT = 17;

/**
 * `coerceJsonFuncExpr`: what is made becomes what is returned.
 *
 * @returns The same where nothing is to be done.
 */
export function returned(analysis: Analysis, expr: Expr, { type, modifier, format }: Returning): Expr {
  if (type === 0 || type === expr.type) return expr;
  if (format === 'json' && type === OID.bytea) {
    const octets = [analysis.casts.toSpecific(expr, OID.text), constant(OID.name)];
    return called(JSON_FUNCTIONS.convertTo, OID.bytea, octets);
  }
  const how = analysis.catalog.major < BY_ASSIGNMENT ? EXPLICIT : ASSIGNMENT;
  return analysis.casts.required(expr, type, modifier, how);
}
