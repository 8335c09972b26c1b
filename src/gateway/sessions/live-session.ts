import type { SessionItem } from '../../api/contract.ts';
import type { HoopError } from '../../core/errors.ts';
import { after } from '../../core/later.ts';
import type { Enforcer, SessionRef } from '../../enforcement/operation.ts';
import type { CredentialCheck, Principal } from '../../identity/principal.ts';

/** One gateway session while it lives: what it counts, and the one way to end it. */
export class LiveSession {
  readonly ref: SessionRef;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly #controller = new AbortController();
  #operations = 0;
  #denied = 0;

  constructor(ref: SessionRef, startedAt: number) {
    this.ref = ref;
    this.startedAt = startedAt;
  }

  /** Aborted by `end`, with the reason given there. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get operations(): number {
    return this.#operations;
  }

  get denied(): number {
    return this.#denied;
  }

  /** Tells the session to end. The first reason stands; later ones are ignored. */
  end(reason: HoopError): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
  }

  /**
   * The same enforcer, with this session's operations counted, and with a version that changes also when a renewal has
   * changed what the principal is: plans and masks made before are then made anew.
   */
  counting(enforcer: Enforcer, credentials: CredentialCheck): Enforcer {
    const standing = standingOf(credentials, this.ref.principal);
    return {
      decide: (operation) => {
        this.#operations++;
        // Asked in the same breath as the decision: both see the same principal.
        const since = standing();
        return after(enforcer.decide(operation), (verdict) => {
          if (verdict.effect === 'deny') this.#denied++;
          if (verdict.effect === 'deny' || since === '') return verdict;
          return { ...verdict, policyVersion: `${verdict.policyVersion}${since}` };
        });
      },
      close: (session, operation, outcome) => enforcer.close(session, operation, outcome),
      evaluate: (principal, pairs, context) => enforcer.evaluate(principal, pairs, context),
      reveal: (session, object) => enforcer.reveal(session, object),
      policyVersion: () => `${enforcer.policyVersion()}${standing()}`,
    };
  }

  toItem(): SessionItem {
    const { id, resource, protocol, actor } = this.ref;
    return {
      id,
      resource: resource.id,
      protocol,
      actor: actor.name,
      ...(actor.person === undefined ? {} : { person: actor.person }),
      instance: actor.instance,
      startedAt: new Date(this.startedAt).toISOString(),
      operations: this.#operations,
      denied: this.#denied,
      ...(actor.attenuation === undefined ? {} : { attenuation: actor.attenuation }),
    };
  }
}

/** A word for what policy sees of the principal: empty until it changes, then another with every change. */
function standingOf(credentials: CredentialCheck, first: Principal): () => string {
  let [seen, changes] = [first, 0];
  return () => {
    const now = credentials.current(first);
    if (now !== seen && seenByPolicy(now) !== seenByPolicy(seen)) changes++;
    seen = now;
    return changes === 0 ? '' : `+${changes}`;
  };
}

function seenByPolicy({ groups, person, attested, declared, attenuation }: Principal): string {
  return JSON.stringify([groups, person?.groups, attested, declared, attenuation]);
}
