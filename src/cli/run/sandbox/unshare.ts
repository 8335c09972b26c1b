/**
 * How a sandbox is made where there is no bubblewrap: by the programs of util-linux and iproute2, in a user namespace. Pure.
 *
 * @see https://man7.org/linux/man-pages/man1/unshare.1.html
 */
import { dirname } from 'node:path';
import { type Confinement, shownWithin } from './bubblewrap.ts';

/** What it takes, by name. */
export const UNSHARE_PROGRAMS = ['unshare', 'mount', 'mkdir', 'setpriv', 'setsid', 'ip'] as const;
export type UnsharePrograms = Readonly<Record<(typeof UNSHARE_PROGRAMS)[number], string>>;

export interface Within {
  readonly programs: UnsharePrograms;
  /** Whose process it is: whom it stays inside. */
  readonly uid: number;
  readonly gid: number;
  isDirectory(path: string): boolean;
}

/** File descriptors that every shell can open by one digit, behind the first three. */
const FIRST_FD = 3;
const MOST_FDS = 7;

/**
 * The same as of bubblewrap: no network but loopback, processes of its own, directories that are empty, no capability. A step
 * that fails ends it before the command, which runs as the same user.
 *
 * @throws {RangeError} More is to be kept than a shell can hold open.
 */
export function unshareArguments(confinement: Confinement, within: Within): readonly string[] {
  const { programs } = within;
  const namespaces = ['--user', '--map-root-user', '--mount', '--net', '--pid', '--ipc'];
  return [
    programs.unshare,
    ...[...namespaces, '--fork', '--kill-child', '--mount-proc', '--'],
    ...['/bin/sh', '-c', script(confinement, within), 'sh', ...confinement.command],
  ];
}

function script({ cwd, hidden, kept, newSession }: Confinement, within: Within): string {
  const { programs, isDirectory } = within;
  const shown = [...new Set(shownWithin(kept, hidden))];
  if (shown.length > MOST_FDS) throw new RangeError('too much is to be kept in a sandbox');
  const [mkdir, mount] = [quoted(programs.mkdir), quoted(programs.mount)];
  const empty = (path: string) => [
    `${mkdir} -p ${quoted(path)}`,
    `${mount} -n -t tmpfs -o mode=0755 tmpfs ${quoted(path)}`,
  ];
  // Held open from before it is covered, for there is no other way to it afterwards.
  const fd = (index: number) => FIRST_FD + index;
  const back = (path: string, index: number) => [
    `${mkdir} -p ${quoted(isDirectory(path) ? path : dirname(path))}`,
    ...(isDirectory(path) ? [] : [`[ -e ${quoted(path)} ] || : > ${quoted(path)}`]),
    `${mount} -n --no-canonicalize --bind /proc/self/fd/${fd(index)} ${quoted(path)}`,
    `exec ${fd(index)}<&-`,
  ];
  return [
    'set -eu',
    `${quoted(programs.ip)} link set lo up`,
    ...shown.map((path, index) => `exec ${fd(index)}< ${quoted(path)}`),
    ...hidden.flatMap(empty),
    ...shown.flatMap(back),
    `cd ${quoted(cwd)}`,
    `${[...(newSession ? [quoted(programs.setsid), '--wait'] : []), ...asUser(within)].join(' ')} "$@"`,
  ].join('\n');
}

/** Root keeps no capability; whoever else it is becomes that again, by a namespace within. */
function asUser({ programs, uid, gid }: Within): readonly string[] {
  const setpriv = quoted(programs.setpriv);
  if (uid === 0) return [setpriv, '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--'];
  const again = [quoted(programs.unshare), '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'];
  return [...again, setpriv, '--no-new-privs', '--'];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
