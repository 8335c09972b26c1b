import { type Ast, bodyOf, isAst, list, number, strings } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { OID } from '../oids.ts';
import type { Scope, Target } from '../scope/scope.ts';
import type { SortGroup } from '../tree.ts';
import { IMPLICIT } from '../typing/casts.ts';
import { Uncertain } from '../uncertain.ts';
import { areEqual, withoutImplicit } from '../walk.ts';
import { junkTarget } from './targets.ts';

/** How entries are found: by SQL:1999 they are expressions alone, by SQL-92 names and positions of the list too. */
export interface Finding {
  readonly by99: boolean;
  readonly inGroup?: boolean;
}

/** `findTargetlistEntrySQL92`, `findTargetlistEntrySQL99` */
export function find(
  analysis: Analysis,
  scope: Scope,
  node: unknown,
  targets: Target[],
  how: Finding,
): Target {
  const listed = how.by99 ? undefined : listedTarget(scope, node, targets, how.inGroup === true);
  if (listed !== undefined) return listed;
  scope.spend(targets.length);
  const expr = analysis.expression(scope, node);
  const same = targets.find((one) => areEqual(expr, withoutImplicit(one.expr)));
  if (same !== undefined) return same;
  const added = junkTarget(scope, expr);
  targets.push(added);
  return added;
}

function listedTarget(
  scope: Scope,
  node: unknown,
  targets: readonly Target[],
  inGroup: boolean,
): Target | undefined {
  const shown = targets.filter(({ junk }) => !junk);
  const fields = list(bodyOf(node, 'ColumnRef')?.['fields']);
  const [name] = strings(fields);
  // GROUP BY takes a column of what is read before one of what is given.
  if (fields.length === 1 && name !== undefined && !(inGroup && scope.column(name, true) !== undefined)) {
    const named = shown.filter((one) => one.name === name);
    const [first] = named;
    if (first !== undefined && named.some(({ expr }) => !areEqual(expr, first.expr)))
      throw new Uncertain('a name that may be one of several columns of the result');
    if (first !== undefined) return first;
  }
  const constant = bodyOf(node, 'A_Const');
  if (constant === undefined) return undefined;
  const position = isAst(constant['ival']) ? number(constant['ival']['ival']) : 0;
  const target = shown[position - 1];
  if (target === undefined) throw new Uncertain('a position that is not in the list');
  return target;
}

/** `transformSortClause` */
export function sortClause(
  analysis: Analysis,
  scope: Scope,
  nodes: readonly unknown[],
  targets: Target[],
  how: Finding,
): SortGroup[] {
  let sort: SortGroup[] = [];
  for (const node of nodes) {
    const body = bodyOf(node, 'SortBy') ?? {};
    const target = find(analysis, scope, body['node'], targets, how);
    sort = addToSort(analysis, target, sort, targets, body);
  }
  return sort;
}

/** `addTargetToSortList` */
export function addToSort(
  analysis: Analysis,
  target: Target,
  sort: readonly SortGroup[],
  targets: readonly Target[],
  body: Ast,
): SortGroup[] {
  asText(analysis, target);
  const { equals, sorts } = sortedBy(analysis, target.expr.type, body);
  const isThere = sort.some((one) => one.ref === target.ref && target.ref !== 0 && one.sorts === sorts);
  // A descending order is no order beside the same ascending one.
  const isReverse = sort.some((one) => one.ref === target.ref && target.ref !== 0 && one.equals === equals);
  if (isThere || isReverse) return [...sort];
  return [...sort, { ref: refOf(target, targets), equals, sorts }];
}

function sortedBy(analysis: Analysis, type: number, body: Ast): { equals: number; sorts: number } {
  const operators = analysis.types.sortOperators(type);
  if (body['sortby_dir'] === 'SORTBY_USING') {
    const name = strings(body['useOp']);
    const sorts = analysis.operators.compatible(name, type, type).oid;
    return { equals: analysis.operators.equalityOf(sorts), sorts };
  }
  const sorts = body['sortby_dir'] === 'SORTBY_DESC' ? operators.gt : operators.lt;
  if (sorts === 0 || operators.eq === 0) throw new Uncertain('an order of what has none');
  return { equals: operators.eq, sorts };
}

function asText(analysis: Analysis, target: Target): void {
  if (target.expr.type === OID.unknown)
    target.expr = analysis.casts.toType(target.expr, OID.text, -1, IMPLICIT);
}

/** `assignSortGroupRef` */
function refOf(target: Target, targets: readonly Target[]): number {
  if (target.ref === 0) target.ref = Math.max(0, ...targets.map(({ ref }) => ref)) + 1;
  return target.ref;
}

/** `addTargetToGroupList` */
export function addToGroup(
  analysis: Analysis,
  target: Target,
  groups: readonly SortGroup[],
  targets: readonly Target[],
): SortGroup[] {
  asText(analysis, target);
  if (target.ref !== 0 && groups.some((one) => one.ref === target.ref)) return [...groups];
  const { lt, eq } = analysis.types.sortOperators(target.expr.type);
  if (eq === 0) throw new Uncertain('groups of what cannot be compared');
  return [...groups, { ref: refOf(target, targets), equals: eq, sorts: lt }];
}

/** `transformDistinctClause` */
export function distinctOf(
  analysis: Analysis,
  targets: readonly Target[],
  sort: readonly SortGroup[],
): SortGroup[] {
  const shown = targets.filter(({ junk }) => !junk);
  return shown.reduce<SortGroup[]>((groups, one) => addToGroup(analysis, one, groups, targets), [...sort]);
}

/** `transformDistinctOnClause` */
export function distinctOn(
  analysis: Analysis,
  scope: Scope,
  nodes: readonly unknown[],
  targets: Target[],
  sort: readonly SortGroup[],
): SortGroup[] {
  const found = nodes.map((node) => find(analysis, scope, node, targets, { by99: false }));
  const refs = new Set(found.map((one) => refOf(one, targets)));
  const sorted = sort.filter(({ ref }) => refs.has(ref));
  return found.reduce<SortGroup[]>((groups, one) => addToGroup(analysis, one, groups, targets), sorted);
}
