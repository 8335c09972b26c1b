/**
 * How a tunnel in the background is reached: a socket of its owner's. Whether it answers says whether the tunnel lives, whatever
 * has become of its process's number.
 */
import { createConnection, createServer, type Server } from 'node:net';
import { closeToOthers } from '../../client/store/private-files.ts';
import { HoopError } from '../../core/errors.ts';

const CLOSE = 'close\n';
const MAX_CONNECTIONS = 16;
/** `sun_path` holds 108 octets on Linux, 104 elsewhere, NUL included. */
const MAX_SOCKET_PATH = 103;
/** Time for a tunnel to end, and for its clients to be told, ms. */
const CLOSE_MS = 10_000;
const ANSWER_MS = 2_000;

/**
 * Listens where nobody else can reach it: in a directory of ours.
 *
 * @param onClose Called when somebody asks for the tunnel's end.
 * @returns Keeps no process alive; its end is the process's.
 * @throws {HoopError} `ERR_CONFIG` the path is too long, or cannot be listened at.
 */
export async function serveControl(path: string, onClose: () => void): Promise<Server> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw new HoopError('ERR_CONFIG', `the path of a tunnel's socket is too long: ${path}`, {
      hint: 'name a shorter directory in HOOPCTL_CONFIG_DIR',
    });
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('error', () => undefined);
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text === CLOSE) onClose();
      else if (!CLOSE.startsWith(text)) socket.destroy();
    });
    socket.unref();
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new HoopError('ERR_CONFIG', `${path} cannot be listened at (${error.code ?? error.message})`)),
    );
    server.listen(path, resolve);
  });
  await closeToOthers(path);
  return server.unref();
}

/** Whether a tunnel is behind the socket. Never throws. */
export function isOpen(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const done = (open: boolean) => {
      resolve(open);
      socket.destroy();
    };
    socket.setTimeout(ANSWER_MS, () => done(true));
    socket.once('connect', () => done(true));
    // Nobody listens, or nothing is there; whatever else goes wrong says nothing of the tunnel.
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      done(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

/**
 * Asks the tunnel behind the socket to end.
 *
 * @returns Once its process has ended; false: it has not within ten seconds, or does not answer.
 */
export function askToClose(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path, () => socket.write(CLOSE));
    const timer = setTimeout(() => {
      resolve(false);
      socket.destroy();
    }, CLOSE_MS);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
    socket.resume();
  });
}
