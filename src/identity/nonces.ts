import { createHash, randomBytes } from 'node:crypto';
import { HoopError } from '../core/errors.ts';
import { constantTimeEqual } from '../core/secret.ts';

/** A nonce serves this long as the current one and as long again as the previous one, ms: 4 minutes together. */
const ROTATE_MS = 2 * 60_000;
/** Proofs remembered per nonce, 24 octets of text each. When full the nonce is retired early. */
const MAX_PROOFS = 50_000;

/** A proof lacks the current nonce: send `nonce` in the header `DPoP-Nonce`, the client tries again with it. */
export class ProofNonceError extends HoopError {
  readonly nonce: string;

  constructor(nonce: string) {
    super('ERR_PROOF_NONCE', undefined, {
      hint: 'repeat the request with the nonce of the DPoP-Nonce header',
    });
    this.nonce = nonce;
  }
}

interface Generation {
  readonly nonce: string;
  readonly since: number;
  readonly proofs: Set<string>;
}

/**
 * The nonces of one process, and the proofs already seen under each. They belong together: once a nonce is retired its
 * proofs are refused anyway and can be forgotten, so memory is bounded without ever accepting a proof twice. A flood
 * of proofs only makes nonces change faster.
 */
export class NonceSource {
  #current: Generation;
  #previous: Generation | undefined;
  readonly #maxProofs: number;

  /**
   * @param now ms since the epoch.
   * @param maxProofs Proofs remembered per nonce, default 50,000.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-8
   */
  constructor(now: number, maxProofs: number = MAX_PROOFS) {
    this.#maxProofs = maxProofs;
    this.#current = generation(now);
  }

  /**
   * The nonce to hand out. Worth sending with every answer, so that clients seldom meet a refusal.
   *
   * @param now ms since the epoch.
   * @returns 43 characters of base64url. Never throws.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-8.2
   */
  current(now: number): string {
    return this.#rotated(now).nonce;
  }

  /**
   * Demands one of the nonces in force. To be called before the costlier checks.
   *
   * @param nonce From the proof; anything.
   * @param now ms since the epoch.
   * @throws {ProofNonceError} `ERR_PROOF_NONCE` absent, or not one of ours.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-8
   */
  check(nonce: unknown, now: number): void {
    if (this.#find(nonce, now) === undefined) throw new ProofNonceError(this.current(now));
  }

  /**
   * Uses a verified proof up.
   *
   * @param nonce From the proof.
   * @param proofId What tells this proof from all others: its key and `jti`.
   * @param now ms since the epoch.
   * @throws {HoopError} `ERR_PROOF_INVALID` it was used before; `ERR_PROOF_NONCE` its nonce has been retired since.
   * @see https://www.rfc-editor.org/rfc/rfc9449#section-11.1
   */
  use(nonce: unknown, proofId: string, now: number): void {
    const found = this.#find(nonce, now);
    if (found === undefined) throw new ProofNonceError(this.current(now));
    const digest = createHash('sha256').update(proofId).digest('base64url').slice(0, 24);
    if (found.proofs.has(digest)) throw new HoopError('ERR_PROOF_INVALID', 'the proof was used before');
    found.proofs.add(digest);
  }

  #find(nonce: unknown, now: number): Generation | undefined {
    if (typeof nonce !== 'string') return undefined;
    const current = this.#rotated(now);
    return [current, this.#previous].find(
      (known) => known !== undefined && constantTimeEqual(known.nonce, nonce),
    );
  }

  #rotated(now: number): Generation {
    const usable = (one: Generation, ageMs: number) =>
      now - one.since < ageMs && one.proofs.size < this.#maxProofs;
    if (!usable(this.#current, ROTATE_MS)) {
      this.#previous = this.#current;
      this.#current = generation(now);
    }
    if (this.#previous !== undefined && !usable(this.#previous, 2 * ROTATE_MS)) this.#previous = undefined;
    return this.#current;
  }
}

function generation(now: number): Generation {
  return { nonce: randomBytes(32).toString('base64url'), since: now, proofs: new Set() };
}
