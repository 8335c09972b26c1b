import { HINTS } from '../../../hints.ts';
import type { Query } from '../../analysis/tree.ts';
import { ColumnTrace, type MayLookUp, type MaySee, type UsesFields } from './column-trace.ts';
import type { Flow, TouchedRelation } from './masked-flow.ts';
import { shownOf, TooMuch } from './query-trace.ts';

/**
 * Follows masked columns through an analysed statement, from where they are read to where they are shown.
 *
 * They may be carried: through subqueries, common table expressions, joins and arms of UNION ALL, as a scalar subquery, under
 * another name or type that needs no computing. Wherever one decides on something (which rows there are,
 * in which order, how often), is computed with, compared or stored, the statement is refused.
 *
 * @param touched All relations that it names.
 * @param may.lookUp Columns of which may be asked whether they equal something; default none.
 * @param may.see Where documents with masked members may be read; default nowhere.
 * @param may.useFields Of which fields of a row what a function gives is made; default of all.
 * @returns Undefined: it reads what is not among these, or it is too much to follow. Pure.
 */
export function analysedFlow(
  query: Query,
  touched: readonly TouchedRelation[],
  may: {
    readonly lookUp?: MayLookUp | undefined;
    readonly see?: MaySee | undefined;
    readonly useFields?: UsesFields | undefined;
  } = {},
): Flow | undefined {
  try {
    const masked = maskedNames(touched);
    const options = {
      ...(may.lookUp === undefined ? {} : { mayLookUp: may.lookUp }),
      ...(may.see === undefined ? {} : { maySee: may.see }),
      ...(may.useFields === undefined ? {} : { usesFields: may.useFields }),
    };
    const trace = new ColumnTrace((relation) => masked.get(relation)?.numbers, options);
    const top = trace.follow(query);
    // A collation decides which texts are equal, and one of the client's own might say of half of all that they are.
    const coarse = trace.collates ? [...trace.lookups.values()].flatMap((of) => [...of]) : [];
    const [looked] = [...trace.looked, ...coarse];
    if (looked !== undefined) return { safe: [], ...refusal(nameOf(looked, masked)) };
    const told = {
      ...(trace.lookups.size === 0 ? {} : { lookups: [...trace.lookups.values()] }),
      ...(trace.stepped ? ({ stepped: true } as const) : {}),
    };
    if (shownOf(query).length === 0) return { safe: [], ...told };
    const outputs = trace.outputs(top);
    const safe = outputs.flatMap((sources, index) => (sources.size === 0 ? [index] : []));
    return { safe, columns: outputs.length, analysed: true, ...told };
  } catch (error) {
    if (error instanceof TooMuch) return undefined;
    throw error;
  }
}

function refusal(column: string): Pick<Flow, 'refusal'> {
  return {
    refusal: {
      code: 'ERR_DENIED',
      rule: 'masked-column-flow',
      reason: `column ${column} is masked for you and may only stand alone in the select list`,
      hint: HINTS.leaveOutOrAlone,
      leaveOut: [column],
    },
  };
}

/** Masked columns of one relation. */
interface Masked {
  readonly numbers: ReadonlySet<number>;
  /** By number, for people. */
  readonly names: ReadonlyMap<number, string>;
}

function maskedNames(touched: readonly TouchedRelation[]): Map<number, Masked> {
  const found = new Map<number, Masked>();
  for (const { relation, masked } of touched) {
    if (relation === undefined) continue;
    const columns = [...relation.columns.values()].filter(({ name }) => masked.has(name));
    const names = columns.map(
      ({ attnum, name }) => [attnum, `${relation.schema}.${relation.name}.${name}`] as const,
    );
    found.set(relation.oid, { numbers: new Set(names.map(([number]) => number)), names: new Map(names) });
  }
  return found;
}

function nameOf(key: string, masked: ReadonlyMap<number, Masked>): string {
  const [relation = '', attribute = ''] = key.split('.');
  return masked.get(Number(relation))?.names.get(Number(attribute)) ?? key;
}
