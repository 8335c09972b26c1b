import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../core/log.ts';
import type { PolicyObject } from '../../policy/model.ts';
import type { Adapter } from '../../protocols/adapter.ts';
import type { Protocol, ResourceConfig, ResourceFacts } from '../../protocols/protocol.ts';

/** One configured resource, ready to serve. */
export interface GatewayResource {
  readonly name: string;
  readonly config: ResourceConfig;
  readonly protocol: Protocol;
  readonly facts: ResourceFacts;
  /** Its entity for policies. */
  readonly object: PolicyObject;
  readonly adapter: Adapter;
}

/** What makes two versions of a resource the same: then the adapter, with its pools and caches, stays. */
export interface ResourceSpec {
  readonly name: string;
  readonly config: ResourceConfig;
  readonly protocol: Protocol;
  /** Content of the files that it names. */
  readonly files: readonly (string | undefined)[];
  readonly object: PolicyObject;
  readonly facts: ResourceFacts;
  make(): Adapter;
}

interface Entry {
  readonly spec: ResourceSpec;
  readonly resource: GatewayResource;
  sessions: number;
  retired: boolean;
}

/**
 * The resources of the configuration in force.
 *
 * A changed or removed resource takes no new sessions; its adapter is closed when its last session has ended.
 */
export class ResourceTable {
  #entries = new Map<string, Entry>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Puts a new configuration in force. @returns Names added, changed and removed. */
  replace(specs: readonly ResourceSpec[]): { added: string[]; changed: string[]; removed: string[] } {
    const next = new Map<string, Entry>();
    const outcome = { added: [] as string[], changed: [] as string[], removed: [] as string[] };
    for (const spec of specs) {
      const old = this.#entries.get(spec.name);
      if (old !== undefined && sameSpec(old.spec, spec)) next.set(spec.name, old);
      else {
        next.set(spec.name, entryOf(spec));
        outcome[old === undefined ? 'added' : 'changed'].push(spec.name);
      }
    }
    const previous = this.#entries;
    this.#entries = next;
    for (const [name, entry] of previous) {
      if (!next.has(name)) outcome.removed.push(name);
      if (next.get(name) !== entry) this.#retire(entry);
    }
    return outcome;
  }

  find(name: string): GatewayResource | undefined {
    return this.#entries.get(name)?.resource;
  }

  list(): GatewayResource[] {
    return [...this.#entries.values()].map(({ resource }) => resource);
  }

  /** Counts a session in; the returned function counts it out, once. */
  hold(resource: GatewayResource): () => void {
    const entry = [...this.#entries.values()].find((candidate) => candidate.resource === resource);
    if (entry === undefined) return () => undefined;
    entry.sessions++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      entry.sessions--;
      if (entry.retired && entry.sessions === 0) this.#close(entry);
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ resource }) => resource.adapter.close()));
  }

  #retire(entry: Entry): void {
    entry.retired = true;
    if (entry.sessions === 0) this.#close(entry);
  }

  #close(entry: Entry): void {
    entry.resource.adapter.close().catch((error: unknown) => {
      this.#log.error('an adapter could not be closed', { resource: entry.spec.name, error: String(error) });
    });
  }
}

function entryOf(spec: ResourceSpec): Entry {
  const { name, config, protocol, object, facts } = spec;
  const resource = { name, config, protocol, facts, object, adapter: spec.make() };
  return { spec, resource, sessions: 0, retired: false };
}

function sameSpec(a: ResourceSpec, b: ResourceSpec): boolean {
  return isDeepStrictEqual([a.files, a.config], [b.files, b.config]);
}
