import type { AttackGroup } from '../attack.ts';

/** Deadlines that count a running statement as idle. */
export const RT12: readonly AttackGroup[] = [];
