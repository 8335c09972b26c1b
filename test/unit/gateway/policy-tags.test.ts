import { expect, it } from 'vitest';
import { formatMistake } from '../../../src/core/config/mistake.ts';
import type { Named } from '../../../src/gateway/config/policy-names.ts';
import { strangeTags } from '../../../src/gateway/config/policy-tags.ts';
import { policySet } from '../policy/support.ts';

const known = (tags: readonly string[]) =>
  ({
    resources: {
      bare: {},
      'pg-prod': { classification: { columns: { 'public.customers.email': tags }, computed: 'mask' } },
    },
    agents: {},
  }) as unknown as Named;

const warnings = (tags: readonly string[], condition: string) =>
  strangeTags(
    policySet(
      `@id("a") forbid (principal, action == Action::"reveal", resource is Column) when { ${condition} };`,
    ).policies,
    known(tags),
  ).map((mistake) => formatMistake(mistake));

const EMAIL = 'resource.tags.contains("pii.email")';

it.each([
  ['pii.emial', EMAIL],
  ['pi.email', EMAIL],
  ['pii.emails', EMAIL],
  ['pii.emial', 'resource.tags.containsAny(["pii.email", "secret"])'],
])('%s is told where %s', (tag, condition) =>
  expect(warnings([tag], condition)).toEqual([
    `test.cedar:1:1: rule "a" speaks of pii.email, and no rule of "${tag}", which resources.pg-prod has in its classification; did you mean pii.email there?`,
  ]),
);

it.each([
  [['pii.email'], EMAIL],
  [['pii.email', 'internal'], EMAIL],
  // A rule of all of a group.
  [['pii.emial'], 'resource.tags.contains("pii")'],
  [['secret.key'], EMAIL],
])('%j is nothing strange where %s', (tags, condition) => expect(warnings(tags, condition)).toEqual([]));
