import type { AttackGroup } from '../attack.ts';

/** Refusals of what holds nothing masked. */
export const RT13: readonly AttackGroup[] = [];
