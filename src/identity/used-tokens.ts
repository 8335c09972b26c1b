import { HoopError } from '../core/errors.ts';
import { CLOCK_TOLERANCE_S, type VerifiedSubject } from './subject.ts';

const MAX_REMEMBERED = 50_000;

interface Use {
  readonly thumbprint: string;
  readonly forgetAt: number;
}

/**
 * Remembers with which key a machine's token was first exchanged, for issuers whose tokens are for one process
 * (`singleUse`): whoever copies such a token comes too late.
 */
export class UsedTokens {
  readonly #uses = new Map<string, Use>();
  readonly #max: number;

  /**
   * @param max Tokens remembered until they expire, default 50,000.
   * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7
   */
  constructor(max: number = MAX_REMEMBERED) {
    this.#max = max;
  }

  /**
   * Binds a token to a key; the same key may come again.
   *
   * @param subject A verified token.
   * @param thumbprint The key it comes with.
   * @param now ms since the epoch.
   * @throws {HoopError} `ERR_TOKEN_INVALID` it has no `jti`, or came before with another key; `ERR_LIMIT` too many unexpired
   *   tokens to remember one more.
   * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7
   */
  use(subject: VerifiedSubject, thumbprint: string, now: number): void {
    const { issuer, tokenId, tokenExpiresAt } = subject;
    if (tokenId === undefined) throw new HoopError('ERR_TOKEN_INVALID', 'the token has no claim "jti"');
    const key = JSON.stringify([issuer, tokenId]);
    const before = this.#uses.get(key);
    if (before !== undefined && before.thumbprint !== thumbprint) {
      throw new HoopError('ERR_TOKEN_INVALID', 'the token was used before', {
        hint: 'ask the platform for a new token for each process',
      });
    }
    if (before === undefined && this.#uses.size >= this.#max) this.#makeRoom(now);
    this.#uses.set(key, { thumbprint, forgetAt: tokenExpiresAt + CLOCK_TOLERANCE_S * 1000 });
  }

  #makeRoom(now: number): void {
    for (const [key, { forgetAt }] of this.#uses) if (now > forgetAt) this.#uses.delete(key);
    if (this.#uses.size >= this.#max) throw new HoopError('ERR_LIMIT');
  }
}
