import type { AttackGroup } from '../attack.ts';

/** Names resolved by another path than the server's. */
export const RT6: readonly AttackGroup[] = [];
