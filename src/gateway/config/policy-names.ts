import { type Mistake, nearest } from '../../core/config/mistake.ts';
import type { LoadedPolicy } from '../../policy/load.ts';
import type { NamedEntity } from '../../policy/named.ts';
import type { HoopdConfig } from './schema.ts';

/** What a rule may name that this configuration says. */
export type Named = Pick<HoopdConfig, 'resources' | 'agents'>;

/** Of these the id does not begin with the name of a resource. */
const APART = new Set([
  'Group',
  'Agent',
  'Person',
  'Gateway',
  'AuditLog',
  'Recording',
  'Approval',
  'Detected',
]);

/**
 * Names in policies that this configuration does not know: the rule is valid, and will probably never apply.
 *
 * Pure. Resources and agents are all in the configuration; groups come from issuers as well, so that only one that looks
 * like another one's misspelling is told.
 *
 * @returns One warning for each policy and name, in the order of the policies.
 */
export function strangeNames(policies: readonly LoadedPolicy[], known: Named): Mistake[] {
  const resources = Object.keys(known.resources);
  const agents = Object.keys(known.agents);
  const groups = groupsOf(known.agents);
  return policies.flatMap(({ id, file, line, named }) =>
    named.flatMap((entity) => {
      const strange = strangeness(entity, { resources, agents, groups });
      const problem = `rule ${JSON.stringify(id)} names ${entity.type}::${JSON.stringify(entity.id)}, ${strange?.problem}`;
      return strange === undefined ? [] : [{ file, line, column: 1, path: '', problem, cure: strange.cure }];
    }),
  );
}

interface Words {
  readonly resources: readonly string[];
  readonly agents: readonly string[];
  readonly groups: readonly string[];
}

function strangeness({ type, id }: NamedEntity, { resources, agents, groups }: Words) {
  if (type === 'Agent') return unlessKnown(id, agents, 'and agents has none of that name');
  if (type === 'Group') {
    const meant = groups.includes(id) ? undefined : nearest(id, groups);
    return meant === undefined
      ? undefined
      : { problem: 'which agents does not name', cure: `did you mean ${meant}?` };
  }
  if (APART.has(type)) return undefined;
  if (type !== 'Resource' && !id.includes('/') && !resources.includes(id))
    return {
      problem: 'without the resource that it is at: the rule applies to nothing',
      // Of several nobody knows which has such a thing.
      cure: `write that before it, as in ${resources.length === 1 ? resources[0] : 'RESOURCE'}/${id}`,
    };
  return unlessKnown(id.split('/')[0]!, resources, 'and resources has none of that name');
}

function unlessKnown(name: string, known: readonly string[], problem: string) {
  if (known.includes(name)) return undefined;
  const meant = nearest(name, known);
  return {
    problem,
    cure:
      meant === undefined ? 'until there is one, the rule does not apply to it' : `did you mean ${meant}?`,
  };
}

function groupsOf(agents: Named['agents']): string[] {
  return Object.values(agents).flatMap(({ groups, delegators }) => [
    ...(groups ?? []),
    ...(delegators?.groups ?? []),
  ]);
}
