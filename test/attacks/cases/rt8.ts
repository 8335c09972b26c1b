import type { AttackGroup } from '../attack.ts';

/** Masked columns that are written. */
export const RT8: readonly AttackGroup[] = [];
