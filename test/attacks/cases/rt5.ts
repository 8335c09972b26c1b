import type { AttackGroup } from '../attack.ts';

/** Two answers to "is this masked?". */
export const RT5: readonly AttackGroup[] = [];
