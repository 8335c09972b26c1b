/** Where the target is, as the client does not know it: requests for `/x` go to `{origin}{base}/x`. */
export interface TargetPlace {
  /** `https://api.internal:8443`, as WHATWG's URL writes it. */
  readonly origin: string;
  /** Empty, or `/base` without a slash at its end. */
  readonly base: string;
}

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/**
 * A reference to something at the target, as the client can follow it: by the tunnel, whose address the target cannot know.
 *
 * One to the target's own origin becomes a path; a relative one stays as it is but for the base path.
 *
 * Pure.
 *
 * @returns Undefined for what leads anywhere else: to another host or scheme, above the base path, or is no reference. Read
 *   as browsers do, to whom `\` is a slash and a tab is nothing.
 * @see https://url.spec.whatwg.org/#concept-basic-url-parser
 */
export function ownReference(reference: string, { origin, base }: TargetPlace): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(reference) || reference.includes('\\')) return undefined;
  const url = URL.parse(reference, `${origin}${base}/`);
  if (url === null || url.origin !== origin || url.username !== '' || url.password !== '') return undefined;
  const absolute = SCHEME.test(reference) || reference.startsWith('//');
  if (!absolute && !reference.startsWith('/')) return reference;
  const path = absolute ? `${url.pathname}${url.search}${url.hash}` : reference;
  const below = belowBase(path, base);
  // What begins with two slashes would be another host again.
  return below === undefined || below.startsWith('//') ? undefined : below;
}

function belowBase(path: string, base: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const rest = path.slice(base.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') || rest.startsWith('#') ? `/${rest}` : undefined;
}
