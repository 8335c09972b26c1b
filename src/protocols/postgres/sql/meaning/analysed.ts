import { once } from '../../../../core/later.ts';
import type { Catalog } from '../../catalog/model/model.ts';
import { analyse } from '../analysis/analyse.ts';
import type { AnalysisCatalog } from '../analysis/catalog.ts';
import type { Query } from '../analysis/tree.ts';
import { NotThere, Uncertain } from '../analysis/uncertain.ts';
import type { StatementFacts } from '../facts/facts.ts';
import type { NameScope } from './name-scope.ts';

/** What the server makes of a statement, and by which catalog. */
interface Analysed {
  readonly query: Query;
  readonly catalog: AnalysisCatalog;
}

/** Gives undefined where the analysis is not certain. */
export type LazyAnalysis = () => Analysed | undefined;

/**
 * A statement's analysis, made when it is first asked for, by what names stand for now.
 *
 * @param parameterTypes As a Parse message gives them.
 * @param lacks Told of a column, function or type that is named and not there: the first one, as the server would.
 */
export function analysisOf(
  { tree }: StatementFacts,
  catalog: Catalog,
  names: NameScope,
  parameterTypes: readonly number[],
  lacks: (name: string) => void,
): LazyAnalysis {
  const path = names.settled;
  if (tree === undefined || path === undefined) return () => undefined;
  return once(() => {
    const analysis = catalog.analysis(path);
    try {
      return { query: analyse(tree.read(), analysis, parameterTypes), catalog: analysis };
    } catch (error) {
      if (error instanceof NotThere) lacks(error.lacks);
      if (error instanceof Uncertain) return undefined;
      throw error;
    }
  });
}
