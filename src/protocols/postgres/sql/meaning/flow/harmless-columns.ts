import type { Relation } from '../../../catalog/model/model.ts';
import { sensitiveColumns } from '../../../catalog/model/sensitive.ts';
import { FIRST_USER_OID } from '../../../catalog/system/objects.ts';
import type { AnalysisCatalog } from '../../analysis/catalog.ts';
import type { Query } from '../../analysis/tree.ts';
import type { RelationUse, StatementFacts } from '../../facts/facts.ts';
import type { LazyAnalysis } from '../analysed.ts';
import type { NameScope } from '../name-scope.ts';
import { ColumnTrace } from './column-trace.ts';
import { shownOf, TooMuch } from './query-trace.ts';
import { isTotal } from './total.ts';

const NONE: ReadonlySet<number> = new Set();

/**
 * Columns of a query's result, from 0, that hold something of the columns by which a relation of the system's is sensitive.
 *
 * @returns Undefined where that is not certain, or where it comes to more than the result: it is compared, stored, or computed with in
 *   a way of which more might be seen than a value that is hidden. Pure.
 */
export function sensitiveOutputs(
  relation: Relation,
  facts: StatementFacts,
  names: NameScope,
  analysed: LazyAnalysis,
): readonly number[] | undefined {
  const columns = sensitiveColumns(relation);
  // A view of users may read it too, and otherwise.
  const isOfSystem = ({ role, schema, name }: RelationUse) =>
    role === 'read' && (names.relation(schema, name).relation?.oid ?? FIRST_USER_OID) < FIRST_USER_OID;
  if (columns === undefined || !isByItself(facts) || !facts.relations.every(isOfSystem)) return undefined;
  const found = analysed();
  return found && outputsWith(found.query, relation.oid, columns, found.catalog);
}

/** A query of which nothing else is asked, and whose rows come at once. */
export function isByItself({ kind, explain, copy, materializes }: StatementFacts): boolean {
  return kind === 'query' && explain === undefined && copy === undefined && !materializes;
}

function outputsWith(
  query: Query,
  relation: number,
  columns: ReadonlySet<number>,
  catalog: AnalysisCatalog,
): readonly number[] | undefined {
  try {
    const traced = (one: Query) => {
      const trace = new ColumnTrace((oid) => (oid === relation ? columns : NONE));
      const outputs = trace.outputs(trace.follow(one));
      return {
        isLooked: trace.looked.size > 0,
        outputs: outputs.flatMap((of, index) => (of.size > 0 ? [index] : [])),
      };
    };
    const whole = traced(query);
    if (!whole.isLooked) return whole.outputs;
    // What cannot fail, nor give more or fewer rows, is hidden with all that it has.
    const made = shownOf(query).flatMap(({ ref, expr }, index) =>
      ref === 0 && isTotal(expr, catalog) ? [index] : [],
    );
    if (query.set !== undefined || traced(without(query, made)).isLooked) return undefined;
    const alone = (index: number) => made.filter((other) => other !== index);
    return [
      ...whole.outputs.filter((index) => !made.includes(index)),
      ...made.filter((index) => {
        const { isLooked, outputs } = traced(without(query, alone(index)));
        return isLooked || outputs.includes(index);
      }),
    ];
  } catch (error) {
    if (error instanceof TooMuch) return undefined;
    throw error;
  }
}

/** The query, with nothing in the place of some of the columns that it gives. */
function without(query: Query, outputs: readonly number[]): Query {
  const left = new Set(outputs.map((index) => shownOf(query)[index]));
  const targets = query.targets.map((target) => {
    if (!left.has(target)) return target;
    const { type, modifier } = target.expr;
    return { ...target, expr: { kind: 'Const', type, modifier, value: null } as const };
  });
  return { ...query, targets };
}
