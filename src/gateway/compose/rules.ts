import type { AuditLog } from '../../audit/event.ts';
import { Allowance } from '../../core/allowance.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { Turns } from '../../core/turns.ts';
import { createEnforcer } from '../../enforcement/enforcer.ts';
import type { Enforcer } from '../../enforcement/operation.ts';
import type { CredentialCheck, Principal } from '../../identity/principal.ts';
import { BUILTIN_TAGS } from '../../masking/detectors/builtin.ts';
import { DetectorSet } from '../../masking/detectors/index.ts';
import { CedarEngine } from '../../policy/engine.ts';
import type { Decision, PolicyEngine, PolicyObject } from '../../policy/model.ts';
import type { Adapter } from '../../protocols/adapter.ts';
import { createPostgresAdapter } from '../../protocols/postgres/adapter.ts';
import { SqlParser } from '../../protocols/postgres/sql/parse/parser.ts';
import type { LoadedConfig } from '../config/load.ts';
import { readText } from '../config/materials.ts';
import { formatMistake } from '../config/mistake.ts';
import { readPolicies } from '../config/policies.ts';
import type { ResourceConfig } from '../config/schema.ts';
import { type GatewayResource, type ResourceSpec, ResourceTable } from '../tunnel/resources.ts';
import type { ConnectDecision } from '../tunnel/tunnels.ts';
import { type IdentityRules, identityRules } from './identity.ts';
import { classifiedColumns, resourceObject } from './objects.ts';

/** Makes the adapter of one resource; tests bring their own. */
export type AdapterMaker = (name: string, config: ResourceConfig) => Adapter;

export interface PrepareOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** A configuration that passed every check, ready to be put in force in one step. */
export interface PreparedRules {
  readonly loaded: LoadedConfig;
  readonly identity: IdentityRules;
  readonly engine: PolicyEngine;
  readonly detectors: Detectors;
  /** Content of each resource's authority file. */
  readonly authorities: ReadonlyMap<string, string>;
}

interface Detectors {
  readonly set: DetectorSet;
  /** Every tag that a detector can find. */
  readonly tags: readonly string[];
}

/**
 * Does everything that can fail before anything is put in force.
 *
 * @throws {HoopError} `ERR_CONFIG`, one line per mistake: policies, detectors, issuers, agents.
 */
export function prepareRules(loaded: LoadedConfig, { clock, log }: PrepareOptions): PreparedRules {
  const { config, materials } = loaded;
  const policies = readPolicies(config.policies);
  if (!policies.ok) throw new HoopError('ERR_CONFIG', policies.mistakes.map(formatMistake).join('\n'));
  for (const warning of policies.warnings)
    log.warn('a policy may not mean what it says', { at: formatMistake(warning) });
  const custom = Object.entries(config.detectors).map(([name, detector]) => ({ name, ...detector }));
  const tags = new Set([...Object.values(BUILTIN_TAGS), ...custom.map((one) => one.tags)].flat());
  return {
    loaded,
    identity: identityRules(config, materials, clock, log),
    engine: new CedarEngine(policies.set),
    detectors: { set: new DetectorSet(custom), tags: [...tags] },
    authorities: readAuthorities(loaded),
  };
}

function readAuthorities({ config }: LoadedConfig): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, { target }] of Object.entries(config.resources)) {
    if (target.caFile === undefined) continue;
    const pem = readText(target.caFile, [], (_, problem) => {
      throw new HoopError('ERR_CONFIG', problem);
    });
    if (pem !== undefined) found.set(name, pem);
  }
  return found;
}

export interface RulesDeps extends PrepareOptions {
  readonly audit: AuditLog;
  readonly credentials: CredentialCheck;
  readonly makeAdapter?: AdapterMaker;
}

/** What decides and what serves, under the configuration in force. */
export class GatewayRules {
  readonly enforcer: Enforcer;
  readonly resources: ResourceTable;
  readonly #deps: RulesDeps;
  readonly #turns = new Turns();
  readonly #parser = new SqlParser({ turns: this.#turns });
  readonly #allowance = new Allowance(LIMITS.heldBytes);
  #prepared: PreparedRules;

  constructor(deps: RulesDeps, prepared: PreparedRules) {
    this.#deps = deps;
    this.#prepared = prepared;
    this.resources = new ResourceTable(deps.log);
    const { audit, credentials, clock } = deps;
    this.enforcer = createEnforcer({ engine: () => this.#prepared.engine, audit, credentials, clock });
    this.put(prepared);
  }

  /** From the next decision and the next session on; live sessions go on under the new policy. */
  put(prepared: PreparedRules): ReturnType<ResourceTable['replace']> {
    this.#prepared = prepared;
    const { config } = prepared.loaded;
    return this.resources.replace(
      Object.entries(config.resources).map(([name, one]) => this.#spec(name, one)),
    );
  }

  policyVersion(): string {
    return this.#prepared.engine.version;
  }

  /** What policy says of something done at the gateway itself, or of a connection. */
  ask(principal: Principal, action: string, object: PolicyObject): Decision {
    return this.enforcer.evaluate(principal, [{ action, object }], {});
  }

  connect(principal: Principal, resource: GatewayResource): ConnectDecision {
    return { decision: this.ask(principal, 'connect', resource.object), policyVersion: this.policyVersion() };
  }

  /** Whether there is a resource of this name that the principal may reach, or may with an approval. */
  mayReach(principal: Principal, name: string): boolean {
    const resource = this.resources.find(name);
    return resource !== undefined && this.connect(principal, resource).decision.effect !== 'deny';
  }

  /** Whether a classified column of the resource would be masked for this principal. */
  masks(principal: Principal, { name, config }: GatewayResource): boolean {
    const { engine } = this.#prepared;
    return classifiedColumns(name, config).some((column) => !engine.reveal(principal, column).show);
  }

  async close(): Promise<void> {
    await this.resources.close();
    await this.#parser.close();
  }

  #spec(name: string, config: ResourceConfig): ResourceSpec {
    const make = this.#deps.makeAdapter ?? ((one, its) => this.#makePostgres(one, its));
    const object = resourceObject(name, config.protocol);
    const ca = this.#prepared.authorities.get(name);
    return { name, config, ca, object, make: () => make(name, config) };
  }

  #makePostgres(name: string, config: ResourceConfig): Adapter {
    const { host, port, database, tls } = config.target;
    const ca = this.#prepared.authorities.get(name);
    return createPostgresAdapter(
      {
        name,
        target: { host, port, database, tls, ...(ca === undefined ? {} : { ca }) },
        credentials: async () => ({ user: config.credentials.user, password: this.#password(name) }),
        searchPaths: config.session.searchPaths,
        classification: new Map(Object.entries(config.classification.columns)),
      },
      {
        parser: this.#parser,
        detectors: () => this.#prepared.detectors,
        clock: this.#deps.clock,
        turns: this.#turns,
        allowance: this.#allowance,
      },
    );
  }

  /** Looked up at each connection: a rotated password is used at once, while the adapter stays. */
  #password(name: string) {
    const secret = this.#prepared.loaded.materials.secrets.get(`resources.${name}.credentials.password`);
    if (secret === undefined)
      throw new HoopError('ERR_TARGET_AUTH', undefined, { detail: 'the resource was removed' });
    return secret;
  }
}
