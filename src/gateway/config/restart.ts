import { isDeepStrictEqual } from 'node:util';
import type { SealKey } from '../../audit/keys.ts';
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

/** Which changed keys a reload cannot put in force; of the seal keys' files what is in them counts, too. Pure; never throws. */
export function needsRestart(before: LoadedConfig, after: LoadedConfig): string[] {
  const changed = AT_START.filter((key) => !isDeepStrictEqual(before.config[key], after.config[key]));
  if (changed.includes('audit')) return changed;
  const ids = (keys: readonly (SealKey | undefined)[]) => keys.map((key) => key?.id);
  const differ = (one: readonly (SealKey | undefined)[], other: readonly (SealKey | undefined)[]) =>
    !isDeepStrictEqual(ids(one), ids(other));
  const [was, is] = [before.materials, after.materials];
  return [
    ...changed,
    ...(differ([was.sealKey], [is.sealKey]) ? ['audit.sealKey'] : []),
    ...(differ(was.formerSealKeys, is.formerSealKeys) ? ['audit.formerSealKeys'] : []),
  ];
}
