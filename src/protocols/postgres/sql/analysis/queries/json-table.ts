import { type Ast, bodyOf, isAst, list, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { jsonFunction } from '../expressions/json/functions.ts';
import { part } from '../expressions/json/values.ts';
import { OID } from '../oids.ts';
import { type Item, itemOfEntry, type Scope } from '../scope/scope.ts';
import type { Expr, Json, RangeColumn, RangeEntry } from '../tree.ts';
import { namedType } from '../typing/type-names.ts';
import { Uncertain } from '../uncertain.ts';
import { namesColumns } from '../walk.ts';
import { aliasOf, renamed } from './from-item.ts';

interface Column {
  readonly column: RangeColumn;
  readonly value: Expr | undefined;
}

/** `transformJsonTable` */
export function jsonTable(analysis: Analysis, scope: Scope, body: Ast): Item {
  scope.lateralActive = true;
  const document = jsonFunction(analysis, scope, {
    op: 'JSON_TABLE_OP',
    context_item: body['context_item'],
    pathspec: pathOf(body),
    passing: body['passing'],
    on_error: body['on_error'],
  });
  const columns = columnsOf(analysis, scope, list(body['columns']), {
    context: { kind: 'CaseTestExpr', type: document.type, modifier: -1 },
    passing: body['passing'],
  });
  scope.lateralActive = false;
  // Beside the document its path, which is a constant, what is passed, and what an error becomes.
  const passed = document.args.slice(2, -2);
  const exprs = [document, undefined, ...columns.map(({ value }) => value), ...passed];
  const alias = aliasOf(body);
  const entry: RangeEntry = {
    kind: 'tablefunc',
    exprs,
    alias: alias?.name ?? 'json_table',
    columns: renamed(
      columns.map(({ column }) => column),
      alias,
    ),
    lateral: body['lateral'] === true || namesColumns(exprs),
  };
  return itemOfEntry(scope.add(entry), entry);
}

/** What all columns of one JSON_TABLE are read from. */
interface Source {
  readonly context: Expr;
  readonly passing: unknown;
}

/** `transformJsonTableColumns`: those of nested paths come behind all others of the path they are in. */
function columnsOf(analysis: Analysis, scope: Scope, nodes: readonly unknown[], source: Source): Column[] {
  const bodies = nodes.map((one) => bodyOf(one, 'JsonTableColumn') ?? {});
  const isNested = (body: Ast) => body['coltype'] === 'JTC_NESTED';
  return [
    ...bodies.filter((body) => !isNested(body)).map((body) => columnOf(analysis, scope, body, source)),
    ...bodies.filter(isNested).flatMap((body) => columnsOf(analysis, scope, list(body['columns']), source)),
  ];
}

function columnOf(analysis: Analysis, scope: Scope, body: Ast, source: Source): Column {
  const name = text(body['name']);
  if (body['coltype'] === 'JTC_FOR_ORDINALITY')
    return { column: { name, type: OID.int4, modifier: -1 }, value: undefined };
  const value = readBy(analysis, scope, body, source);
  return { column: { name, type: value.type, modifier: value.modifier }, value };
}

/** `transformJsonTableColumn` */
function readBy(analysis: Analysis, scope: Scope, body: Ast, { context, passing }: Source): Json {
  const op = operationOf(analysis, body);
  const path = isAst(body['pathspec'])
    ? pathOf(body)
    : { A_Const: { sval: { sval: `$.${JSON.stringify(text(body['name']))}` } } };
  const call = {
    op,
    pathspec: path,
    passing,
    output: { typeName: body['typeName'], returning: { format: body['format'] } },
    on_empty: body['on_empty'],
    on_error: body['on_error'],
  };
  return jsonFunction(analysis, scope, call, context);
}

function pathOf(body: Ast): unknown {
  return part(body, 'pathspec')['string'];
}

function operationOf(analysis: Analysis, body: Ast): string {
  switch (body['coltype']) {
    case 'JTC_EXISTS':
      return 'JSON_EXISTS_OP';
    case 'JTC_FORMATTED':
      return 'JSON_QUERY_OP';
    case 'JTC_REGULAR': {
      const { type } = namedType(analysis.types, part(body, 'typeName'));
      const isSaid = (word: string) => body[word] !== undefined && !text(body[word]).endsWith('_UNSPEC');
      const isQuery = holdsMore(analysis, type) || isSaid('quotes') || isSaid('wrapper');
      return isQuery ? 'JSON_QUERY_OP' : 'JSON_VALUE_OP';
    }
    default:
      throw new Uncertain('a column of an unknown kind');
  }
}

/** `isCompositeType`: arrays and JSON count as such too. */
function holdsMore({ types }: Analysis, type: number): boolean {
  const base = types.base(type);
  const isRow = base === OID.record || types.get(base).kind === 'c';
  return base === OID.json || base === OID.jsonb || isRow || types.element(base) !== 0;
}
