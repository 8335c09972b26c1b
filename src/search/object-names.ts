/** The last parts of a name that has more are not found by themselves. */
const MAX_NAMES = 17;

/**
 * The names under which an object is found, by the one rule for the ids of all protocols: `resource/name`, where a
 * resource's name holds no slash, and the parts of `name` stand behind a `.` or a `/`.
 *
 * `pg-prod/public.orders` is found as itself, as `public.orders` and as `orders`; `k8s/shop/pods/web-1` as itself, as
 * `shop/pods/web-1`, `pods/web-1` and `web-1`. With a slash before it the name must be whole: `/orders/7`, as a path is written, is
 * that of any API, and no end of a longer one. Case does not matter.
 *
 * @returns The id first, then what is behind the resource, with its slash and without, then ever shorter ends of it; lower case. Pure.
 */
export function objectNames(id: string): string[] {
  const whole = id.toLowerCase();
  const names = [whole];
  const slash = whole.indexOf('/');
  if (slash > 0) names.push(whole.slice(slash));
  for (let at = slash; at !== -1 && names.length <= MAX_NAMES; at = nextPart(whole, at + 1)) {
    names.push(whole.slice(at + 1));
  }
  return names;
}

function nextPart(id: string, from: number): number {
  for (let at = from; at < id.length; at++) if (id[at] === '.' || id[at] === '/') return at;
  return -1;
}
