import type { AttackGroup } from '../attack.ts';

/** What reaches the target before its event, and what runs unseen. */
export const RT4: readonly AttackGroup[] = [];
