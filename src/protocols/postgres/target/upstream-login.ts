import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { HoopError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import {
  type Authentication,
  AuthenticationResponse,
  PasswordMessage,
  SASLInitialResponse,
} from '../../../wire/postgres/authentication.ts';
import { type BackendMessage, decodeBackend } from '../../../wire/postgres/backend.ts';
import { Framer } from '../../../wire/postgres/framer.ts';
import { type ErrorResponse, reportText } from '../../../wire/postgres/report.ts';
import {
  type ChannelBinding,
  type SaltedKeyCache,
  SCRAM_SHA_256,
  SCRAM_SHA_256_PLUS,
  ScramClient,
} from '../../../wire/scram/index.ts';
import { nextChunk } from '../../stream/dial.ts';

/** A server says about fifteen settings, some notices and a key; this many messages are an attack on our patience. */
const MAX_MESSAGES = 1_000;
/** No message of a login is larger. */
const MAX_MESSAGE_BYTES = 65_536;

export interface LoginOptions {
  /** The encoded StartupMessage. */
  readonly startup: Buffer;
  readonly user: string;
  readonly password: Secret;
  readonly saltedKeys: SaltedKeyCache;
  /** The peer's certificate was checked against an authority: a password may be shown to it. */
  readonly peerVerified: boolean;
  /** For `tls-server-end-point`; undefined without TLS, or where the certificate's signature has no hash. */
  readonly certificateHash: Buffer | undefined;
}

/** What the server has said when it is ready. */
export interface LoggedIn {
  readonly parameters: Map<string, string>;
  readonly backendKey: { readonly pid: number; readonly key: Buffer } | undefined;
  /** Octets behind the first ReadyForQuery. */
  readonly rest: Buffer;
}

/**
 * Logs in at a PostgreSQL server and waits until it is ready.
 *
 * SCRAM-SHA-256 over any connection, bound to the certificate where server and certificate allow it. A clear-text or MD5
 * password only to a peer whose certificate was verified: to anybody else either one gives the password, or what stands
 * for it, away. A server that asks for nothing is believed, as psql would.
 *
 * @param socket Connected, encrypted if it is to be; nothing else reads it. Paused when this returns.
 * @returns The settings it reported, its cancel key, and what came behind its first ReadyForQuery.
 * @throws {HoopError} `ERR_TARGET_AUTH` refused (SQLSTATE class 28), an unsupported or unsafe method, a server that cannot
 *   prove itself; `ERR_TARGET_UNREACHABLE` any other refusal, or the connection broke; `ERR_PROTOCOL`,
 *   `ERR_MESSAGE_LENGTH`, `ERR_MESSAGE_TYPE` malformed messages.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
export async function logIn(socket: Socket, options: LoginOptions): Promise<LoggedIn> {
  const login = new Login(socket, options);
  await login.authenticate();
  return login.untilReady();
}

class Login {
  readonly #socket: Socket;
  readonly #options: LoginOptions;
  readonly #framer = new Framer('backend', { largeBytes: MAX_MESSAGE_BYTES });
  #messages = 0;
  #scram: ScramClient | undefined;

  constructor(socket: Socket, options: LoginOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  async authenticate(): Promise<void> {
    this.#send(this.#options.startup);
    for (;;) {
      const message = await this.#receive();
      if (message.name !== 'Authentication') throw unexpected(message);
      if (message.request.method === 'Ok') break;
      await this.#answer(message.request);
    }
    if (this.#scram?.verified === false) throw refused('the server did not prove that it knows the password');
  }

  async untilReady(): Promise<LoggedIn> {
    const parameters = new Map<string, string>();
    let backendKey: LoggedIn['backendKey'];
    for (;;) {
      const message = await this.#receive();
      if (message.name === 'ParameterStatus') parameters.set(message.parameter, message.value);
      else if (message.name === 'BackendKeyData')
        backendKey = { pid: message.processId, key: Buffer.from(message.key) };
      else if (message.name === 'ReadyForQuery') {
        return { parameters, backendKey, rest: this.#framer.takeRest() };
      } else throw unexpected(message);
    }
  }

  async #answer(request: Authentication['request']): Promise<void> {
    switch (request.method) {
      case 'SASL':
        return this.#startScram(request.mechanisms);
      case 'SASLContinue':
        this.#send(AuthenticationResponse.encode({ data: await this.#exchange().respond(request.data) }));
        return;
      case 'SASLFinal':
        return this.#exchange().finish(request.data);
      case 'CleartextPassword':
        return this.#showPassword('a clear-text password', this.#options.password.expose());
      case 'MD5Password':
        return this.#showPassword('an MD5 password', md5Response(this.#options, request.salt));
      default:
        throw refused(`the server asks for ${request.method}, which is not supported`);
    }
  }

  #startScram(mechanisms: readonly string[]): void {
    if (this.#scram !== undefined) throw refused('the server began SCRAM twice');
    const binding = chooseBinding(mechanisms, this.#options.certificateHash);
    const { password, saltedKeys } = this.#options;
    this.#scram = new ScramClient({
      password,
      saltedKeys,
      binding,
      nonce: randomBytes(18).toString('base64'),
    });
    this.#send(SASLInitialResponse.encode({ mechanism: this.#scram.mechanism, data: this.#scram.start() }));
  }

  #exchange(): ScramClient {
    if (this.#scram === undefined) throw refused('the server went on with SCRAM that had not begun');
    return this.#scram;
  }

  #showPassword(what: string, password: string): void {
    if (!this.#options.peerVerified)
      throw refused(`the server asks for ${what} and its certificate is not verified`);
    this.#send(PasswordMessage.encode({ password }));
  }

  #send(message: Buffer): void {
    this.#socket.write(message);
  }

  /** The next message that is not a notice; an error ends the login. */
  async #receive(): Promise<Exclude<BackendMessage, ErrorResponse>> {
    while (this.#messages++ < MAX_MESSAGES) {
      let frame = this.#framer.next();
      while (frame === undefined) {
        this.#framer.push(await nextChunk(this.#socket));
        frame = this.#framer.next();
      }
      const message = decodeBackend(frame.type, frame.body);
      if (message.name === 'ErrorResponse') throw refusal(message);
      if (message.name !== 'NoticeResponse') return message;
    }
    throw new HoopError('ERR_TARGET_UNREACHABLE', undefined, { detail: 'the server never becomes ready' });
  }
}

