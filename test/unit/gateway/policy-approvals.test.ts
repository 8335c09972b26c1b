import { expect, it } from 'vitest';
import { formatMistake } from '../../../src/core/config/mistake.ts';
import { strangeApprovals } from '../../../src/gateway/config/policy-approvals.ts';
import { policySet } from '../policy/support.ts';

const told = (text: string) => strangeApprovals(policySet(text)).map((mistake) => formatMistake(mistake));
const held = (unless: string) =>
  `@id("d") @approval("dba") forbid (principal, action == Action::"sql.drop", resource) ${unless};`;
const LIFTED = held('unless { context.approvals.contains("dba") }');
const grant = (rest: string) =>
  `@id("g") permit (principal, action == Action::"approval.grant", resource${rest};`;

it.each([held(''), held('unless { context.approvals.contains("dbas") }'), held('when { context.hasWhere }')])(
  'nothing lifts %s',
  (text) =>
    expect(told(text)).toEqual([
      'test.cedar:1:1: rule "d" names the approval "dba", and no condition of it asks for that: nothing lifts it; write unless { context.approvals.contains("dba") }',
    ]),
);

it.each([
  LIFTED,
  `${LIFTED} ${grant(') when { resource.name == "sre" }')}`,
  `${LIFTED} @id("g") forbid (principal, action == Action::"approval.grant", resource);`,
])('nobody may say yes: %s', (text) =>
  expect(told(text)).toEqual([
    'test.cedar:1:1: rule "d" waits for the approval "dba", which no rule permits anybody to give; permit (principal in Group::"dba", action == Action::"approval.grant", resource) when { resource.name == "dba" }',
  ]),
);

it.each([
  grant(')'),
  grant(') when { resource.name == "dba" }'),
  grant(') when { ["sre", "dba"].contains(resource.name) }'),
  grant(') when { resource.name like "d*" }'),
  grant(' in Resource::"pg")'),
  '@id("g") permit (principal, action, resource);',
])('%s lets somebody', (text) => expect(told(`${LIFTED} ${text}`)).toEqual([]));
