import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Mistake } from '../../core/config/mistake.ts';
import { loadPolicies, type PolicyFault, type PolicySet } from '../../policy/load.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { strangeApprovals } from './policy-approvals.ts';
import { type Named, strangeNames } from './policy-names.ts';
import { strangeTags, type Tagged } from './policy-tags.ts';
import type { HoopdConfig } from './schema.ts';

/** Largest policy file, octets. */
const MAX_FILE_BYTES = 1024 * 1024;
const ENDING = '.cedar';

export type LoadedPolicies =
  | { readonly ok: true; readonly set: PolicySet; readonly warnings: readonly Mistake[] }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/**
 * Reads and checks every `*.cedar` file of the configuration's directory; names that it does not know are warnings.
 *
 * Effects: reads files. A directory without any is a valid set that permits nothing. Never throws.
 */
export function readPolicies(
  vocabulary: Vocabulary,
  config: Named & Tagged & Pick<HoopdConfig, 'policies'>,
): LoadedPolicies {
  const dir = config.policies;
  const shown = (name: string) => join(basename(dir), name);
  const unreadable = (name: string, problem: string): LoadedPolicies => ({
    ok: false,
    mistakes: [
      { file: shown(name), line: 1, column: 1, path: '', problem, cure: 'correct the file or its mode' },
    ],
  });
  let found: readonly Dirent[];
  try {
    found = readdirSync(dir, { withFileTypes: true });
  } catch {
    return unreadable('', 'the directory cannot be read');
  }
  const names = found.map(({ name }) => name).filter((name) => name.endsWith(ENDING));
  const files = [];
  for (const name of names) {
    try {
      const path = join(dir, name);
      if (statSync(path).size > MAX_FILE_BYTES) return unreadable(name, 'is larger than 1 MiB');
      files.push({ name: shown(name), text: readFileSync(path, 'utf8') });
    } catch {
      return unreadable(name, 'cannot be read');
    }
  }
  const loaded = loadPolicies(vocabulary, files);
  if (!loaded.ok) return { ok: false, mistakes: loaded.faults.map(mistakeOf) };
  return {
    ok: true,
    set: loaded.set,
    warnings: [
      ...(files.length === 0 ? [nothingPermitted(shown(''))] : []),
      ...found.flatMap((entry) => leftOut(dir, entry)).map((name) => notRead(shown(name))),
      ...loaded.warnings.map(mistakeOf),
      ...strangeNames(loaded.set.policies, config),
      ...strangeTags(loaded.set.policies, config),
      ...strangeApprovals(loaded.set),
    ],
  };
}

/** Looks like a file of rules, and is none: `shop.cedar.bak`, `shop.CEDAR`. */
const ALMOST = /\.cedar(?!\.ya?ml$|\.md$|schema)/i;

/** What is passed over and was perhaps meant to be read: in a folder below, under a name that ends otherwise. Effects: reads folders. */
function leftOut(dir: string, entry: Dirent): string[] {
  const { name } = entry;
  // Mounts and editors keep copies of what is here under such names.
  if (name.startsWith('.') || name.endsWith(ENDING)) return [];
  if (!entry.isDirectory()) return ALMOST.test(name) ? [name] : [];
  try {
    const below = readdirSync(join(dir, name));
    return below.filter((one) => one.endsWith(ENDING)).map((one) => join(name, one));
  } catch {
    return [];
  }
}

function notRead(file: string): Mistake {
  const problem = 'is not read: rules are in files *.cedar of the directory itself';
  return { file, line: 1, column: 1, path: '', problem, cure: 'move it there, or away' };
}

function nothingPermitted(dir: string): Mistake {
  const problem = 'there is no policy (*.cedar) here, so that nothing is permitted to anybody';
  return { file: dir, line: 1, column: 1, path: '', problem, cure: 'begin with hoopctl policy pack --help' };
}

/** A fault of a policy as a mistake of the configuration. Pure. */
export function mistakeOf({ file, line, column, message, cure }: PolicyFault): Mistake {
  return {
    file,
    line,
    column,
    path: '',
    problem: message.replace(/\s+/g, ' '),
    cure: cure.replace(/\s+/g, ' '),
  };
}
