import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../core/clock.ts';
import { nearest } from '../../core/config/mistake.ts';
import { HoopError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { AgentRegistry } from '../../identity/agents.ts';
import { Authenticator } from '../../identity/authenticate.ts';
import { TokenExchange } from '../../identity/exchange.ts';
import { InstanceRegistry } from '../../identity/instances.ts';
import type { IssuerConfig as TrustedIssuerConfig } from '../../identity/issuers/config.ts';
import { IssuerRegistry } from '../../identity/issuers/issuer.ts';
import { NonceSource } from '../../identity/nonces.ts';
import type { Principal } from '../../identity/principal.ts';
import { GatewayTokens } from '../../identity/tokens.ts';
import { UsedTokens } from '../../identity/used-tokens.ts';
import type { Vocabulary } from '../../policy/vocabulary/index.ts';
import { SqliteRevocationStore } from '../../storage/revocations.ts';
import { type ApiContext, singleField } from '../api/context.ts';
import type { Materials } from '../config/materials.ts';
import type { HoopdConfig } from '../config/schema.ts';
import type { GatewayState } from '../state/state.ts';
import { exporterOf, pathOf } from '../tunnel/request.ts';

/** Names of resources are alike by intention: one slip. */
const MOST_APART = 1;

export interface IdentityOptions {
  readonly publicUrl: string;
  readonly state: GatewayState;
  readonly vocabulary: Vocabulary;
  /** Of hoopd's own tokens, ms. */
  readonly tokenLifetimeMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether policy lets the principal, narrowed by nothing, connect to a resource of this name. */
  mayReach(principal: Principal, resource: string): boolean;
  resourceNames(): readonly string[];
}

/** Issuers and agents of one configuration, checked and ready to be put in force. */
export interface IdentityRules {
  readonly issuers: IssuerRegistry;
  readonly agents: AgentRegistry;
}

/** Who may come in: what lives as long as the process, and what a reload exchanges. */
export class GatewayIdentity {
  readonly instances: InstanceRegistry;
  readonly nonces: NonceSource;
  readonly #options: IdentityOptions;
  readonly #authenticator: Authenticator;
  readonly #tokens: GatewayTokens;
  readonly #usedTokens = new UsedTokens();
  #rules: IdentityRules;
  #exchange: TokenExchange;

  constructor(options: IdentityOptions, rules: IdentityRules) {
    const { publicUrl, state, clock, log, tokenLifetimeMs: lifetimeMs } = options;
    this.#options = options;
    this.nonces = new NonceSource(clock.now());
    this.instances = new InstanceRegistry({ clock, log, store: new SqliteRevocationStore(state.database) });
    this.#tokens = new GatewayTokens({ key: state.tokenKey, gateway: publicUrl, clock, lifetimeMs });
    this.#authenticator = new Authenticator({ tokens: this.#tokens, instances: this.instances, clock });
    this.#rules = rules;
    this.#exchange = this.#makeExchange(rules);
  }

  get issuers(): IssuerRegistry {
    return this.#rules.issuers;
  }

  get exchange(): TokenExchange {
    return this.#exchange;
  }

  /** From the next exchange or renewal on. Instances and their deadlines stay, and so do keys that were fetched. */
  put(rules: IdentityRules): void {
    rules.issuers.adoptKeys(this.#rules.issuers);
    this.#rules = rules;
    this.#exchange = this.#makeExchange(rules);
  }

  /** One API request: the proof must carry our nonce and is used up. */
  authenticateApi(context: ApiContext): Promise<Principal> {
    return this.#authenticator.authenticate({
      authorization: singleField(context, 'authorization'),
      proof: singleField(context, 'dpop'),
      method: context.req.method,
      url: this.#options.publicUrl + context.req.path,
      requireNonce: this.nonces,
    });
  }

  /** One stream: the proof is worth something on this TLS connection only. */
  async authenticateStream(request: IncomingMessage, socket: Duplex): Promise<Principal> {
    const { authorization, dpop } = request.headersDistinct;
    if ((authorization?.length ?? 0) > 1 || (dpop?.length ?? 0) > 1)
      throw new HoopError('ERR_USAGE', 'a credential is given twice');
    return this.#authenticator.authenticate({
      authorization: authorization?.[0],
      proof: dpop?.[0],
      method: 'GET',
      url: this.#options.publicUrl + pathOf(request),
      exporter: exporterOf(socket),
    });
  }

  close(): void {
    this.instances.close();
  }

  /** Policy is asked only about names that are near, since that takes its time. */
  #nearest(principal: Principal, word: string): string | undefined {
    const { vocabulary, resourceNames, mayReach } = this.#options;
    const near = resourceNames().filter((name) => nearest(word, [name], MOST_APART) !== undefined);
    const known = [...vocabulary.words(), ...near.filter((name) => mayReach(principal, name))];
    return nearest(word, known, MOST_APART);
  }

  #makeExchange(rules: IdentityRules): TokenExchange {
    const { instances } = this;
    return new TokenExchange({
      ...rules,
      words: {
        verbsOf: (word) => this.#options.vocabulary.verbsOf(word),
        isResource: (principal, name) => this.#options.mayReach(principal, name),
        nearest: (principal, word) => this.#nearest(principal, word),
      },
      tokens: this.#tokens,
      instances,
      clock: this.#options.clock,
      usedTokens: this.#usedTokens,
    });
  }
}

/**
 * Checks issuers and agents of a configuration. Fetches nothing.
 *
 * @throws {HoopError} `ERR_CONFIG` what the rooms themselves find wrong.
 */
export function identityRules(
  config: HoopdConfig,
  materials: Materials,
  clock: Clock,
  log: Log,
): IdentityRules {
  const issuers = config.issuers.map((entry, index): TrustedIssuerConfig => {
    const secret = materials.secrets.get(`issuers.${index}.clientSecret`);
    const { maxSession, clientSecret: _, web, caFile: __, directory: ___, ...rest } = entry;
    const webSecret = materials.secrets.get(`issuers.${index}.web.clientSecret`);
    const files = materials.issuers[index];
    return {
      ...rest,
      ...files,
      maxSessionMs: maxSession,
      clientSecret: secret?.expose(),
      web: web && { clientId: web.clientId, clientSecret: webSecret?.expose() },
    };
  });
  return { issuers: new IssuerRegistry(issuers, { clock, log }), agents: new AgentRegistry(config.agents) };
}
