import type { MayItem } from '../../api/contract.ts';
import { ApprovalDesk, type ApprovalTerms, type DeskParts } from '../../approval/desk.ts';
import type { ChainLog } from '../../audit/log.ts';
import { Allowance } from '../../core/allowance.ts';
import type { Clock } from '../../core/clock.ts';
import { formatMistake } from '../../core/config/mistake.ts';
import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { NextStep } from '../../core/next-step.ts';
import { Secret } from '../../core/secret.ts';
import { Turns } from '../../core/turns.ts';
import { createEnforcer } from '../../enforcement/enforcer.ts';
import { mayAt } from '../../enforcement/may.ts';
import type { Enforcer } from '../../enforcement/operation.ts';
import type { CredentialCheck, Principal } from '../../identity/principal.ts';
import { BUILTIN_TAGS } from '../../masking/detectors/builtin.ts';
import { DetectorSet } from '../../masking/detectors/index.ts';
import { CedarEngine } from '../../policy/engine.ts';
import type { LoadedPolicy } from '../../policy/load.ts';
import type { Decision, PolicyEngine, PolicyObject } from '../../policy/model.ts';
import { detectedObject, resourceObject } from '../../policy/objects.ts';
import { PolicyOutlook } from '../../policy/outlook/outlook.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { WallClock } from '../../policy/wall-clock.ts';
import type { Adapter, Viewer } from '../../protocols/adapter.ts';
import type {
  ConfiguredResource,
  Detectors,
  OwnSecret,
  Protocol,
  ResourceConfig,
} from '../../protocols/protocol.ts';
import { ApprovalChanges } from '../approvals/changes.ts';
import type { LoadedConfig } from '../config/load.ts';
import { protocolOf, webhookPath } from '../config/named.ts';
import { readPolicies } from '../config/policies.ts';
import type { HoopdConfig } from '../config/schema.ts';
import type { WebhookSettings } from '../notify/webhook.ts';
import { ApprovalWebhooks } from '../notify/webhooks.ts';
import { pageOf } from '../pages/views.ts';
import { type GatewayResource, type ResourceSpec, ResourceTable } from '../tunnel/resources.ts';
import { type IdentityRules, identityRules } from './identity.ts';
import { NameWatch } from './name-watch.ts';
import { SharedByProtocol } from './shared.ts';

export interface PrepareOptions {
  readonly vocabulary: Vocabulary;
  readonly clock: Clock;
  readonly log: Log;
}

/** A configuration that passed every check, ready to be put in force in one step. */
export interface PreparedRules {
  readonly loaded: LoadedConfig;
  readonly identity: IdentityRules;
  readonly engine: PolicyEngine;
  readonly outlook: PolicyOutlook;
  readonly policies: readonly LoadedPolicy[];
  readonly detectors: Detectors;
}

/**
 * Does everything that can fail before anything is put in force.
 *
 * @throws {HoopError} `ERR_CONFIG`, one line per mistake: policies, detectors, issuers, agents.
 */
export function prepareRules(
  loaded: LoadedConfig,
  { vocabulary, clock, log }: PrepareOptions,
): PreparedRules {
  const { config, materials } = loaded;
  const policies = readPolicies(vocabulary, config);
  if (!policies.ok) throw new HoopError('ERR_CONFIG', policies.mistakes.map(formatMistake).join('\n'));
  for (const warning of policies.warnings)
    log.warn('a policy may not mean what it says', { at: formatMistake(warning) });
  const custom = Object.entries(config.detectors).map(([name, detector]) => ({ name, ...detector }));
  const tags = new Set([...Object.values(BUILTIN_TAGS), ...custom.map((one) => one.tags)].flat());
  return {
    loaded,
    identity: identityRules(config, materials, clock, log),
    engine: new CedarEngine(policies.set, new WallClock(config.timeZone, clock)),
    outlook: new PolicyOutlook(policies.set),
    policies: policies.set.policies,
    detectors: { set: new DetectorSet(custom), tags: [...tags] },
  };
}

