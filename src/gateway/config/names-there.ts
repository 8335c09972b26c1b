import { basename } from 'node:path';
import type { Mistake } from '../../core/config/mistake.ts';
import { dotted } from '../../core/config/mistakes-from-zod.ts';
import type { LoadedPolicy } from '../../policy/load.ts';
import type { TargetNames } from '../../protocols/protocol.ts';
import type { LoadedConfig } from './load.ts';

/** A name that means nothing at its target, or not what it seems to. */
export interface NameFault {
  /** The same for the same fault. */
  readonly key: string;
  /** Made when it is asked for: it may look through all that there is. */
  mistake(): Mistake;
}

/**
 * Compares what the configuration and the rules name at a resource with what its target has.
 *
 * Pure. Names of other kinds, and of other resources, are left out.
 *
 * @param resource Its name in the configuration.
 * @returns Those of the configuration first, then those of each rule in order.
 */
export function nameFaults(
  target: TargetNames,
  resource: string,
  policies: readonly LoadedPolicy[],
  { file, locate }: Pick<LoadedConfig, 'file' | 'locate'>,
): NameFault[] {
  const settings = target.configured().map(({ path: below, problem, cure }) => {
    const path = ['resources', resource, ...below];
    const at = { file: basename(file), path: dotted(path), problem };
    return {
      key: JSON.stringify([path, problem]),
      mistake: () => ({ ...at, ...locate(path), cure: cure() }),
    };
  });
  const rules = policies.flatMap(({ id: rule, file: from, line, named, hides }) =>
    named.flatMap(({ type, id }) => {
      const strange = id.startsWith(`${resource}/`) ? target.named({ type, id, hides }) : undefined;
      if (strange === undefined) return [];
      const problem = `rule ${JSON.stringify(rule)} names ${type}::${JSON.stringify(id)}, ${strange.problem}`;
      const at = { file: from, line, column: 1, path: '', problem };
      return [{ key: JSON.stringify([from, problem]), mistake: () => ({ ...at, cure: strange.cure() }) }];
    }),
  );
  return [...settings, ...rules];
}
