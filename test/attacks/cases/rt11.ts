import type { AttackGroup } from '../attack.ts';

/** Legal sequences that hang or end, and identities that differ from themselves. */
export const RT11: readonly AttackGroup[] = [];
