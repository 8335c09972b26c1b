import type { Relation } from '../../../catalog/model/model.ts';
import { sensitiveColumns } from '../../../catalog/model/sensitive.ts';
import { FIRST_USER_OID } from '../../../catalog/system/objects.ts';
import type { Query } from '../../analysis/tree.ts';
import type { RelationUse, StatementFacts } from '../../facts/facts.ts';
import type { LazyAnalysis } from '../analysed.ts';
import type { NameScope } from '../name-scope.ts';
import { ColumnTrace } from './column-trace.ts';
import { TooMuch } from './query-trace.ts';

const NONE: ReadonlySet<number> = new Set();

/**
 * Whether a query reads nothing but relations of the system, and of a sensitive one no column by which it is so.
 *
 * @returns False too where that is not certain. Pure.
 */
export function readsHarmlessColumns(
  relation: Relation,
  { kind, explain, copy, materializes, relations }: StatementFacts,
  names: NameScope,
  analysed: LazyAnalysis,
): boolean {
  const columns = sensitiveColumns(relation);
  const isPlain = kind === 'query' && explain === undefined && copy === undefined && !materializes;
  // A view of users may read it too, and otherwise.
  const isOfSystem = ({ role, schema, name }: RelationUse) =>
    role === 'read' && (names.relation(schema, name).relation?.oid ?? FIRST_USER_OID) < FIRST_USER_OID;
  if (columns === undefined || !isPlain || !relations.every(isOfSystem)) return false;
  const found = analysed();
  return found !== undefined && usesNone(found.query, relation.oid, columns);
}

/** None of the columns comes to the result, is computed with, or decides on anything. */
function usesNone(query: Query, relation: number, columns: ReadonlySet<number>): boolean {
  try {
    const trace = new ColumnTrace((one) => (one === relation ? columns : NONE));
    const top = trace.follow(query);
    return trace.looked.size === 0 && trace.outputs(top).every(({ size }) => size === 0);
  } catch (error) {
    if (error instanceof TooMuch) return false;
    throw error;
  }
}