function chooseBinding(mechanisms: readonly string[], certificateHash: Buffer | undefined): ChannelBinding {
  if (certificateHash !== undefined && mechanisms.includes(SCRAM_SHA_256_PLUS)) {
    return { kind: 'endPoint', certificateHash };
  }
  if (mechanisms.includes(SCRAM_SHA_256))
    return { kind: certificateHash === undefined ? 'none' : 'unoffered' };
  throw refused('the server offers no SASL mechanism that is supported');
}

/** `md5` and the hex digest of (digest of password and user) and salt. */
function md5Response({ user, password }: LoginOptions, salt: Buffer): string {
  const inner = createHash('md5').update(password.expose()).update(user).digest('hex');
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`;
}

/** Class 28 is about who we are; anything else (no such database, too many connections, starting up) is not. */
function refusal(error: ErrorResponse): HoopError {
  const sqlstate = reportText(error, 'C') ?? '';
  const code = sqlstate.startsWith('28') ? 'ERR_TARGET_AUTH' : 'ERR_TARGET_UNREACHABLE';
  return new HoopError(code, undefined, {
    detail: `${sqlstate}: ${reportText(error, 'M') ?? ''}`.slice(0, 500),
  });
}

function refused(detail: string): HoopError {
  return new HoopError('ERR_TARGET_AUTH', undefined, { detail });
}

function unexpected(message: BackendMessage): HoopError {
  return new HoopError('ERR_PROTOCOL', undefined, {
    detail: `the target sent ${message.name} during the login`,
  });
}
