import type { Clock } from '../../core/clock.ts';
import { formatMistake } from '../../core/config/mistake.ts';
import type { Log } from '../../core/log.ts';
import type { LoadedPolicy } from '../../policy/load.ts';
import type { TargetNames } from '../../protocols/protocol.ts';
import type { LoadedConfig } from '../config/load.ts';
import { type NameFault, nameFaults } from '../config/names-there.ts';

interface NameWatchParts {
  readonly log: Log;
  readonly clock: Clock;
  /** In force now. */
  readonly rules: () => {
    readonly loaded: Pick<LoadedConfig, 'file' | 'locate'>;
    readonly policies: readonly LoadedPolicy[];
  };
}

/** Targets tell often of changes; they are looked at together, and on the way of no request. */
const TOGETHER_MS = 500;
/** What is there again and gone again is told no oftener. */
const AGAIN_MS = 3_600_000;
/** Of one resource: what is beyond is counted. */
const MOST_TOLD = 100;

interface Watched {
  names?: TargetNames;
  /** By the key of its fault, when it was told. */
  readonly told: Map<string, number>;
  /** Faults of the last look. */
  standing: ReadonlySet<string>;
}

/** Tells the operator of names in configuration and rules that mean nothing at their targets: each once. */
export class NameWatch {
  readonly #parts: NameWatchParts;
  readonly #watched = new Map<string, Watched>();
  #soon: NodeJS.Timeout | undefined;

  constructor(parts: NameWatchParts) {
    this.#parts = parts;
  }

  /** @returns What the resource's adapter, from now on the only one of that name, tells. */
  of(resource: string): (names: TargetNames) => void {
    const { told, standing } = this.#watched.get(resource) ?? { told: new Map(), standing: new Set() };
    const watched: Watched = { told, standing };
    this.#watched.set(resource, watched);
    return (names) => {
      watched.names = names;
      this.lookSoon();
    };
  }

  /** @param resource One that is not configured any more. */
  forget(resource: string): void {
    this.#watched.delete(resource);
  }

  /** Configuration or rules, or what a target has, may be others. */
  lookSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      for (const [resource, watched] of this.#watched) this.#look(resource, watched);
    }, TOGETHER_MS).unref();
  }

  close(): void {
    clearTimeout(this.#soon);
    this.#watched.clear();
  }

  /** Never throws: it is told of on nobody's behalf. */
  #look(resource: string, watched: Watched): void {
    if (watched.names === undefined) return;
    const { names } = watched;
    this.#attempt(resource, () => {
      const { loaded, policies } = this.#parts.rules();
      const faults = nameFaults(names, resource, policies, loaded);
      this.#forgetOld(watched);
      watched.standing = new Set(faults.map(({ key }) => key));
      this.#tell(resource, faults, watched);
    });
  }

  #attempt(resource: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#parts.log.error('names could not be compared with the target', {
        resource,
        error: String(error),
      });
    }
  }

  /** What did not stand at the last look is told again when its time is over. */
  #forgetOld({ told, standing }: Watched): void {
    const now = this.#parts.clock.now();
    for (const [key, at] of told) if (!standing.has(key) && now - at >= AGAIN_MS) told.delete(key);
  }

  #tell(resource: string, faults: readonly NameFault[], { told }: Watched): void {
    const { log, clock } = this.#parts;
    const fresh = faults.filter(({ key }) => !told.has(key));
    for (const { key } of fresh) told.set(key, clock.now());
    const more = fresh.length - MOST_TOLD;
    this.#tellNext(resource, fresh.slice(0, MOST_TOLD), () => {
      if (more > 0)
        log.warn('more names mean nothing at their target: hoopd check --targets', { resource, more });
    });
  }

  /** One at a time: to find what may have been meant looks through all that the target has, and sessions are not to wait for it. */
  #tellNext(resource: string, [fault, ...others]: readonly NameFault[], told: () => void): void {
    if (fault === undefined) return told();
    this.#attempt(resource, () => {
      const at = formatMistake(fault.mistake());
      this.#parts.log.warn('a name means nothing at its target', { resource, at });
    });
    setImmediate(() => this.#tellNext(resource, others, told));
  }
}
