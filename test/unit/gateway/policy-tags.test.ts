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

const rules = (text: string, tags: readonly string[]) =>
  strangeTags(policySet(text).policies, known(tags)).map((mistake) => formatMistake(mistake));
const hide = (condition: string) =>
  `@id("h") forbid (principal, action == Action::"reveal", resource) when { ${condition} };`;

it.each([
  ['pii.emial', 'pii.email'],
  // Of detectors too.
  ['pii.crad', 'pii.card'],
  ['secret.kay', 'secret.key'],
])('a rule of %s, which nothing has, is told', (tag, meant) =>
  expect(
    rules(hide(`resource.tags.contains("${tag}") || resource.tags.contains("pii.email")`), ['pii.email']),
  ).toEqual([
    `test.cedar:1:1: rule "h" speaks of the tag "${tag}", which no classification and no detector gives; did you mean ${meant}?`,
  ]),
);

it('of what is written, too', () =>
  expect(
    rules(
      `${hide('resource.tags.contains("pii.email")')}
@id("w") forbid (principal, action in Action::"sql.write", resource) when { context.columnTags.containsAny(["pii.emails"]) };`,
      ['pii.email'],
    ),
  ).toEqual([
    'test.cedar:2:1: rule "w" speaks of the tag "pii.emails", which no classification and no detector gives; did you mean pii.email?',
  ]));

it.each([
  // A word of its own, a group, a name that is no tag.
  hide('resource.tags.contains("pci.auth") || resource.tags.contains("pci")'),
  hide('resource.tags.contains("pii")'),
  hide('resource.name == "pii.emial" || resource.tags.contains("pii.email")'),
])('%s names no tag that nothing has', (text) => expect(rules(text, ['pii.email'])).toEqual([]));

const SHOW = '@id("s") permit (principal, action == Action::"reveal", resource);';

it.each([
  SHOW,
  '@id("s") permit (principal, action == Action::"reveal", resource in Resource::"pg-prod");',
  `${SHOW} ${hide('resource.tags.contains("pii.email")')}`,
  `${SHOW} @id("h") forbid (principal, action == Action::"reveal", resource in Resource::"bare");`,
])('a tag by which nothing is hidden is told where %s', (text) =>
  expect(rules(text, ['confidential', 'secret.own'])).toEqual([
    'test.cedar:1:1: rule "s" shows what resources.pg-prod classifies as "confidential", "secret.own", and no rule hides it from anybody; write a forbid of reveal when { resource.tags.contains("confidential") }, or leave the tag out',
  ]),
);

it.each([
  // Shown by nothing; shown by tags alone; hidden for what it is, or to somebody.
  hide('resource.tags.contains("pii.email")'),
  '@id("s") permit (principal, action == Action::"reveal", resource) when { resource.tags.contains("public") };',
  `${SHOW} @id("h") forbid (principal, action == Action::"reveal", resource in Schema::"pg-prod/public");`,
  `${SHOW} @id("h") forbid (principal in Group::"agents", action == Action::"reveal", resource) when { !resource.detected };`,
  `${SHOW} ${hide('resource.tags.contains("confidential")')}`,
])('nothing is told where %s', (text) => expect(rules(text, ['confidential'])).toEqual([]));
