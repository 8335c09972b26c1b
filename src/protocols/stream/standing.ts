import type { CredentialCheck, Principal } from '../../identity/principal.ts';

/** What policy sees of a session's principal, followed over renewals. */
export class Standing {
  readonly #credentials: CredentialCheck;
  readonly #first: Principal;
  #seen: Principal;
  #changes = 0;

  constructor(credentials: CredentialCheck, first: Principal) {
    this.#credentials = credentials;
    this.#first = first;
    this.#seen = first;
  }

  /** Empty until it changes, then another word with every change. */
  get word(): string {
    const now = this.#credentials.current(this.#first);
    if (now !== this.#seen && seenByPolicy(now) !== seenByPolicy(this.#seen)) this.#changes++;
    this.#seen = now;
    return this.#changes === 0 ? '' : `+${this.#changes}`;
  }
}

function seenByPolicy({ groups, person, attested, declared, attenuation }: Principal): string {
  return JSON.stringify([groups, person?.groups, attested, declared, attenuation]);
}
