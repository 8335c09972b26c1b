/** The last parts of a name that has more are not found by themselves. */
const MAX_NAMES = 16;

/**
 * The names under which an object is found, by the one rule for the ids of all protocols: `resource/name`, where a
 * resource's name holds no slash, and the parts of `name` stand behind a `.` or a `/`.
 *
 * `pg-prod/public.orders` is found as itself, as `public.orders` and as `orders`; `k8s/shop/pods/web-1` as itself, as
 * `shop/pods/web-1`, `pods/web-1` and `web-1`. Case does not matter.
 *
 * @returns The id first, then what is behind the resource, then ever shorter ends of it; lower case. Pure.
 */
export function objectNames(id: string): string[] {
  const whole = id.toLowerCase();
  const names = [whole];
  const slash = whole.indexOf('/');
  for (let at = slash; at !== -1 && names.length <= MAX_NAMES; at = nextPart(whole, at + 1)) {
    names.push(whole.slice(at + 1));
  }
  return names;
}

function nextPart(id: string, from: number): number {
  for (let at = from; at < id.length; at++) if (id[at] === '.' || id[at] === '/') return at;
  return -1;
}
