import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import { type Log, silentLog } from '../core/log.ts';
import type { Revocation } from '../storage/revocations.ts';
import { sameActor } from './actor.ts';
import { narrowed, withAttenuation } from './attenuation.ts';
import { type EndCode, EndWatch } from './end-watch.ts';
import { instanceId } from './ids.ts';
import type { CredentialCheck, Principal } from './principal.ts';
import { names, RevocationList, type RevocationStore } from './revocations.ts';
import { type RevokeTarget, revocationOf } from './revoke-target.ts';

/** A credential counts this long after its token's end, ms: time for a renewal that is under way. */
const GRACE_MS = 60_000;
/** An instance that was not renewed is remembered this long, so that its deadline stands when it comes back, ms. */
const REMEMBER_MS = 3_600_000;
const SWEEP_MS = 60_000;
const MAX_LOGINS = 16;

export interface InstanceLimits {
  /** Instances at once, all together. Default 100,000. */
  readonly total: number;
  /** Instances at once of one subject. Default 1,000. */
  readonly perSubject: number;
}

export interface InstanceRegistryOptions {
  readonly clock: Clock;
  readonly store: RevocationStore;
  readonly log?: Log;
  readonly limits?: Partial<InstanceLimits>;
}

interface Instance {
  /** As of the last renewal. */
  principal: Principal;
  /** Every login whose tokens the instance has used: revoking any of them ends it. */
  readonly logins: Set<string>;
  validUntil: number;
  deadline: number;
  revoked: boolean;
  readonly watch: EndWatch;
}

/**
 * The instances that may act now. Filled by the exchange, and after a restart by the first verified token of each.
 * Everything is in memory, so that a check costs a look-up.
 */
export class InstanceRegistry implements CredentialCheck {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: InstanceLimits;
  readonly #revocations: RevocationList;
  readonly #instances = new Map<string, Instance>();
  readonly #perSubject = new Map<string, number>();
  #sweptAt = 0;

  /**
   * Loads the revocations.
   *
   * @param options Clock, store; `limits` default to 100,000 together and 1,000 of one subject.
   * @throws {Error} The store cannot be read.
   * @see https://www.rfc-editor.org/rfc/rfc7009
   */
  constructor(options: InstanceRegistryOptions) {
    this.#clock = options.clock;
    this.#log = options.log ?? silentLog;
    this.#limits = { total: 100_000, perSubject: 1_000, ...options.limits };
    this.#revocations = new RevocationList(options.store, this.#clock.now());
  }

