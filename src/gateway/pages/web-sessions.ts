import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { HoopError, isHoopError } from '../../core/errors.ts';
import type { CredentialCheck, Principal } from '../../identity/principal.ts';

/** Of all people, and of one. */
const MAX_SESSIONS = 10_000;
const MAX_OF_ONE = 20;

/** A browser in which a person has signed in. */
export interface WebSession {
  /** As of the last look. */
  readonly principal: Principal;
  /** Stands in each form of the session: a page of somebody else cannot know it. */
  readonly formToken: string;
}

/**
 * Browsers that are signed in, by the hash of their cookie. A session ends with its principal's credential: some minutes
 * after the sign-in, and at once when it is revoked. It is never renewed: the browser is sent to the provider again.
 */
export class WebSessions {
  readonly #credentials: CredentialCheck;
  /** Oldest first. */
  readonly #sessions = new Map<string, WebSession>();

  constructor(credentials: CredentialCheck) {
    this.#credentials = credentials;
  }

  /** @returns The cookie's value: 256 random bits, kept nowhere here. */
  open(principal: Principal): string {
    this.#makeRoom(principal);
    const cookie = randomBytes(32).toString('base64url');
    this.#sessions.set(hashOf(cookie), { principal, formToken: randomBytes(32).toString('base64url') });
    return cookie;
  }

  /** @returns Undefined: not signed in, or not any more. Never throws. */
  find(cookie: string | undefined): WebSession | undefined {
    const key = hashOf(cookie ?? '');
    const kept = this.#sessions.get(key);
    if (kept === undefined) return undefined;
    if (this.#isLive(kept)) {
      return { principal: this.#credentials.current(kept.principal), formToken: kept.formToken };
    }
    this.#sessions.delete(key);
    return undefined;
  }

  close(cookie: string | undefined): void {
    this.#sessions.delete(hashOf(cookie ?? ''));
  }

  #isLive({ principal }: WebSession): boolean {
    try {
      this.#credentials.assertLive(principal);
      return true;
    } catch (error) {
      if (isHoopError(error)) return false;
      throw error;
    }
  }

  #makeRoom({ issuer, subject }: Principal): void {
    const own: string[] = [];
    for (const [key, kept] of this.#sessions) {
      if (!this.#isLive(kept)) this.#sessions.delete(key);
      else if (kept.principal.issuer === issuer && kept.principal.subject === subject) own.push(key);
    }
    if (own.length >= MAX_OF_ONE) this.#sessions.delete(own[0]!);
    if (this.#sessions.size >= MAX_SESSIONS)
      throw new HoopError('ERR_LIMIT', 'too many people are signed in here at once');
  }
}

/** Whether a form was made for this session. In constant time. */
export function isFormToken({ formToken }: WebSession, given: string | undefined): boolean {
  const [expected, got] = [formToken, given ?? ''].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(expected!, got!);
}

function hashOf(cookie: string): string {
  return createHash('sha256').update(cookie).digest('base64url');
}
