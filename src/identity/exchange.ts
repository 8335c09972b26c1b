import { TOKEN_TYPES, type TokenRequest, type TokenResponse } from '../api/contract.ts';
import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import type { AgentRegistry, ResolvedActor } from './agents.ts';
import { type AttenuationWords, readAttenuation, withAttenuation } from './attenuation.ts';
import { instanceId } from './ids.ts';
import type { InstanceRegistry } from './instances.ts';
import type { TrustedIssuer } from './issuers/config.ts';
import type { IssuerRegistry } from './issuers/issuer.ts';
import type { Principal } from './principal.ts';
import type { VerifiedSubject } from './subject.ts';
import { type GatewayTokens, RENEWAL_GRACE_MS } from './tokens.ts';
import { UsedTokens } from './used-tokens.ts';

export interface TokenExchangeOptions {
  readonly issuers: IssuerRegistry;
  readonly agents: AgentRegistry;
  readonly tokens: GatewayTokens;
  readonly instances: InstanceRegistry;
  readonly clock: Clock;
  /** Kept across reloads of the configuration; a new one by default. */
  readonly usedTokens?: UsedTokens;
  /** What `only` may name; without it nothing can be named. */
  readonly words?: AttenuationWords;
}

/** A token's fruit, and who got it: for the audit. */
export interface Exchanged {
  readonly response: TokenResponse;
  readonly principal: Principal;
  /** Whether the instance was known before. */
  readonly renewed: boolean;
}

const NO_WORDS: AttenuationWords = {
  verbsOf: () => undefined,
  isResource: () => false,
  nearest: () => undefined,
};
const SIGN_IN_HINT = 'sign in again with hoopctl login';

/** Turns an issuer's token, or one of ours, into a fresh token of ours for one instance. */
export class TokenExchange {
  readonly #options: TokenExchangeOptions;
  readonly #usedTokens: UsedTokens;

  constructor(options: TokenExchangeOptions) {
    this.#options = options;
    this.#usedTokens = options.usedTokens ?? new UsedTokens();
  }

  /**
   * Exchanges a subject token. The answer holds only for the key that signed the request's proof.
   *
   * A known key keeps its instance, its first deadline, its actor and what it gave up; a new one makes a new instance.
   * May fetch the issuer's keys. The deadline is sign-in + `maxSession` (24 h if unset), shortened by `ttl`, never lengthened.
   *
   * @param request From `parseTokenRequest`.
   * @param proofThumbprint From `verifyProof`, called with `accessToken: undefined`.
   * @returns The token response of RFC 8693 §2.2.1.
   * @throws {HoopError} `ERR_TOKEN_INVALID` the token or its key is not acceptable; `ERR_LOGIN_EXPIRED` expired, or past
   *   its deadline; `ERR_REVOKED`; `ERR_AGENT_UNKNOWN` not this agent; `ERR_ISSUER_UNREACHABLE`; `ERR_LIMIT`;
   *   `ERR_USAGE` `only` names what is neither an action nor a resource.
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-2
   */
  async exchange(request: TokenRequest, proofThumbprint: string): Promise<TokenResponse> {
    return (await this.exchangeFor(request, proofThumbprint)).response;
  }

  /**
   * `exchange`, with the principal it was for.
   *
   * @param request As for `exchange`.
   * @param proofThumbprint As for `exchange`.
   * @returns Response, principal, and whether it was a renewal.
   * @throws {HoopError} As `exchange`.
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-2
   */
  async exchangeFor(request: TokenRequest, proofThumbprint: string): Promise<Exchanged> {
    const { instances, tokens, clock } = this.#options;
    const full =
      request.subject_token_type === TOKEN_TYPES.accessToken
        ? await this.#renewOwn(request, proofThumbprint)
        : await this.#fromIssuer(request, proofThumbprint);
    const principal = this.#narrow(full, request);
    if (clock.now() >= principal.deadline) {
      throw new HoopError('ERR_LOGIN_EXPIRED', undefined, { hint: SIGN_IN_HINT });
    }
    const known = instances.find(proofThumbprint);
    const { token, expiresAt } = await tokens.issue(principal);
    // Last, and after every await: what was revoked in the meantime, or hands a key to somebody else, gets no token.
    instances.renew(principal, expiresAt);
    return { response: this.#response(principal, token, expiresAt), principal, renewed: known !== undefined };
  }

  async #fromIssuer(request: TokenRequest, thumbprint: string): Promise<Principal> {
    const { issuers, agents, instances, clock } = this.#options;
    const type = request.subject_token_type === TOKEN_TYPES.idToken ? 'id_token' : 'jwt';
    const subject = await issuers.verifySubjectToken(request.subject_token, type);
    const config = trusted(issuers, subject.issuer);
    if (type === 'jwt' && config.singleUse === true) this.#usedTokens.use(subject, thumbprint, clock.now());
    const known = instances.find(thumbprint);
    const signIn = signInOf(subject, known);
    const run = known === undefined ? request.run : known.run;
    return {
      ...actorFields(agents.resolve(subject, request.agent)),
      issuer: subject.issuer,
      subject: subject.subject,
      attested: subject.attested,
      declared: declaredOf(request),
      ...(run === undefined ? {} : { run }),
      instance: instanceId(thumbprint),
      login: signIn.login,
      keyThumbprint: thumbprint,
      signedInAt: signIn.signedInAt,
      deadline: this.#deadline(signIn.signedInAt + config.sessionMs, request, known),
    };
  }

