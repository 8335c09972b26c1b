import type {
  CoercionForm,
  Expr,
  Json,
  OpExpr,
  Query,
  Relabel,
  SortGroup,
  SubLink,
  TargetEntry,
} from '../../../src/protocols/postgres/sql/analysis/tree.ts';
import type { Fields } from './fields.ts';
import { common, INTEGER, ofFirst, ofLengthCast } from './modifier.ts';

/** What an expression is read with: it stands in a query, and queries stand in it. */
export interface Reader {
  expr(fields: Fields): Expr;
  maybe(fields: Fields | undefined): Expr | undefined;
  exprs(list: readonly Fields[]): Expr[];
  targets(list: readonly Fields[]): TargetEntry[];
  groups(list: readonly Fields[]): SortGroup[];
  query(fields: Fields): Query;
  /** Array type of an element type. */
  arrayOf(type: number): number;
  /** What a column of a query's groups stands for. */
  grouped(levelsUp: number, entry: number, attribute: number): Expr | undefined;
}

type Read = (node: Fields, reader: Reader) => Expr;

const BOOLEAN = 16;
const RECORD = 2249;
const FORMS: readonly CoercionForm[] = ['call', 'cast', 'implicit', 'syntax'];
const LINKS: readonly SubLink['link'][] = [
  'exists',
  'all',
  'any',
  'rowcompare',
  'expr',
  'multiexpr',
  'array',
];
/** `ParamKind` */
const PARAM_KINDS = ['external', undefined, 'sublink', 'multiexpr'] as const;
/** `XmlExprOp` */
const IS_DOCUMENT = 7;

const form = (node: Fields, name: string): CoercionForm => FORMS[node.number(name)] ?? 'call';

const variable: Read = (node, reader) => {
  const [levelsUp, entry, attribute] = ['varlevelsup', 'varno', 'varattno'].map((name) => node.number(name));
  const grouped = reader.grouped(levelsUp!, entry!, attribute!);
  if (grouped !== undefined) return grouped;
  return {
    kind: 'Var',
    entry: entry!,
    attribute: attribute!,
    levelsUp: levelsUp!,
    type: node.number('vartype'),
    modifier: node.number('vartypmod'),
  };
};

const constant: Read = (node) => {
  const type = node.number('consttype');
  const modifier = node.number('consttypmod');
  if (node.flag('constisnull')) return { kind: 'Const', type, modifier, value: null };
  // Of integers only: a modifier may be one. Octets come lowest first.
  const octets = node.word('constvalue').split(',').map(Number);
  const value = type === INTEGER ? String(Buffer.from(octets).readInt32LE()) : undefined;
  return { kind: 'Const', type, modifier, value };
};

const parameter: Read = (node) => {
  const number = node.number('paramid');
  const typed = { type: node.number('paramtype'), modifier: node.number('paramtypmod') };
  const source = PARAM_KINDS[node.number('paramkind')] ?? 'external';
  if (source !== 'multiexpr') return { kind: 'Param', source, number, ...typed };
  return { kind: 'Param', source, number: number & 0xffff, multi: number >> 16, ...typed };
};

const aggregate: Read = (node, reader) => ({
  kind: 'Aggref',
  function: node.number('aggfnoid'),
  direct: reader.exprs(node.nodes('aggdirectargs')),
  args: reader.targets(node.nodes('args')),
  order: reader.groups(node.nodes('aggorder')),
  distinct: reader.groups(node.nodes('aggdistinct')),
  filter: reader.maybe(node.node('aggfilter')),
  levelsUp: node.number('agglevelsup'),
  type: node.number('aggtype'),
  modifier: -1,
});

const call: Read = (node, reader) => {
  const args = reader.exprs(node.nodes('args'));
  const written = form(node, 'funcformat');
  return {
    kind: 'FuncExpr',
    function: node.number('funcid'),
    returnsSet: node.flag('funcretset'),
    args,
    form: written,
    type: node.number('funcresulttype'),
    modifier: ofLengthCast(written, args),
  };
};

const operation =
  (kind: OpExpr['kind']): Read =>
  (node, reader) => {
    const args = reader.exprs(node.nodes('args'));
    return {
      kind,
      operator: node.number('opno'),
      function: node.number('opfuncid'),
      returnsSet: node.flag('opretset'),
      args,
      type: node.number('opresulttype'),
      modifier: kind === 'NullIfExpr' ? (args[0]?.modifier ?? -1) : -1,
    };
  };

const sublink: Read = (node, reader) => {
  const link = LINKS[node.number('subLinkType')] ?? 'expr';
  const query = reader.query(node.node('subselect')!);
  const first = query.targets[0]?.expr.type ?? 0;
  const gives = link === 'expr' || link === 'array';
  const type =
    { expr: first, array: reader.arrayOf(first) || first, multiexpr: RECORD }[link as string] ?? BOOLEAN;
  return {
    kind: 'SubLink',
    link,
    test: reader.maybe(node.node('testexpr')),
    query,
    type,
    modifier: gives ? ofFirst(query) : -1,
  };
};

