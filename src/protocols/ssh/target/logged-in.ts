import type { Socket } from 'node:net';
import ssh2, { type AnyAuthMethod, type Client, type ServerHostKeyAlgorithm } from 'ssh2';
import type { BulkMemory } from '../../../core/bytes/bulk-memory.ts';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { writePrivateKey } from '../../../wire/ssh/private-key.ts';
import { ALGORITHMS } from '../algorithms.ts';
import type { SshLogin } from '../credentials/login.ts';
import { thrifty } from '../thrift.ts';
import { loginWithCertificate } from './certificate-login.ts';
import { algorithmsOf, fingerprint } from './host-trust.ts';

interface LoginParts {
  /** Blobs: the host must prove one of them. */
  readonly keys: readonly Buffer[];
  readonly login: SshLogin;
  /** Of the socket. */
  readonly signal: AbortSignal;
  readonly bulk: BulkMemory;
}

/** Silence after which a host is asked whether it is still there, ms, and how often it may not answer. */
const KEEPALIVE_MS = 30_000;
const KEEPALIVES = 4;

/** What ssh2 says where the host has none of the keys that it was asked for. */
const NO_SUCH_KEY = /no matching host key/;

/**
 * Speaks SSH over a connection and logs in.
 *
 * @param socket Connected; the client's afterwards, and destroyed where there is none.
 * @returns A client that is ready, with a silent `error` listener.
 * @throws {HoopError} As `SshTarget.open`.
 */
export function loggedIn(socket: Socket, { keys, login, signal, bulk }: LoginParts): Promise<Client> {
  const client = new ssh2.Client();
  let shown: Buffer | undefined;
  const ready = new Promise<Client>((resolve, reject) => {
    const failed = (error: Error & { level?: string }) => reject(meaning(error, signal, shown));
    client.on('error', failed);
    client.once('close', () => failed(new Error('it closed the connection')));
    client.once('ready', () => {
      client.off('error', failed).on('error', () => undefined);
      resolve(client);
    });
    client.connect({
      sock: socket,
      username: login.user,
      authHandler: methodsOf(login),
      algorithms: { ...ALGORITHMS, serverHostKey: algorithmsOf(keys) as ServerHostKeyAlgorithm[] },
      hostVerifier: (key: Buffer) => {
        const trusted = keys.some((one) => one.equals(key));
        if (!trusted) shown = key;
        return trusted;
      },
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVES,
    });
    thrifty(client, socket, bulk);
    if (login.kind === 'certificate') loginWithCertificate(client, login.key, login.certificate);
  });
  return ready.catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
}

function methodsOf(login: SshLogin): AnyAuthMethod[] {
  const { user: username } = login;
  if (login.kind === 'password') return byPassword(username, login.password.expose());
  if (login.kind === 'key') return [{ type: 'publickey', username, key: login.key }];
  // Written by us: of a thousand keys that ssh2 makes, it cannot read three. What is signed, `loginWithCertificate` says.
  return [{ type: 'publickey', username, key: writePrivateKey(login.key, 'hoopd') }];
}

/** Hosts that check passwords by PAM ask for it as a question, of which the answer is not echoed. */
function byPassword(username: string, password: string): AnyAuthMethod[] {
  return [
    { type: 'password', username, password },
    {
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        const [only, ...more] = prompts;
        finish(
          only !== undefined && more.length === 0 && only.echo === false ? [password] : prompts.map(() => ''),
        );
      },
    },
  ];
}

function meaning(
  error: Error & { level?: string },
  signal: AbortSignal,
  shown: Buffer | undefined,
): HoopError {
  if (isHoopError(error)) return error;
  if (isHoopError(signal.reason)) return signal.reason;
  const told = { detail: `SSH with the host: ${error.message}`, cause: error };
  if (shown !== undefined)
    return new HoopError('ERR_TARGET_IDENTITY', undefined, {
      ...told,
      detail: `the host has the key ${fingerprint(shown)}, which is not one that is configured`,
    });
  if (NO_SUCH_KEY.test(error.message)) return new HoopError('ERR_TARGET_IDENTITY', undefined, told);
  if (error.level === 'client-authentication') return new HoopError('ERR_TARGET_AUTH', undefined, told);
  return new HoopError('ERR_TARGET_LOST', undefined, told);
}
