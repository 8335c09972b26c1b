import { type Ast, list, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { OID } from '../oids.ts';
import { groupClause } from '../queries/grouping.ts';
import { sortClause } from '../queries/sorting.ts';
import type { Scope, Target } from '../scope/scope.ts';
import type { Expr, SortGroup, Window, WindowFunc } from '../tree.ts';
import { canCoerce } from '../typing/pathways.ts';
import { Uncertain } from '../uncertain.ts';
import type { ResolvedCall } from './aggregates.ts';

/** Bits of `frameOptions` (parsenodes.h). */
const RANGE = 0x2;
const ROWS_OR_GROUPS = 0x4 | 0x8;

/** `transformWindowFuncCall` */
export function windowCall(
  _analysis: Analysis,
  scope: Scope,
  { fn, args, filter, returned, over }: ResolvedCall & { readonly over: Ast },
): WindowFunc {
  return { kind: 'WindowFunc', ...returned, function: fn.oid, args, filter, window: windowOf(scope, over) };
}

/** The window that is meant, from 1; one that is written in place is added, if there is none like it. */
function windowOf(scope: Scope, over: Ast): number {
  const name = text(over['name']);
  const found = scope.windows.findIndex((one) =>
    name === '' ? isLike(one, over) : text(one['name']) === name,
  );
  if (found >= 0) return found + 1;
  if (name !== '') throw new Uncertain('a window that is not known');
  return scope.windows.push(over);
}

function isLike(one: Ast, other: Ast): boolean {
  const parts = ['partitionClause', 'orderClause', 'frameOptions', 'startOffset', 'endOffset'];
  return (
    text(one['refname']) === text(other['refname']) && parts.every((part) => isSame(one[part], other[part]))
  );
}

/** Trees are compared without where they stand in the text. */
function isSame(one: unknown, other: unknown): boolean {
  const plain = (key: string, value: unknown) => (key === 'location' ? undefined : value);
  return JSON.stringify(one, plain) === JSON.stringify(other, plain);
}

/** `transformWindowDefinitions` */
export function windowDefinitions(analysis: Analysis, scope: Scope, targets: Target[]): Window[] {
  const made: Window[] = [];
  // Windows may be added while their own expressions are read: never, since window functions may not stand there.
  for (const body of scope.windows) made.push(definition(analysis, scope, body, targets, made));
  return made;
}

function definition(
  analysis: Analysis,
  scope: Scope,
  body: Ast,
  targets: Target[],
  before: readonly Window[],
): Window {
  const base = text(body['refname']);
  const copied =
    base === '' ? undefined : before[scope.windows.findIndex((one) => text(one['name']) === base)];
  if (base !== '' && copied === undefined) throw new Uncertain('a window that is not known');
  const order = sortClause(analysis, scope, list(body['orderClause']), targets, { by99: true });
  const partition = groupClause(analysis, scope, list(body['partitionClause']), targets, order, {
    by99: true,
  });
  const options = typeof body['frameOptions'] === 'number' ? body['frameOptions'] : 0;
  const sorted = order.length > 0 || copied === undefined ? order : copied.order;
  const offset = (name: string) => frameOffset(analysis, scope, body[name], options, sorted);
  const [start, end] = [offset('startOffset'), offset('endOffset')];
  return {
    partition: copied?.partition ?? partition.groups,
    order: sorted,
    start: start.offset,
    end: end.offset,
    startInRange: start.inRange,
    endInRange: end.inRange,
  };
}

interface Offset {
  readonly offset: Expr | undefined;
  /** Of RANGE, the function that says what is within it. */
  readonly inRange: number;
}

/** `transformFrameOffset` */
function frameOffset(
  analysis: Analysis,
  scope: Scope,
  node: unknown,
  options: number,
  order: readonly SortGroup[],
): Offset {
  if (node === undefined) return { offset: undefined, inRange: 0 };
  const offset = analysis.expression(scope, node);
  if ((options & RANGE) !== 0 && (options & ROWS_OR_GROUPS) === 0) return inRange(analysis, offset, order);
  return { offset: analysis.casts.toSpecific(offset, OID.int8), inRange: 0 };
}

/** What is added to a value of RANGE is of a type that a function of the order's operator family takes. */
function inRange(analysis: Analysis, offset: Expr, order: readonly SortGroup[]): Offset {
  const [sort, ...more] = order;
  if (sort === undefined || more.length > 0) throw new Uncertain('a range of values of several');
  const { family, type } = analysis.operators.orderOf(sort.sorts);
  const preferred = offset.type === OID.unknown ? type : offset.type;
  const fitting = analysis.catalog
    .inRangeFunctions(family)
    .filter(({ left, right }) => left === type && canCoerce(analysis.types, offset.type, right, 'i'));
  const found = fitting.length === 1 ? fitting[0] : fitting.find(({ right }) => right === preferred);
  if (found === undefined) throw new Uncertain('an offset of a type that does not fit');
  return { offset: analysis.casts.toSpecific(offset, found.right), inRange: found.function };
}
