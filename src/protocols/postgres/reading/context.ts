import { HoopError } from '../../../core/errors.ts';
import type { PolicyValue } from '../../../policy/model.ts';

type Context = Readonly<Record<string, PolicyValue>>;

/**
 * Several statements are judged together, so a fact holds for the string only in its worst case: a condition counts
 * if all have one, a tautology if any has one; sets are united.
 */
export function mergeContexts(a: Context, b: Context): Context {
  const merged: Record<string, PolicyValue> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key];
    if (before === undefined) merged[key] = value;
    else if (key === 'hasWhere') merged[key] = before === true && value === true;
    else if (typeof value === 'boolean') merged[key] = before === true || value;
    else if (Array.isArray(value) && Array.isArray(before)) merged[key] = [...new Set([...before, ...value])];
    else if (before !== value)
      throw new HoopError('ERR_INTERNAL', undefined, { detail: `context ${key} cannot be merged` });
  }
  return merged;
}
