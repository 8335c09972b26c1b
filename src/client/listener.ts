/**
 * The local end of a tunnel: a loopback port, an owner-only socket, or standard input and output.
 */
import { lstat, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { SlabSizes } from '../core/bytes/slabs.ts';
import { HoopError, toHoopError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { type Admitted, Challenged, type LocalDoor } from './local/door.ts';
import type { LocalProtocol } from './local/protocol.ts';
import type { LocalTls } from './local/tls.ts';
import { relay, relaySlabs } from './relay.ts';
import { closeToOthers, ensurePrivateDir } from './store/private-files.ts';

/** Opens the gateway's side of one local connection. */
export type OpenStream = (signal: AbortSignal) => Promise<Duplex>;

export interface ListenerOptions {
  readonly protocol: Pick<LocalProtocol, 'socketName' | 'refuse' | 'alpn'>;
  readonly open: OpenStream;
  /** Where clients speak TLS with the local end. */
  readonly tls?: LocalTls;
  /** Where others than the tunnel's owner can reach the local end. */
  readonly door?: LocalDoor;
  /** A local connection was refused by the gateway or could not get there. */
  readonly onRefused: (error: HoopError) => void;
}

export type Address =
  | { readonly kind: 'port'; readonly host: '127.0.0.1'; readonly port: number }
  | { readonly kind: 'socket'; readonly directory: string; readonly port: number; readonly path: string };

/** Local connections at once; one more is closed. */
const MAX_CONNECTIONS = 2048;
/** Of those that have had their time and have not proved anything: one more, and the oldest is closed. */
const MAX_UNPROVEN = 128;
/** Time for who showed nothing to ask again with what it was asked for, ms. */
const CHALLENGE_MS = 1_000;
/** Time in which all may come at once, as of a tool that opens a thousand, ms; and how many these may be. */
const BURST_MS = 1_000;
const MAX_BURST = 1024;
/** `sun_path` holds 108 octets on Linux, 104 elsewhere, NUL included. */
const MAX_SOCKET_PATH = 103;

/** An open local end. */
export class Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #connections: Set<Socket>;

  private constructor(server: Server, address: Address, connections: Set<Socket>) {
    this.#server = server;
    this.address = address;
    this.#connections = connections;
  }

  /**
   * Listens on 127.0.0.1, never on another address.
   *
   * @param port 0 … 65535; 0 takes a free one.
   * @throws {HoopError} `ERR_USAGE` the port is taken or not ours to take.
   */
  static async onPort(port: number, options: ListenerOptions): Promise<Listener> {
    const { server, connections } = serve(options);
    await listen(server, { host: '127.0.0.1', port, exclusive: true }, `port ${port}`);
    const address = {
      kind: 'port',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    } as const;
    return new Listener(server, address, connections);
  }

  /**
   * Listens on a socket file in a directory of ours (0700, the file 0600).
   *
   * The file has the name that the protocol's clients look for.
   *
   * @throws {HoopError} `ERR_CONFIG` the directory is open to others; `ERR_USAGE` the path is too long or in use.
   */
  static async onSocket(directory: string, port: number, options: ListenerOptions): Promise<Listener> {
    await ensurePrivateDir(directory);
    const path = join(directory, options.protocol.socketName(port));
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
      throw new HoopError('ERR_USAGE', `the path of the socket is too long: ${path}`, {
        hint: 'choose a shorter one',
      });
    }
    await removeDeadSocket(path);
    const { server, connections } = serve(options);
    await listen(server, { path }, path);
    await closeToOthers(path);
    return new Listener(server, { kind: 'socket', directory, port, path }, connections);
  }

  /**
   * Stops listening, ends every local connection, removes the socket file. Safe to call twice.
   *
   * @param graceMs How long connections may take to end by themselves: the gateway's last words are on their way.
   */
  async close(graceMs = 0): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const cut = () => {
      for (const socket of this.#connections) socket.destroy();
    };
    const timer = graceMs > 0 ? setTimeout(cut, graceMs) : undefined;
    if (timer === undefined) cut();
    await closed;
    clearTimeout(timer);
  }
}

/**
 * Serves one stream on standard input and output, as an ssh-style ProxyCommand wants it.
 *
 * @returns Resolves when the stream has ended.
 * @throws {HoopError} the gateway refused it.
 */
export async function serveStdio(
  open: OpenStream,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<void> {
  const remote = await open(signal);
  const stop = () => remote.destroy();
  signal.addEventListener('abort', stop, { once: true });
  await relay(Duplex.from({ readable: input, writable: output }), remote);
  signal.removeEventListener('abort', stop);
}

function serve(options: ListenerOptions): { server: Server; connections: Set<Socket> } {
  const connections = new Set<Socket>();
  const unproven = new Unproven();
  const challenges = new Challenges(options.onRefused);
  const slabs = relaySlabs();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.once('close', () => challenges.close());
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (local) => {
    connections.add(local);
    local.once('close', () => connections.delete(local));
    void carry(local, { ...options, unproven, challenges }, slabs);
  });
  return { server, connections };
}

