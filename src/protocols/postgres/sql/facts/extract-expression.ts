import { type Ast, bodyOf, constant, list, strings, text, unwrap } from './ast.ts';
import { type Handler, NO_RELATION, nested, type Place, type Walk } from './walk.ts';

/** Functions, operators, types and columns: what an expression names. */
export const EXPRESSION_HANDLERS: Readonly<Record<string, Handler>> = {
  FuncCall: (walk, body, place) => {
    const name = strings(body['funcname']);
    walk.facts.function(name, 'call', place.item, name.at(-1) === 'set_config' ? constants(body) : undefined);
    if (body['agg_distinct'] === true) walk.facts.operator(['=']);
    walk.fields('FuncCall', body, place);
  },
  ColumnRef: (walk, body, place) => {
    column(walk, body, place, 'value');
    walk.fields('ColumnRef', body, place);
  },
  A_Indirection: (walk, body, place) => {
    for (const name of strings(body['indirection'])) walk.facts.function([name], 'field', place.item);
    walk.fields('A_Indirection', body, place);
  },
  A_Expr: (walk, body, place) => {
    for (const name of operatorsOf(body)) walk.facts.operator(name);
    walk.fields('A_Expr', body, place);
  },
  SubLink: (walk, body, place) => {
    const exists = body['subLinkType'] === 'EXISTS_SUBLINK';
    const named = strings(body['operName']);
    if (body['testexpr'] !== undefined) walk.facts.operator(named.length > 0 ? named : ['=']);
    walk.fields('SubLink', body, place, {
      subselect: (value) => walk.visit(value, nested(place, { exists })),
    });
  },
  CaseExpr: (walk, body, place) => {
    if (body['arg'] !== undefined) walk.facts.operator(['=']);
    walk.fields('CaseExpr', body, place);
  },
  MinMaxExpr: (walk, body, place) => {
    walk.facts.operator(['<']);
    walk.fields('MinMaxExpr', body, place);
  },
  SortBy: (walk, body, place) => {
    const using = strings(body['useOp']);
    for (const name of using.length > 0 ? [using] : [['<'], ['>']]) walk.facts.operator(name);
    walk.fields('SortBy', body, place);
  },
  WindowDef: (walk, body, place) => {
    if (body['partitionClause'] !== undefined) walk.facts.operator(['=']);
    if (body['startOffset'] !== undefined || body['endOffset'] !== undefined) {
      for (const name of ['+', '-']) walk.facts.operator([name]);
    }
    walk.fields('WindowDef', body, place);
  },
  TypeName: (walk, body, place) => {
    walk.facts.type(strings(body['names']));
    walk.fields('TypeName', body, place);
  },
  JsonFuncExpr: (walk, body, place) => {
    const name = { JSON_EXISTS_OP: 'json_exists', JSON_QUERY_OP: 'json_query', JSON_VALUE_OP: 'json_value' }[
      text(body['op'])
    ];
    if (name === undefined) walk.facts.refuse('unknown JSON function');
    else walk.facts.function([name], 'syntax', place.item);
    walk.fields('JsonFuncExpr', body, place);
  },
  JsonTable: (walk, body, place) => {
    walk.facts.function(['json_table'], 'syntax', place.item);
    walk.facts.derived(text(aliasOf(body)['aliasname']), 'function');
    place.level.push(NO_RELATION);
    walk.fields('JsonTable', body, place);
  },
  JsonArrayQueryConstructor: (walk, body, place) => {
    walk.facts.function(['json_array'], 'syntax', place.item);
    walk.fields('JsonArrayQueryConstructor', body, place, {
      query: (value) => walk.visit(value, nested(place)),
    });
  },
  ...syntaxFunctions({
    JsonObjectConstructor: 'json_object',
    JsonArrayConstructor: 'json_array',
    JsonObjectAgg: 'json_objectagg',
    JsonArrayAgg: 'json_arrayagg',
    JsonParseExpr: 'json',
    JsonScalarExpr: 'json_scalar',
    JsonSerializeExpr: 'json_serialize',
    MergeSupportFunc: 'merge_action',
  }),
};

/** Grammar that newer servers read as a construct of its own, and older ones as a call of a function of that name. */
function syntaxFunctions(names: Readonly<Record<string, string>>): Record<string, Handler> {
  const handler =
    (type: string, name: string): Handler =>
    (walk, body, place) => {
      walk.facts.function([name], 'syntax', place.item);
      walk.fields(type, body, place);
    };
  return Object.fromEntries(Object.entries(names).map(([type, name]) => [type, handler(type, name)]));
}

/** Notes a column, star or whole row named in an expression. */
export function column(walk: Walk, body: Ast, place: Place, use: 'output' | 'value' | 'excluded'): void {
  const fields = list(body['fields']);
  const star = unwrap(fields.at(-1))?.type === 'A_Star';
  const path = strings(fields);
  if (path.length + (star ? 1 : 0) !== fields.length)
    walk.facts.refuse('a column reference of unknown shape');
  const over = star && path.length === 0 ? { over: [...place.level] } : {};
  const { item } = place;
  walk.facts.column({ path, star, place: star && place.exists ? 'exists' : use, ...over, item });
}

export function aliasOf(body: Ast): Ast {
  const alias = body['alias'];
  return typeof alias === 'object' && alias !== null ? (alias as Ast) : {};
}

function operatorsOf(body: Ast): string[][] {
  const kind = text(body['kind']);
  if (kind.startsWith('AEXPR_BETWEEN') || kind.startsWith('AEXPR_NOT_BETWEEN'))
    return [['<'], ['>'], ['<='], ['>=']];
  return [strings(body['name'])];
}

function constants(body: Ast): (string | null | undefined)[] | undefined {
  const given = list(body['args']);
  const values = given.map(constant);
  return values.every((value, i) => value !== undefined || isParameter(given[i])) ? values : undefined;
}

function isParameter(value: unknown): boolean {
  const node = unwrap(value);
  return node?.type === 'TypeCast' ? isParameter(node.body['arg']) : node?.type === 'ParamRef';
}

/** The bare integer constant of a node (an ORDER BY or GROUP BY position), else undefined. */
export function positionOf(node: unknown): number | undefined {
  const body = bodyOf(node, 'A_Const');
  if (body?.['ival'] === undefined) return undefined;
  return Number(constant(node));
}
