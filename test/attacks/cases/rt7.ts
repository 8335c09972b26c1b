import type { AttackGroup } from '../attack.ts';

/** Binary results that escape detection. */
export const RT7: readonly AttackGroup[] = [];
