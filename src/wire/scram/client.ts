import { timingSafeEqual } from 'node:crypto';
import { HoopError } from '../../core/errors.ts';
import type { Secret } from '../../core/secret.ts';
import {
  clientProof,
  fromBase64,
  parseIterations,
  SCRAM_SHA_256,
  SCRAM_SHA_256_PLUS,
  serverSignature,
} from './keys.ts';
import type { SaltedKeyCache } from './salted-key-cache.ts';

/**
 * What the client says of channel binding: `none` it cannot; `unoffered` it could, the server did not offer it (so that
 * a server which did notices that somebody between took the offer out); `endPoint` it binds to the hash of the server's
 * certificate.
 */
export type ChannelBinding =
  | { readonly kind: 'none' | 'unoffered' }
  | { readonly kind: 'endPoint'; readonly certificateHash: Buffer };

export interface ScramClientOptions {
  readonly password: Secret;
  /** At least 18 random octets as base64, used once. */
  readonly nonce: string;
  readonly binding: ChannelBinding;
  readonly saltedKeys: SaltedKeyCache;
  /** Default empty: PostgreSQL takes the user from the startup packet. No `,` or `=`. */
  readonly user?: string;
}

/**
 * The client's side of SCRAM-SHA-256: proves knowledge of a password without showing it, and has the server prove it too.
 *
 * One object for one exchange: `start`, `respond`, `finish`; a login counts only if `verified`. No I/O; the nonce is handed
 * in; the costly derivation is the cache's and runs off the main thread. Every failure is `ERR_TARGET_AUTH` with a
 * `detail` that never holds the password.
 */
export class ScramClient {
  readonly mechanism: typeof SCRAM_SHA_256 | typeof SCRAM_SHA_256_PLUS;
  readonly #options: ScramClientOptions;
  readonly #header: string;
  readonly #clientFirstBare: string;
  #expected: Buffer | undefined;
  #verified = false;

  constructor(options: ScramClientOptions) {
    const { binding } = options;
    this.mechanism = binding.kind === 'endPoint' ? SCRAM_SHA_256_PLUS : SCRAM_SHA_256;
    this.#options = options;
    this.#header = { none: 'n,,', unoffered: 'y,,', endPoint: 'p=tls-server-end-point,,' }[binding.kind];
    this.#clientFirstBare = `n=${options.user ?? ''},r=${options.nonce}`;
  }

  /** Whether the server has proved that it knows the password's verifier. */
  get verified(): boolean {
    return this.#verified;
  }

  /** client-first-message: the data of a SASLInitialResponse. Never throws. */
  start(): Buffer {
    return Buffer.from(this.#header + this.#clientFirstBare);
  }

  /**
   * Answers server-first-message with client-final-message.
   *
   * @returns The data of a SASLResponse.
   * @throws {HoopError} `ERR_TARGET_AUTH` malformed, a nonce not built on ours, or iterations outside 1 … 1 000 000: the
   *   count is the server's choice and our cost.
   * @see RFC 5802 §7
   */
  async respond(serverFirst: Buffer): Promise<Buffer> {
    const first = serverFirst.toString('latin1');
    const found = /^r=([!-+\--~]+),s=([^,]+),i=([^,]+)(?:,[a-zA-Z]=[^,]*)*$/.exec(first);
    const nonce = found?.[1] ?? '';
    const [salt, iterations] = [fromBase64(found?.[2]), parseIterations(found?.[3])];
    if (!salt || iterations === undefined)
      throw failed('its first message is malformed, or its iteration count too high');
    if (!nonce.startsWith(this.#options.nonce) || nonce === this.#options.nonce)
      throw failed('its nonce is not built on ours');
    const keys = await this.#options.saltedKeys.get(this.#options.password, salt, iterations);
    const withoutProof = `c=${this.#boundHeader().toString('base64')},r=${nonce}`;
    const authMessage = `${this.#clientFirstBare},${first},${withoutProof}`;
    this.#expected = serverSignature(keys.serverKey, authMessage);
    return Buffer.from(`${withoutProof},p=${clientProof(keys, authMessage).toString('base64')}`);
  }

  /**
   * Checks server-final-message.
   *
   * @throws {HoopError} `ERR_TARGET_AUTH` if the server does not prove that it knows the verifier, or says why it refuses.
   * @see RFC 5802 §7
   */
  finish(serverFinal: Buffer): void {
    const [, signature] = /^v=([^,]+)(?:,[a-zA-Z]=[^,]*)*$/.exec(serverFinal.toString('latin1')) ?? [];
    const got = fromBase64(signature);
    const expected = this.#expected;
    if (!got || !expected || got.length !== expected.length || !timingSafeEqual(got, expected)) {
      throw failed('it does not prove that it knows the password');
    }
    this.#verified = true;
  }

  #boundHeader(): Buffer {
    const { binding } = this.#options;
    const header = Buffer.from(this.#header);
    return binding.kind === 'endPoint' ? Buffer.concat([header, binding.certificateHash]) : header;
  }
}

function failed(reason: string): HoopError {
  return new HoopError('ERR_TARGET_AUTH', undefined, { detail: `SCRAM with the target: ${reason}` });
}
