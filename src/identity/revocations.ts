import { runIdsOf } from '../core/ids/runs.ts';
import type { Revocation } from '../storage/revocations.ts';
import type { Principal } from './principal.ts';

/** Where revocations survive a restart. Calls return when the change is durable. */
export interface RevocationStore {
  load(): readonly Revocation[];
  add(revocation: Revocation): void;
  remove(id: string): void;
}

/** The revocations in force, found by what they name. Everything is in memory; the store is only written. */
export class RevocationList {
  readonly #store: RevocationStore;
  readonly #byKey = new Map<string, Revocation>();

  /**
   * Loads what was revoked before, and forgets what has run out.
   *
   * @param store Kept for later changes.
   * @param now ms since the epoch.
   * @throws {Error} The store cannot be read: without it nobody may be let in.
   * @see https://www.rfc-editor.org/rfc/rfc7009
   */
  constructor(store: RevocationStore, now: number) {
    this.#store = store;
    for (const revocation of store.load()) {
      if (revocation.until !== undefined && revocation.until <= now) store.remove(revocation.id);
      else this.#byKey.set(keyOf(revocation), revocation);
    }
  }

  /**
   * Puts a revocation into force, then makes it durable. It is in force even if the store fails.
   *
   * @param revocation Replaces an earlier one of the same thing.
   * @throws {Error} From the store: in force until the next restart only.
   * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.1
   */
  add(revocation: Revocation): void {
    const key = keyOf(revocation);
    const earlier = this.#byKey.get(key);
    this.#byKey.set(key, revocation);
    this.#store.add(revocation);
    if (earlier !== undefined) this.#store.remove(earlier.id);
  }

  /**
   * Takes a revocation back. What it ended stays ended; the same may sign in again.
   *
   * @param id `rev_…`.
   * @returns Whether there was one.
   * @throws {Error} From the store: it stays in force.
   * @see https://www.rfc-editor.org/rfc/rfc7009
   */
  lift(id: string): boolean {
    for (const [key, revocation] of this.#byKey) {
      if (revocation.id !== id) continue;
      this.#store.remove(id);
      this.#byKey.delete(key);
      return true;
    }
    return false;
  }

  /** Those in force, oldest first. */
  list(now: number): readonly Revocation[] {
    return [...this.#byKey.values()].filter((one) => inForce(one, now)).sort((a, b) => a.at - b.at);
  }

  /**
   * Says whether a principal is shut out. A handful of look-ups, however many revocations there are.
   *
   * @param principal From a verified token; models count only if attested.
   * @param now ms since the epoch.
   * @returns Whether any revocation in force names it. Never throws.
   * @see https://www.rfc-editor.org/rfc/rfc7009#section-2.2
   */
  covers(principal: Principal, now: number): boolean {
    return keysOf(principal).some((key) => {
      const found = this.#byKey.get(key);
      return found !== undefined && inForce(found, now);
    });
  }
}

function inForce(revocation: Revocation, now: number): boolean {
  return revocation.until === undefined || now < revocation.until;
}

type Named = Pick<Revocation, 'kind' | 'value' | 'modelVersion' | 'owner'>;

function keyOf({ kind, value, modelVersion, owner }: Named): string {
  if (owner !== undefined)
    return JSON.stringify([kind, value, owner.issuer, owner.subject, owner.agent ?? null]);
  return JSON.stringify(modelVersion === undefined ? [kind, value] : [kind, value, modelVersion]);
}

/** Every key under which a revocation of this principal could stand. A person is named by name or by subject. */
function keysOf(principal: Principal): readonly string[] {
  const { instance, login, kind, name, person, attested } = principal;
  const keys = [keyOf({ kind: 'instance', value: instance }), keyOf({ kind: 'login', value: login })];
  if (kind === 'agent') keys.push(keyOf({ kind: 'agent', value: name }));
  if (person !== undefined) {
    keys.push(
      keyOf({ kind: 'person', value: person.name }),
      keyOf({ kind: 'person', value: person.subject }),
    );
  }
  const { model, modelVersion } = attested;
  if (model !== undefined) {
    keys.push(keyOf({ kind: 'model', value: model }));
    if (modelVersion !== undefined) keys.push(keyOf({ kind: 'model', value: model, modelVersion }));
  }
  keys.push(...runKeysOf(principal));
  return keys;
}

/** A run of that name is revoked for everybody, or for those of one subject, or of an agent of theirs. */
function runKeysOf({ kind, name, issuer, subject, attested, run }: Principal): readonly string[] {
  const owners = [
    undefined,
    { issuer, subject },
    ...(kind === 'agent' ? [{ issuer, subject, agent: name }] : []),
  ];
  return runIdsOf(attested, run).flatMap((value) =>
    owners.map((owner) => keyOf({ kind: 'run', value, ...(owner === undefined ? {} : { owner }) })),
  );
}

/**
 * Says whether one revocation names a principal, whenever it was made.
 *
 * Pure.
 *
 * @param revocation What was revoked.
 * @param principal Who is asked about.
 * @returns True if it names the principal. Never throws.
 * @see https://www.rfc-editor.org/rfc/rfc7009
 */
export function names(revocation: Named, principal: Principal): boolean {
  return keysOf(principal).includes(keyOf(revocation));
}
