import { isRefused, type Refused, refused } from '../refusals.ts';
import { type Path, readPath } from './path.ts';
import { type Query, readQuery } from './query.ts';

/** Octets. RFC 9112 §3 asks for 8,000 at least. */
const MAX_TARGET = 8192;

/**
 * Reads a request-target, of which only the origin-form is understood: the client names a path, never a host.
 *
 * @param raw As the client sent it, an octet per character.
 * @param leaveAway Name of a parameter that is not forwarded.
 * @see RFC 9112 §3.2
 */
export function readTarget(raw: string, leaveAway?: string): (Path & Query) | Refused {
  if (raw.length > MAX_TARGET)
    return refused('target-too-long', `path and query are longer than ${MAX_TARGET} octets`);
  if (!/^[\x21-\x7e]*$/.test(raw))
    return refused('request-target', 'path and query hold a space, a control or an octet outside of ASCII');
  if (raw.includes('#')) return refused('request-target', 'the request names a fragment');
  const at = raw.indexOf('?');
  const path = readPath(at === -1 ? raw : raw.slice(0, at));
  if (isRefused(path)) return path;
  const query = readQuery(at === -1 ? undefined : raw.slice(at + 1), leaveAway);
  return isRefused(query) ? query : { ...path, ...query };
}
