import { type Mistake, nearest } from '../../core/config/mistake.ts';
import type { LoadedPolicy } from '../../policy/load.ts';
import type { Named } from './policy-names.ts';

/** Two keys in the wrong order, a letter too many: more is another word. */
const MOST_APART = 2;

/**
 * Tags of resources of which no rule speaks, where one speaks of a tag that is written almost alike: what is classified so would be
 * shown.
 *
 * Pure. A rule that speaks of `pii` speaks of `pii.email`. Whatever else no rule speaks of may be meant so.
 *
 * @returns One warning for each such tag and resource, at the rule that was probably meant.
 */
export function strangeTags(policies: readonly LoadedPolicy[], { resources }: Named): Mistake[] {
  const spoken = new Map(policies.flatMap((policy) => policy.texts.map((text) => [text, policy] as const)));
  return Object.entries(resources).flatMap(([name, resource]) =>
    tagsOf('classification' in resource ? resource.classification : undefined).flatMap((tag) => {
      if (groupsOf(tag).some((group) => spoken.has(group))) return [];
      const meant = nearest(tag, [...spoken.keys()], MOST_APART);
      const rule = meant === undefined ? undefined : spoken.get(meant);
      if (rule === undefined) return [];
      const problem = `rule ${JSON.stringify(rule.id)} speaks of ${meant}, and no rule of ${JSON.stringify(tag)}, which resources.${name} has in its classification`;
      return [
        {
          file: rule.file,
          line: rule.line,
          column: 1,
          path: '',
          problem,
          cure: `did you mean ${meant} there?`,
        },
      ];
    }),
  );
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
