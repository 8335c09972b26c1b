import { PATHS } from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';

/** What has ids of its own form: the letters before them, what it is called, the command that lists it, and what takes one. */
const KINDS: Readonly<Record<string, readonly [prefix: string, name: string, list: string, takes: string]>> =
  {
    [PATHS.sessions]: ['ses', 'a session', 'hoopctl session list', 'hoopctl session show'],
    [PATHS.approvals]: ['apr', 'a request', 'hoopctl approval list --status all', 'hoopctl approval show'],
    [PATHS.auditEvents]: ['evt', 'an event', 'hoopctl audit search --json', 'hoopctl audit show'],
    [PATHS.revocations]: ['rev', 'a revocation', 'hoopctl revocation list', 'hoopctl revocation lift'],
  };

/**
 * The path of one thing below the path of all of its kind.
 *
 * Ids come from the command line: one path segment, whatever is in it. Chain ids hold slashes, and have no form.
 *
 * @returns `path`, a slash, and the id percent-encoded.
 * @throws {HoopError} `ERR_USAGE` it cannot be the id of such a thing: the gateway would only say that nothing is there.
 */
export function itemPath(path: string, id: string): string {
  demandId(path, id);
  return `${path}/${encodeURIComponent(id)}`;
}

/** @throws {HoopError} `ERR_USAGE` it cannot be the id of such a thing: nothing would ever be found by it. */
export function demandId(path: string, id: string): void {
  const [prefix, name, list] = KINDS[path] ?? [];
  if (prefix !== undefined && !new RegExp(`^${prefix}_[0-9A-Z]{26}$`).test(id))
    throw new HoopError(
      'ERR_USAGE',
      `"${id.slice(0, 200)}" is not the id of ${name}: ${prefix}_ and 26 characters`,
      {
        hint: ofOtherKind(id) ?? `see: ${list}`,
      },
    );
}

/** An id of ours, where one of another kind was expected. */
function ofOtherKind(id: string): string | undefined {
  const [, name, , takes] = Object.values(KINDS).find(([prefix]) => id.startsWith(`${prefix}_`)) ?? [];
  return /^[a-z]{3}_[0-9A-Z]{26}$/.test(id) && takes !== undefined
    ? `it is that of ${name}: ${takes} ${id}`
    : undefined;
}
