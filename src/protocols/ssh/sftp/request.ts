/** What the packets of a client ask for: of which paths and open files, and under which words of policy. Pure. */
import { HoopError } from '../../../core/errors.ts';
import { FieldReader, string } from '../../../wire/ssh/fields.ts';
import { bodyOf, idOf, PACKET, packet, typeOf } from './packets.ts';

/** One path that a request names. */
export interface NamedPath {
  readonly raw: Buffer;
  /** A link at its end is followed by what is asked; `target`: it is what a new link is to say. */
  readonly as: 'followed' | 'itself' | 'target';
  readonly verbs: readonly string[];
}

export type SftpRequest =
  /** Names paths: asked for, and sent with the paths as they really are. */
  | {
      readonly kind: 'paths';
      readonly what: string;
      readonly paths: readonly NamedPath[];
      readonly opens?: 'file' | 'directory';
      /** Whatever else decides what it does: flags, attributes. */
      readonly rest: Buffer;
      /** The same with other paths, one for each of `paths`. */
      with(paths: readonly Buffer[]): Buffer;
    }
  /** Of what is open already. */
  | { readonly kind: 'read'; readonly handle: Buffer; readonly offset: bigint }
  | { readonly kind: 'write'; readonly handle: Buffer; readonly offset: bigint; readonly data: Buffer }
  | { readonly kind: 'close'; readonly handle: Buffer }
  | { readonly kind: 'open-files'; readonly handles: readonly Buffer[] }
  | {
      readonly kind: 'fsetstat';
      readonly handle: Buffer;
      readonly verbs: readonly string[];
      readonly rest: Buffer;
    }
  /** Names nothing that policy knows: how paths are written, what the target takes. */
  | { readonly kind: 'plain' }
  /** Not carried. */
  | { readonly kind: 'unknown'; readonly what: string };

const FLAG = {
  read: 0x01,
  write: 0x02,
  append: 0x04,
  create: 0x08,
  truncate: 0x10,
  exclusive: 0x20,
} as const;
const FLAG_NAMES = Object.keys(FLAG) as (keyof typeof FLAG)[];
const CHANGES = FLAG.write | FLAG.append | FLAG.create | FLAG.truncate;
/** Attributes that begin with a size cut the file, or make it longer. */
const ATTR_SIZE = 0x01;
const ATTR_OWNER = 0x02;
const ATTR_MODE = 0x04;
/** Set user, set group, sticky: whoever only makes a file does not choose as whom it runs. */
const SPECIAL_MODE = 0o7000;

/**
 * @param packet Whole, and of a type that a client sends behind `init`.
 * @throws {HoopError} `ERR_PROTOCOL` its fields are not what its type asks for.
 */
export function requestOf(packet: Buffer): SftpRequest {
  const fields = new FieldReader(bodyOf(packet));
  const type = typeOf(packet);
  switch (type) {
    case PACKET.open:
      return openOf(packet, fields);
    case PACKET.read:
      return { kind: 'read', handle: fields.string(), offset: fields.uint64() };
    case PACKET.write:
      return writeOf(packet, fields);
    case PACKET.close:
      return { kind: 'close', handle: fields.string() };
    case PACKET.fstat:
    case PACKET.readdir:
      return { kind: 'open-files', handles: [fields.string()] };
    case PACKET.fsetstat: {
      const handle = fields.string();
      const rest = restOf(packet, fields);
      return { kind: 'fsetstat', handle, verbs: setstatVerbs(rest), rest };
    }
    case PACKET.setstat: {
      const raw = fields.string();
      return onPath(packet, 'setstat', raw, 'followed', setstatVerbs(restOf(packet, fields)));
    }
    case PACKET.mkdir: {
      const raw = fields.string();
      return onPath(packet, 'mkdir', raw, 'itself', ['sftp.mkdir', ...specialVerbs(restOf(packet, fields))]);
    }
    case PACKET.symlink: {
      const [target, link] = [fields.string(), fields.string()];
      return onPaths(packet, 'symlink', [
        named(target, 'target', 'sftp.link'),
        named(link, 'itself', 'sftp.link'),
      ]);
    }
    case PACKET.rename:
      return twoPaths(packet, fields, 'rename', 'sftp.rename');
    case PACKET.extended:
      return extendedOf(packet, fields);
    case PACKET.realpath:
      fields.string();
      return { kind: 'plain' };
    default: {
      const row = ON_ONE_PATH[type];
      if (row === undefined) return { kind: 'unknown', what: `request ${type}` };
      const { what, as, verb, opens } = row;
      const request = onPath(packet, what, fields.string(), as, [verb]);
      return opens === undefined ? request : { ...request, opens };
    }
  }
}

interface OnePath {
  readonly what: string;
  readonly as: 'followed' | 'itself';
  readonly verb: string;
  readonly opens?: 'directory';
}

const ON_ONE_PATH: Readonly<Record<number, OnePath>> = {
  [PACKET.lstat]: { what: 'lstat', as: 'itself', verb: 'sftp.stat' },
  [PACKET.stat]: { what: 'stat', as: 'followed', verb: 'sftp.stat' },
  [PACKET.readlink]: { what: 'readlink', as: 'itself', verb: 'sftp.stat' },
  [PACKET.opendir]: { what: 'opendir', as: 'followed', verb: 'sftp.list', opens: 'directory' },
  [PACKET.remove]: { what: 'remove', as: 'itself', verb: 'sftp.remove' },
  [PACKET.rmdir]: { what: 'rmdir', as: 'itself', verb: 'sftp.rmdir' },
};

