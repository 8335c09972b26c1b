import type { Nearby, Operation } from '../../../enforcement/operation.ts';
import type { CanonicalRequest } from './canonical.ts';
import { isMethod, METHODS } from './methods.ts';

/**
 * Other methods on the same path, and paths that rules write. Pure.
 *
 * @param ask What another request would ask.
 */
export function otherRequests(
  request: CanonicalRequest,
  ask: (other: CanonicalRequest) => Pick<Operation, 'pairs' | 'context'>,
): Nearby {
  const { method, path } = request;
  return {
    also: METHODS,
    at: (name) => {
      if (isMethod(name)) return name === method ? undefined : ask({ ...request, method: name });
      const other = pathOf(name);
      if (!PLAIN.test(other) || other === path) return undefined;
      return ask({ ...request, path: other, segments: other.slice(1).split('/') });
    },
    hint: (names) => {
      const methods = names.filter(isMethod);
      const paths = names.filter((name) => !isMethod(name)).map(pathOf);
      const here = methods.length === 0 ? [] : [`${methods.join(' or ')} on this path`];
      return `use what is permitted: ${[...here, ...paths.map((one) => `${method} ${one}`)].join(', ')}`;
    },
  };
}

/** A path that needs no decoding. */
const PLAIN = /^(?:\/[A-Za-z0-9._~-]+)+$/;

/** An entity is named behind its resource, a path from its slash on. */
function pathOf(name: string): string {
  return name.startsWith('/') ? name : `/${name}`;
}
