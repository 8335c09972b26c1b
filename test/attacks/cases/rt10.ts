import type { AttackGroup } from '../attack.ts';

/** Detectors that destroy honest data. */
export const RT10: readonly AttackGroup[] = [];