  /** Where the issuer cannot give a fresh token: ours again, as long as the sign-in may last. */
  async #renewOwn(request: TokenRequest, thumbprint: string): Promise<Principal> {
    const { issuers, agents, instances, tokens } = this.#options;
    const { principal } = await tokens.verify(request.subject_token, thumbprint, RENEWAL_GRACE_MS);
    const config = trusted(issuers, principal.issuer);
    if (config.maxSessionMs === undefined) {
      throw new HoopError('ERR_LOGIN_EXPIRED', 'this login is renewed at its identity provider only', {
        hint: SIGN_IN_HINT,
      });
    }
    const wanted = request.agent ?? (principal.kind === 'agent' ? principal.name : undefined);
    if (wanted !== (principal.kind === 'agent' ? principal.name : undefined)) {
      throw new HoopError('ERR_AGENT_UNKNOWN', 'a renewal cannot change the agent');
    }
    const { name, issuer, person, ...rest } = principal;
    const actor =
      person === undefined ? agents.resolveKnownMachine(name, issuer) : agents.resolvePerson(person, wanted);
    const known = instances.find(thumbprint);
    const latest = Math.min(principal.deadline, principal.signedInAt + config.maxSessionMs);
    return { ...rest, issuer, ...actorFields(actor), deadline: this.#deadline(latest, request, known) };
  }

  /** What the key gave up before stays given up, whatever this request says; it may give up more. */
  #narrow(principal: Principal, request: TokenRequest): Principal {
    const known = this.#options.instances.find(principal.keyThumbprint);
    const renewal = known !== undefined || request.subject_token_type === TOKEN_TYPES.accessToken;
    const asked = readAttenuation(
      {
        ...(request.only === undefined ? {} : { only: request.only }),
        readOnly: request.read_only === 'true',
      },
      principal,
      this.#options.words ?? NO_WORDS,
      renewal,
    );
    return withAttenuation(withAttenuation(principal, known?.attenuation), asked);
  }

  #deadline(latest: number, request: TokenRequest, known: Principal | undefined): number {
    const byTtl = request.ttl === undefined ? latest : this.#options.clock.now() + Number(request.ttl) * 1000;
    return Math.min(latest, byTtl, known?.deadline ?? latest);
  }

  #response(principal: Principal, token: string, expiresAt: number): TokenResponse {
    return {
      access_token: token,
      issued_token_type: TOKEN_TYPES.accessToken,
      token_type: 'DPoP',
      expires_in: Math.max(0, Math.floor((expiresAt - this.#options.clock.now()) / 1000)),
      instance: principal.instance,
      login: principal.login,
      deadline: new Date(principal.deadline).toISOString(),
    };
  }
}

function trusted(issuers: IssuerRegistry, issuer: string): TrustedIssuer {
  const config = issuers.find(issuer);
  if (config === undefined) throw new HoopError('ERR_TOKEN_INVALID', 'the issuer is no longer trusted here');
  return config;
}

/**
 * Without `auth_time` a refreshed token looks like a new sign-in. For a key that is known, the first sign-in stands, so
 * that refreshing never makes a login look fresh.
 */
function signInOf(
  subject: VerifiedSubject,
  known: Principal | undefined,
): { login: string; signedInAt: number } {
  if (known === undefined || subject.signInKnown) return subject;
  return { login: known.login, signedInAt: Math.min(known.signedInAt, subject.signedInAt) };
}

function actorFields(actor: ResolvedActor): Pick<Principal, 'kind' | 'name' | 'groups' | 'person'> {
  const { kind, name, groups, person } = actor;
  return { kind, name, groups, ...(person === undefined ? {} : { person }) };
}

function declaredOf(request: TokenRequest): Readonly<Record<string, string>> {
  return {
    ...(request.model === undefined ? {} : { model: request.model }),
    ...(request.model_version === undefined ? {} : { modelVersion: request.model_version }),
  };
}
