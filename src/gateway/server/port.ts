import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { HoopError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

/**
 * How many sockets share the port where the system lets them. Node takes one connection from each in a turn of its event
 * loop: with one socket, hundreds that are opened at once keep the next waiting for hundreds of turns.
 */
const SOCKETS = 16;

/** Where the kernel deals connections out to all sockets of one port; elsewhere the last one would get them all. */
const DEALS = process.platform === 'linux';

const CURES: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'this machine has no such address: choose one of its own in listen, or 0.0.0.0',
  EACCES: 'ports below 1024 take a right (CAP_NET_BIND_SERVICE): give it, or choose another one in listen',
  ENOTFOUND: 'listen takes an address of this machine, such as 0.0.0.0:7443',
};

/** A port that is taken connections from. */
export interface Port {
  readonly port: number;
  /** Takes no more; resolves when the connections of `server` are gone, too. */
  close(): Promise<void>;
}

/**
 * Listens on an address that nobody else has.
 *
 * @param server Gets all connections, as if it listened alone.
 * @throws {HoopError} `ERR_CONFIG` the address cannot be taken.
 */
export async function openPort(server: Server, host: string, port: number): Promise<Port> {
  // Sockets that share a port would share it with a stranger as well.
  if (DEALS && port !== 0) await probe(host, port);
  await listen(server, { host, port, reusePort: DEALS });
  const taken = (server.address() as AddressInfo).port;
  const others = Array.from({ length: DEALS ? SOCKETS - 1 : 0 }, () =>
    createServer({ noDelay: true }, (socket) => server.emit('connection', socket)),
  );
  const all = [server, ...others];
  const close = () => Promise.all(all.map(closed)).then(() => undefined);
  try {
    for (const other of others) {
      await listen(other, { host, port: taken, reusePort: true });
      // Without a listener an error would end the process.
      other.on('error', (error) => server.emit('error', error));
    }
  } catch (error) {
    void close();
    throw error;
  }
  return { port: taken, close };
}

async function probe(host: string, port: number): Promise<void> {
  const alone = createServer();
  await listen(alone, { host, port });
  await closed(alone);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

function listen(server: Server, at: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error & { code?: string }) =>
      reject(
        new HoopError('ERR_CONFIG', `cannot listen on ${at.host}:${at.port} (${error.code ?? 'unknown'})`, {
          hint: CURES[error.code ?? ''] ?? 'choose another address in listen, or end what uses it',
          cause: error,
        }),
      );
    server.once('error', failed);
    server.listen({ ...at, backlog: LIMITS.listenBacklog }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}
