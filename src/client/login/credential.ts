/**
 * This process's credential at the gateway: one key, one token of a few minutes, renewed for as long as it may be.
 */
import { TOKEN_TYPES, type TokenResponse } from '../../api/contract.ts';
import { ERROR_TABLE, HoopError, isHoopError, toHoopError } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import type { SubjectToken } from '../gateway-client.ts';
import { isOfClock } from '../problem.ts';
import type { Scheduler } from '../scheduler.ts';
import { expiryOf } from './jwt-expiry.ts';
import { TIME_IS_OVER } from './time-given.ts';

/** Where tokens to exchange come from; asked again at each renewal. */
export interface SubjectSource {
  /** For messages: `HOOPCTL_TOKEN`, `the login of profile "default"`. */
  readonly name: string;
  /**
   * @param maxAgeMs Where the source can ask for a new one, it does when the one at hand is older. Default: its own.
   * @returns The newest token there is; the same one as before means that there is no newer.
   * @throws {HoopError} `ERR_NOT_LOGGED_IN`, `ERR_LOGIN_EXPIRED` for good; exit code 69 or 70 for now.
   */
  get(signal?: AbortSignal, maxAgeMs?: number): Promise<SubjectToken>;
  /** What to do about a token of it that the gateway refused, where more can be said than to get another. Never rejects. */
  cure?(token: string): Promise<string | undefined>;
}

type ExchangeCall = (subject: SubjectToken) => Promise<TokenResponse>;

export interface CredentialOptions {
  readonly source: SubjectSource;
  readonly exchange: ExchangeCall;
  readonly scheduler: Scheduler;
  /** Told once when renewal starts to fail, and once when the credential is dead. */
  readonly onTrouble?: (error: HoopError, final: boolean) => void;
  /** As `GatewayChoice.afterwards`. */
  readonly afterwards?: string;
}

/** Renewed at this share of its life … */
const RENEW_AT = 0.6;
/** … give or take this share, so that many workers do not come at once. */
const JITTER = 0.1;
/** What a renewal hands in is at most this share of a life old: then a change at the provider shows within one life. */
const SUBJECT_MAX_AGE = 0.3;
/** A token with less left than this is not used for a new stream. */
const MIN_LEFT_MS = 5_000;
/** Shortly before the deadline tokens live ever shorter: no reason to ask ever faster. */
const MIN_DELAY_MS = 1_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;

/** The part of an issued token that may be shown. */
export interface CredentialFacts {
  readonly instance: string;
  readonly login: string;
  /** Nothing outlives it, ms since the epoch. */
  readonly deadline: number;
}

