import { type Ast, bodyOf, isAst, list, number, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { OID } from '../oids.ts';
import type { Scope } from '../scope/scope.ts';
import type { Const, Expr, SqlValue, Xml } from '../tree.ts';
import { IMPLICIT } from '../typing/casts.ts';
import { namedType } from '../typing/type-names.ts';
import { Uncertain } from '../uncertain.ts';

const INT4_MAX = 2n ** 31n - 1n;
const INT8_MAX = 2n ** 63n - 1n;

/** `make_const` */
export function literal(body: Ast): Const {
  const made = (type: number, value: string | null): Const => ({ kind: 'Const', type, modifier: -1, value });
  const part = (name: string) => (isAst(body[name]) ? (body[name] as Ast) : undefined);
  if (body['isnull'] === true) return made(OID.unknown, null);
  const [integer, float, boolean, string, bits] = ['ival', 'fval', 'boolval', 'sval', 'bsval'].map(part);
  if (integer !== undefined) return made(OID.int4, String(number(integer['ival'])));
  if (float !== undefined) return made(typeOfDigits(text(float['fval'])), text(float['fval']));
  if (boolean !== undefined) return made(OID.bool, String(boolean['boolval'] === true));
  if (string !== undefined) return made(OID.unknown, text(string['sval']));
  if (bits !== undefined) return made(OID.bit, text(bits['bsval']));
  throw new Uncertain('a constant of an unknown kind');
}

const DIGITS = /^(-?)(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)$/;

/** Digits, of any base, that 64 bits hold; the least of all numbers that 32 bits hold is one of them. */
function typeOfDigits(written: string): number {
  const [, sign, digits] = DIGITS.exec(written) ?? [];
  if (digits === undefined) return OID.numeric;
  const size = BigInt(digits.replaceAll('_', '')) - (sign === '-' ? 1n : 0n);
  if (size <= INT4_MAX) return OID.int4;
  return size <= INT8_MAX ? OID.int8 : OID.numeric;
}

/** In the order of `SQLValueFunctionOp`; those that are not here are names. */
const VALUES: readonly (readonly [word: string, type: number])[] = [
  ['SVFOP_CURRENT_DATE', OID.date],
  ['SVFOP_CURRENT_TIME', OID.timetz],
  ['SVFOP_CURRENT_TIME_N', OID.timetz],
  ['SVFOP_CURRENT_TIMESTAMP', OID.timestamptz],
  ['SVFOP_CURRENT_TIMESTAMP_N', OID.timestamptz],
  ['SVFOP_LOCALTIME', OID.time],
  ['SVFOP_LOCALTIME_N', OID.time],
  ['SVFOP_LOCALTIMESTAMP', OID.timestamp],
  ['SVFOP_LOCALTIMESTAMP_N', OID.timestamp],
  ['SVFOP_CURRENT_ROLE', OID.name],
  ['SVFOP_CURRENT_USER', OID.name],
  ['SVFOP_USER', OID.name],
  ['SVFOP_SESSION_USER', OID.name],
  ['SVFOP_CURRENT_CATALOG', OID.name],
  ['SVFOP_CURRENT_SCHEMA', OID.name],
];
const MAX_PRECISION = 6;

/** `transformSQLValueFunction` */
export function sqlValue(body: Ast): SqlValue {
  const op = text(body['op']);
  const word = VALUES.findIndex(([name]) => name === op);
  const found = VALUES[word];
  if (found === undefined) throw new Uncertain('a value of an unknown kind');
  const modifier = op.endsWith('_N') ? Math.min(number(body['typmod']), MAX_PRECISION) : -1;
  return { kind: 'SQLValueFunction', type: found[1], modifier, word };
}

/** `transformXmlExpr` */
export function xmlExpr(analysis: Analysis, scope: Scope, body: Ast): Xml {
  const word = text(body['op']);
  const named = list(body['named_args']).map((one) =>
    analysis.expression(scope, bodyOf(one, 'ResTarget')?.['val']),
  );
  const args = list(body['args']).map((one, index) => {
    const type = argumentOfXml(word, index);
    const expr = analysis.expression(scope, one);
    return type === undefined ? expr : analysis.casts.toSpecific(expr, type);
  });
  return { kind: 'XmlExpr', type: word === 'IS_DOCUMENT' ? OID.bool : OID.xml, modifier: -1, args, named };
}

function argumentOfXml(word: string, index: number): number | undefined {
  switch (word) {
    case 'IS_XMLCONCAT':
    case 'IS_XMLFOREST':
    case 'IS_DOCUMENT':
      return OID.xml;
    case 'IS_XMLPARSE':
      return index === 0 ? OID.text : OID.bool;
    case 'IS_XMLPI':
      return OID.text;
    case 'IS_XMLROOT':
      return [OID.xml, OID.text][index] ?? OID.int4;
    default:
      return undefined;
  }
}

/** `transformXmlSerialize` */
export function xmlSerialize(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const arg = analysis.casts.toSpecific(analysis.expression(scope, body['expr']), OID.xml);
  const { type, modifier } = namedType(analysis.types, (body['typeName'] ?? {}) as Ast);
  const made: Xml = { kind: 'XmlExpr', type, modifier: -1, args: [arg], named: [] };
  // It is of the type that is asked for, but cast as if it were text.
  const cast = analysis.casts.toTarget({ ...made, type: OID.text }, type, modifier, IMPLICIT);
  if (cast === undefined) throw new Uncertain('XMLSERIALIZE as a type that it cannot be');
  return replaced(cast, made);
}

/** The innermost is what was made. */
function replaced(expr: Expr, made: Xml): Expr {
  if (expr.kind === 'XmlExpr') return made;
  if (expr.kind === 'FuncExpr')
    return { ...expr, args: [replaced(expr.args[0] as Expr, made), ...expr.args.slice(1)] };
  return 'arg' in expr && expr.arg !== undefined
    ? ({ ...expr, arg: replaced(expr.arg, made) } as Expr)
    : expr;
}
