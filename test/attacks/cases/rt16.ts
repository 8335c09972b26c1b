import type { AttackGroup } from '../attack.ts';

/** Hints that teach the way round, and changes of whole tables. */
export const RT16: readonly AttackGroup[] = [];