export class Credential {
  readonly #options: CredentialOptions;
  #token = new Secret('');
  #expiresAt = 0;
  #lifetimeMs = 0;
  #facts: CredentialFacts = { instance: '', login: '', deadline: 0 };
  #lastSubject: string | undefined;
  #renewing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #dead: HoopError | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: CredentialOptions) {
    this.#options = options;
  }

  get facts(): CredentialFacts {
    return this.#facts;
  }

  /**
   * Gets the first token; renewal then goes on in the background until `close`.
   *
   * @throws {HoopError} not logged in, refused, or unreachable: no retry here, the caller is waiting.
   */
  async open(): Promise<void> {
    const subject = await this.#options.source.get();
    this.#accept(
      await this.#options.exchange(subject).catch((error: unknown) => this.#refused(error, subject.token)),
    );
    this.#lastSubject = subject.token;
    this.#schedule(this.#lifeMs() * this.#spread(RENEW_AT));
  }

  /**
   * The token to send now. Renews first if the one at hand is about to end, as after a laptop's sleep.
   *
   * @throws {HoopError} `ERR_LOGIN_EXPIRED`, `ERR_REVOKED` and the like once the credential is dead.
   */
  async token(): Promise<string> {
    if (this.#dead) throw this.#dead;
    if (this.#lifeMs() < MIN_LEFT_MS) await this.#renewNow();
    if (this.#dead) throw this.#dead;
    return this.#token.expose();
  }

  /**
   * Says that the gateway refused a token that should be good, as one does that has forgotten us. A new one is made
   * from the source; several refusals of one token make one.
   *
   * @returns Whether it is worth trying again with `token()`.
   */
  async refused(token: string): Promise<boolean> {
    if (this.#dead || this.#closed) return false;
    if (token !== this.#token.expose()) return true;
    this.#lastSubject = undefined;
    await this.#renewNow().catch(() => undefined);
    return token !== this.#token.expose();
  }

  /** Stops renewing. The token at hand stays usable until it ends. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  #renewNow(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    try {
      this.#accept(await this.#exchangeAnew());
      this.#failures = 0;
      this.#schedule(this.#lifeMs() * this.#spread(RENEW_AT));
    } catch (error) {
      this.#renewalFailed(toHoopError(error));
    }
  }

  /**
   * Asks the source first: it knows of removed groups and disabled people. Where it has nothing newer, what it has is
   * handed in again as long as it lasts, and then, as where it cannot be reached, our own token; the gateway decides for
   * how long it takes that.
   */
  async #exchangeAnew(): Promise<TokenResponse> {
    const own: SubjectToken = { token: this.#token.expose(), type: TOKEN_TYPES.accessToken };
    const ownIsGood = this.#lifeMs() > 0;
    let subject: SubjectToken;
    try {
      subject = await this.#options.source.get(undefined, this.#lifetimeMs * SUBJECT_MAX_AGE);
    } catch (error) {
      if (!ownIsGood) throw error;
      if (isTransient(error)) return this.#options.exchange(own);
      // A provider that refreshes without an ID token has nothing against the login: the gateway says for how long.
      if (!isHoopError(error) || error.code !== 'ERR_NO_ID_TOKEN') throw error;
      return this.#options.exchange(own).catch((refusal: unknown) => {
        throw isTransient(refusal) ? refusal : error;
      });
    }
    const isOld = subject.token === this.#lastSubject && ownIsGood;
    const lasts = expiryOf(subject.token) - this.#options.scheduler.now() > MIN_LEFT_MS;
    if (isOld && !lasts) return this.#options.exchange(own);
    const issued = await this.#options.exchange(subject).catch((error: unknown) => {
      // Our clock may be slow: the gateway says when the old one has ended.
      if (isOld && isHoopError(error) && error.code === 'ERR_LOGIN_EXPIRED')
        return this.#options.exchange(own);
      throw error;
    });
    this.#lastSubject = subject.token;
    return issued;
  }

  #renewalFailed(error: HoopError): void {
    const pastDeadline = this.#options.scheduler.now() >= this.#facts.deadline;
    // A provider's new key may be one that the gateway has not fetched yet: it asks again after half a minute.
    const mayBeNew = error.code === 'ERR_TOKEN_INVALID' && this.#lifeMs() > 0;
    if (!(isTransient(error) || mayBeNew) || pastDeadline) {
      const over =
        pastDeadline && error.message !== TIME_IS_OVER
          ? new HoopError('ERR_LOGIN_EXPIRED', undefined, { hint: this.#cure })
          : error;
      this.#dead = this.#forGood(over);
      this.#options.onTrouble?.(this.#dead, true);
      return;
    }
    if (this.#failures++ === 0) this.#options.onTrouble?.(error, false);
    const wait = Math.min(RETRY_MIN_MS * 2 ** (this.#failures - 1), RETRY_MAX_MS);
    this.#schedule(wait * this.#spread(1));
    if (this.#lifeMs() <= 0) throw error;
  }

  /** With what is to be done after the next login. */
  #forGood(error: HoopError): HoopError {
    const { afterwards } = this.#options;
    const { code, message, hint, detail } = error;
    if (afterwards === undefined || hint === undefined || ERROR_TABLE[code].exit !== 67) return error;
    const more = detail === undefined ? {} : { detail };
    return new HoopError(code, message, { hint: `${hint}; then ${afterwards}`, cause: error, ...more });
  }

  /** The gateway cannot know where the token came from. @throws {HoopError} always. */
  async #refused(error: unknown, token: string): Promise<never> {
    if (!isHoopError(error) || ERROR_TABLE[error.code].exit !== 67) throw error;
    const { hint = '' } = toHoopError(error);
    // What the token itself tells is the most exact: which audience it has, and which is wanted. Of the rest the gateway knows more:
    // which groups the provider left out, whose domain is not admitted.
    const known = hint !== '' && !hint.includes('hoopctl login') ? hint : undefined;
    const ownCure = async () => (await this.#options.source.cure?.(token)) ?? known ?? this.#cure;
    // By a wrong clock a token seems to have ended, or not.
    const cure = known !== undefined && isOfClock(known) ? known : await ownCure();
    throw new HoopError(error.code, error.message, { hint: cure, cause: error });
  }

  get #cure(): string {
    const { name } = this.#options.source;
    return name.startsWith('HOOPCTL_') ? `put a new token into ${name}` : 'run: hoopctl login';
  }

  #accept(issued: TokenResponse): void {
    const now = this.#options.scheduler.now();
    const deadline = Date.parse(issued.deadline);
    this.#token = new Secret(issued.access_token);
    this.#lifetimeMs = issued.expires_in * 1000;
    this.#expiresAt = now + this.#lifetimeMs;
    this.#facts = {
      instance: issued.instance,
      login: issued.login,
      deadline: Number.isNaN(deadline) ? this.#expiresAt : deadline,
    };
  }

  /** Counted from our own clock at issue: a wrong clock does not matter here. */
  #lifeMs(): number {
    return this.#expiresAt - this.#options.scheduler.now();
  }

  #spread(share: number): number {
    return share * (1 + JITTER * (2 * this.#options.scheduler.random() - 1));
  }

  #schedule(ms: number): void {
    this.#cancelTimer?.();
    if (this.#closed) return;
    const renew = () => void this.#renewNow().catch(() => undefined); // kept for the next caller of `token`
    this.#cancelTimer = this.#options.scheduler.after(Math.max(ms, MIN_DELAY_MS), renew);
  }
}

/** Worth another try: the network, the provider or the gateway had a bad moment. */
function isTransient(error: unknown): boolean {
  return !isHoopError(error) || (toHoopError(error).exitCode !== 67 && toHoopError(error).exitCode !== 77);
}

/**
 * Runs `task` with the token at hand, and once more with a new one if the gateway does not know it (any more).
 *
 * @throws whatever the last try throws.
 */
export async function withFreshToken<T>(
  credential: Credential,
  task: (token: string) => Promise<T>,
): Promise<T> {
  const token = await credential.token();
  try {
    return await task(token);
  } catch (error) {
    const forgotten =
      isHoopError(error) && (error.code === 'ERR_TOKEN_INVALID' || error.code === 'ERR_LOGIN_EXPIRED');
    if (!forgotten || !(await credential.refused(token))) throw error;
    return task(await credential.token());
  }
}
