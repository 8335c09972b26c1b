import { isDeepStrictEqual } from 'node:util';
import type { HoopdConfig } from './schema.ts';

/** Keys that are read once, at the start. */
const AT_START = [
  'listen',
  'publicUrl',
  'state',
  'recordings',
  'audit',
  'tokens',
  'limits',
  'drain',
] as const;

/** Which changed keys a reload cannot put in force. Pure; never throws. */
export function needsRestart(before: HoopdConfig, after: HoopdConfig): string[] {
  return AT_START.filter((key) => !isDeepStrictEqual(before[key], after[key]));
}
