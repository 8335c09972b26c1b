/**
 * Names that a shell completes: what hoopctl has listed last, in plain files, so that nobody is asked and nothing is
 * started while somebody types.
 */
import { join } from 'node:path';
import { ensurePrivateDir, readPrivateFile, writePrivateFile } from './private-files.ts';

/** What is remembered for each profile; the names of the profiles themselves are one list. */
export type NameKind = 'resources' | 'sessions' | 'approvals';

/** Nothing else is written: a shell reads it. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** A shell reads them all at each Tab: some milliseconds for so many. */
const MAX_NAMES = 1000;
const MAX_BYTES = 129 * MAX_NAMES;

/**
 * Remembers names of a profile's gateway in the place of those before, one a line, at most 1,000.
 *
 * A comfort: whatever stands in the way of it is passed over. Never throws.
 *
 * @param names Newest first, where they have an age. What is not plain is left out.
 */
export function rememberNames(
  directory: string,
  profile: string,
  kind: NameKind,
  names: readonly string[],
): Promise<void> {
  return keep(directory, `${profile}.${kind}`, names);
}

/** Remembers which profiles there are. Never throws. */
export function rememberProfiles(directory: string, names: readonly string[]): Promise<void> {
  return keep(directory, 'profiles', names);
}

async function keep(directory: string, file: string, names: readonly string[]): Promise<void> {
  const plain = [...new Set(names)].filter((name) => PLAIN.test(name)).slice(0, MAX_NAMES);
  const text = plain.map((name) => `${name}\n`).join('');
  const folder = join(directory, 'names');
  const path = join(folder, file);
  try {
    await ensurePrivateDir(folder);
    const known = await readPrivateFile(path, MAX_BYTES);
    if (known?.toString('utf8') !== text) await writePrivateFile(path, text);
  } catch {
    // A folder that cannot be written has no completion of names, and everything else.
  }
}
