import { type FieldPath, parseFieldPath } from '../../../masking/json/field-path.ts';
import { type ConfiguredTags, isWhole } from '../entities.ts';

/** What a column is classified by: as a whole, by members of its documents; where data of several columns is seen, by both. */
export interface Marks {
  readonly tags: ReadonlySet<string>;
  /** By their paths as they are written. */
  readonly members: ReadonlyMap<string, MarkedMember>;
}

interface MarkedMember {
  readonly path: FieldPath;
  readonly tags: ReadonlySet<string>;
}

const NO_MEMBERS: Marks['members'] = new Map();

export function wholeMarks(tags: Iterable<string>): Marks {
  return { tags: new Set(tags), members: NO_MEMBERS };
}

/** @param configured Checked: every path can be read; one that cannot classifies all of the column. */
export function configuredMarks(configured: ConfiguredTags): Marks {
  if (isWhole(configured)) return wholeMarks(configured);
  const read = Object.entries(configured).map(([text, tags]) => ({ path: parseFieldPath(text), tags }));
  const unread = read.some(({ path }) => path === undefined);
  if (unread) return wholeMarks(read.flatMap(({ tags }) => tags));
  return memberMarks(read.map(({ path, tags }) => ({ path: path!, tags })));
}

export function memberMarks(
  members: Iterable<{ readonly path: FieldPath; readonly tags: Iterable<string> }>,
): Marks {
  const found = [...members].map(({ path, tags }) => [path.text, { path, tags: new Set(tags) }] as const);
  return { tags: new Set(), members: new Map(found) };
}

/** Where a value is made of documents, nobody knows what of them is in it. */
export function madeOf(marks: Marks): Marks {
  return marks.members.size === 0 ? marks : wholeMarks(allTags(marks));
}

/** Those of its members too. */
export function allTags({ tags, members }: Marks): Set<string> {
  return new Set([...tags, ...[...members.values()].flatMap((one) => [...one.tags])]);
}

/** @returns `known` itself if `more` says nothing new. */
export function unite(known: Marks, more: Marks): Marks {
  const tags = union(known.tags, more.tags);
  const members = new Map(known.members);
  for (const [text, member] of more.members) {
    const before = members.get(text);
    const all = before === undefined ? member.tags : union(before.tags, member.tags);
    if (all !== before?.tags) members.set(text, { path: member.path, tags: all });
  }
  const same = [...members].every(([text, one]) => known.members.get(text) === one);
  return same && tags === known.tags ? known : { tags, members };
}

function union(known: ReadonlySet<string>, more: ReadonlySet<string>): ReadonlySet<string> {
  return [...more].every((tag) => known.has(tag)) ? known : new Set([...known, ...more]);
}
