import { MASK_KINDS, type MaskKind } from './model.ts';

/** The strongest of several masks; `redact`, the mask of what nobody spoke of, if there are none. */
export function strongest(kinds: Iterable<MaskKind>): MaskKind {
  let best = -1;
  for (const kind of kinds) best = Math.max(best, MASK_KINDS.indexOf(kind));
  return MASK_KINDS[best] ?? 'redact';
}
