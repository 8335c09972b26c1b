/**
 * Nodes and fields of the parse tree that came with a later major than the oldest target's, and what people call them. To
 * a target that is older the same text means nothing, or something else.
 *
 * What a newer keyword brings is missing where the keyword always shows it: see `keywords.ts`.
 *
 * @see https://www.postgresql.org/docs/release/
 */
const ROWS: Readonly<Record<string, readonly [number, string]>> = {
  'SelectStmt.groupDistinct': [14, 'GROUP BY DISTINCT'],
  'JoinExpr.join_using_alias': [14, 'JOIN … USING (…) AS …'],
  CTESearchClause: [14, 'SEARCH'],
  CTECycleClause: [14, 'CYCLE'],
  ReturnStmt: [14, 'RETURN'],
  'CreateFunctionStmt.sql_body': [14, 'a function body that is not a string'],
  'ColumnDef.compression': [14, 'COMPRESSION'],
  MergeStmt: [15, 'MERGE'],
  'IndexStmt.nulls_not_distinct': [15, 'NULLS NOT DISTINCT'],
  'Constraint.nulls_not_distinct': [15, 'NULLS NOT DISTINCT'],
  'Constraint.fk_del_set_cols': [15, 'ON DELETE SET … (…)'],
  AlterDatabaseRefreshCollStmt: [15, 'REFRESH COLLATION VERSION'],
  JsonIsPredicate: [16, 'IS JSON'],
  JsonObjectConstructor: [16, 'JSON_OBJECT'],
  JsonArrayConstructor: [16, 'JSON_ARRAY'],
  JsonArrayQueryConstructor: [16, 'JSON_ARRAY'],
  JsonObjectAgg: [16, 'JSON_OBJECTAGG'],
  JsonArrayAgg: [16, 'JSON_ARRAYAGG'],
  'XmlSerialize.indent': [16, 'XMLSERIALIZE … INDENT'],
  'ColumnDef.storage_name': [16, 'STORAGE'],
  'RangeSubselect without alias': [16, 'a subquery in FROM without an alias'],
  'MergeStmt.returningClause': [17, 'MERGE … RETURNING'],
  MergeSupportFunc: [17, 'MERGE_ACTION()'],
  JsonFuncExpr: [17, 'JSON_EXISTS, JSON_QUERY or JSON_VALUE'],
  JsonTable: [17, 'JSON_TABLE'],
  JsonParseExpr: [17, 'JSON()'],
  JsonScalarExpr: [17, 'JSON_SCALAR'],
  JsonSerializeExpr: [17, 'JSON_SERIALIZE'],
  'ReturningClause.options': [18, 'RETURNING WITH (…)'],
  'Constraint that is virtual': [18, 'a generated column that is not STORED'],
  'Constraint.without_overlaps': [18, 'WITHOUT OVERLAPS'],
  'IndexStmt.iswithoutoverlaps': [18, 'WITHOUT OVERLAPS'],
  'Constraint.fk_with_period': [18, 'PERIOD'],
  'Constraint.pk_with_period': [18, 'PERIOD'],
};

export interface NewerSyntax {
  readonly what: string;
  /** The first major that has it. */
  readonly since: number;
}

const ALL: ReadonlyMap<string, NewerSyntax> = new Map(
  Object.entries(ROWS).map(([place, [since, what]]) => [place, { what, since }]),
);

/** Types of nodes that are newer, or of which a field is: in all others nothing is looked up. */
const TYPES: ReadonlySet<string> = new Set([...ALL.keys()].map((place) => place.split('.')[0] as string));
const NONE: readonly NewerSyntax[] = [];

/** What of a node is newer: its type itself, and those of its fields that are. */
export function newerIn(type: string, body: Readonly<Record<string, unknown>>): readonly NewerSyntax[] {
  if (!TYPES.has(type)) return NONE;
  const places = [type, ...Object.keys(body).map((field) => `${type}.${field}`)];
  return places.flatMap((place) => newerSyntax(place) ?? []);
}

/** @param place A node's type, `type.field`, or words of this table's own. Undefined: every major that we know has it. */
export function newerSyntax(place: string): NewerSyntax | undefined {
  return ALL.get(place);
}
