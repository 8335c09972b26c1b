import type { AttackGroup } from '../attack.ts';

/** Plausible values that are false. */
export const RT9: readonly AttackGroup[] = [];
