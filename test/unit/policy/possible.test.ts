import { describe, expect, it } from 'vitest';
import type { PolicyObject } from '../../../src/policy/model.ts';
import { agent, delegated, engineOf, resource, table } from './support.ts';

const BOT = agent('bot', ['ai-agents'], { declared: { model: 'm' } });
const ENDPOINT: PolicyObject = {
  type: 'Endpoint',
  id: 'pg/',
  attrs: { path: '/', segments: [], depth: 0 },
  parent: resource,
};

const may = (policies: string, verb = 'sql.insert', object = table('customers'), who = BOT) =>
  engineOf(policies).mayEver(who, verb, object, 'object');
const anywhere = (policies: string) => engineOf(policies).mayEver(BOT, 'http.post', ENDPOINT, 'resource');

const PERMIT = '@id("p") permit (principal, action in Action::"sql.write", resource)';
const FORBID = '@id("f") forbid (principal, action in Action::"sql.write", resource)';

describe('what might be done to an object', () => {
  it.each([
    ['nothing is permitted', '', false],
    ['something else is', '@id("p") permit (principal, action in Action::"sql.read", resource);', false],
    ['to somebody else', `${PERMIT.replace('principal,', 'principal in Group::"dba",')};`, false],
    ['it is permitted', `${PERMIT};`, true],
    ['under a condition on the object that holds', `${PERMIT} when { resource.name == "customers" };`, true],
    ['… that does not', `${PERMIT} when { resource.name == "orders" };`, false],
    ['under a circumstance', `${PERMIT} when { context.hasWhere && !context.tautology };`, true],
    ['… that never comes', `${PERMIT} when { context.columns.contains("public.customers.name") };`, true],
    [
      '… and a condition that does not hold',
      `${PERMIT} when { context.hasWhere } when { resource.name == "orders" };`,
      false,
    ],
    [
      'under a condition on the object that does not hold beside a circumstance',
      `${PERMIT} when { context.hasWhere && (resource.name == "orders" && !context.tautology) };`,
      false,
    ],
    ['… in one of several ways', `${PERMIT} when { context.hasWhere || resource.name == "orders" };`, true],
    [
      'unless the object is this one, or a circumstance',
      `${PERMIT} unless { context.tautology || resource.name == "customers" };`,
      false,
    ],
    [
      'unless it is this one in a circumstance',
      `${PERMIT} unless { context.tautology && resource.name == "customers" };`,
      true,
    ],
    ['unless a circumstance', `${PERMIT} unless { context.writesMasked };`, true],
    [
      'by what a caller says of itself',
      `${PERMIT} when { principal.declared has model && principal.declared.model == "x" };`,
      true,
    ],
    [
      'by what is attested of it',
      `${PERMIT} when { principal.attested has model && principal.attested.model == "x" };`,
      false,
    ],
    ['it is forbidden', `${PERMIT}; ${FORBID};`, false],
    ['forbidden under a circumstance', `${PERMIT}; ${FORBID} unless { context.hasWhere };`, true],
    [
      'forbidden but for an approval',
      `${PERMIT}; @approval("dba") ${FORBID} unless { context.approvals.contains("dba") };`,
      true,
    ],
    [
      'forbidden by a rule on the object',
      `${PERMIT}; ${FORBID} when { resource.name == "customers" };`,
      false,
    ],
    ['forbidden for another object', `${PERMIT}; ${FORBID} when { resource.name == "orders" };`, true],
  ])('%s', (_, policies, expected) => expect(may(policies)).toBe(expected));

  it('an agent for a person might do what both might', () => {
    const both = `${PERMIT.replace('principal,', 'principal in Group::"writers",')};`;
    expect(may(both, 'sql.insert', table('customers'), delegated(['writers'], []))).toBe(false);
    expect(may(both, 'sql.insert', table('customers'), delegated(['writers'], ['writers']))).toBe(true);
  });

  it('whatever cannot be asked might be done', () => {
    expect(may('', 'sql.insert', ENDPOINT)).toBe(true);
    expect(may('', 'no.such', table('customers'))).toBe(true);
  });
});

describe('what might be done anywhere at a resource', () => {
  const permit = (where: string, more = '') =>
    `@id("p") permit (principal, action in Action::"http.write", ${where})${more};`;
  it.each([
    ['at a path', permit('resource', ' when { resource.path like "/notes/*" }'), true],
    ['at a named place', permit('resource == Endpoint::"pg/notes"'), true],
    ['in an operation', permit('resource in Operation::"pg/createNote"'), true],
    ['in the resource', permit('resource in Resource::"pg"'), true],
    ['in another', permit('resource in Resource::"other"'), false],
    [
      'forbidden at a path',
      `${permit('resource')} @id("f") forbid (principal, action, resource == Endpoint::"pg/");`,
      true,
    ],
    [
      'forbidden by a path',
      `${permit('resource')} @id("f") forbid (principal, action == Action::"http.post", resource) when { resource.depth == 0 };`,
      true,
    ],
    [
      'forbidden everywhere',
      `${permit('resource')} @id("f") forbid (principal, action == Action::"http.post", resource);`,
      false,
    ],
    [
      'forbidden in the resource',
      `${permit('resource')} @id("f") forbid (principal, action == Action::"http.post", resource in Resource::"pg");`,
      false,
    ],
    ['read only', '@id("p") permit (principal, action in Action::"http.read", resource);', false],
  ])('%s', (_, policies, expected) => expect(anywhere(policies)).toBe(expected));
});
