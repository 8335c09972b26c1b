import { type Ast, bodyOf, list } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import type { AnalysisFunction } from '../catalog.ts';
import { commonModifier } from '../make.ts';
import { OID } from '../oids.ts';
import { addToSort, distinctOf, sortClause } from '../queries/sorting.ts';
import type { Scope, Target } from '../scope/scope.ts';
import type { Aggref, Expr, SortGroup } from '../tree.ts';
import { IMPLICIT } from '../typing/casts.ts';
import { levelsOf } from '../walk.ts';

/** A call that is resolved to a function, aggregate or window function. */
export interface ResolvedCall {
  readonly fn: AnalysisFunction;
  readonly args: readonly Expr[];
  readonly filter: Expr | undefined;
  readonly returned: { readonly type: number; readonly modifier: number };
}

/** `transformAggregateCall` */
export function aggregateCall(
  analysis: Analysis,
  scope: Scope,
  { fn, args, filter, returned, body }: ResolvedCall & { readonly body: Ast },
): Aggref {
  const ordered = fn.aggregate !== undefined && fn.aggregate.kind !== 'n';
  const parts = ordered ? orderedSet(analysis, args, body) : plain(analysis, scope, args, body);
  const { column, aggregate } = levelsOf([...parts.args.map(({ expr }) => expr), filter]);
  const levels = [column, aggregate].filter((level) => level !== undefined);
  return {
    kind: 'Aggref',
    ...returned,
    function: fn.oid,
    ...parts,
    filter,
    levelsUp: levels.length === 0 ? 0 : Math.min(...levels),
  };
}

type AggregateParts = Pick<Aggref, 'direct' | 'args' | 'order' | 'distinct'>;

/** `WITHIN GROUP`: the last arguments are what is sorted. */
function orderedSet(analysis: Analysis, args: readonly Expr[], body: Ast): AggregateParts {
  const sorted = list(body['agg_order']);
  const direct = args.slice(0, args.length - sorted.length);
  const targets: Target[] = [];
  let order: SortGroup[] = [];
  for (const [index, sort] of sorted.entries()) {
    const target = targetOf(args[direct.length + index] as Expr, index + 1);
    targets.push(target);
    order = addToSort(analysis, target, order, targets, bodyOf(sort, 'SortBy') ?? {});
  }
  return { direct, args: targets, order, distinct: [] };
}

function plain(analysis: Analysis, scope: Scope, args: readonly Expr[], body: Ast): AggregateParts {
  const targets = args.map((arg, index) => targetOf(arg, index + 1));
  const next = scope.nextNumber;
  scope.nextNumber = targets.length + 1;
  const order = sortClause(analysis, scope, list(body['agg_order']), targets, { by99: true });
  const distinct = body['agg_distinct'] === true ? distinctOf(analysis, targets, order) : [];
  scope.nextNumber = next;
  return { direct: [], args: targets, order, distinct };
}

function targetOf(expr: Expr, number: number): Target {
  return { expr, number, name: undefined, junk: false, ref: 0 };
}

/** `unify_hypothetical_args`: what is placed among the sorted has to be of their type. */
export function unifyHypothetical(
  analysis: Analysis,
  args: readonly Expr[],
  sorted: number,
  takes: readonly number[],
): Expr[] {
  const made = [...args];
  const direct = args.length - sorted;
  for (let at = direct - sorted; at < direct; at++) {
    const other = direct + (at - (direct - sorted));
    const [placed, among] = [made[at], made[other]];
    if (placed === undefined || among === undefined || takes[at] !== OID.any) continue;
    const type = analysis.casts.common([among, placed]);
    const modifier = commonModifier([among, placed], type);
    made[at] = analysis.casts.toType(placed, type, modifier, IMPLICIT);
    made[other] = analysis.casts.toType(among, type, modifier, IMPLICIT);
  }
  return made;
}