/** What is carried beyond the draft, as OpenSSH names it. Of `version` nothing else is passed on. */
export const EXTENSIONS = new Set([
  ...['posix-rename@openssh.com', 'hardlink@openssh.com', 'lsetstat@openssh.com', 'statvfs@openssh.com'],
  ...[
    'fstatvfs@openssh.com',
    'fsync@openssh.com',
    'copy-data',
    'limits@openssh.com',
    'expand-path@openssh.com',
  ],
  ...['home-directory', 'users-groups-by-id@openssh.com'],
]);

function extendedOf(packet: Buffer, fields: FieldReader): SftpRequest {
  const name = fields.text();
  switch (name) {
    case 'posix-rename@openssh.com':
      return twoPaths(packet, fields, name, 'sftp.rename');
    case 'hardlink@openssh.com':
      return twoPaths(packet, fields, name, 'sftp.link');
    case 'statvfs@openssh.com':
      return onPath(packet, name, fields.string(), 'followed', ['sftp.stat'], name);
    case 'lsetstat@openssh.com': {
      const raw = fields.string();
      return onPath(packet, name, raw, 'itself', setstatVerbs(restOf(packet, fields)), name);
    }
    case 'fstatvfs@openssh.com':
    case 'fsync@openssh.com':
      return { kind: 'open-files', handles: [fields.string()] };
    case 'copy-data': {
      const from = fields.string();
      fields.skip(16);
      return { kind: 'open-files', handles: [from, fields.string()] };
    }
    default:
      return EXTENSIONS.has(name) ? { kind: 'plain' } : { kind: 'unknown', what: 'extension' };
  }
}

function openOf(packet: Buffer, fields: FieldReader): SftpRequest {
  const raw = fields.string();
  const flags = fields.uint32();
  // OpenSSH opens for reading whatever is not opened for writing, and truncates and creates it all the same.
  const reads = (flags & FLAG.read) !== 0 || (flags & FLAG.write) === 0;
  const verbs = [
    ...(reads ? ['sftp.get'] : []),
    ...((flags & CHANGES) === 0 ? [] : ['sftp.put', ...specialVerbs(restOf(packet, fields))]),
  ];
  const names = FLAG_NAMES.filter((name) => (flags & FLAG[name]) !== 0);
  const request = onPath(packet, `open for ${names.join(', ') || 'read'}`, raw, 'followed', verbs);
  return { ...request, opens: 'file' };
}

function writeOf(packet: Buffer, fields: FieldReader): SftpRequest {
  const [handle, offset] = [fields.string(), fields.uint64()];
  const length = fields.uint32();
  const data = restOf(packet, fields);
  if (data.length !== length) throw new HoopError('ERR_PROTOCOL', 'a write has not the octets that it says');
  return { kind: 'write', handle, offset, data };
}

function setstatVerbs(attributes: Buffer): string[] {
  const cuts = attributes.length >= 4 && (attributes.readUInt32BE(0) & ATTR_SIZE) !== 0;
  return cuts ? ['sftp.setstat', 'sftp.put'] : ['sftp.setstat'];
}

/** What making something with these attributes asks for beyond making it. */
function specialVerbs(attributes: Buffer): string[] {
  const fields = new FieldReader(attributes);
  const given = fields.uint32();
  if ((given & ATTR_MODE) === 0) return [];
  fields.skip(((given & ATTR_SIZE) === 0 ? 0 : 8) + ((given & ATTR_OWNER) === 0 ? 0 : 8));
  return (fields.uint32() & SPECIAL_MODE) === 0 ? [] : ['sftp.setstat'];
}

function named(raw: Buffer, as: NamedPath['as'], verb: string): NamedPath {
  return { raw, as, verbs: [verb] };
}

function twoPaths(packet: Buffer, fields: FieldReader, what: string, verb: string): SftpRequest {
  const [from, to] = [fields.string(), fields.string()];
  const extension = typeOf(packet) === PACKET.extended ? what : undefined;
  return onPaths(packet, what, [named(from, 'itself', verb), named(to, 'itself', verb)], extension);
}

type PathRequest = Extract<SftpRequest, { kind: 'paths' }>;

function onPath(
  packet: Buffer,
  what: string,
  raw: Buffer,
  as: 'followed' | 'itself',
  verbs: readonly string[],
  extension?: string,
): PathRequest {
  return onPaths(packet, what, [{ raw, as, verbs }], extension);
}

/** @param extension Its name stands before the paths. */
function onPaths(of: Buffer, what: string, paths: readonly NamedPath[], extension?: string): PathRequest {
  const before = extension === undefined ? [] : [string(extension)];
  const used = [...before, ...paths.map(({ raw }) => string(raw))].reduce((sum, one) => sum + one.length, 0);
  const rest = bodyOf(of).subarray(used);
  return {
    kind: 'paths',
    what,
    paths,
    rest,
    with: (others) => packet(typeOf(of), idOf(of), ...before, ...others.map(string), rest),
  };
}

function restOf(packet: Buffer, fields: FieldReader): Buffer {
  return bodyOf(packet).subarray(fields.position);
}
