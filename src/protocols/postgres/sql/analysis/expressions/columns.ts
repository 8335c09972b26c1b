import { type Ast, bodyOf, list, strings, text } from '../../facts/ast.ts';
import type { Analysis } from '../analysis.ts';
import { isWholeRow } from '../make.ts';
import { OID } from '../oids.ts';
import { relationNamed } from '../scope/names.ts';
import { rowFields } from '../scope/rows.ts';
import { columnOf, type Item, type Scope, varsOf } from '../scope/scope.ts';
import type { Expr } from '../tree.ts';
import { NotThere, Uncertain } from '../uncertain.ts';
import { subscripted } from './subscripts.ts';

/** `transformColumnRef` */
export function columnRef(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const fields = list(body['fields']);
  const path = strings(fields);
  const star = bodyOf(fields.at(-1), 'A_Star') !== undefined;
  const [name = ''] = path;
  if (path.length === 1 && !star) {
    const found = scope.column(name) ?? namedRow(analysis, scope, path) ?? parameter(analysis, scope, path);
    if (found === undefined) throw new NotThere('a column', path.join('.'));
    return found;
  }
  const qualifier = star ? path : path.slice(0, -1);
  const found = itemNamed(analysis, scope, qualifier);
  if (found === undefined) {
    const made = star ? undefined : parameter(analysis, scope, path);
    if (made === undefined) throw new NotThere('a table', qualifier.join('.'));
    return made;
  }
  const { item, levelsUp } = found;
  if (star) return wholeRow(analysis, scope, item, levelsUp);
  const column = path.at(-1) as string;
  const own = columnOf(item, column, levelsUp);
  if (own !== undefined) return own;
  const row = wholeRow(analysis, scope, item, levelsUp);
  const made = analysis.call(scope, { name: [column], args: [row] }) ?? parameter(analysis, scope, path);
  if (made === undefined) throw new NotThere('a column', path.join('.'));
  return made;
}

/** What is no column may be a parameter of the function whose text it is. */
function parameter(analysis: Analysis, scope: Scope, path: readonly string[]): Expr | undefined {
  const found = analysis.parameters.named(path);
  if (found?.field === undefined) return found?.param;
  return analysis.call(scope, { name: [found.field], args: [found.param] });
}

function namedRow(analysis: Analysis, scope: Scope, path: readonly string[]): Expr | undefined {
  const found = itemNamed(analysis, scope, path);
  return found === undefined ? undefined : wholeRow(analysis, scope, found.item, found.levelsUp);
}

/** @param path Of a database, a schema, a table: as many as are written. */
function itemNamed(analysis: Analysis, scope: Scope, path: readonly string[]) {
  const alias = path.at(-1) ?? '';
  if (path.length < 2) return scope.item(alias, undefined);
  return scope.item(alias, relationNamed(analysis.catalog, path.slice(-2)));
}

/** `transformWholeRowRef`, `makeWholeRowVar` */
function wholeRow(analysis: Analysis, scope: Scope, item: Item, levelsUp: number): Expr {
  if (item.isUsingAlias === true) {
    const vars = varsOf(item, levelsUp);
    const names = vars.map(({ name }) => name);
    return { kind: 'RowExpr', type: OID.record, modifier: -1, args: vars.map(({ expr }) => expr), names };
  }
  const entry = scope.outward(levelsUp).entries[item.entry - 1];
  const row = (type: number, attribute = 0): Expr => ({
    kind: 'Var',
    type,
    modifier: -1,
    entry: item.entry,
    attribute,
    levelsUp,
  });
  if (entry?.kind === 'relation')
    return row(analysis.catalog.relation(entry.relation)?.rowType ?? OID.record);
  if (entry?.kind !== 'function' || entry.ordinality || entry.functions.length !== 1) return row(OID.record);
  const type = (entry.functions[0] as Expr).type;
  if (type === OID.record || analysis.types.isComposite(type)) return row(type);
  // A function that gives one value is spoken of by its name.
  return row(type, 1);
}

/** `transformIndirection` */
export function indirection(analysis: Analysis, scope: Scope, body: Ast): Expr {
  const steps = list(body['indirection']);
  return stepInto(analysis, scope, analysis.expression(scope, body['arg']), steps);
}

function stepInto(analysis: Analysis, scope: Scope, start: Expr, steps: readonly unknown[]): Expr {
  let made = start;
  let subscripts: Ast[] = [];
  const flush = () => {
    if (subscripts.length > 0) made = subscripted(analysis, scope, made, subscripts);
    subscripts = [];
  };
  for (const step of steps) {
    const indices = bodyOf(step, 'A_Indices');
    if (indices !== undefined) {
      subscripts.push(indices);
      continue;
    }
    const name = bodyOf(step, 'String');
    if (name === undefined) throw new Uncertain('all fields of a row, as one value');
    flush();
    const called = text(name['sval']);
    const field = analysis.call(scope, { name: [called], args: [made] });
    if (field === undefined) throw new NotThere('a field', called);
    made = field;
  }
  flush();
  return made;
}

export interface Expanded {
  readonly name: string;
  readonly expr: Expr;
}

/**
 * What `*`, `t.*` or `(row).*` stands for, in a list.
 *
 * @returns Undefined: the node is none of these.
 * @see PostgreSQL, parse_target.c, `ExpandColumnRefStar`, `ExpandIndirectionStar`
 */
export function starOf(analysis: Analysis, scope: Scope, node: unknown): Expanded[] | undefined {
  const reference = bodyOf(node, 'ColumnRef');
  if (reference !== undefined) {
    const fields = list(reference['fields']);
    if (bodyOf(fields.at(-1), 'A_Star') === undefined) return undefined;
    const path = strings(fields);
    if (path.length === 0) return allOf(scope);
    const found = itemNamed(analysis, scope, path);
    if (found === undefined) throw new NotThere('a table', path.join('.'));
    scope.spend(found.item.columns.length);
    return varsOf(found.item, found.levelsUp);
  }
  const into = bodyOf(node, 'A_Indirection');
  const steps = list(into?.['indirection']);
  if (into === undefined || bodyOf(steps.at(-1), 'A_Star') === undefined) return undefined;
  const row = stepInto(analysis, scope, analysis.expression(scope, into['arg']), steps.slice(0, -1));
  return fieldsOf(analysis, scope, row);
}

/** `ExpandAllTables` */
function allOf(scope: Scope): Expanded[] {
  const items = scope.items.filter(({ columnsVisible }) => columnsVisible);
  for (const { columns } of items) scope.spend(columns.length);
  return items.flatMap((item) => varsOf(item, 0));
}

/** `ExpandRowReference` */
function fieldsOf(analysis: Analysis, scope: Scope, row: Expr): Expanded[] {
  if (isWholeRow(row)) return varsOf(scope.itemOf(row.entry, row.levelsUp), row.levelsUp);
  const fields = rowFields(analysis, scope, row);
  if (fields === undefined) throw new Uncertain('a record of which nobody says what it holds');
  return fields.flatMap((field) =>
    field === undefined
      ? []
      : [
          {
            name: field.name,
            expr: {
              kind: 'FieldSelect' as const,
              type: field.type,
              modifier: field.modifier,
              arg: row,
              field: field.number,
            },
          },
        ],
  );
}
