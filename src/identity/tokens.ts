import { createHash } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import { constantTimeEqual } from '../core/secret.ts';
import { GROUPS_CURE } from './issuers/claims.ts';
import { MAX_TOKEN_BYTES } from './issuers/issuer.ts';
import { fromJose } from './issuers/jose-errors.ts';
import type { Attenuation, Principal } from './principal.ts';
import type { SigningKey } from './signing-key.ts';

/** Lifetime of hoopd's token where nobody chose a shorter one, ms. */
const TOKEN_LIFETIME_MS = 5 * 60_000;
/** A token may be handed in for renewal this long after its end, ms. */
export const RENEWAL_GRACE_MS = 60_000;
/** A token must fit into a request's head beside everything else, octets. */
const MAX_ISSUED_BYTES = 10 * 1024;
const MAX_CACHED = 10_000;
const TYPE = 'at+jwt';

const texts = z.array(z.string());
const attributes = z.record(z.string(), z.string());

/** Private claim `hoop`: the principal, but for the key, which is in `cnf`. */
const principalClaim = z.object({
  kind: z.enum(['agent', 'person']),
  name: z.string(),
  groups: texts,
  person: z.object({ issuer: z.string(), subject: z.string(), name: z.string(), groups: texts }).optional(),
  issuer: z.string(),
  subject: z.string(),
  attested: attributes,
  declared: attributes,
  run: z.string().optional(),
  instance: z.string(),
  login: z.string(),
  signedInAt: z.number(),
  deadline: z.number(),
  attenuation: z
    .object({ readOnly: z.boolean(), actions: texts.optional(), resources: texts.optional() })
    .optional(),
});

const tokenClaims = z.object({
  exp: z.number(),
  cnf: z.object({ jkt: z.string().min(1) }),
  hoop: principalClaim,
});

export interface IssuedToken {
  readonly token: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

export interface VerifiedToken {
  readonly principal: Principal;
  /** `exp`, ms since the epoch. */
  readonly expiresAt: number;
}

export interface GatewayTokensOptions {
  readonly key: SigningKey;
  /** `publicUrl`: issuer and audience of every token, compared exactly. */
  readonly gateway: string;
  readonly clock: Clock;
  /** Default five minutes, ms. */
  readonly lifetimeMs?: number;
}

/** hoopd's own tokens: a few minutes long, bound to the key of one instance, good at this gateway only. */
export class GatewayTokens {
  readonly #options: GatewayTokensOptions;
  readonly #verified = new Map<string, VerifiedToken>();

  constructor(options: GatewayTokensOptions) {
    this.#options = options;
  }

  /**
   * Signs a token for a principal. Whether it may have one was decided before.
   *
   * @param principal On whose authority; its `keyThumbprint` becomes `cnf.jkt`. An agent with a person gets `act`.
   * @returns The token; it ends after its lifetime or at the principal's deadline, whichever comes first.
   * @throws {HoopError} `ERR_LOGIN_EXPIRED` the deadline has passed, or will within a second; `ERR_TOKEN_TOO_LARGE` it would be too long to send (too many
   *   groups).
   * @see https://www.rfc-editor.org/rfc/rfc9068#section-2
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-4.1
   */
  async issue(principal: Principal): Promise<IssuedToken> {
    const { key, gateway, clock, lifetimeMs = TOKEN_LIFETIME_MS } = this.#options;
    const { keyThumbprint, ...hoop } = principal;
    const now = Math.floor(clock.now() / 1000);
    const exp = Math.floor(Math.min(clock.now() + lifetimeMs, principal.deadline) / 1000);
    // One that could be told to live for no whole second is none.
    if (exp * 1000 - clock.now() < 1000) throw new HoopError('ERR_LOGIN_EXPIRED');
    const delegated = principal.kind === 'agent' && principal.person !== undefined;
    const claims = {
      cnf: { jkt: keyThumbprint },
      hoop,
      ...(delegated ? { act: { sub: principal.name } } : {}),
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, typ: TYPE })
      .setIssuer(gateway)
      .setAudience(gateway)
      .setSubject(`${principal.issuer} ${principal.subject}`)
      .setIssuedAt(now)
      .setExpirationTime(exp)
      .sign(key.privateKey);
    if (token.length > MAX_ISSUED_BYTES) {
      const text = 'the identity has too many groups for a token of the gateway';
      throw new HoopError('ERR_TOKEN_TOO_LARGE', text, { hint: GROUPS_CURE });
    }
    return { token, expiresAt: exp * 1000 };
  }

