import { type Ast, list, unwrap } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import type { Scope, Target } from '../scope/scope.ts';
import type { SortGroup } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { addToGroup, type Finding, find } from './sorting.ts';

export interface GroupFinding extends Finding {
  /** `GROUP BY DISTINCT` */
  readonly distinct?: boolean;
}

interface Grouped {
  readonly groups: SortGroup[];
  /** They are several sets. */
  readonly sets: boolean;
}

/** One grouping set, of what `SortGroup.ref` names. */
type GroupingSet = readonly number[];

/** More sets than that are refused by the server. */
const MAX_SETS = 4096;

/** `transformGroupClause` */
export function groupClause(
  analysis: Analysis,
  scope: Scope,
  nodes: readonly unknown[],
  targets: Target[],
  sort: readonly SortGroup[],
  how: GroupFinding,
): Grouped {
  let groups: SortGroup[] = [];
  const one = (node: unknown): number => {
    const target = find(analysis, scope, node, targets, { ...how, inGroup: true });
    const sorted = target.ref === 0 ? undefined : sort.find(({ ref }) => ref === target.ref);
    const isThere = target.ref !== 0 && groups.some(({ ref }) => ref === target.ref);
    if (sorted !== undefined && !isThere) groups = [...groups, sorted];
    else groups = addToGroup(analysis, target, groups, targets);
    return target.ref;
  };
  const several = nodes.map((node) => setsOf(node, one));
  const hasSets = several.some(({ isSet }) => isSet);
  return { groups, sets: hasSets && !isOneSet(several, groups, how.distinct === true) };
}

/** One grouping set that is not empty groups as if it were none: `parseCheckAggregates`. */
function isOneSet(several: readonly Expanded[], groups: readonly SortGroup[], distinct: boolean): boolean {
  if (groups.length === 0) return false;
  const all = several.reduce<readonly GroupingSet[]>((before, { sets }) => crossed(before, sets), [[]]);
  const keys = all.map((set) => [...new Set(set)].sort((a, b) => a - b).join(' '));
  return (distinct ? new Set(keys).size : keys.length) === 1;
}

interface Expanded {
  readonly isSet: boolean;
  readonly sets: readonly GroupingSet[];
}

/** `expand_groupingset_node` */
function setsOf(node: unknown, one: (node: unknown) => number): Expanded {
  const given = unwrap(node);
  if (given?.type !== 'GroupingSet') return { isSet: false, sets: [simple(node, one)] };
  const content = list(given.body['content']);
  switch (given.body['kind']) {
    case 'GROUPING_SET_EMPTY':
      return { isSet: true, sets: [[]] };
    case 'GROUPING_SET_ROLLUP': {
      const parts = content.map((part) => simple(part, one));
      return { isSet: true, sets: [...parts, []].map((_, index) => parts.slice(0, index).flat()) };
    }
    case 'GROUPING_SET_CUBE': {
      const parts = content.map((part) => simple(part, one));
      return {
        isSet: true,
        sets: parts.reduce<readonly GroupingSet[]>((sets, part) => crossed(sets, [part, []]), [[]]),
      };
    }
    case 'GROUPING_SET_SETS':
      return { isSet: true, sets: content.flatMap((part) => setsOf(part, one).sets) };
    default:
      throw new Uncertain('a grouping set of an unknown kind');
  }
}

/** A column, or a list of some in brackets. */
function simple(node: unknown, one: (node: unknown) => number): GroupingSet {
  const row = rowOf(node);
  return row === undefined ? [one(node)] : row.flatMap((part) => simple(part, one));
}

function rowOf(node: unknown): readonly unknown[] | undefined {
  const given = unwrap(node);
  const isRow = given?.type === 'RowExpr' && given.body['row_format'] === 'COERCE_IMPLICIT_CAST';
  if (isRow) return list((given.body as Ast)['args']);
  return given?.type === 'List' ? list(given.body['items']) : undefined;
}

function crossed(some: readonly GroupingSet[], others: readonly GroupingSet[]): GroupingSet[] {
  if (some.length * others.length > MAX_SETS) throw new Uncertain('more grouping sets than there may be');
  return some.flatMap((one) => others.map((other) => [...one, ...other]));
}
