/** A person, as an identity provider attests them. Identity is issuer + subject (OIDC Core §2); the rest is for people. */
export interface Person {
  readonly issuer: string;
  readonly subject: string;
  /** E-mail or preferred name if attested, else the subject. For display, search and `Person::"…"` in policies. */
  readonly name: string;
  readonly groups: readonly string[];
}

/**
 * What an instance gave up of its rights when it signed in: it may do what policy permits, within this. Can only shrink.
 */
export interface Attenuation {
  /** Nothing that writes: reading statements and what they need. */
  readonly readOnly: boolean;
  /** Verbs, groups written out: only these, and what every client needs. Absent: all; empty: none. */
  readonly actions?: readonly string[];
  /** Names of resources: only these. Absent: all; empty: none. */
  readonly resources?: readonly string[];
}

/**
 * On whose authority something happens, after verification. Made only by `identity`.
 *
 * An agent by delegation has `person`: its rights are the person's ∩ the agent's. An agent that signs in with its
 * own token (a CI job) has none. A person who connects as themselves has `kind: 'person'` and `person` set.
 */
export interface Principal {
  readonly kind: 'agent' | 'person';
  /** Name in the `agents:` registry, or the person's name. Never a name the caller chose freely. */
  readonly name: string;
  /** The agent's groups from the registry, or the person's groups. */
  readonly groups: readonly string[];
  readonly person?: Person;
  readonly issuer: string;
  readonly subject: string;
  /** From signed claims: `model`, `modelVersion`, CI provenance such as `repository`, `ref`, `runId`. */
  readonly attested: Readonly<Record<string, string>>;
  /** What the caller said of itself: `model`, `modelVersion`. Never trusted where policy wants attested. */
  readonly declared: Readonly<Record<string, string>>;
  /** The run that the caller says it is part of; an instance stays in the one that it named first. Unchecked, as `declared` is. */
  readonly run?: string;
  /** One process of hoopctl with its own key (`ins_…`). */
  readonly instance: string;
  /** One sign-in (`lgn_…`); revoking it ends all its instances. */
  readonly login: string;
  /** RFC 7638 thumbprint of the instance's key. */
  readonly keyThumbprint: string;
  /** When the person or job signed in at the issuer (`auth_time`, else `iat`), ms since the epoch. */
  readonly signedInAt: number;
  /** Nothing outlives this moment, whatever is renewed, ms since the epoch. */
  readonly deadline: number;
  /** Absent: nothing was given up. */
  readonly attenuation?: Attenuation;
}

/**
 * Says whether an instance may still act: asked at every stream, API call and operation, so it is a lookup in memory.
 */
export interface CredentialCheck {
  /**
   * Returns if the principal's instance is known, renewed in time, before its deadline and not revoked.
   *
   * @throws {HoopError} `ERR_LOGIN_EXPIRED` not renewed, or the deadline has passed; `ERR_REVOKED` revoked.
   */
  assertLive(principal: Principal): void;
  /**
   * The principal as of its instance's last renewal: a group that was taken away is gone from the next operation on.
   * The same object until the next renewal; the given one if nothing newer is known. Never throws.
   */
  current(principal: Principal): Principal;
  /**
   * Calls back once when the instance is revoked, is not renewed in time, or its deadline passes; returns a function
   * that unsubscribes. Never calls back before it returns.
   */
  onEnd(principal: Principal, callback: (code: 'ERR_REVOKED' | 'ERR_LOGIN_EXPIRED') => void): () => void;
}
