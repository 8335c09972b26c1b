import { type Mistake, nearest } from '../../core/config/mistake.ts';
import { BUILTIN_TAGS } from '../../masking/detectors/builtin.ts';
import type { LoadedPolicy } from '../../policy/load.ts';
import type { HoopdConfig } from './schema.ts';

/** Where tags come from. */
export type Tagged = Pick<HoopdConfig, 'resources'> & Partial<Pick<HoopdConfig, 'detectors'>>;

/** Two keys in the wrong order, a letter too many: more is another word. */
const MOST_APART = 2;
/** One letter of a shorter one makes another word of it. */
const SHORTEST_MEANT = 5;
const MOST_NAMED = 8;

/**
 * Tags that are probably misspelt, and tags that hide nothing.
 *
 * Pure. A rule that speaks of `pii` speaks of `pii.email`.
 *
 * @returns First those of resources of which no rule speaks, where one speaks of a tag that is written almost alike: one warning for
 *   each and its resource, at the rule that was probably meant. Then those of rules that nothing carries, where something carries one
 *   that is written almost alike. Then, of each resource, tags by which no rule hides anything.
 */
export function strangeTags(policies: readonly LoadedPolicy[], config: Tagged): Mistake[] {
  const spoken = new Map(policies.flatMap((policy) => policy.texts.map((text) => [text, policy] as const)));
  const isSpoken = (tag: string) => groupsOf(tag).some((group) => spoken.has(group));
  const classified = Object.entries(config.resources).map(
    ([name, resource]) =>
      [name, tagsOf('classification' in resource ? resource.classification : undefined)] as const,
  );
  const unspoken = classified.flatMap(([name, tags]) =>
    tags.filter((tag) => !isSpoken(tag)).map((tag) => ({ name, tag, rule: ruleNear(tag, spoken) })),
  );
  const misspelt = unspoken.flatMap(({ name, tag, rule }) => {
    if (rule === undefined) return [];
    const problem = `rule ${JSON.stringify(rule.policy.id)} speaks of ${rule.meant}, and no rule of ${JSON.stringify(tag)}, which resources.${name} has in its classification`;
    return [at(rule.policy, problem, `did you mean ${rule.meant} there?`)];
  });
  const carried = [...new Set([...classified.flatMap(([, tags]) => tags), ...detected(config)])];
  const open = unspoken.filter(({ rule }) => rule === undefined);
  return [
    ...misspelt,
    ...uncarried(policies, carried, new Set(unspoken.map(({ tag }) => tag))),
    ...Object.keys(config.resources).flatMap((name) =>
      shown(
        name,
        open.flatMap((one) => (one.name === name ? [one.tag] : [])),
        policies,
      ),
    ),
  ];
}

function ruleNear(tag: string, spoken: ReadonlyMap<string, LoadedPolicy>) {
  const meant = nearest(tag, [...spoken.keys()], MOST_APART);
  const policy = meant === undefined ? undefined : spoken.get(meant);
  return meant === undefined || policy === undefined ? undefined : { meant, policy };
}

/** Tags of rules that nothing has. @param told Tags of which the other side of the same slip is told. */
function uncarried(
  policies: readonly LoadedPolicy[],
  carried: readonly string[],
  told: ReadonlySet<string>,
): Mistake[] {
  const known = new Set(carried.flatMap(groupsOf));
  const likely = carried.filter((tag) => tag.length >= SHORTEST_MEANT);
  return policies.flatMap((policy) =>
    policy.tags.flatMap((tag) => {
      const meant = known.has(tag) ? undefined : nearest(tag, likely, MOST_APART);
      if (meant === undefined || told.has(meant)) return [];
      const problem = `rule ${JSON.stringify(policy.id)} speaks of the tag ${JSON.stringify(tag)}, which no classification and no detector gives`;
      return [at(policy, problem, `did you mean ${meant}?`)];
    }),
  );
}

/**
 * Tags of a resource that are shown since no rule speaks of them: something permits to reveal whatever has any tags, and nothing
 * forbids it for another reason.
 */
function shown(resource: string, tags: readonly string[], policies: readonly LoadedPolicy[]): Mistake[] {
  if (tags.length === 0) return [];
  const about = policies.filter((policy) => mayReveal(policy) && mayBeAt(policy, resource));
  const asksTags = ({ sight }: LoadedPolicy) => sight?.resource.attrs.includes('tags') !== false;
  const permit = about.find((one) => one.effect === 'permit' && !asksTags(one));
  if (permit === undefined || about.some((one) => one.effect === 'forbid' && !asksTags(one))) return [];
  const named = tags.slice(0, MOST_NAMED).map((tag) => JSON.stringify(tag));
  const list = `${named.join(', ')}${tags.length > MOST_NAMED ? ', …' : ''}`;
  const problem = `rule ${JSON.stringify(permit.id)} shows what resources.${resource} classifies as ${list}, and no rule hides it from anybody`;
  const cure = `write a forbid of reveal when { resource.tags.contains(${named[0]}) }, or leave the tag out`;
  return [at(permit, problem, cure)];
}

function mayReveal({ sight }: LoadedPolicy): boolean {
  return sight?.words === undefined || sight.words.includes('reveal');
}

/** By what it names: at all resources, or at this one. */
function mayBeAt({ named }: LoadedPolicy, resource: string): boolean {
  const places = named.filter(({ type }) => !PRINCIPALS.has(type));
  return places.length === 0 || places.some(({ id }) => id === resource || id.startsWith(`${resource}/`));
}

const PRINCIPALS = new Set(['Group', 'Agent', 'Person']);

function at({ file, line }: LoadedPolicy, problem: string, cure: string): Mistake {
  return { file, line, column: 1, path: '', problem, cure };
}

function detected({ detectors = {} }: Tagged): string[] {
  return [...Object.values(BUILTIN_TAGS), ...Object.values(detectors).map(({ tags }) => tags)].flat();
}

/** Of a classification in whichever protocol: lists of tags, below what they are for. Each once. */
function tagsOf(classification: unknown): string[] {
  if (typeof classification !== 'object' || classification === null) return [];
  const found = Array.isArray(classification)
    ? classification.filter((one) => typeof one === 'string')
    : Object.values(classification).flatMap(tagsOf);
  return [...new Set(found)];
}

/** `a.b.c`, `a.b`, `a`. */
function groupsOf(tag: string): string[] {
  const parts = tag.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}
