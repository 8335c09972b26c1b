import type { Clock } from '../../../core/clock.ts';
import { type HoopError, toHoopError } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import { noCredential } from './configured.ts';
import type { HttpCredential } from './credential.ts';
import type { IssuedToken } from './token-endpoint.ts';

/** A provider that does not say how long a token lives, ms. */
const UNSAID_LIFE_MS = 5 * 60_000;
/** A token is renewed when so much of its life is left, and before it is shorter than so long, ms. */
const LEFT = 0.2;
const LEAST_LEFT_MS = 10_000;
/** After a failure nobody asks again for so long, ms: a provider in trouble is left alone. */
const REST_MS = 2_000;
/** A target that takes none has the provider asked again no more often than so, ms: another token would be no better. */
const FORGET_MS = 10_000;

export interface OauthParts {
  /** Asks the provider. @throws {HoopError} `ERR_TARGET_CREDENTIAL`. */
  readonly ask: () => Promise<IssuedToken>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Held {
  readonly token: string;
  /** ms since the epoch. */
  readonly renewAt: number;
  readonly endsAt: number;
}

/**
 * Tokens of the gateway's own client: had when they are first needed, renewed before they end, one question for all who
 * wait. One that the target does not take is thrown away; the request that met it is not sent again.
 *
 * @see RFC 6749 §4.4
 */
export function oauthCredential(parts: OauthParts): HttpCredential {
  const tokens = new Tokens(parts);
  return {
    ...noCredential,
    show: async () => ({ headers: [['authorization', `Bearer ${await tokens.current()}`]] }),
    refused: () => tokens.forget(),
    secrets: () => tokens.shown,
  };
}

class Tokens {
  readonly #parts: OauthParts;
  #held: Held | undefined;
  /** The one before: answers to it may still be on their way. */
  #before: string | undefined;
  #asking: Promise<Held> | undefined;
  /** Until then none is thrown away, ms since the epoch. */
  #keptUntil = Number.NEGATIVE_INFINITY;
  #failure: { readonly error: HoopError; readonly until: number } | undefined;

  constructor(parts: OauthParts) {
    this.#parts = parts;
  }

  get shown(): readonly string[] {
    return [this.#held?.token, this.#before].filter((one) => one !== undefined);
  }

  async current(): Promise<string> {
    const held = this.#held;
    const now = this.#parts.clock.now();
    if (held === undefined || now >= held.endsAt) return (await this.#renewed()).token;
    // Meanwhile it goes on with the one that there is.
    if (now >= held.renewAt) this.#renewed().catch(() => undefined);
    return held.token;
  }

  forget(): void {
    const now = this.#parts.clock.now();
    if (now < this.#keptUntil) return;
    this.#keptUntil = now + FORGET_MS;
    this.#before = this.#held?.token ?? this.#before;
    this.#held = undefined;
  }

  #renewed(): Promise<Held> {
    const { clock } = this.#parts;
    if (this.#failure !== undefined && clock.now() < this.#failure.until)
      return Promise.reject(this.#failure.error);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<Held> {
    const { ask, clock, log } = this.#parts;
    try {
      const { token, lifeMs = UNSAID_LIFE_MS } = await ask();
      const endsAt = clock.now() + lifeMs;
      this.#before = this.#held?.token ?? this.#before;
      this.#held = {
        token,
        endsAt,
        renewAt: endsAt - Math.max(lifeMs * LEFT, Math.min(LEAST_LEFT_MS, lifeMs / 2)),
      };
      this.#failure = undefined;
      return this.#held;
    } catch (thrown) {
      const error = toHoopError(thrown, 'ERR_TARGET_CREDENTIAL');
      log.warn('no token for the target could be had', { detail: error.detail });
      this.#failure = { error, until: clock.now() + REST_MS };
      throw error;
    }
  }
}
