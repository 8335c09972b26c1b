import type { ExplainedColumn } from '../../../api/explanation.ts';
import type { MaskKind } from '../../../policy/model.ts';
import type { OutputColumn } from '../sql/meaning/flow/output-columns.ts';
import type { ColumnAt } from '../sql/meaning/lineage.ts';
import type { SessionMasks } from './masks.ts';

/**
 * One column of a result, for people: what it is made of, and what would become of it.
 *
 * One that carries a masked column past where the server says which it is (through a UNION, as a value) is masked whole.
 */
export function explainedColumn(
  { name, from, carried, origin }: OutputColumn,
  masks: Pick<SessionMasks, 'maskOf' | 'detected'>,
): ExplainedColumn {
  const mask = maskOf(from, origin, masks);
  return {
    name,
    from: from.map((one) => `${masks.detected.resource.id}/${one.name}`),
    ...(carried || from.length === 0 ? {} : { computed: true }),
    ...(mask === undefined ? {} : { mask }),
  };
}

function maskOf(
  from: readonly ColumnAt[],
  origin: ColumnAt | undefined,
  masks: Pick<SessionMasks, 'maskOf'>,
): MaskKind | undefined {
  if (origin !== undefined) return masks.maskOf(origin);
  return from.some((one) => masks.maskOf(one) !== undefined) ? 'redact' : undefined;
}
