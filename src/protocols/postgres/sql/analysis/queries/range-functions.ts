import { type Ast, bodyOf, isAst, list, strings, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { OID } from '../oids.ts';
import { resultFields, resultName } from '../scope/rows.ts';
import { type Item, itemOfEntry, type Scope } from '../scope/scope.ts';
import type { Expr, RangeColumn, RangeEntry } from '../tree.ts';
import { namedType } from '../typing/type-names.ts';
import { Uncertain } from '../uncertain.ts';
import { namesColumns } from '../walk.ts';
import { type Alias, aliasOf } from './from-item.ts';
import { hasNodes, outputName } from './targets.ts';

/** A function in FROM, with what it is called and the columns that are written behind it. */
interface Called {
  readonly expr: Expr;
  readonly name: string;
  readonly defined: readonly unknown[];
}

/** `transformRangeFunction` */
export function rangeFunction(analysis: Analysis, scope: Scope, body: Ast): Item {
  scope.lateralActive = true;
  const pairs = list(body['functions']).map((one) => list(bodyOf(one, 'List')?.['items']));
  const defined = list(body['coldeflist']);
  const called = pairs.flatMap(([node, own]) =>
    calls(analysis, scope, node, list(bodyOf(own, 'List')?.['items'])),
  );
  scope.lateralActive = false;
  const all = defined.length > 0 ? called.map((one) => ({ ...one, defined })) : called;
  const alias = aliasOf(body);
  const columns = all.flatMap((one) => columnsOf(analysis, one, alias, all.length));
  const ordinality = body['ordinality'] === true;
  if (ordinality) columns.push({ name: 'ordinality', type: OID.int8, modifier: -1 });
  const functions = all.map(({ expr }) => expr);
  const entry: RangeEntry = {
    kind: 'function',
    functions,
    ordinality,
    alias: alias?.name ?? all[0]?.name ?? '',
    columns: renamedLive(columns, alias),
    lateral: body['lateral'] === true || namesColumns(functions),
  };
  return itemOfEntry(scope.add(entry), entry);
}

/** `unnest(a, b)` is `ROWS FROM (unnest(a), unnest(b))`. */
function calls(analysis: Analysis, scope: Scope, node: unknown, defined: readonly unknown[]): Called[] {
  const call = bodyOf(node, 'FuncCall');
  if (call !== undefined && defined.length === 0 && isPlainUnnest(call)) {
    const unnest = (arg: unknown) => ({
      FuncCall: {
        funcname: ['pg_catalog', 'unnest'].map((word) => ({ String: { sval: word } })),
        args: [arg],
        funcformat: 'COERCE_EXPLICIT_CALL',
      },
    });
    return list(call['args']).map((arg) => ({
      expr: analysis.expression(scope, unnest(arg)),
      name: outputName(analysis, node),
      defined,
    }));
  }
  const expr = analysis.expression(scope, node);
  return [{ expr, name: outputName(analysis, node), defined }];
}

function isPlainUnnest(call: Ast): boolean {
  const name = strings(call['funcname']);
  const words = ['agg_star', 'agg_distinct', 'func_variadic'];
  const isPlain =
    words.every((word) => call[word] !== true) &&
    !hasNodes(call['agg_order']) &&
    call['agg_filter'] === undefined &&
    call['over'] === undefined;
  return isPlain && name.length === 1 && name[0] === 'unnest' && list(call['args']).length > 1;
}

/** Columns that one function gives: `addRangeTableEntryForFunction`. */
function columnsOf(
  analysis: Analysis,
  { expr, name, defined }: Called,
  alias: Alias | undefined,
  count: number,
): (RangeColumn | undefined)[] {
  if (defined.length > 0)
    return defined.map((one) => {
      const body = bodyOf(one, 'ColumnDef') ?? {};
      const named = namedType(analysis.types, isAst(body['typeName']) ? body['typeName'] : {});
      return { name: text(body['colname']), ...named };
    });
  const fields = resultFields(analysis, expr);
  if (fields !== undefined) {
    // Rows of a domain over a composite type are taken apart as well.
    return fields.map((field) => field && { name: field.name, type: field.type, modifier: field.modifier });
  }
  if (expr.type === OID.record) throw new Uncertain('a function that gives records');
  const fn = expr.kind === 'FuncExpr' ? analysis.catalog.function(expr.function) : undefined;
  const own = fn === undefined ? undefined : resultName(fn);
  const given = own ?? (count === 1 ? alias?.name : undefined) ?? name;
  return [{ name: given, type: expr.type, modifier: expr.modifier }];
}

/** Names of an alias go to columns that are there. */
function renamedLive(
  columns: readonly (RangeColumn | undefined)[],
  alias: Alias | undefined,
): (RangeColumn | undefined)[] {
  const names = [...(alias?.columns ?? [])];
  return columns.map((column) => column && { ...column, name: names.shift() ?? column.name });
}

/** `transformRangeTableFunc`: XMLTABLE. */
export function rangeTableFunc(analysis: Analysis, scope: Scope, body: Ast): Item {
  const { casts } = analysis;
  const read = (node: unknown, type: number, modifier = -1) =>
    node === undefined ? undefined : casts.toSpecific(analysis.expression(scope, node), type, modifier);
  scope.lateralActive = true;
  const row = read(body['rowexpr'], OID.text);
  const document = read(body['docexpr'], OID.xml);
  const columns: RangeColumn[] = [];
  const paths: (Expr | undefined)[] = [];
  const defaults: (Expr | undefined)[] = [];
  for (const one of list(body['columns'])) {
    const column = bodyOf(one, 'RangeTableFuncCol') ?? {};
    const { type, modifier } =
      column['for_ordinality'] === true
        ? { type: OID.int4 as number, modifier: -1 }
        : namedType(analysis.types, isAst(column['typeName']) ? column['typeName'] : {});
    columns.push({ name: text(column['colname']), type, modifier });
    paths.push(read(column['colexpr'], OID.text));
    defaults.push(read(column['coldefexpr'], type, modifier));
  }
  const spaces = list(body['namespaces']).map((one) => read(bodyOf(one, 'ResTarget')?.['val'], OID.text));
  scope.lateralActive = false;
  const exprs = [document, row, ...spaces, ...paths, ...defaults];
  const alias = aliasOf(body);
  const entry: RangeEntry = {
    kind: 'tablefunc',
    exprs,
    alias: alias?.name ?? 'xmltable',
    columns: renamedLive(columns, alias),
    lateral: body['lateral'] === true || namesColumns(exprs),
  };
  return itemOfEntry(scope.add(entry), entry);
}
