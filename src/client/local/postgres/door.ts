/**
 * The tunnel's own login in PostgreSQL's protocol: a local client proves that it knows the tunnel's secret before a
 * stream is opened for it, and the gateway is shown the same proof by us.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { Inlet } from '../../../core/bytes/inlet.ts';
import { HoopError } from '../../../core/errors.ts';
import { Secret } from '../../../core/secret.ts';
import {
  Authentication,
  AuthenticationResponse,
  SASLInitialResponse,
} from '../../../wire/postgres/authentication.ts';
import { BackendKeyData } from '../../../wire/postgres/connection.ts';
import type { Frame } from '../../../wire/postgres/frame.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { type LocalLogin, localLogin } from '../../../wire/postgres/local-login.ts';
import { type CancelRequest, encodeStartup } from '../../../wire/postgres/startup.ts';
import { BACKEND } from '../../../wire/postgres/types.ts';
import { SaltedKeyCache, ScramClient } from '../../../wire/scram/index.ts';
import type { Admitted, LocalDoor } from '../door.ts';
import { nextFrame } from './next-frame.ts';
import { encodeFatal } from './refusal.ts';

/** No message up to the end of a login is larger. */
const MAX_LOGIN_BYTES = 65_535;
/** The last message that is looked at: behind it there is nothing to learn. */
const LAST: ReadonlySet<number> = new Set([
  BACKEND.BackendKeyData,
  BACKEND.ReadyForQuery,
  BACKEND.ErrorResponse,
]);

export class PostgresDoor implements LocalDoor {
  readonly #verifier: string;
  readonly #password: Secret;
  readonly #saltedKeys = new SaltedKeyCache();
  /** Of the sessions behind this door: whoever shows one may cancel, and nobody else. */
  readonly #cancelKeys = new Set<string>();

  /** @param verifier Of the password; the gateway has it too. */
  constructor(password: string, verifier: string) {
    this.#password = new Secret(password);
    this.#verifier = verifier;
  }

  async admit(local: Duplex): Promise<Admitted | undefined> {
    const inlet = new Inlet(local);
    local.resume();
    const login = await localLogin(inlet, (bytes) => local.writable && local.write(bytes), this.#verifier);
    if (login.kind === 'closed') return undefined;
    const rest = inlet.release();
    if (login.kind === 'cancel') return this.#canceller(login.request);
    let key: string | undefined;
    return {
      introduce: async (remote) => {
        const told = (announced: string) => {
          key = announced;
          this.#cancelKeys.add(announced);
        };
        const goesOn = await this.#introduce(login, remote, local, told);
        if (goesOn && rest.length > 0) remote.write(rest);
        return goesOn;
      },
      left: () => {
        if (key !== undefined) this.#cancelKeys.delete(key);
      },
    };
  }

  refuse(local: Duplex, error: HoopError): void {
    // What the client still says is read and dropped: closing over unread bytes would reset the connection.
    local.resume();
    local.end(encodeFatal(error));
  }

  #canceller(request: CancelRequest): Admitted | undefined {
    if (!this.#cancelKeys.has(nameOf(request))) return undefined;
    const introduce = async (remote: Duplex) => remote.write(encodeStartup(request)) || true;
    return { introduce, left: () => undefined };
  }

  /**
   * Says to the gateway what the client said to us, and proves it anew; hands the client every message from the success
   * or failure on.
   *
   * @returns False if the gateway has ended the stream.
   */
  async #introduce(
    { version, parameters }: Extract<LocalLogin, { kind: 'session' }>,
    remote: Duplex,
    local: Duplex,
    told: (key: string) => void,
  ): Promise<boolean> {
    remote.write(encodeStartup({ name: 'StartupMessage', version, parameters, protocolOptions: new Map() }));
    const proof = new Proof(this.#password, this.#saltedKeys, remote);
    const inlet = new Inlet(remote);
    const framer = new Framer('backend', { largeBytes: MAX_LOGIN_BYTES });
    remote.resume();
    for (let frame = await nextFrame(inlet, framer); frame !== undefined; ) {
      if (!(await proof.took(frame))) {
        local.write(frame.raw);
        if (frame.type === BACKEND.BackendKeyData) told(nameOf(BackendKeyData.decode(frame.body)));
        if (LAST.has(frame.type)) {
          inlet.unshift(framer.takeRest());
          local.write(inlet.release());
          return !inlet.ended;
        }
      }
      frame = await nextFrame(inlet, framer);
    }
    return false;
  }
}

/** Answers the gateway's questions for the secret. */
class Proof {
  readonly #scram: ScramClient;
  readonly #remote: Duplex;
  #done = false;

  constructor(password: Secret, saltedKeys: SaltedKeyCache, remote: Duplex) {
    const nonce = randomBytes(18).toString('base64');
    this.#scram = new ScramClient({ password, nonce, binding: { kind: 'none' }, saltedKeys });
    this.#remote = remote;
  }

  /** @returns Whether the message was part of the proof, which is none of the client's business. */
  async took(frame: Frame): Promise<boolean> {
    if (this.#done || frame.type !== BACKEND.Authentication) return false;
    const { request } = Authentication.decode(frame.body);
    if (request.method === 'SASL') {
      const data = this.#scram.start();
      this.#remote.write(SASLInitialResponse.encode({ mechanism: this.#scram.mechanism, data }));
    } else if (request.method === 'SASLContinue') {
      const data = await this.#scram.respond(request.data);
      this.#remote.write(AuthenticationResponse.encode({ data }));
    } else if (request.method === 'SASLFinal') {
      this.#scram.finish(request.data);
      this.#done = true;
    } else throw new HoopError('ERR_PROTOCOL', 'the gateway did not ask for the proof that was announced');
    return true;
  }
}

function nameOf({ processId, key }: Pick<CancelRequest, 'processId' | 'key'>): string {
  return `${processId}/${key.toString('hex')}`;
}
