import type { KeyObject } from 'node:crypto';
import type { Client } from 'ssh2';
import { HoopError } from '../../../core/errors.ts';
import { string, strings } from '../../../wire/ssh/fields.ts';
import { blobType, signBlob } from '../../../wire/ssh/keys.ts';

const USERAUTH_REQUEST = 50;
const TRUE = 1;

/** What ssh2 does not tell, as it is in the version that package.json names. */
interface Protocol {
  readonly _kex: { readonly sessionID: Buffer };
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(bytes: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
  readonly _cipher: { encrypt(packet: Buffer): void };
  readonly _authsQueue: string[];
  authPK(user: string): void;
}

/**
 * Makes a client log in with a certificate where it would with a public key: ssh2 names the signature's algorithm after the
 * certificate, which no server takes. The signature is sent at once: a server need not be asked first.
 *
 * @param client On which `connect` was called; its own `publickey` login is what is replaced.
 * @throws {HoopError} `ERR_INTERNAL` this ssh2 is made otherwise.
 * @see RFC 4252 §7; PROTOCOL.certkeys: the signature is the plain key's
 */
export function loginWithCertificate(client: Client, key: KeyObject, certificate: Buffer): void {
  const protocol = (client as unknown as { readonly _protocol?: Protocol })._protocol;
  if (typeof protocol?.authPK !== 'function')
    throw new HoopError('ERR_INTERNAL', undefined, { detail: 'ssh2 has no place for a certificate' });
  protocol.authPK = (user) => {
    const request = Buffer.concat([
      Buffer.of(USERAUTH_REQUEST),
      strings(user, 'ssh-connection', 'publickey'),
      Buffer.of(TRUE),
      strings(blobType(certificate), certificate),
    ]);
    const signature = signBlob(key, Buffer.concat([string(protocol._kex.sessionID), request]));
    send(protocol, Buffer.concat([request, string(signature)]));
  };
}

function send(protocol: Protocol, payload: Buffer): void {
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  protocol._authsQueue.push('publickey');
  protocol._cipher.encrypt(write.finalize(packet));
}
