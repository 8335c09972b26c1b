import { HoopError } from '../../core/errors.ts';
import type { PolicyObject } from '../../policy/model.ts';
import { hostOf } from './entities.ts';
import type { SshTargetConfig } from './target/config.ts';
import { fits } from './target/host-trust.ts';

/** One host. */
export interface Place {
  /** As it is dialled. */
  readonly name: string;
  readonly object: PolicyObject;
}

/** A host's name or an address, one part of which may be anything. */
const NAME = /^[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_][a-z0-9_-]*)*$/;

/** The hosts behind one resource: one, or all whose names a pattern fits. */
export class Places {
  readonly #resource: PolicyObject;
  readonly #target: SshTargetConfig;

  constructor(resource: PolicyObject, target: SshTargetConfig) {
    this.#resource = resource;
    this.#target = target;
  }

  /**
   * Finds a host. Pure.
   *
   * @param asked The name that a client gave; undefined: none.
   * @throws {HoopError} `ERR_NO_ACCESS` the resource has no such host; `ERR_USAGE` it has many, and none was named.
   */
  find(asked: string | undefined): Place {
    const { host, hosts } = this.#target;
    const name = asked?.toLowerCase();
    if (hosts === undefined) {
      if (host === undefined || (name !== undefined && name !== host.toLowerCase()))
        throw new HoopError('ERR_NO_ACCESS');
      return this.#place(host, {});
    }
    if (name === undefined)
      throw new HoopError('ERR_USAGE', 'this resource stands for many hosts', {
        hint: `name one that fits ${hosts.pattern}: --host`,
      });
    if (!NAME.test(name) || !fitsByParts(hosts.pattern.toLowerCase(), name))
      throw new HoopError('ERR_NO_ACCESS');
    return this.#place(name, hosts.labels);
  }

  #place(name: string, labels: Readonly<Record<string, string>>): Place {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    return { name, object: hostOf(this.#resource, name, pairs) };
  }
}

/** A star stands for no dot: `web-*.internal` is no name in another zone. */
function fitsByParts(pattern: string, name: string): boolean {
  const [patterns, parts] = [pattern.split('.'), name.split('.')];
  return patterns.length === parts.length && patterns.every((one, at) => fits(one, parts[at]!));
}
