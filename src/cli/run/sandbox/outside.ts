/**
 * The outside of a sandbox: what is in it reaches the tunnel's local ends by sockets, and nothing else.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { constants as os, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { relay } from '../../../client/relay.ts';
import { closeToOthers, configDir } from '../../../client/store/private-files.ts';
import { HoopError } from '../../../core/errors.ts';
import type { PreparedEnd } from '../../connect/prepare.ts';
import type { TunnelFiles } from '../../connect/tunnel-files.ts';
import type { Io } from '../../io.ts';
import type { EndingSignal } from '../../signals.ts';
import { bubblewrapArguments, type Confinement, inPath, withoutCredentials } from './bubblewrap.ts';
import { CONTROL_SOCKET, SANDBOX_VARIABLE, socketOfPort } from './messages.ts';
import { UNSHARE_PROGRAMS, type UnsharePrograms, unshareArguments } from './unshare.ts';

/** What a terminal or `kill` sends is for the command, which is told of it in another way: what makes the sandbox would die of it. */
const DEAF = 'trap "" INT TERM HUP; exec "$@"';

/** What makes a sandbox, and how it is asked. */
export interface SandboxMaker {
  readonly name: 'bubblewrap' | 'unshare';
  words(confinement: Confinement): readonly string[];
}

/**
 * Finds what makes sandboxes: bubblewrap, or else programs that are on nearly every Linux.
 *
 * @throws {HoopError} `ERR_CONFIG` there can be none here.
 */
export function demandMaker(env: NodeJS.ProcessEnv): SandboxMaker {
  if (process.platform !== 'linux')
    throw new HoopError('ERR_CONFIG', '--sandbox is for Linux: there are no network namespaces here', {
      hint: 'run it in a container or a virtual machine, or without --sandbox',
    });
  const bubblewrap = inPath('bwrap', env, isProgram);
  if (bubblewrap !== undefined)
    return { name: 'bubblewrap', words: (asked) => [bubblewrap, ...bubblewrapArguments(asked)] };
  const found = UNSHARE_PROGRAMS.map(
    (name) => [name, itself(name, inPath(name, withSystem(env), isProgram))] as const,
  );
  const missing = found.flatMap(([name, path]) => (path === undefined ? [name] : []));
  if (missing.length > 0)
    throw new HoopError(
      'ERR_CONFIG',
      `--sandbox needs bubblewrap, and there is no bwrap in PATH; to do without it ${missing.join(', ')} would be needed too`,
      { hint: 'install the package bubblewrap (or util-linux and iproute2), or run without --sandbox' },
    );
  const programs = Object.fromEntries(found) as UnsharePrograms;
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const isDirectory = (path: string) => statSync(path).isDirectory();
  return { name: 'unshare', words: (asked) => unshareArguments(asked, { programs, uid, gid, isDirectory }) };
}

/** Not a link that lies where the sandbox hides it; but one by which a program of many names knows what it is meant to be. */
function itself(name: string, path: string | undefined): string | undefined {
  const real = path === undefined ? undefined : realpathSync(path);
  return real !== undefined && basename(real) === name ? real : path;
}

/** `ip` is where only administrators look. */
function withSystem(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH: `${env['PATH'] ?? ''}:/usr/sbin:/sbin` };
}

/**
 * Runs hoopctl again inside, which runs the command.
 *
 * @returns The command's exit code. @throws {HoopError} `ERR_CONFIG` no sandbox came of it.
 */
export async function runOutside(
  io: Io,
  maker: SandboxMaker,
  env: NodeJS.ProcessEnv,
  ends: readonly PreparedEnd[],
  files: TunnelFiles,
): Promise<number> {
  const directory = files.directory();
  const servers: Server[] = [];
  try {
    for (const { end } of ends) servers.push(await bridge(directory, end.address.port));
    const inside = new Inside();
    servers.push(await listenAt(join(directory, CONTROL_SOCKET), (socket) => inside.connected(socket)));
    const newSession = io.streams.stdin.isTTY === true && canTypeForOthers();
    const words = maker.words({
      command: [process.execPath, ...process.execArgv, itsMain(), ...process.argv.slice(2)],
      cwd: process.cwd(),
      hidden: hiddenDirectories(env),
      kept: [process.cwd(), directory, process.execPath, ...ownFiles()],
      newSession,
    });
    const code = await untilExit(
      io,
      words,
      { ...withoutCredentials(env), [SANDBOX_VARIABLE]: directory },
      (signal) => {
        // What the terminal has sent to all of us it has sent to the command.
        if (signal !== 'SIGINT' || newSession || io.streams.stdin.isTTY !== true) inside.pass(signal);
      },
    );
    if (inside.isUp) return code;
    throw new HoopError('ERR_CONFIG', `${maker.name} could make no sandbox here`, {
      hint: 'what was said stands above; in a container, or where user namespaces are restricted, it may not',
    });
  } finally {
    for (const server of servers) server.close();
  }
}

/** The process inside, as it is known here. */
class Inside {
  #socket: Socket | undefined;

  get isUp(): boolean {
    return this.#socket !== undefined;
  }

  connected(socket: Socket): void {
    this.#socket ??= socket;
    socket.on('error', () => undefined).resume();
  }

  pass(signal: EndingSignal): void {
    this.#socket?.write(`${signal}\n`);
  }
}

function untilExit(
  io: Io,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  onSignal: (signal: EndingSignal) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', DEAF, 'sh', ...command], { stdio: 'inherit', env });
    const release = io.signals.take(onSignal);
    child.once('error', (error) => {
      release();
      reject(
        new HoopError('ERR_CONFIG', `the sandbox cannot be started (${error.message})`, { cause: error }),
      );
    });
    child.once('exit', (code, signal) => {
      release();
      resolve(code ?? 128 + (signal === null ? 0 : os.signals[signal]));
    });
  });
}

/** A port of this machine's loopback, by a socket that the sandbox can see. */
function bridge(directory: string, port: number): Promise<Server> {
  return listenAt(join(directory, socketOfPort(port)), (socket) => {
    void relay(socket, createConnection({ host: '127.0.0.1', port, allowHalfOpen: true }));
  });
}

async function listenAt(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new HoopError('ERR_CONFIG', `${path} cannot be listened at (${cause.message})`, { cause })),
    );
    server.listen(path, resolve);
  });
  await closeToOthers(path);
  return server;
}

/** Where other programs have sockets by which one gets out: containers, buses, terminals, agents; and hoopctl's own login. */
function hiddenDirectories(env: NodeJS.ProcessEnv): readonly string[] {
  const all = ['/run', '/tmp', tmpdir(), configDir(env)].filter(existsSync).map((path) => realpathSync(path));
  return [...new Set(all)];
}

/** The file by which hoopctl was started, not a link to it as of npx: that may lie where it is hidden. */
function itsMain(): string {
  return realpathSync(process.argv[1] ?? '');
}

/** hoopctl itself, where it was unpacked to a directory that is hidden. */
function ownFiles(): readonly string[] {
  return [dirname(dirname(itsMain()))];
}

/** Before Linux 6.2, and where it is set so, whoever has a terminal can put characters into what others read of it. */
function canTypeForOthers(): boolean {
  try {
    return readFileSync('/proc/sys/dev/tty/legacy_tiocsti', 'latin1').trim() !== '0';
  } catch {
    return true;
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
