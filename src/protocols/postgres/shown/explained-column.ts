import type { ExplainedColumn } from '../../../api/explanation.ts';
import type { MaskedField } from '../../../masking/json/field-states.ts';
import { kindOf } from '../../../masking/mask.ts';
import type { MaskKind } from '../../../policy/model.ts';
import type { OutputColumn } from '../sql/meaning/flow/output-columns.ts';
import type { ColumnAt } from '../sql/meaning/lineage.ts';
import type { SessionMasks } from './masks.ts';

/**
 * One column of a result, for people: what it is made of, and what would become of it.
 *
 * One that carries a masked column past where the server says which it is (through a UNION, as a value) is masked whole.
 *
 * @param found By analysis: that nothing masked is in it, whatever it is made of; that it is hidden whole, where nobody classified it too.
 */
export function explainedColumn(
  { name, from, carried, origin }: OutputColumn,
  masks: Pick<SessionMasks, 'maskOf' | 'masksRelation' | 'membersOf' | 'detected' | 'pseudonymsRefused'>,
  found: 'safe' | 'masked' | 'hidden',
): ExplainedColumn {
  const members = origin && masks.membersOf(origin);
  const shown = found === 'safe' && origin === undefined;
  const masked = members !== undefined ? 'members' : shown ? undefined : maskOf(from, origin, masks);
  const mask = found === 'hidden' ? 'redact' : masked;
  const refused = origin && masks.pseudonymsRefused(origin);
  return {
    name,
    from: from.map((one) => `${masks.detected.resource.id}/${one.name}`),
    ...(carried || from.length === 0 ? {} : { computed: true }),
    ...(mask === undefined ? {} : { mask }),
    ...(members === undefined ? {} : { members: byPath(members) }),
    ...(mask === undefined || refused === undefined ? {} : { pseudonymsRefused: refused }),
  };
}

function byPath(members: readonly MaskedField[]): Record<string, string> {
  return Object.fromEntries(members.map(({ path, kind }) => [path.text, kindOf(kind)]));
}

function maskOf(
  from: readonly ColumnAt[],
  origin: ColumnAt | undefined,
  masks: Pick<SessionMasks, 'maskOf' | 'masksRelation'>,
): MaskKind | undefined {
  // A row as a whole.
  if (origin?.attribute === 0) return masks.masksRelation(origin.relation) ? 'redact' : undefined;
  if (origin !== undefined) {
    const mask = masks.maskOf(origin);
    return mask && kindOf(mask);
  }
  return from.some((one) => masks.maskOf(one) !== undefined) ? 'redact' : undefined;
}