/** From a local connection to its stream; whatever goes wrong ends this connection and no other. */
async function carry(socket: Socket, options: Carrying, slabs: SlabSizes): Promise<void> {
  socket.on('error', () => undefined);
  const { door } = options;
  const local = options.tls === undefined ? socket : await secured(socket, options.tls, options);
  if (local === undefined) return;
  if (door === undefined) return joined(local, options, slabs, undefined);
  const admitted = await admit(local, door, options);
  if (admitted === undefined) return;
  await joined(local, options, slabs, admitted);
  admitted.left();
}

interface Carrying extends ListenerOptions {
  readonly unproven: Unproven;
  readonly challenges: Challenges;
}

/** @returns Undefined if no TLS came of it: the connection is closed. */
async function secured(socket: Socket, tls: LocalTls, options: Carrying): Promise<Duplex | undefined> {
  const proven = options.unproven.add(socket);
  try {
    return await tls.accept(socket, options.protocol.alpn);
  } catch (error) {
    const refusal = toHoopError(error);
    if (refusal.code === 'ERR_LOCAL_AUTH') options.onRefused(refusal);
    return undefined;
  } finally {
    proven();
  }
}

/** @returns Undefined if the connection was closed instead. */
async function admit(local: Duplex, door: LocalDoor, options: Carrying): Promise<Admitted | undefined> {
  const proven = options.unproven.add(local);
  try {
    const admitted = await door.admit(local);
    if (admitted === undefined) local.end();
    else options.challenges.taken();
    return local.destroyed ? undefined : admitted;
  } catch (error) {
    const refusal = toHoopError(error);
    if (refusal instanceof Challenged) options.challenges.add(refusal);
    else if (refusal.code === 'ERR_LOCAL_AUTH') options.onRefused(refusal);
    door.refuse(local, refusal);
    return undefined;
  } finally {
    proven();
  }
}

/** Opens a stream for the local connection and joins them. */
async function joined(
  local: Duplex,
  options: ListenerOptions,
  slabs: SlabSizes,
  admitted: Admitted | undefined,
): Promise<void> {
  const left = new AbortController();
  let remote: Duplex | undefined;
  const leave = () => {
    left.abort();
    remote?.destroy();
  };
  local.once('close', leave);
  try {
    remote = await options.open(left.signal);
    remote.on('error', () => undefined);
    if (local.destroyed) return void remote.destroy();
    if ((await admitted?.introduce(remote)) === false) return void local.end();
    local.off('close', leave);
    await relay(local, remote, slabs);
  } catch (error) {
    if (left.signal.aborted) return;
    remote?.destroy();
    const refusal = toHoopError(error);
    options.onRefused(refusal);
    (options.door ?? options.protocol).refuse(local, refusal);
  }
}

/** Connections that have not proved anything: whoever opens many and says nothing keeps nobody out. */
class Unproven {
  /** Since when, ms of a clock that only goes forward; the oldest first. */
  readonly #sockets = new Map<Duplex, number>();

  /** @returns Call it when the connection is one of these no more. */
  add(socket: Duplex): () => void {
    const now = performance.now();
    this.#sockets.set(socket, now);
    const gone = () => void this.#sockets.delete(socket);
    socket.once('close', gone);
    for (const [oldest, since] of this.#sockets) {
      const most = now - since < BURST_MS ? MAX_BURST : MAX_UNPROVEN;
      if (this.#sockets.size <= most) break;
      this.#sockets.delete(oldest);
      oldest.destroy();
    }
    return gone;
  }
}

/** Refusals of those that showed nothing: told once it is clear that nobody has taken one for the question that it is. */
class Challenges {
  readonly #tell: (error: HoopError) => void;
  readonly #waiting: { readonly error: HoopError; readonly timer: NodeJS.Timeout }[] = [];

  constructor(tell: (error: HoopError) => void) {
    this.#tell = tell;
  }

  add(error: HoopError): void {
    const timer = setTimeout(() => {
      this.#waiting.shift();
      this.#tell(error);
    }, CHALLENGE_MS).unref();
    this.#waiting.push({ error, timer });
  }

  /** Somebody has shown the secret: it may be the one that was asked last. */
  taken(): void {
    clearTimeout(this.#waiting.pop()?.timer);
  }

  /** What waits is told: whoever was refused may have ended by it. */
  close(): void {
    for (const { error, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      this.#tell(error);
    }
  }
}

function listen(server: Server, options: object, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.code ?? error.message})`;
      reject(
        new HoopError('ERR_USAGE', `${name} ${why}`, {
          hint: 'choose another, or --port 0 for any; tunnels of yours: hoopctl tunnel list',
          cause: error,
        }),
      );
    });
    server.listen({ ...options, backlog: LIMITS.listenBacklog }, () => resolve());
  });
}

/** A socket file that nobody answers on is left over from a process that was killed. */
async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket() || (await answers(path))) throw new HoopError('ERR_USAGE', `${path} is in use`);
  await rm(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => resolve(probe.destroy() !== undefined));
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
