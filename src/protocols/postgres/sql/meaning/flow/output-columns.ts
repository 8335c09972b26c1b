import type { Relation } from '../../../catalog/model/model.ts';
import type { Expr, Query } from '../../analysis/tree.ts';
import type { ColumnAt } from '../lineage.ts';
import { ColumnTrace } from './column-trace.ts';
import { shownOf, TooMuch } from './query-trace.ts';

/** A column by its name for people: `schema.table.column`. */
interface NamedColumn extends ColumnAt {
  readonly name: string;
}

/** A column of a statement's result, and what it is made of. */
export interface OutputColumn {
  readonly name: string;
  /** All columns whose data it has; what only decides which rows there are is not among them. */
  readonly from: readonly NamedColumn[];
  /** It is one of them as it is; else it is computed. */
  readonly carried: boolean;
  /** That which the server will say it is. */
  readonly origin?: ColumnAt;
}

/**
 * What each column of a statement's result is made of.
 *
 * @param relationOf What the catalog knows of a relation.
 * @returns Undefined: that is not certain. Pure.
 */
export function outputColumns(
  query: Query,
  relationOf: (oid: number) => Relation | undefined,
): readonly OutputColumn[] | undefined {
  const all = (oid: number) => {
    const relation = relationOf(oid);
    return relation && new Set([...relation.columns.values()].map(({ attnum }) => attnum));
  };
  try {
    const [carried, through] = [new ColumnTrace(all), new ColumnTrace(all, { through: true })];
    const asIs = carried.outputs(carried.follow(query));
    const made = through.outputs(through.follow(query));
    return shownOf(query).map(({ name = '', expr }, index) => {
      const origin = originOf([query], expr);
      return {
        name,
        from: [...(made[index] ?? [])].map((key) => named(key, relationOf)),
        carried: (asIs[index]?.size ?? 0) > 0,
        ...(origin === undefined ? {} : { origin }),
      };
    });
  } catch (error) {
    if (error instanceof TooMuch) return undefined;
    throw error;
  }
}

function named(key: string, relationOf: (oid: number) => Relation | undefined): NamedColumn {
  const [oid = 0, attribute = 0] = key.split('.').map(Number);
  const relation = relationOf(oid);
  const column = [...(relation?.columns.values() ?? [])].find(({ attnum }) => attnum === attribute);
  return { relation: oid, attribute, name: `${relation?.schema}.${relation?.name}.${column?.name}` };
}

/** Deeper queries within queries are not followed. */
const MAX_DEPTH = 100;

/**
 * Where the server says that a column comes from: through subqueries and common table expressions, not through joins of both
 * sides, set operations, or anything that is computed.
 *
 * @param around Queries one within the other, the innermost last.
 * @see PostgreSQL, parse_target.c, `markTargetListOrigin`
 */
function originOf(around: readonly Query[], expr: Expr): ColumnAt | undefined {
  if (expr.kind !== 'Var' || around.length > MAX_DEPTH) return undefined;
  const scopes = around.slice(0, around.length - expr.levelsUp);
  const query = scopes.at(-1);
  const entry = query?.entries[expr.entry - 1];
  if (query === undefined || entry === undefined || query.set !== undefined) return undefined;
  if (entry.kind === 'relation') return { relation: entry.relation, attribute: expr.attribute };
  if (entry.kind === 'subquery') return originIn([...scopes, entry.query], expr.attribute);
  if (entry.kind !== 'cte' || entry.selfReference) return undefined;
  const owners = scopes.slice(0, scopes.length - entry.levelsUp);
  const cte = owners.at(-1)?.ctes.find(({ name }) => name === entry.cte);
  return cte === undefined ? undefined : originIn([...owners, cte.query], expr.attribute);
}

function originIn(around: readonly Query[], attribute: number): ColumnAt | undefined {
  const target = shownOf(around.at(-1) as Query)[attribute - 1];
  return target === undefined ? undefined : originOf(around, target.expr);
}
