import { MAX_READ_PLACES, type StatementFacts } from '../../facts/facts.ts';
import type { TouchedRelation } from './masked-flow.ts';

/** A place in a query's FROM where a relation with masked columns is named. */
export interface MaskedRead {
  /** Of the relation's name, octets of UTF-8 from the beginning of the text. */
  readonly at: number;
  /** OID of the relation. */
  readonly relation: number;
  /** The name by which the query speaks of it, where no alias is written behind it. */
  readonly name?: string;
}

/**
 * Where a query reads relations with masked columns: all of it, and by nothing but their names in FROM.
 *
 * @param touched One entry per entry of `facts.relations`.
 * @returns In the order of the text; undefined: it does more than to query, or not all of that is known. Pure.
 */
export function maskedReads(
  facts: StatementFacts,
  touched: readonly TouchedRelation[],
): readonly MaskedRead[] | undefined {
  const { kind, relations, readPlaces, prepares, declares } = facts;
  const queries = kind === 'query' && prepares === undefined && declares === undefined;
  if (!queries || readPlaces.length >= MAX_READ_PLACES) return undefined;
  if (relations.some(({ role, inherits }) => role !== 'read' || !inherits)) return undefined;
  const reads = readPlaces.flatMap(({ relation: index, at, aliased }): MaskedRead[] => {
    const { relation, masked } = touched[index]!;
    if (relation === undefined || masked.size === 0) return [];
    return [{ at, relation: relation.oid, ...(aliased ? {} : { name: relation.name }) }];
  });
  const known = reads.length > 0 && reads.every(({ at }) => at > 0);
  return known ? reads.toSorted((one, other) => one.at - other.at) : undefined;
}