/** Casts that call nothing by themselves. */
const relabel =
  (kind: Relabel['kind'], how: string, modifier: string | undefined): Read =>
  (node, reader) => ({
    kind,
    arg: reader.expr(node.node('arg')!),
    form: form(node, how),
    type: node.number('resulttype'),
    modifier: modifier === undefined ? -1 : node.number(modifier),
  });

const cases: Read = (node, reader) => {
  const type = node.number('casetype');
  const whens = node.nodes('args').map((when) => ({
    condition: reader.expr(when.node('expr')!),
    result: reader.expr(when.node('result')!),
  }));
  const otherwise = reader.maybe(node.node('defresult'));
  const modifier = common(type, [otherwise, ...whens.map(({ result }) => result)]);
  return { kind: 'CaseExpr', arg: reader.maybe(node.node('arg')), whens, otherwise, type, modifier };
};

const array: Read = (node, reader) => {
  const items = reader.exprs(node.nodes('elements'));
  const [type, element] = [node.number('array_typeid'), node.number('element_typeid')];
  const modifier = common(node.flag('multidims') ? type : element, items);
  return { kind: 'ArrayExpr', element, items, type, modifier };
};

const choice =
  (kind: 'CoalesceExpr' | 'MinMaxExpr', typed: string): Read =>
  (node, reader) => {
    const [type, args] = [node.number(typed), reader.exprs(node.nodes('args'))];
    return { kind, args, type, modifier: common(type, args) };
  };

const typed = (node: Fields, type: string, modifier: string) => ({
  type: node.number(type),
  modifier: node.number(modifier),
});

const json =
  (
    kind: Json['kind'],
    parts: readonly string[],
    typeOf: (node: Fields, args: Json['args']) => number,
  ): Read =>
  (node, reader) => {
    const args = parts.flatMap((part) => jsonPart(node, part, reader));
    const returning = node.has('returning') ? node.node('returning') : undefined;
    const modifier =
      returning?.number('typmod') ?? (kind === 'JsonValueExpr' ? args[1]?.modifier : undefined);
    return { kind, args, type: typeOf(node, args), modifier: modifier ?? -1 };
  };

/** A part of SQL/JSON is an expression, or a list of them. */
function jsonPart(node: Fields, part: string, reader: Reader): (Expr | undefined)[] {
  if (part.startsWith('on_')) return [reader.maybe(node.node(part)?.node('expr'))];
  if (part.endsWith('s')) return node.list(part).map((one) => reader.maybe(one));
  return [reader.maybe(node.node(part))];
}

