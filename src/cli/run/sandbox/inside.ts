/**
 * The inside of a sandbox: its loopback has the tunnel's local ends, at the same ports, and the command finds nothing else.
 */
import { readdirSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { relay } from '../../../client/relay.ts';
import { HoopError } from '../../../core/errors.ts';
import type { Invocation } from '../../command.ts';
import { runChild } from '../../connect/child.ts';
import { ENDING_SIGNALS } from '../../signals.ts';
import { CONTROL_SOCKET, portOfSocket, SANDBOX_VARIABLE } from './messages.ts';

/** As of a process that SIGKILL has ended. */
const KILLED = 137;

/**
 * @returns The command's exit code.
 * @throws {HoopError} `ERR_CONFIG` the outside cannot be reached, or this is no inside: the command is not started.
 */
export async function runInside({ io, command }: Invocation, directory: string): Promise<number> {
  demandNoNetwork();
  for (const name of readdirSync(directory)) {
    const port = portOfSocket(name);
    if (port !== undefined) await serve(port, join(directory, name));
  }
  const control = await connected(join(directory, CONTROL_SOCKET));
  // Nobody is left who would end it: all that runs here goes with this process.
  control.once('close', () => process.exit(KILLED));
  const { [SANDBOX_VARIABLE]: _, ...env } = io.env;
  return runChild(io, command, env, (pass) => {
    control.setEncoding('latin1').on('data', (text: string) => {
      for (const signal of ENDING_SIGNALS) if (text.includes(signal)) pass(signal);
    });
  });
}

/** Whatever made the sandbox, and whatever the environment says: a command is not run where it could reach more. */
function demandNoNetwork(): void {
  const others = Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
  if (others.length > 0)
    throw new HoopError('ERR_CONFIG', `the sandbox is none: it has a network (${others.join(', ')})`, {
      hint: 'see what bwrap, or unshare, in PATH is; HOOPCTL_SANDBOX is set by hoopctl alone',
    });
}

function serve(port: number, path: string): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void relay(socket, createConnection({ path, allowHalfOpen: true }));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new HoopError('ERR_CONFIG', `port ${port} of the sandbox cannot be used (${cause.message})`, {
          cause,
        }),
      ),
    );
    server.listen({ host: '127.0.0.1', port }, () => resolve());
  });
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path, () => resolve(socket));
    socket.on('error', (cause) =>
      reject(
        new HoopError('ERR_CONFIG', `the outside of the sandbox does not answer (${cause.message})`, {
          cause,
        }),
      ),
    );
  });
}
