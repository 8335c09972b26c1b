import { randomBytes } from 'node:crypto';
import { TOKEN_EXCHANGE_GRANT, TOKEN_TYPES } from '../../api/contract.ts';
import type { Clock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import type { Exchanged, TokenExchange } from '../../identity/exchange.ts';
import { CodeFlow, type SignInMemory } from '../../identity/issuers/code-flow.ts';
import type { TrustedIssuer } from '../../identity/issuers/config.ts';
import { issuerFetch } from '../../identity/issuers/fetch.ts';
import { SealedCookie } from './sealed-cookie.ts';

/** To sign in at the provider, ms. */
export const SIGN_IN_MS = 10 * 60_000;
/** Answers that are exchanged at once, and those remembered: more are not tried within `SIGN_IN_MS`, see `SignInAttempts`. */
const MAX_FINISHING = 16;
const MAX_FINISHED = 10_000;

export interface SignInParts {
  readonly redirectUri: string;
  readonly issuers: () => readonly TrustedIssuer[];
  readonly exchange: () => TokenExchange;
  /** How long ago somebody who decides may have signed in, ms. */
  readonly signedInMs: () => number;
  readonly clock: Clock;
}

/** A sign-in that is under way: what its browser keeps, sealed. */
interface Begun extends SignInMemory {
  /** Where the person wanted to go. */
  readonly to: string;
}

/** Signs people in to the gateway's own pages. */
export class SignIn {
  readonly #parts: SignInParts;
  readonly #sealed = new SealedCookie();
  /** By issuer; made anew when its configuration is. */
  readonly #flows = new Map<string, { readonly issuer: TrustedIssuer; readonly flow: CodeFlow }>();
  /** `state` of each answer that was taken, with when it can be forgotten: none is taken twice. */
  readonly #taken = new Map<string, number>();
  #finishing = 0;

  constructor(parts: SignInParts) {
    this.#parts = parts;
  }

  /** Names of the providers, as configured. */
  get issuers(): readonly string[] {
    return this.#parts.issuers().map(({ issuer }) => issuer);
  }

  /**
   * @param to A path of ours.
   * @param another The provider asks who it is, also where it knows the browser.
   * @returns Where the browser goes, and what it keeps meanwhile.
   * @throws {HoopError} `ERR_USAGE` no such provider; `ERR_ISSUER_UNREACHABLE`.
   */
  async begin(
    issuer: string,
    to: string,
    another = false,
  ): Promise<{ readonly address: URL; readonly cookie: string }> {
    const { clock, signedInMs } = this.#parts;
    const { address, memory } = await this.#flow(issuer).begin(signedInMs(), another);
    const begun: Begun = { ...memory, to };
    return { address, cookie: this.#sealed.seal(begun, clock.now() + SIGN_IN_MS) };
  }

  /**
   * @param query Of the provider's answer, with its `?`.
   * @param cookie What the browser kept.
   * @returns The person, and where they wanted to go.
   * @throws {HoopError} As `CodeFlow.finish` and `TokenExchange.exchange`; `ERR_LOGIN_EXPIRED` begun in another browser, too
   *   long ago, or taken before; `ERR_LIMIT`.
   */
  async finish(query: string, cookie: string | undefined): Promise<Exchanged & { readonly to: string }> {
    const { clock, signedInMs, exchange } = this.#parts;
    const begun = this.#sealed.open(cookie ?? '', clock.now()) as Begun | undefined;
    if (begun === undefined || !this.#take(begun.state)) throw notBegun();
    if (this.#finishing >= MAX_FINISHING) throw new HoopError('ERR_LIMIT', 'too many people sign in at once');
    this.#finishing++;
    try {
      const token = await this.#flow(begun.issuer).finish(query, begun, signedInMs());
      // Nobody has the key: what is issued is good for nothing but to be revoked, listed and to end.
      const thumbprint = randomBytes(32).toString('base64url');
      const exchanged = await exchange().exchangeFor(
        {
          grant_type: TOKEN_EXCHANGE_GRANT,
          subject_token: token,
          subject_token_type: TOKEN_TYPES.idToken,
        },
        thumbprint,
      );
      return { ...exchanged, to: begun.to };
    } finally {
      this.#finishing--;
    }
  }

  /** Where a person wanted to go whose sign-in is under way; undefined: nobody knows. Never throws. */
  wanted(cookie: string | undefined): string | undefined {
    const begun = this.#sealed.open(cookie ?? '', this.#parts.clock.now()) as Begun | undefined;
    return begun?.to;
  }

  #take(state: string): boolean {
    const now = this.#parts.clock.now();
    for (const [known, until] of this.#taken) {
      if (until > now) break;
      this.#taken.delete(known);
    }
    if (this.#taken.has(state)) return false;
    if (this.#taken.size >= MAX_FINISHED) throw new HoopError('ERR_LIMIT', 'too many people sign in at once');
    this.#taken.set(state, now + SIGN_IN_MS);
    return true;
  }

  #flow(name: string): CodeFlow {
    const issuer = this.#parts.issuers().find((one) => one.issuer === name);
    if (issuer === undefined) throw new HoopError('ERR_USAGE', 'nobody signs in there');
    const known = this.#flows.get(name);
    if (known?.issuer === issuer) return known.flow;
    const { ca } = issuer;
    const fetch = issuerFetch(ca === undefined ? {} : { ca });
    const flow = new CodeFlow({ issuer, fetch, redirectUri: this.#parts.redirectUri });
    this.#flows.set(name, { issuer, flow });
    return flow;
  }
}

function notBegun(): HoopError {
  return new HoopError('ERR_LOGIN_EXPIRED', 'this sign-in was not begun in this browser, or is over', {
    hint: 'begin again',
  });
}
