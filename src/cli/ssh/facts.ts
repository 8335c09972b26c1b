/**
 * What the gateway says of a resource that speaks SSH, looked at before it stands in a file that other programs believe.
 */
import type { ResourceItem } from '../../api/contract.ts';
import { HoopError } from '../../core/errors.ts';
import { readNamedKey } from '../../wire/ssh/named-key.ts';

const USER = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** By which key the gateway is known there: `ssh-ed25519 AAAA…`. @throws {HoopError} `ERR_PROTOCOL` it does not say. */
export function knownHost({ name, connect }: ResourceItem): string {
  const said = connect['hostKey'];
  const key = typeof said === 'string' ? readNamedKey(said) : undefined;
  if (key !== undefined) return key.line;
  throw new HoopError('ERR_PROTOCOL', `the gateway does not say by which key it is known for ${name}`);
}

/** Who one is on the host; a word that clients insist on. */
export function userOf({ connect }: ResourceItem): string {
  const said = connect['user'];
  return typeof said === 'string' && USER.test(said) ? said : 'hoop';
}

/** A path as a configuration of OpenSSH takes it. */
export function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
