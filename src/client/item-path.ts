import { demandId } from './item-ids.ts';

/**
 * The path of one thing below the path of all of its kind.
 *
 * Ids come from the command line: one path segment, whatever is in it.
 *
 * @returns `path`, a slash, and the id percent-encoded.
 * @throws {HoopError} `ERR_USAGE` it cannot be the id of such a thing: the gateway would only say that nothing is there.
 */
export function itemPath(path: string, id: string): string {
  demandId(path, id);
  return `${path}/${encodeURIComponent(id)}`;
}
