import { ownReference, type TargetPlace } from './own-reference.ts';

/** Headers that send a client somewhere, each with how its value is rewritten; undefined: it does not go on. */
export const REFERENCES: Readonly<Record<string, (value: string, place: TargetPlace) => string | undefined>> =
  {
    location: ownReference,
    'content-location': ownReference,
    refresh,
    link,
  };

/** `5; url=/next`. Whatever is written in another way does not go on: browsers read much. */
function refresh(value: string, place: TargetPlace): string | undefined {
  const [, seconds, , reference] = /^(\d{1,6})(?:; ?url=(["']?)([^"']*)\2)?$/i.exec(value) ?? [];
  if (seconds === undefined || reference === undefined) return seconds;
  const own = ownReference(reference, place);
  return own === undefined ? undefined : `${seconds}; url=${own}`;
}

/** One link: RFC 8288 §3. */
const LINK = /^[\t ]*<([^<>"]*)>((?:[\t ]*;[\t ]*[a-z0-9*!.-]+(?:=(?:"[^"\\]*"|[^",;<>\t ]*))?)*)[\t ]*$/i;

/** Links to the target itself; the others are left out. */
function link(value: string, place: TargetPlace): string | undefined {
  const links: string[] = [];
  for (const one of listMembers(value)) {
    const [, reference, parameters] = LINK.exec(one) ?? [];
    const own = reference === undefined ? undefined : ownReference(reference, place);
    // A link may name another place that it starts from.
    if (own !== undefined && !/anchor/i.test(parameters ?? '')) links.push(`<${own}>${parameters}`);
  }
  return links.length === 0 ? undefined : links.join(', ');
}

/** Divides at commas that stand neither in a reference nor in quotes. Linear. */
function listMembers(value: string): string[] {
  const members: string[] = [];
  let [start, closing] = [0, ''];
  for (let at = 0; at < value.length; at++) {
    const char = value.charAt(at);
    if (closing !== '') closing = char === closing ? '' : closing;
    else if (char === '<') closing = '>';
    else if (char === '"') closing = '"';
    else if (char === ',') {
      members.push(value.slice(start, at));
      start = at + 1;
    }
  }
  return [...members, value.slice(start)];
}
