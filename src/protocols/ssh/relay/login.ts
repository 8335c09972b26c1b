import { timingSafeEqual } from 'node:crypto';
import ssh2, { type AuthContext, type PublicKeyAuthContext } from 'ssh2';
import type { LocalProof } from '../../../api/contract.ts';
import { SSH_LIMITS } from '../limits.ts';

const KEY_TYPE = 'ssh-ed25519';

/**
 * Who speaks at the local end: whoever signs with the tunnel's own key; where there is none, anybody. Whom they say they are
 * means nothing: on the host they are who hoopd is there.
 */
export class LocalLogin {
  readonly #key: string | undefined;
  #tries = 0;

  constructor(proof: LocalProof | undefined) {
    this.#key = proof?.value;
  }

  /** Answers one try. @returns False: too many have failed. @see RFC 4252 §5, §7 */
  answer(asked: AuthContext): boolean {
    if (this.#key === undefined) asked.accept();
    // A key that is only named is answered, and nothing is proved by it: ssh2 tells the two apart.
    else if (asked.method === 'publickey' && isKey(asked, this.#key)) asked.accept();
    else {
      if (asked.method !== 'none') this.#tries++;
      if (this.#tries >= SSH_LIMITS.loginTries) return false;
      asked.reject(['publickey']);
    }
    return true;
  }
}

/** It is the key and, where something is signed, it was signed with it. */
function isKey({ key, signature, blob, hashAlgo }: PublicKeyAuthContext, expected: string): boolean {
  const wanted = Buffer.from(expected, 'base64');
  if (key.algo !== KEY_TYPE || key.data.length !== wanted.length || !timingSafeEqual(key.data, wanted))
    return false;
  if (signature === undefined) return true;
  const parsed = ssh2.utils.parseKey(`${KEY_TYPE} ${expected}`);
  if (parsed instanceof Error || Array.isArray(parsed) || blob === undefined) return false;
  return parsed.verify(blob, signature, hashAlgo) === true;
}