export interface RulesDeps extends PrepareOptions {
  readonly audit: ChainLog;
  /** The gateway's name in audit chains. */
  readonly instance: string;
  readonly credentials: CredentialCheck;
  readonly ownSecret: OwnSecret;
  /** Keeps requests for approval. */
  readonly approvals: DeskParts['store'];
  readonly seal: DeskParts['seal'];
  readonly sessionLives: DeskParts['sessionLives'];
}

/** What decides and what serves, under the configuration in force. */
export class GatewayRules {
  readonly enforcer: Enforcer;
  readonly desk: ApprovalDesk;
  readonly approvalChanges = new ApprovalChanges();
  readonly resources: ResourceTable;
  readonly #deps: RulesDeps;
  readonly #turns = new Turns();
  readonly #webhooks: ApprovalWebhooks;
  readonly #shared: SharedByProtocol;
  readonly #allowance = new Allowance(LIMITS.heldBytes);
  readonly #names: NameWatch;
  #prepared: PreparedRules;

  constructor(deps: RulesDeps, prepared: PreparedRules) {
    this.#deps = deps;
    this.#prepared = prepared;
    this.#shared = new SharedByProtocol({ turns: this.#turns, ownSecret: deps.ownSecret });
    this.resources = new ResourceTable(deps.log);
    this.#names = new NameWatch({ ...deps, rules: () => this.#prepared });
    const changed = this.approvalChanges.tell;
    this.desk = new ApprovalDesk({ ...deps, store: deps.approvals, terms: () => this.#terms(), changed });
    this.#webhooks = new ApprovalWebhooks(deps);
    this.approvalChanges.subscribe((approval) => this.#webhooks.tell(approval));
    this.enforcer = createEnforcer({
      ...deps,
      desk: this.desk,
      engine: () => this.#prepared.engine,
      stepOf: (protocol, rule) => stepOf(prepared.loaded.protocols, protocol, rule),
    });
    this.put(prepared);
    // What nobody has decided yet: that it was told before the stop is not certain.
    for (const one of [...this.desk.list()].reverse()) if (one.state === 'pending') this.#webhooks.tell(one);
  }

  /** From the next decision and the next session on; live sessions go on under the new policy. */
  put(prepared: PreparedRules): ReturnType<ResourceTable['replace']> {
    this.#prepared = prepared;
    const { config } = prepared.loaded;
    this.#webhooks.put(webhooksOf(prepared.loaded));
    const changes = this.resources.replace(
      Object.entries(config.resources).map(([name, one]) => this.#spec(name, one)),
    );
    for (const name of changes.removed) this.#names.forget(name);
    this.#names.lookSoon();
    return changes;
  }

  #terms(): ApprovalTerms {
    const { config } = this.#prepared.loaded;
    const { wait, life, signIn } = config.approvals;
    const page = (id: string) => pageLink(config)?.replace('{id}', id);
    return { waitMs: wait, lifeMs: life, signedInMs: signIn, page };
  }

  /** In which rules ask for the time. */
  get timeZone(): string {
    return this.#prepared.loaded.config.timeZone;
  }

  policyVersion(): string {
    return this.#prepared.engine.version;
  }

  /** What policy says of something done at the gateway itself. */
  ask(principal: Principal, action: string, object: PolicyObject): Decision {
    return this.enforcer.evaluate(principal, [{ action, object }], {});
  }

  /** What policy lets a person see, as it is whenever it is asked. */
  viewer(principal: Principal): Viewer {
    const { enforcer } = this;
    return {
      reveal: (object) => enforcer.reveal({ principal }, object),
      allows: (pairs, context) => enforcer.evaluate(principal, pairs, context).effect === 'allow',
      policyVersion: () => enforcer.policyVersion(),
    };
  }

  /** What `connect` would answer now; the question itself is the tunnel's. */
  connect(principal: Principal, resource: GatewayResource): Decision {
    return this.ask(principal, 'connect', resource.object);
  }

  /** What may be done at a resource, before it is known to what: for those who may reach it. */
  may(principal: Principal, { object, protocol }: GatewayResource): Promise<readonly MayItem[]> {
    const { outlook } = this.#prepared;
    const deps = { outlook, vocabulary: this.#deps.vocabulary, turns: this.#turns };
    const { verbs } = protocol.vocabulary;
    return mayAt(deps, principal, object, verbs);
  }

  /** Whether there is a resource of this name that the principal may reach, or may with an approval. */
  mayReach(principal: Principal, name: string): boolean {
    const resource = this.resources.find(name);
    return resource !== undefined && this.connect(principal, resource).effect !== 'deny';
  }

  /** Whether anything classified at the resource, or of a kind that detectors find, would be masked for this principal. */
  masks(principal: Principal, { facts, object }: GatewayResource): boolean {
    const found = this.#prepared.detectors.tags.map((tag) => detectedObject(object, tag));
    return [...facts.classified, ...found].some((one) => !this.enforcer.reveal({ principal }, one).show);
  }

  async close(): Promise<void> {
    this.desk.close();
    this.#webhooks.close();
    this.#names.close();
    await this.resources.close();
    await this.#shared.close();
  }

  #spec(name: string, config: ResourceConfig): ResourceSpec {
    const { protocols, materials } = this.#prepared.loaded;
    const protocol = protocolOf(config, protocols);
    const path = (below: readonly string[]) => ['resources', name, ...below].join('.');
    const files = [
      ...protocol.authorities(config).map((one) => materials.authorities.get(path(one.path))),
      ...(protocol.documents?.(config) ?? []).map((one) => materials.documents.get(path(one.path))),
    ];
    const resource = { name, config, object: resourceObject(name, protocol.name) };
    const configured = {
      ...resource,
      authority: (below: readonly string[]) => materials.authorities.get(path(below)),
      document: (below: readonly string[]) => materials.documents.get(path(below)),
      secret: (below: readonly string[]) => this.#secret(path(below)),
    };
    const facts = protocol.describe(resource, this.#deps.ownSecret);
    return { ...resource, protocol, files, facts, make: () => this.#make(protocol, configured) };
  }

  #make(protocol: Protocol, resource: ConfiguredResource<ResourceConfig>): Adapter {
    const { clock, log, audit, instance, ownSecret } = this.#deps;
    const deps = {
      clock,
      log,
      audit,
      gateway: { gateway: instance, boot: audit.chain },
      turns: this.#turns,
      ownSecret,
      allowance: this.#allowance,
      detectors: () => this.#prepared.detectors,
      learned: this.#names.of(resource.name),
    };
    return this.#shared.adapter(protocol, (shared) => protocol.create(resource, shared, deps));
  }

  /** Looked up at each connection: a rotated secret is used at once, while the adapter stays. */
  #secret(path: string): Secret {
    const secret = this.#prepared.loaded.materials.secrets.get(path);
    if (secret === undefined)
      throw new HoopError('ERR_TARGET_AUTH', undefined, { detail: 'the resource was removed' });
    return secret;
  }
}

function webhooksOf({ config, materials }: LoadedConfig): readonly WebhookSettings[] {
  return config.approvals.webhooks.map(({ url, format, link }, index) => {
    const secret = (key: 'url' | 'secret') => materials.secrets.get(webhookPath(index, key).join('.'));
    const address = typeof url === 'string' ? new Secret(url) : secret('url');
    if (address === undefined)
      throw new HoopError('ERR_INTERNAL', undefined, { detail: 'secrets of webhooks were not loaded' });
    return { url: address, key: secret('secret'), format, link: link ?? pageLink(config) };
  });
}

/** The gateway's own page, where people can sign in to it. */
function pageLink({ publicUrl, issuers }: HoopdConfig): string | undefined {
  const served = publicUrl !== undefined && issuers.some(({ web }) => web !== undefined);
  return served ? publicUrl + pageOf('{id}') : undefined;
}

/** What follows a refusal by a protocol's own word. */
function stepOf(protocols: readonly Protocol[], name: string, rule: string): NextStep | undefined {
  const { refusals = {} } = protocols.find((one) => one.name === name) ?? {};
  return Object.hasOwn(refusals, rule) ? refusals[rule]?.next : undefined;
}
