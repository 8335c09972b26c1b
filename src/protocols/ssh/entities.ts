import { posix } from 'node:path';
import type { PolicyObject } from '../../policy/model.ts';
import type { CommandReading } from './reading/command.ts';

/** A machine behind a resource. Pure. @param labels `env=prod`. */
export function hostOf(resource: PolicyObject, name: string, labels: readonly string[]): PolicyObject {
  return { type: 'Host', id: `${resource.id}/${name}`, attrs: { name, labels }, parent: resource };
}

/** A command, as policy is asked of it. In evidence it is called by its program: the whole of it is text. Pure. */
export function commandOf(host: PolicyObject, { argv, text, takesCommands }: CommandReading): PolicyObject {
  const [program = '', ...rest] = argv ?? [];
  const words = [...new Set(rest)];
  const attrs = { text, program, words, count: argv?.length ?? 0, shell: argv === undefined, takesCommands };
  const name = argv === undefined ? '(shell)' : program;
  return { type: 'Command', id: `${host.id}/${name}`, attrs, parent: host };
}

/** A subsystem by its name. Pure. */
export function subsystemOf(host: PolicyObject, name: string): PolicyObject {
  return { type: 'Subsystem', id: `${host.id}/(${name})`, attrs: { name }, parent: host };
}

/**
 * A file or directory, its dots and double slashes taken away. Pure. @param path As it stands in a command: one that is not
 * absolute is below the home of the login, and stays so.
 */
export function pathOf(host: PolicyObject, path: string): PolicyObject {
  const normal = posix.normalize(path).replace(/(?<=.)\/$/, '');
  const segments = normal.split('/').filter((segment) => segment !== '' && segment !== '.');
  const attrs = { path: normal, segments: [...new Set(segments)], depth: segments.length };
  return {
    type: 'Path',
    id: `${host.id}${normal.startsWith('/') ? '' : '/~/'}${normal}`,
    attrs,
    parent: host,
  };
}

/** Where a forwarded connection goes to. Pure. @param address In the one form that is sent. */
export function addressOf(host: PolicyObject, address: string, port: number): PolicyObject {
  return {
    type: 'Address',
    id: `${host.id}/${address}:${port}`,
    attrs: { host: address, port },
    parent: host,
  };
}
