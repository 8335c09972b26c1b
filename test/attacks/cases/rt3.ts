import type { AttackGroup } from '../attack.ts';

/** Errors and notices that quote stored values. */
export const RT3: readonly AttackGroup[] = [];
