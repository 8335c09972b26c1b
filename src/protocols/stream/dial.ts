import { connect, type LookupFunction, type Socket } from 'node:net';
import { directReads } from '../../core/bytes/direct-reads.ts';
import { HoopError, isHoopError, toHoopError } from '../../core/errors.ts';

/** Idle time before the kernel asks whether the target is still there, ms. */
const KEEPALIVE_MS = 30_000;

/**
 * As `dial`, reading into memory of the caller's: see `directReads`.
 *
 * @returns The connected socket; until `deliver` is called it reads as any other.
 * @throws {HoopError} As `dial`.
 * @see https://nodejs.org/api/net.html#socketconnectoptions-connectlistener
 */
export async function dialDirect(
  host: string,
  port: number,
  signal: AbortSignal,
  memory: Buffer,
): Promise<Socket> {
  const { onread, attach } = directReads(memory);
  const socket = attach(connect({ ...tcpOptions(host, port), onread }));
  await connected(socket, signal);
  return socket;
}

/**
 * Opens a TCP connection without delay and with keepalive, and waits until it stands.
 *
 * @param lookup How names become addresses; default the system's way.
 * @param signal Aborting it destroys the socket with the signal's reason, also later: see `destroyOn`.
 * @returns The connected socket; nothing is read yet. It has a silent `error` listener: `close` tells the end.
 * @throws {HoopError} `ERR_TARGET_UNREACHABLE` no such name, refused, no route, with the system's word in `detail`; the
 *   signal's reason if that is ours.
 * @see https://nodejs.org/api/net.html#netconnectoptions-connectlistener
 */
export async function dial(
  host: string,
  port: number,
  signal: AbortSignal,
  lookup?: LookupFunction,
): Promise<Socket> {
  const socket = connect({ ...tcpOptions(host, port), ...(lookup === undefined ? {} : { lookup }) });
  await connected(socket, signal);
  return socket;
}

function tcpOptions(host: string, port: number) {
  return { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS };
}

async function connected(socket: Socket, signal: AbortSignal): Promise<void> {
  destroyOn(signal, socket);
  try {
    await until(socket, 'connect');
  } catch (error) {
    socket.destroy();
    throw unreachable(error);
  }
}

/**
 * Destroys the socket when the signal is aborted, with its reason. An error that comes while nobody waits for the socket
 * is swallowed, so that it cannot end the process.
 *
 * @returns Nothing. Never throws.
 * @see https://nodejs.org/api/net.html#socketdestroyerror
 */
export function destroyOn(signal: AbortSignal, socket: Socket): void {
  const destroy = () => socket.destroy(signal.reason);
  socket.on('error', () => undefined);
  socket.once('close', () => signal.removeEventListener('abort', destroy));
  signal.addEventListener('abort', destroy, { once: true });
  if (signal.aborted) destroy();
}

/**
 * Waits for one event of a socket.
 *
 * @returns What the event carries.
 * @throws What the socket's `error` event carries, or an error if it closes without one.
 * @see https://nodejs.org/api/net.html#class-netsocket
 */
export function until(
  socket: Socket,
  event: 'connect' | 'secureConnect' | 'data' | 'close',
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      act();
    };
    const onEvent = (value: unknown) => settle(() => resolve(value));
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(socket.errored ?? new Error('it closed the connection')));
    socket.on(event, onEvent).on('error', onError);
    if (event !== 'close') socket.on('close', onClose);
    if (socket.closed) onClose();
  });
}

/**
 * Reads what comes next and pauses the socket again, so that nothing is read that nobody waits for.
 *
 * @returns One chunk, at least one octet.
 * @throws {HoopError} `ERR_TARGET_UNREACHABLE` the connection broke or ended.
 * @see https://nodejs.org/api/stream.html#two-reading-modes
 */
export async function nextChunk(socket: Socket): Promise<Buffer> {
  const pause = () => void socket.pause();
  socket.once('data', pause);
  try {
    const chunk = until(socket, 'data');
    socket.resume();
    return (await chunk) as Buffer;
  } catch (error) {
    throw unreachable(error);
  } finally {
    socket.off('data', pause);
  }
}

function unreachable(error: unknown): HoopError {
  if (isHoopError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new HoopError('ERR_TARGET_UNREACHABLE', undefined, {
    detail: `${code ?? 'error'}: ${message}`,
    cause: error,
  });
}

/**
 * Runs `act` with a signal that is aborted after so long, or with the caller's.
 *
 * @param timeoutMs For all of it, ms: name, connection, TLS and login.
 * @param signal Of no effect once `act` is done.
 * @returns What `act` gives.
 * @throws What `act` throws; handed to `dial`, its signal's reason is `ERR_TARGET_UNREACHABLE` where it took too long.
 */
export async function within<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  act: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const late = () =>
    new HoopError('ERR_TARGET_UNREACHABLE', undefined, { detail: `no answer within ${timeoutMs} ms` });
  const timer = setTimeout(() => controller.abort(late()), timeoutMs);
  const onAbort = () => controller.abort(toHoopError(signal?.reason, 'ERR_SESSION_ENDED'));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await act(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Resolves when the socket has taken what was written to it, or is closed. Never rejects. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
    if (!socket.writableNeedDrain || socket.closed) done();
  });
}
