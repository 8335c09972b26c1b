import { type Ast, bodyOf, list, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { expressionList } from '../expressions/constructors.ts';
import { emptyQuery } from '../make.ts';
import type { Item, Scope, Target } from '../scope/scope.ts';
import type { Expr, MergeAction, Query } from '../tree.ts';
import { Uncertain } from '../uncertain.ts';
import { insertColumns, insertRow } from './assignments.ts';
import { condition } from './conditions.ts';
import { withClause, withList } from './ctes.ts';
import { fromClause } from './from.ts';
import { returningList, setTarget, targetRelation, updateList } from './writes.ts';

const COMMANDS = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
  CMD_NOTHING: 'nothing',
} as const;

/** `transformMergeStmt` */
export function mergeStatement(analysis: Analysis, scope: Scope, body: Ast): Query {
  withClause(analysis, scope, body['withClause']);
  const target = setTarget(analysis, scope, body['relation']);
  fromClause(analysis, scope, [body['sourceRelation']]);
  const source = scope.items.at(-1);
  if (source === undefined) throw new Uncertain('a source that is missing');
  scope.items = [...scope.items, target];
  const on = analysis.expression(scope, body['joinCondition']);
  const merge = list(body['mergeWhenClauses']).map((one) =>
    action(analysis, scope, bodyOf(one, 'MergeWhenClause') ?? {}, target, source),
  );
  show(target, true);
  show(source, true);
  return {
    ...emptyQuery('merge'),
    target: target.entry,
    entries: scope.entries,
    ctes: withList(scope),
    from: scope.from,
    mergeCondition: on,
    merge,
    returning: returningList(analysis, scope, body['returningClause']),
  };
}

function action(analysis: Analysis, scope: Scope, body: Ast, target: Item, source: Item): MergeAction {
  const kind = text(body['matchKind']);
  // Where there is no row of one of them, it cannot be named.
  show(target, kind !== 'MERGE_WHEN_NOT_MATCHED_BY_TARGET');
  show(source, kind !== 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE');
  const when = condition(analysis, scope, body['condition']);
  const command = COMMANDS[body['commandType'] as keyof typeof COMMANDS];
  if (command === undefined) throw new Uncertain('an action of an unknown kind');
  return { command, condition: when, targets: targetsOf(analysis, scope, body, command) };
}

function show(item: Item, visible: boolean): void {
  item.relationVisible = visible;
  item.columnsVisible = visible;
}

function targetsOf(analysis: Analysis, scope: Scope, body: Ast, command: MergeAction['command']): Target[] {
  if (command === 'update') {
    scope.isInsert = false;
    return updateList(analysis, scope, list(body['targetList']));
  }
  if (command !== 'insert') return [];
  scope.isInsert = true;
  const columns = insertColumns(targetRelation(scope), list(body['targetList']));
  const values = list(body['values']);
  const given: Expr[] =
    values.length === 0
      ? []
      : insertRow(analysis, scope, expressionList(analysis, scope, values, true), columns);
  return given.map((expr, index) => {
    const { column } = columns[index] as (typeof columns)[number];
    return { expr, number: column.attnum, name: column.name, junk: false, ref: 0 };
  });
}
