import { posix } from 'node:path';
import type { PolicyObject } from '../../policy/model.ts';
import { type CleanText, cleaned } from '../stream/for-people.ts';
import type { CommandReading } from './reading/command.ts';

/** A machine behind a resource. Pure. @param labels `env=prod`. */
export function hostOf(resource: PolicyObject, name: string, labels: readonly string[]): PolicyObject {
  return { type: 'Host', id: `${resource.id}/${name}`, attrs: { name, labels }, parent: resource };
}

/** A command, as policy is asked of it. In evidence it is called by its program: the whole of it is text. Pure. */
export function commandOf(
  host: PolicyObject,
  { argv, text, takesCommands }: CommandReading,
  clean: CleanText,
): PolicyObject {
  const [program = '', ...rest] = argv ?? [];
  const words = [...new Set(rest)];
  const attrs = { text, program, words, count: argv?.length ?? 0, shell: argv === undefined, takesCommands };
  return {
    ...below(host, 'Command', argv === undefined ? '/(shell)' : `/${program}`, attrs, clean),
    holdsText: true,
  };
}

/** A subsystem by its name. Pure. */
export function subsystemOf(host: PolicyObject, name: string, clean: CleanText): PolicyObject {
  return below(host, 'Subsystem', `/(${name})`, { name }, clean);
}

/**
 * A file or directory, its dots and double slashes taken away. Pure. @param path As it stands in a command: one that is not
 * absolute is below the home of the login, and stays so.
 */
export function pathOf(host: PolicyObject, path: string, clean: CleanText): PolicyObject {
  const normal = posix.normalize(path).replace(/(?<=.)\/$/, '');
  const segments = normal.split('/').filter((segment) => segment !== '' && segment !== '.');
  const attrs = { path: normal, segments: [...new Set(segments)], depth: segments.length };
  return below(host, 'Path', `${normal.startsWith('/') ? '' : '/~/'}${normal}`, attrs, clean);
}

/** Where a forwarded connection goes to. Pure. @param address In the one form that is sent. */
export function addressOf(host: PolicyObject, address: string, port: number, clean: CleanText): PolicyObject {
  return below(host, 'Address', `/${address}:${port}`, { host: address, port }, clean);
}

/** Something of a host's, in evidence called without what detectors find in its name. */
function below(
  host: PolicyObject,
  type: string,
  name: string,
  attrs: PolicyObject['attrs'],
  clean: CleanText,
): PolicyObject {
  const object = { type, id: `${host.id}${name}`, attrs, parent: host };
  const shown = cleaned(name, clean);
  return shown === name ? object : { ...object, shownId: `${host.id}${shown}` };
}