/** Readers by the tag of a node, as PostgreSQL 15 to 18 print it. */
export const EXPRESSIONS: Readonly<Record<string, Read>> = {
  VAR: variable,
  CONST: constant,
  PARAM: parameter,
  AGGREF: aggregate,
  GROUPINGFUNC: (node, reader) => ({
    kind: 'GroupingFunc',
    args: reader.exprs(node.nodes('args')),
    levelsUp: node.number('agglevelsup'),
    type: INTEGER,
    modifier: -1,
  }),
  WINDOWFUNC: (node, reader) => ({
    kind: 'WindowFunc',
    function: node.number('winfnoid'),
    args: reader.exprs(node.nodes('args')),
    filter: reader.maybe(node.node('aggfilter')),
    window: node.number('winref'),
    type: node.number('wintype'),
    modifier: -1,
  }),
  MERGESUPPORTFUNC: (node) => ({ kind: 'MergeSupportFunc', type: node.number('msftype'), modifier: -1 }),
  SUBSCRIPTINGREF: (node, reader) => ({
    kind: 'SubscriptingRef',
    container: node.number('refcontainertype'),
    upper: node.list('refupperindexpr').map((one) => reader.maybe(one)),
    lower: node.list('reflowerindexpr').map((one) => reader.maybe(one)),
    base: reader.maybe(node.node('refexpr')),
    assigned: reader.maybe(node.node('refassgnexpr')),
    ...typed(node, 'refrestype', 'reftypmod'),
  }),
  FUNCEXPR: call,
  NAMEDARGEXPR: (node, reader) => {
    const arg = reader.expr(node.node('arg')!);
    const { type, modifier } = arg;
    return { kind: 'NamedArgExpr', arg, position: node.number('argnumber'), type, modifier };
  },
  OPEXPR: operation('OpExpr'),
  DISTINCTEXPR: operation('DistinctExpr'),
  NULLIFEXPR: operation('NullIfExpr'),
  SCALARARRAYOPEXPR: (node, reader) => {
    const [left, right] = reader.exprs(node.nodes('args'));
    return {
      kind: 'ScalarArrayOpExpr',
      operator: node.number('opno'),
      function: node.number('opfuncid'),
      any: node.flag('useOr'),
      args: [left!, right!],
      type: BOOLEAN,
      modifier: -1,
    };
  },
  BOOLEXPR: (node, reader) => ({
    kind: 'BoolExpr',
    word: node.word('boolop') as 'and' | 'or' | 'not',
    args: reader.exprs(node.nodes('args')),
    type: BOOLEAN,
    modifier: -1,
  }),
  SUBLINK: sublink,
  FIELDSELECT: (node, reader) => ({
    kind: 'FieldSelect',
    arg: reader.expr(node.node('arg')!),
    field: node.number('fieldnum'),
    ...typed(node, 'resulttype', 'resulttypmod'),
  }),
  FIELDSTORE: (node, reader) => ({
    kind: 'FieldStore',
    arg: reader.maybe(node.node('arg')),
    fields: node.numbers('fieldnums'),
    values: reader.exprs(node.nodes('newvals')),
    type: node.number('resulttype'),
    modifier: -1,
  }),
  RELABELTYPE: relabel('RelabelType', 'relabelformat', 'resulttypmod'),
  COERCEVIAIO: relabel('CoerceViaIO', 'coerceformat', undefined),
  CONVERTROWTYPEEXPR: relabel('ConvertRowtypeExpr', 'convertformat', undefined),
  COERCETODOMAIN: relabel('CoerceToDomain', 'coercionformat', 'resulttypmod'),
  ARRAYCOERCEEXPR: (node, reader) => ({
    kind: 'ArrayCoerceExpr',
    arg: reader.expr(node.node('arg')!),
    element: reader.expr(node.node('elemexpr')!),
    form: form(node, 'coerceformat'),
    ...typed(node, 'resulttype', 'resulttypmod'),
  }),
  COLLATEEXPR: (node, reader) => {
    const arg = reader.expr(node.node('arg')!);
    return { kind: 'CollateExpr', arg, type: arg.type, modifier: arg.modifier };
  },
  CASEEXPR: cases,
  CASETESTEXPR: (node) => ({ kind: 'CaseTestExpr', ...typed(node, 'typeId', 'typeMod') }),
  COERCETODOMAINVALUE: (node) => ({ kind: 'CoerceToDomainValue', ...typed(node, 'typeId', 'typeMod') }),
  SETTODEFAULT: (node) => ({ kind: 'SetToDefault', ...typed(node, 'typeId', 'typeMod') }),
  ARRAYEXPR: array,
  ROWEXPR: (node, reader) => ({
    kind: 'RowExpr',
    args: reader.exprs(node.nodes('args')),
    names: node.names('colnames'),
    type: node.number('row_typeid'),
    modifier: -1,
  }),
  ROWCOMPAREEXPR: (node, reader) => ({
    kind: 'RowCompareExpr',
    operators: node.numbers('opnos'),
    left: reader.exprs(node.nodes('largs')),
    right: reader.exprs(node.nodes('rargs')),
    type: BOOLEAN,
    modifier: -1,
  }),
  COALESCEEXPR: choice('CoalesceExpr', 'coalescetype'),
  MINMAXEXPR: choice('MinMaxExpr', 'minmaxtype'),
  SQLVALUEFUNCTION: (node) => ({
    kind: 'SQLValueFunction',
    word: node.number('op'),
    ...typed(node, 'type', 'typmod'),
  }),
  XMLEXPR: (node, reader) => ({
    kind: 'XmlExpr',
    args: reader.exprs(node.nodes('args')),
    named: reader.exprs(node.nodes('named_args')),
    // IS DOCUMENT keeps the type of what it asks about.
    type: node.number('op') === IS_DOCUMENT ? BOOLEAN : node.number('type'),
    modifier: -1,
  }),
  NULLTEST: test('NullTest'),
  BOOLEANTEST: test('BooleanTest'),
  CURRENTOFEXPR: () => ({ kind: 'CurrentOfExpr', type: BOOLEAN, modifier: -1 }),
  NEXTVALUEEXPR: (node) => ({ kind: 'NextValueExpr', type: node.number('typeId'), modifier: -1 }),
  JSONCONSTRUCTOREXPR: json('JsonConstructorExpr', ['args', 'func', 'coercion'], (node) =>
    node.node('returning')!.number('typid'),
  ),
  JSONISPREDICATE: json('JsonIsPredicate', ['expr'], () => BOOLEAN),
  JSONVALUEEXPR: json('JsonValueExpr', ['raw_expr', 'formatted_expr'], (_, args) => args[1]?.type ?? 0),
  JSONEXPR: json(
    'JsonExpr',
    ['formatted_expr', 'path_spec', 'passing_values', 'on_empty', 'on_error'],
    (node) => node.node('returning')!.number('typid'),
  ),
};

function test(kind: 'NullTest' | 'BooleanTest'): Read {
  return (node, reader) => ({
    kind,
    arg: reader.expr(node.node('arg')!),
    type: BOOLEAN,
    modifier: -1,
  });
}