  /**
   * What is known of a key's instance, for a renewal.
   *
   * @param keyThumbprint RFC 7638 thumbprint.
   * @returns The principal as last renewed, with the deadline that stands; undefined if there is none, or its deadline
   *   has passed and the key may start anew. Never throws.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-5
   */
  find(keyThumbprint: string): Principal | undefined {
    const found = this.#instances.get(instanceId(keyThumbprint));
    if (found === undefined || this.#clock.now() >= found.deadline) return undefined;
    return { ...found.principal, deadline: found.deadline };
  }

  /**
   * Takes a renewal, or a new instance, into the books. To be called before its token is handed out.
   *
   * @param principal As it will stand in the token; its deadline can only shorten a known instance's.
   * @param tokenExpiresAt ms since the epoch; the instance counts 60 s longer.
   * @throws {HoopError} `ERR_REVOKED`; `ERR_LOGIN_EXPIRED` the deadline has passed; `ERR_TOKEN_INVALID` the key belongs to
   *   another identity; `ERR_LIMIT` too many instances.
   * @see https://www.rfc-editor.org/rfc/rfc8693#section-2.2
   */
  renew(principal: Principal, tokenExpiresAt: number): void {
    const found = this.#admit(principal, tokenExpiresAt);
    const left = narrowed(principal.attenuation, found.principal.attenuation);
    if (left !== principal.attenuation)
      throw new HoopError('ERR_TOKEN_INVALID', 'the instance gave up more in the meantime: ask again');
    found.principal = principal;
  }

  /**
   * Takes in the bearer of a verified token: nothing new for a known instance, a new entry after a restart.
   *
   * @param principal From `GatewayTokens.verify`.
   * @param tokenExpiresAt ms since the epoch.
   * @returns The principal, without what its instance gave up since the token was made.
   * @throws {HoopError} As `renew`.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-7.1
   */
  admit(principal: Principal, tokenExpiresAt: number): Principal {
    return withAttenuation(principal, this.#admit(principal, tokenExpiresAt).principal.attenuation);
  }

  assertLive(principal: Principal): void {
    const found = this.#instances.get(principal.instance);
    const now = this.#clock.now();
    if (found === undefined || now >= principal.deadline) throw new HoopError('ERR_LOGIN_EXPIRED');
    const code = endOf(found, now);
    if (code !== undefined) throw new HoopError(code);
  }

  current(principal: Principal): Principal {
    return this.#instances.get(principal.instance)?.principal ?? principal;
  }

  onEnd(principal: Principal, callback: (code: EndCode) => void): () => void {
    const found = this.#instances.get(principal.instance);
    if (found !== undefined) return found.watch.add(principal.deadline, callback);
    const gone = new EndWatch({ clock: this.#clock, log: this.#log, endsAt: () => 0 });
    return gone.add(0, callback);
  }

  /**
   * Ends everything that the target names, now, and keeps it out until the revocation is lifted: instances until their
   * deadline, logins and runs for good, agents, persons and attested models until `lift`.
   *
   * @param target Exactly one of instance, login, run, agent, person, model; `owner` only narrows `run`.
   * @returns Live instances ended.
   * @throws {HoopError} `ERR_USAGE` none or several of these, or a value of 0 or more than 256 characters.
   * @throws {Error} From the store: ended, but a restart would forget it.
   * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
   */
  revoke(target: RevokeTarget): number {
    const now = this.#clock.now();
    const revocation = revocationOf(target, now);
    let ended = 0;
    for (const found of this.#instances.values()) {
      const byLogin = revocation.kind === 'login' && found.logins.has(revocation.value);
      if (!byLogin && !names(revocation, found.principal)) continue;
      if (endOf(found, now) === undefined) ended += 1;
      found.revoked = true;
      found.watch.end('ERR_REVOKED');
    }
    this.#revocations.add(revocation);
    return ended;
  }

  /** Takes a revocation back; instances it ended stay ended. True if there was one. */
  lift(revocationId: string): boolean {
    return this.#revocations.lift(revocationId);
  }

  /** Revocations in force, oldest first. */
  revocations(): readonly Revocation[] {
    return this.#revocations.list(this.#clock.now());
  }

  /** Principals of the instances that may act now, in no order. */
  list(): readonly Principal[] {
    const now = this.#clock.now();
    return [...this.#instances.values()]
      .filter((one) => endOf(one, now) === undefined)
      .map((one) => one.principal);
  }

  /** Forgets everyone and lets timers go: for the end of the process. Nobody is called back. */
  close(): void {
    for (const found of this.#instances.values()) found.watch.close();
    this.#instances.clear();
    this.#perSubject.clear();
  }

  #admit(principal: Principal, tokenExpiresAt: number): Instance {
    const now = this.#clock.now();
    if (this.#revocations.covers(principal, now)) throw new HoopError('ERR_REVOKED');
    if (now >= principal.deadline || now >= tokenExpiresAt + GRACE_MS)
      throw new HoopError('ERR_LOGIN_EXPIRED');
    const known = this.#instances.get(principal.instance);
    if (known !== undefined && now < known.deadline)
      return extend(known, principal, tokenExpiresAt + GRACE_MS);
    if (known !== undefined) this.#forget(principal.instance, known);
    return this.#create(principal, tokenExpiresAt + GRACE_MS, now);
  }

  #create(principal: Principal, validUntil: number, now: number): Instance {
    this.#makeRoom(principal, now);
    const { deadline, login, instance } = principal;
    const watch = new EndWatch({ clock: this.#clock, log: this.#log, endsAt: () => endsAt(created) });
    const created: Instance = {
      principal,
      logins: new Set([login]),
      validUntil,
      deadline,
      revoked: false,
      watch,
    };
    this.#instances.set(instance, created);
    const subject = subjectKey(principal);
    this.#perSubject.set(subject, (this.#perSubject.get(subject) ?? 0) + 1);
    return created;
  }

  #makeRoom(principal: Principal, now: number): void {
    const { total, perSubject } = this.#limits;
    const full = () =>
      this.#instances.size >= total || (this.#perSubject.get(subjectKey(principal)) ?? 0) >= perSubject;
    if (full()) this.#sweep(now, 0);
    else if (now - this.#sweptAt >= SWEEP_MS) this.#sweep(now, REMEMBER_MS);
    if (full()) throw new HoopError('ERR_LIMIT', 'too many instances are signed in at once');
  }

  #sweep(now: number, rememberMs: number): void {
    this.#sweptAt = now;
    for (const [id, found] of this.#instances) {
      const dead = now >= found.deadline || now >= found.validUntil + rememberMs;
      if (dead) this.#forget(id, found);
    }
  }

  #forget(id: string, found: Instance): void {
    found.watch.end(found.revoked ? 'ERR_REVOKED' : 'ERR_LOGIN_EXPIRED');
    this.#instances.delete(id);
    const subject = subjectKey(found.principal);
    const left = (this.#perSubject.get(subject) ?? 1) - 1;
    if (left > 0) this.#perSubject.set(subject, left);
    else this.#perSubject.delete(subject);
  }
}

function endsAt(instance: Instance): number {
  return Math.min(instance.deadline, instance.validUntil);
}

function endOf(instance: Instance, now: number): EndCode | undefined {
  if (instance.revoked) return 'ERR_REVOKED';
  return now >= instance.deadline || now >= instance.validUntil ? 'ERR_LOGIN_EXPIRED' : undefined;
}

function subjectKey({ issuer, subject }: Principal): string {
  return `${issuer} ${subject}`;
}

function extend(known: Instance, principal: Principal, validUntil: number): Instance {
  if (known.revoked) throw new HoopError('ERR_REVOKED');
  if (!sameActor(known.principal, principal)) {
    throw new HoopError('ERR_TOKEN_INVALID', 'the key belongs to another identity: make a new one');
  }
  if (!known.logins.has(principal.login) && known.logins.size >= MAX_LOGINS) {
    throw new HoopError('ERR_LIMIT', 'the instance has used too many sign-ins: start a new one');
  }
  known.logins.add(principal.login);
  known.validUntil = Math.max(known.validUntil, validUntil);
  known.deadline = Math.min(known.deadline, principal.deadline);
  known.watch.reschedule();
  return known;
}
