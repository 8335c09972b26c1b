import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { readsDirectly } from '../../../core/bytes/direct-reads.ts';
import { HoopError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { encodeStartup, PROTOCOL_3_0 } from '../../../wire/postgres/startup.ts';
import type { SaltedKeyCache } from '../../../wire/scram/index.ts';
import { dial, dialDirect, until, within } from '../../stream/dial.ts';
import { certificateHash, type TlsOptions } from '../../stream/target-tls.ts';
import { type LoggedIn, logIn } from './upstream-login.ts';
import { startTls } from './upstream-tls.ts';

export interface UpstreamOptions {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: Secret;
  /** Default `{ mode: 'verify-full' }`. */
  readonly tls?: TlsOptions;
  readonly applicationName?: string;
  /** Settings for the session. `user`, `database`, `replication` and `client_encoding` (always UTF8) are not theirs to set. */
  readonly startupParameters?: Readonly<Record<string, string>>;
  /** For everything up to ReadyForQuery, ms; `LIMITS.targetConnectMs` is meant. */
  readonly timeoutMs: number;
  /** Abandons the attempt; of no effect once connected. */
  readonly signal?: AbortSignal;
  readonly saltedKeys: SaltedKeyCache;
  /** What connections without TLS are read into, shared by all; default memory of its own for each read. */
  readonly readMemory?: Buffer;
}

/** A connection to the target that is logged in and ready for a query. */
export interface Upstream extends LoggedIn {
  /**
   * Paused, its one listener a silent one for `error`, so that a reset before yours come cannot end the process. Take
   * `rest` first, then listen and `resume`.
   */
  readonly socket: Socket | TLSSocket;
  /** Listens: calls `take` with what arrives, which may be overwritten when it returns. */
  readonly onBytes: (take: (bytes: Buffer) => void) => void;
  /** As `server_version_num`: 150018 is 15.18; 0 if the server did not say. */
  readonly serverVersion: number;
  /**
   * Asks the server to cancel what this connection is doing, over a connection of its own to the same address, encrypted
   * and verified as the first. Resolves when the server has taken it (which is not: when it took effect).
   *
   * @throws {HoopError} `ERR_TARGET_UNREACHABLE`, `ERR_TARGET_TLS`, `ERR_TARGET_NO_TLS`; within 5 s.
   */
  cancel(): Promise<void>;
}

/** A cancel that takes longer is of no use to anyone, ms. */
const CANCEL_MS = 5_000;
const OWN_PARAMETERS = ['user', 'database', 'replication', 'client_encoding'];

/**
 * Connects to a PostgreSQL server, makes sure who it is, and logs in.
 *
 * @returns The connection, ready for a query; see `Upstream` for the socket's state.
 * @throws {HoopError} `ERR_TARGET_UNREACHABLE` no such name, refused, timed out, or the server has no room or no such
 *   database; `ERR_TARGET_NO_TLS` no TLS; `ERR_TARGET_TLS` not whom it should be; `ERR_TARGET_AUTH` credential refused, or asked for in a way
 *   that would give it away; `ERR_PROTOCOL`, `ERR_MESSAGE_LENGTH`, `ERR_MESSAGE_TYPE` the server, or a name with a NUL,
 *   breaks the protocol; the signal's reason if that is ours. `detail` is for the operator and never holds the
 *   password. Nothing stays open.
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 */
export async function connectUpstream(options: UpstreamOptions): Promise<Upstream> {
  const startup = startupMessage(options);
  return within(options.timeoutMs, options.signal, async (deadline) => {
    const socket = await openDirect(options, deadline);
    try {
      const loggedIn = await logIn(socket, {
        ...options,
        startup,
        peerVerified: options.tls?.mode !== 'disable' && options.tls?.mode !== 'require',
        certificateHash: socket instanceof TLSSocket ? certificateHash(socket) : undefined,
      });
      return asUpstream(socket, loggedIn, options);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  });
}

function startupMessage(options: UpstreamOptions): Buffer {
  const { user, database, applicationName, startupParameters = {} } = options;
  if (user === '' || database === '')
    throw new HoopError('ERR_CONFIG', 'a target needs a user and a database');
  const parameters = new Map(Object.entries({ user, database, client_encoding: 'UTF8' }));
  if (applicationName !== undefined) parameters.set('application_name', applicationName);
  for (const [name, value] of Object.entries(startupParameters)) {
    if (OWN_PARAMETERS.includes(name.toLowerCase())) {
      throw new HoopError('ERR_CONFIG', `the startup parameter ${name} cannot be set here`);
    }
    parameters.set(name, value);
  }
  const protocolOptions = new Map<string, string>();
  return encodeStartup({ name: 'StartupMessage', version: PROTOCOL_3_0, parameters, protocolOptions });
}

/** As `open`, without TLS reading into the memory that was given. */
async function openDirect(options: UpstreamOptions, deadline: AbortSignal): Promise<Socket | TLSSocket> {
  const { host, port, readMemory, tls } = options;
  if (readMemory !== undefined && tls?.mode === 'disable')
    return dialDirect(host, port, deadline, readMemory);
  return open(host, options, deadline);
}

/** A connection to `address`, encrypted and verified as the target is configured. */
async function open(
  address: string,
  options: UpstreamOptions,
  deadline: AbortSignal,
): Promise<Socket | TLSSocket> {
  const socket = await dial(address, options.port, deadline);
  const { tls = {} } = options;
  if (tls.mode === 'disable') return socket;
  try {
    return await startTls(socket, options.host, tls, deadline);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function asUpstream(socket: Socket | TLSSocket, loggedIn: LoggedIn, options: UpstreamOptions): Upstream {
  // A name may stand for several servers: only this one knows the key.
  const address = socket.remoteAddress ?? options.host;
  return {
    ...loggedIn,
    socket,
    onBytes: (take) => {
      if (readsDirectly(socket)) socket.deliver(take);
      socket.on('data', take);
    },
    serverVersion: versionNumber(loggedIn.parameters.get('server_version') ?? ''),
    cancel: () => cancel(address, loggedIn.backendKey, options),
  };
}

function cancel(
  address: string,
  backendKey: LoggedIn['backendKey'],
  options: UpstreamOptions,
): Promise<void> {
  return within(CANCEL_MS, undefined, async (deadline) => {
    if (backendKey === undefined) throw new HoopError('ERR_UNSUPPORTED', 'the target cannot cancel');
    const socket = await open(address, options, deadline);
    const closed = until(socket, 'close');
    socket.resume();
    socket.end(encodeStartup({ name: 'CancelRequest', processId: backendKey.pid, key: backendKey.key }));
    // The server closes without a word, in TLS perhaps without a goodbye: that is no failure.
    await closed.catch((error) => {
      if (deadline.aborted) throw error;
    });
  });
}

/** `15.18 (Debian …)` → 150018, `9.6.24` → 90624, `18beta1` → 180000. */
function versionNumber(text: string): number {
  const [, major, minor, patch] = /^([0-9]{1,3})(?:\.([0-9]{1,3}))?(?:\.([0-9]{1,3}))?/.exec(text) ?? [];
  if (major === undefined) return 0;
  const [first, second, third] = [major, minor, patch].map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
  ];
  return first >= 10 ? first * 10_000 + second : first * 10_000 + second * 100 + third;
}
