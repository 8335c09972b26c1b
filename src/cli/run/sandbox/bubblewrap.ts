/**
 * How bubblewrap is asked for a sandbox. Pure.
 *
 * @see https://github.com/containers/bubblewrap
 */
import { isAbsolute, join, relative } from 'node:path';

export interface Confinement {
  /** Program and arguments that run inside. */
  readonly command: readonly string[];
  /** Working directory, absolute. */
  readonly cwd: string;
  /** Directories that are empty inside: where sockets of other programs lie, and the login. They exist. */
  readonly hidden: readonly string[];
  /** Files and directories that are there all the same. */
  readonly kept: readonly string[];
  /** Without the terminal as the one it is controlled by: on kernels where what runs inside could type there. */
  readonly newSession: boolean;
}

/**
 * A network of its own with nothing in it but loopback, processes of its own, the file system as it is but for what is hidden, no
 * capability. It ends with whoever started it.
 */
export function bubblewrapArguments({
  command,
  cwd,
  hidden,
  kept,
  newSession,
}: Confinement): readonly string[] {
  const shown = shownWithin(kept, hidden);
  return [
    ...['--dev-bind', '/', '/', '--unshare-net', '--unshare-pid', '--unshare-ipc', '--proc', '/proc'],
    ...hidden.flatMap((directory) => ['--tmpfs', directory]),
    ...shown.flatMap((path) => ['--bind', path, path]),
    ...['--cap-drop', 'ALL', '--die-with-parent', '--chdir', cwd],
    ...(newSession ? ['--new-session'] : []),
    '--',
    ...command,
  ];
}

/** Of what is to be kept that which would be hidden. Pure. */
export function shownWithin(kept: readonly string[], hidden: readonly string[]): readonly string[] {
  return kept.filter((path) => hidden.some((directory) => isWithin(path, directory)));
}

/** Variables by which hoopctl, or what a CI platform offers its jobs, would get a token: nobody inside has a use for one. */
const CREDENTIALS = /^(HOOPCTL_(TOKEN|CLIENT)|ACTIONS_(ID_TOKEN_REQUEST|RUNTIME)_)/;

/** The environment without what logs in. Pure. */
export function withoutCredentials(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !CREDENTIALS.test(name)));
}

/** Where a program is. @param isProgram Whether a path is one that may be run. @returns Undefined: nowhere. */
export function inPath(
  name: string,
  env: NodeJS.ProcessEnv,
  isProgram: (path: string) => boolean,
): string | undefined {
  const directories = (env['PATH'] ?? '').split(':').filter(isAbsolute);
  return directories.map((directory) => join(directory, name)).find(isProgram);
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}
