import type { AttackGroup } from '../attack.ts';

/** Unbounded work on what all sessions share. */
export const RT2: readonly AttackGroup[] = [];
