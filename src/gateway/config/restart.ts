import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from './load.ts';

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

/** Which changed keys a reload cannot put in force; of the seal key's file what is in it counts, too. Pure; never throws. */
export function needsRestart(before: LoadedConfig, after: LoadedConfig): string[] {
  const changed = AT_START.filter((key) => !isDeepStrictEqual(before.config[key], after.config[key]));
  const resealed = before.materials.sealKey?.id !== after.materials.sealKey?.id;
  return resealed && !changed.includes('audit') ? [...changed, 'audit.sealKey'] : changed;
}
