import { isUtf8 } from 'node:buffer';
import { HoopError } from '../../core/errors.ts';
import { fromBase64, proves, type ScramVerifier, serverSignature } from './keys.ts';

/**
 * The server's side of SCRAM-SHA-256: whoever logs in proves to know the password behind a verifier.
 *
 * One object for one exchange: `challenge`, then `finish`. Pure: the nonce is handed in. Offer only `SCRAM-SHA-256`:
 * the stream to the local client is not TLS of ours, so there is nothing to bind to.
 */
export class ScramServer {
  readonly #verifier: ScramVerifier;
  readonly #nonce: string;
  #header = '';
  #clientFirstBare = '';
  #serverFirst = '';

  /** @param nonce At least 18 random octets as base64, used once. */
  constructor(verifier: ScramVerifier, nonce: string) {
    this.#verifier = verifier;
    this.#nonce = nonce;
  }

  /**
   * Answers client-first-message with server-first-message.
   *
   * The channel binding flags `n` (client cannot) and `y` (client thinks we cannot, which is so) are taken, `p` is
   * refused. The user name inside is ignored, as PostgreSQL does: the startup packet names the user.
   *
   * @returns The data of an AuthenticationSASLContinue.
   * @throws {HoopError} `ERR_PROTOCOL` malformed, channel binding or another authorisation identity demanded.
   * @see RFC 5802 §7
   */
  challenge(clientFirst: Buffer): Buffer {
    const found = /^([nyp][^,]*),([^,]*),(n=[^,]*,r=([!-+\--~]+)(?:,[a-zA-Z]=[^,]*)*)$/.exec(
      text(clientFirst),
    );
    const [, flag, identity, bare, clientNonce] = found ?? [];
    if (flag === undefined || bare === undefined) throw violation('the first message is malformed');
    if (flag !== 'n' && flag !== 'y') throw violation('channel binding is not offered');
    if (identity !== '') throw violation('an authorization identity is not supported');
    const { salt, iterations } = this.#verifier;
    this.#header = `${flag},,`;
    this.#clientFirstBare = bare;
    this.#serverFirst = `r=${clientNonce}${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
    return Buffer.from(this.#serverFirst);
  }

  /**
   * Verifies client-final-message and answers with server-final-message.
   *
   * @returns The data of an AuthenticationSASLFinal; AuthenticationOk may follow.
   * @throws {HoopError} `ERR_LOCAL_AUTH` the proof is wrong; `ERR_PROTOCOL` malformed, another nonce, or a channel
   *   binding other than the first message's. In either case end the connection.
   * @see RFC 5802 §7
   */
  finish(clientFinal: Buffer): Buffer {
    const found = /^(c=([^,]*),r=([^,]*)(?:,[a-zA-Z]=[^,]*)*),p=([^,]*)$/.exec(text(clientFinal));
    const [, withoutProof, binding, nonce, proof] = found ?? [];
    if (withoutProof === undefined) throw violation('the final message is malformed');
    if (!this.#serverFirst.startsWith(`r=${nonce},`)) throw violation('the nonce is another');
    if (fromBase64(binding)?.toString('latin1') !== this.#header)
      throw violation('the channel binding is another');
    const proofBytes = fromBase64(proof);
    if (proofBytes === undefined) throw violation('the proof is malformed');
    const authMessage = `${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`;
    if (!proves(proofBytes, this.#verifier, authMessage)) throw wrongSecret();
    return Buffer.from(`v=${serverSignature(this.#verifier.serverKey, authMessage).toString('base64')}`);
  }
}

function wrongSecret(): HoopError {
  return new HoopError('ERR_LOCAL_AUTH', undefined, {
    hint: 'take it from what hoopctl printed when the tunnel was ready, or let hoopctl connect … -- COMMAND set it',
  });
}

function text(message: Buffer): string {
  if (!isUtf8(message)) throw violation('a message is not valid UTF-8');
  return message.toString('utf8');
}

function violation(reason: string): HoopError {
  return new HoopError('ERR_PROTOCOL', `malformed SCRAM exchange: ${reason}`);
}
