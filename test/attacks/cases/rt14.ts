import type { AttackGroup } from '../attack.ts';

/** Messages that mislead. */
export const RT14: readonly AttackGroup[] = [];
