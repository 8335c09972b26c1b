import { expect, it } from 'vitest';
import { formatMistake } from '../../../src/core/config/mistake.ts';
import { type Named, strangeNames } from '../../../src/gateway/config/policy-names.ts';
import { policySet } from '../policy/support.ts';

const known = {
  resources: { 'pg-prod': {}, 'host-1': {} },
  agents: {
    copilot: { groups: ['ai-agents'], delegators: { groups: ['developers'] } },
    ci: { groups: ['ci'] },
  },
} as unknown as Named;

const warnings = (rule: string) =>
  strangeNames(policySet(`@id("a") ${rule}`).policies, known).map((mistake) => formatMistake(mistake));

it.each([
  [
    'permit (principal, action == Action::"connect", resource in Resource::"pg-prd");',
    'rule "a" names Resource::"pg-prd", and resources has none of that name; did you mean pg-prod?',
  ],
  [
    'permit (principal, action in Action::"sql.read", resource in Table::"elsewhere/public.t");',
    'rule "a" names Table::"elsewhere/public.t", and resources has none of that name; until there is one, the rule does not apply to it',
  ],
  [
    'permit (principal, action in Action::"sql.read", resource in Table::"public.t");',
    'rule "a" names Table::"public.t", without the resource that it is at: the rule applies to nothing; write that before it, as in RESOURCE/public.t',
  ],
  [
    'forbid (principal, action, resource) when { principal in Group::"ai-agent" };',
    'rule "a" names Group::"ai-agent", which agents does not name; did you mean ai-agents?',
  ],
  [
    'permit (principal == Agent::"copliot", action == Action::"connect", resource);',
    'rule "a" names Agent::"copliot", and agents has none of that name; did you mean copilot?',
  ],
])('%s is told', (rule, warning) => expect(warnings(rule)).toEqual([`test.cedar:1:1: ${warning}`]));

it.each([
  'permit (principal == Agent::"ci", action == Action::"connect", resource in Resource::"pg-prod");',
  'permit (principal in Group::"developers", action in Action::"sql.read", resource in Schema::"pg-prod/public");',
  // Groups of persons come from their issuer, and are named nowhere here.
  'permit (principal in Group::"auditors", action == Action::"audit.search", resource);',
  'permit (principal == Person::"ada@example.com", action == Action::"connect", resource in Resource::"host-1");',
])('%s names nothing strange', (rule) => expect(warnings(rule)).toEqual([]));