  /**
   * Verifies one of our tokens against the key that comes with it. Says nothing of revocation: `Authenticator` does.
   *
   * @param token From `Authorization: DPoP`.
   * @param thumbprint Of the key that signed the request's proof.
   * @returns The principal.
   * @throws {HoopError} As `verify`.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
   */
  async verifyAccessToken(token: string, thumbprint: string): Promise<Principal> {
    return (await this.verify(token, thumbprint, 0)).principal;
  }

  /**
   * `verifyAccessToken` with its end, and a grace for renewals. Verified tokens are remembered (10,000 at most), so
   * that a busy client costs one hash; expiry and key are compared every time.
   *
   * @param token Compact JWT, at most 16 KiB.
   * @param thumbprint Must equal the token's `cnf.jkt`; compared in constant time.
   * @param graceMs Accepts a token this long after its end: 0 but for renewals.
   * @returns Principal and end.
   * @throws {HoopError} `ERR_TOKEN_INVALID` not ours, not for this gateway, not of this key; `ERR_LOGIN_EXPIRED` expired.
   * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
   */
  async verify(token: string, thumbprint: string, graceMs: number): Promise<VerifiedToken> {
    if (token.length > MAX_TOKEN_BYTES)
      throw new HoopError('ERR_TOKEN_INVALID', 'the token is longer than 16 KiB');
    const digest = createHash('sha256').update(token).digest('base64url');
    const verified = this.#verified.get(digest) ?? (await this.#verifySignature(token, graceMs));
    if (this.#options.clock.now() >= verified.expiresAt + graceMs) {
      this.#verified.delete(digest);
      throw new HoopError('ERR_LOGIN_EXPIRED', 'the token has expired');
    }
    if (!constantTimeEqual(verified.principal.keyThumbprint, thumbprint)) {
      throw new HoopError('ERR_TOKEN_INVALID', 'the token belongs to another key');
    }
    this.#remember(digest, verified);
    return verified;
  }

  async #verifySignature(token: string, graceMs: number): Promise<VerifiedToken> {
    const { key, gateway, clock } = this.#options;
    try {
      const { payload } = await jwtVerify(token, key.publicKey, {
        issuer: gateway,
        audience: gateway,
        typ: TYPE,
        algorithms: [key.algorithm],
        requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'cnf', 'hoop'],
        clockTolerance: graceMs / 1000,
        currentDate: new Date(clock.now()),
      });
      const { exp, cnf, hoop } = tokenClaims.parse(payload);
      return { principal: principalOf(hoop, cnf.jkt), expiresAt: exp * 1000 };
    } catch (error) {
      throw fromJose(error, 'ERR_TOKEN_INVALID', 'ERR_LOGIN_EXPIRED');
    }
  }

  #remember(digest: string, verified: VerifiedToken): void {
    if (this.#verified.has(digest)) return;
    if (this.#verified.size >= MAX_CACHED) {
      const oldest = this.#verified.keys().next();
      if (oldest.done !== true) this.#verified.delete(oldest.value);
    }
    this.#verified.set(digest, verified);
  }
}

function principalOf(claim: z.infer<typeof principalClaim>, keyThumbprint: string): Principal {
  const { person, attenuation, run, ...rest } = claim;
  return {
    ...rest,
    ...(run === undefined ? {} : { run }),
    ...(person === undefined ? {} : { person }),
    ...(attenuation === undefined ? {} : { attenuation: attenuationOf(attenuation) }),
    keyThumbprint,
  };
}

function attenuationOf({
  readOnly,
  actions,
  resources,
}: NonNullable<z.infer<typeof principalClaim>['attenuation']>): Attenuation {
  return {
    readOnly,
    ...(actions === undefined ? {} : { actions }),
    ...(resources === undefined ? {} : { resources }),
  };
}
