import { systemClock } from '../../core/clock.ts';
import type { Mistake } from '../../core/config/mistake.ts';
import { HoopError, toHoopError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';
import type { LoadedPolicy } from '../../policy/load.ts';
import { resourceObject } from '../../policy/objects.ts';
import type { ReadDeps } from '../../protocols/protocol.ts';
import type { LoadedConfig } from '../config/load.ts';
import { protocolOf } from '../config/named.ts';
import { nameFaults } from '../config/names-there.ts';
import { toldOf } from './told-of.ts';

/** What came of one resource whose target has names. */
export interface TargetReport {
  readonly resource: string;
  /** False: it could not be read, for the reason that is given. */
  readonly compared: boolean;
  readonly code?: HoopError['code'];
  readonly problem?: string;
  readonly hint?: string;
}

export interface ComparedTargets {
  readonly targets: readonly TargetReport[];
  readonly mistakes: readonly Mistake[];
}

/** One after the other: a catalog is large. What is asked of targets here is the operator's own act, and in no audit. */
const DEPS: ReadDeps = { clock: systemClock, log: silentLog, audit: { append: async () => '' } };

/**
 * Reads what each target has that can say it, and compares what configuration and rules name there.
 *
 * @param loaded With secrets.
 * @param tell Told of each resource before its target is asked.
 * @returns Every name that means nothing there as a mistake. Never rejects for a target.
 */
export async function compareTargets(
  loaded: LoadedConfig,
  policies: readonly LoadedPolicy[],
  tell: (resource: string) => void,
): Promise<ComparedTargets> {
  const targets: TargetReport[] = [];
  const mistakes: Mistake[] = [];
  for (const [name, config] of Object.entries(loaded.config.resources)) {
    const { readNames, name: protocol } = protocolOf(config, loaded.protocols);
    if (readNames === undefined) continue;
    tell(name);
    try {
      const names = await readNames(
        { name, config, object: resourceObject(name, protocol), ...files(loaded, name) },
        DEPS,
      );
      mistakes.push(...nameFaults(names, name, policies, loaded).map((fault) => fault.mistake()));
      targets.push({ resource: name, compared: true });
    } catch (error) {
      const { code, message: problem, hint } = toHoopError(toldOf(name, error));
      targets.push({
        resource: name,
        compared: false,
        code,
        problem,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
  return { targets, mistakes };
}

function files({ materials }: LoadedConfig, name: string) {
  const at = (below: readonly string[]) => ['resources', name, ...below].join('.');
  return {
    authority: (below: readonly string[]) => materials.authorities.get(at(below)),
    document: (below: readonly string[]) => materials.documents.get(at(below)),
    secret: (below: readonly string[]) => {
      const secret = materials.secrets.get(at(below));
      if (secret === undefined) throw new HoopError('ERR_TARGET_AUTH');
      return secret;
    },
  };
}
