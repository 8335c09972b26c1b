import { FIRST_USER_OID } from '../../../catalog/system/objects.ts';
import type { AnalysisCatalog } from '../../analysis/catalog.ts';
import { OID } from '../../analysis/oids.ts';
import type { Expr, FuncExpr, OpExpr, Query } from '../../analysis/tree.ts';

/** Of PostgreSQL's own: whatever text or array they are given, they give one value, and do not fail. */
const TOTAL: ReadonlySet<string> = new Set(['array_to_string', 'quote_ident', 'quote_literal', 'textcat']);
const PG_CATALOG = 11;
/** An option each, `name=value`. */
const OPTIONS = 'pg_options_to_table';
const TEXTS: ReadonlySet<number> = new Set([OID.text, OID.varchar]);

/**
 * Whether an expression gives one value whatever its columns hold, and does not fail: nothing is told by it where that value is hidden.
 *
 * It knows what tools write of lists of options, and little else. Pure.
 */
export function isTotal(expr: Expr, catalog: AnalysisCatalog): boolean {
  const all = (parts: readonly (Expr | undefined)[]) =>
    parts.every((one) => one === undefined || isTotal(one, catalog));
  switch (expr.kind) {
    case 'Var':
      return expr.attribute > 0;
    case 'Const':
      return true;
    case 'RelabelType':
    case 'NullTest':
      return all([expr.arg]);
    case 'CoerceViaIO':
      return TEXTS.has(expr.type) && expr.arg.type < FIRST_USER_OID && all([expr.arg]);
    case 'CaseExpr':
      // Whether a value is there may be seen, of one that is hidden too; nothing else may decide that.
      return (
        expr.arg === undefined &&
        expr.whens.every(({ condition }) => condition.kind === 'NullTest') &&
        all([...expr.whens.flatMap(({ condition, result }) => [condition, result]), expr.otherwise])
      );
    case 'OpExpr':
    case 'FuncExpr':
      return isTotalCall(expr, catalog) && all(expr.args);
    case 'SubLink':
      return expr.link === 'array' && isListOfOptions(expr.query, catalog);
    default:
      return false;
  }
}

function isTotalCall(
  { function: oid, returnsSet, args }: FuncExpr | OpExpr,
  catalog: AnalysisCatalog,
): boolean {
  const { namespace, name = '' } = catalog.function(oid) ?? {};
  if (namespace !== PG_CATALOG || returnsSet) return false;
  return TOTAL.has(name) || (name === 'split_part' && isPlace(args[2]));
}

/** A number of a field as it is written: 0 is none. */
function isPlace(expr: Expr | undefined): boolean {
  return expr?.kind === 'Const' && expr.value !== null && Number(expr.value) > 0;
}

/** `SELECT … FROM pg_options_to_table(…)`, a row for each, in whatever order: to sort texts and names does not fail either. */
function isListOfOptions(query: Query, catalog: AnalysisCatalog): boolean {
  const { command, entries, ctes, where, having, targets, offset, limit, set } = query;
  const [entry, ...more] = entries;
  const lists = [query.group, query.distinct, query.windows, ctes, more, query.merge];
  const clauses = [where, having, offset, limit, set];
  const isBare = lists.every(({ length }) => length === 0) && clauses.every((one) => one === undefined);
  if (command !== 'select' || !isBare || query.groupingSets || entry?.kind !== 'function') return false;
  const [call, ...others] = entry.functions;
  if (call?.kind !== 'FuncExpr' || others.length > 0) return false;
  const { namespace, name } = catalog.function(call.function) ?? {};
  const exprs = [...call.args, ...targets.map(({ expr }) => expr)];
  const isOfServer = exprs.every(({ type }) => type < FIRST_USER_OID);
  return (
    isOfServer && namespace === PG_CATALOG && name === OPTIONS && exprs.every((one) => isTotal(one, catalog))
  );
}
