import { type Ast, bodyOf, list, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import type { AnalysisColumn, AnalysisRelation } from '../catalog.ts';
import { containerOf, subscriptingRef } from '../expressions/subscripts.ts';
import { nullConstant } from '../make.ts';
import type { Scope } from '../scope/scope.ts';
import type { Expr } from '../tree.ts';
import { ASSIGNMENT, IMPLICIT } from '../typing/casts.ts';
import { Uncertain } from '../uncertain.ts';

/** A column that is written, or a part of it. */
export interface Assigned {
  readonly column: AnalysisColumn;
  readonly indirection: readonly unknown[];
}

export function columnNamed(relation: AnalysisRelation, name: string): AnalysisColumn {
  const column = relation.columns.find((one) => one.name === name);
  if (column === undefined) throw new Uncertain('a column that is not known');
  return column;
}

/** `transformAssignedExpr` */
export function assigned(
  analysis: Analysis,
  scope: Scope,
  expr: Expr,
  { column, indirection }: Assigned,
): Expr {
  const { type, modifier } = column;
  const given: Expr = expr.kind === 'SetToDefault' ? { ...expr, type, modifier } : expr;
  if (indirection.length === 0) return analysis.casts.required(given, type, modifier, ASSIGNMENT);
  return assignInto(analysis, scope, {
    base: baseOf(scope, column),
    type,
    modifier,
    steps: indirection,
    given,
  });
}

/** What a part is written into: of INSERT there is nothing yet. */
function baseOf(scope: Scope, { attnum, type, modifier }: AnalysisColumn): Expr {
  if (scope.isInsert) return nullConstant(type, modifier);
  const entry = scope.target?.item.entry ?? 0;
  return { kind: 'Var', type, modifier, entry, attribute: attnum, levelsUp: 0 };
}

interface Into {
  /** Undefined: what stands there, of which nothing is read. */
  readonly base: Expr | undefined;
  readonly type: number;
  readonly modifier: number;
  readonly steps: readonly unknown[];
  readonly given: Expr;
}

/** `transformAssignmentIndirection` */
function assignInto(analysis: Analysis, scope: Scope, into: Into): Expr {
  const { type, modifier, steps, given } = into;
  if (steps.length === 0) return analysis.casts.required(given, type, modifier, ASSIGNMENT);
  const base = into.base ?? { kind: 'CaseTestExpr', type, modifier };
  const [field] = steps;
  const name = bodyOf(field, 'String');
  if (name !== undefined) return intoField(analysis, scope, { ...into, base }, text(name['sval']));
  const subscripts: Ast[] = [];
  for (const step of steps) {
    const indices = bodyOf(step, 'A_Indices');
    if (indices === undefined) break;
    subscripts.push(indices);
  }
  if (subscripts.length === 0) throw new Uncertain('all fields of a row, as what is written');
  return intoElement(analysis, scope, { ...into, base }, subscripts);
}

function intoField(analysis: Analysis, scope: Scope, into: Into, name: string): Expr {
  const { types } = analysis;
  const [base, baseModifier] = types.baseAndModifier(into.type, into.modifier);
  const field = types.fieldsOf(base).find((one) => one.name === name);
  if (field === undefined) throw new Uncertain('a field that is not known');
  const value = assignInto(analysis, scope, {
    base: undefined,
    type: field.type,
    modifier: field.modifier,
    steps: into.steps.slice(1),
    given: into.given,
  });
  const store: Expr = {
    kind: 'FieldStore',
    type: base,
    modifier: -1,
    arg: into.base,
    fields: [field.attnum],
    values: [value],
  };
  return base === into.type ? store : analysis.casts.toDomain(store, base, baseModifier, into.type, IMPLICIT);
}

/** `transformAssignmentSubscripts` */
function intoElement(analysis: Analysis, scope: Scope, into: Into, subscripts: readonly Ast[]): Expr {
  const [container, modifier] = containerOf(analysis, into.type, into.modifier);
  const reference = subscriptingRef(analysis, scope, { base: into.base, container, modifier, subscripts });
  const value = assignInto(analysis, scope, {
    base: undefined,
    type: reference.type,
    modifier: reference.modifier,
    steps: into.steps.slice(subscripts.length),
    given: into.given,
  });
  const made: Expr = { ...reference, type: container, modifier, assigned: value };
  return container === into.type ? made : analysis.casts.required(made, into.type, into.modifier, ASSIGNMENT);
}

/** `checkInsertTargets`: all columns, where none are written. */
export function insertColumns(relation: AnalysisRelation, nodes: readonly unknown[]): Assigned[] {
  if (nodes.length === 0) return relation.columns.map((column) => ({ column, indirection: [] }));
  return nodes.map((node) => {
    const body = bodyOf(node, 'ResTarget') ?? {};
    return { column: columnNamed(relation, text(body['name'])), indirection: list(body['indirection']) };
  });
}

/** `transformInsertRow` */
export function insertRow(
  analysis: Analysis,
  scope: Scope,
  exprs: readonly Expr[],
  columns: readonly Assigned[],
  strips = false,
): Expr[] {
  if (exprs.length > columns.length) throw new Uncertain('more values than columns');
  return exprs.map((expr, index) => {
    const made = assigned(analysis, scope, expr, columns[index] as Assigned);
    return strips ? stripped(made) : made;
  });
}

/** Of a row of several: what is written into a part is put there when the rows are read. */
function stripped(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'CoerceToDomain') inner = inner.arg;
  if (inner.kind === 'FieldStore') return stripped(inner.values[0] as Expr);
  if (inner.kind === 'SubscriptingRef' && inner.assigned !== undefined) return stripped(inner.assigned);
  return expr;
}
