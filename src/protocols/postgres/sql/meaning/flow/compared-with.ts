import {
  type Catalog,
  type Column,
  closure,
  type Relation,
  type Together,
} from '../../../catalog/model/model.ts';
import { HINTS } from '../../../hints.ts';
import type { PostgresRefusal } from '../../../refusals.ts';
import type { Given } from '../effects.ts';
import type { IsMasked } from '../lineage.ts';

/**
 * Whether the server, by itself, compares what a statement writes with what is masked: in a check, an index, a generated column, a
 * row policy, the condition of a trigger or a view, or with other rows that an exclusion constraint keeps apart.
 *
 * By whether that fails, whoever may choose the one side finds the other in a few tries. What a row gets anew is no secret to
 * who writes it, so a new row is only ever compared with others. Whether a value is equal to one of a unique column is not
 * counted here.
 *
 * @returns Undefined: it does not. Pure.
 */
export function comparedWith(
  relation: Relation,
  given: Given,
  catalog: Catalog,
  isMasked: IsMasked,
): PostgresRefusal | undefined {
  const { parents, children } = catalog;
  for (const oid of [relation.oid, ...closure(relation.oid, parents), ...closure(relation.oid, children)]) {
    const one = catalog.relations.get(oid);
    const chosen = oid === relation.oid ? [{ columns: given.chosenBy, excludes: false }] : [];
    for (const together of [...(catalog.together.get(oid) ?? []), ...chosen]) {
      const found = one && masksBeside(one, together, given, isMasked);
      if (found !== undefined) return refusal(relation, found);
    }
  }
  return undefined;
}

interface Beside {
  readonly masked: Column;
  readonly written: string | undefined;
}

function masksBeside(
  { oid, columns }: Relation,
  together: Together,
  { action, columns: given }: Given,
  isMasked: IsMasked,
): Beside | undefined {
  const isAny = together.columns.includes(0);
  const members = [...columns.values()].filter(({ attnum }) => isAny || together.columns.includes(attnum));
  const masked = members.filter(({ attnum }) => isMasked(oid, attnum));
  const isGiven = ({ name }: Column) => given === undefined || given.has(name);
  // What is generated changes with others.
  const written = members.find((one) => isGiven(one) || (one.generated && !masked.includes(one)));
  if (written === undefined) return undefined;
  if (!together.excludes && action !== 'update') return undefined;
  const hidden = masked.find((one) => together.excludes || given === undefined || !isGiven(one));
  return hidden && { masked: hidden, written: given === undefined ? undefined : written.name };
}

function refusal({ schema, name }: Relation, { masked, written }: Beside): PostgresRefusal {
  const column = `${schema}.${name}.${masked.name}`;
  return {
    code: 'ERR_DENIED',
    rule: 'masked-column-flow',
    reason: `column ${column} is masked for you, and the server would compare what is written to ${written ?? 'the row'} with it`,
    hint: HINTS.keepBeside,
    ...(written === undefined ? {} : { leaveOut: [written] }),
  };
}
