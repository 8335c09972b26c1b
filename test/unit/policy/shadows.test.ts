import { describe, expect, it } from 'vitest';
import { loadPolicies } from '../../../src/policy/load.ts';
import { vocabulary } from './support.ts';

function warned(text: string): string[] {
  const loaded = loadPolicies(vocabulary, [{ name: 'p.cedar', text }]);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.warnings.map(({ line, message }) => `${line}: ${message}`);
}

const READ = 'action in [Action::"connect", Action::"sql.select"]';
const WHEN = 'when { context.time.hour < 9 }';

describe('a rule that changes no decision is told of', () => {
  it.each([
    [
      'a permit of what is forbidden anyway',
      `@id("a") permit (principal in Group::"g", action == Action::"sql.insert", resource);
       @id("b") forbid (principal, action in Action::"sql.write", resource);`,
      ['1: rule "a" permits nothing: rule "b" (p.cedar:2) forbids all of it'],
    ],
    [
      'one of what is forbidden under the same condition',
      `@id("a") permit (principal is Agent, ${READ}, resource) ${WHEN};
       @id("b") forbid (principal is Agent, ${READ}, resource) ${WHEN};`,
      ['1: rule "a" permits nothing: rule "b" (p.cedar:2) forbids all of it'],
    ],
    [
      'one of what is permitted anyway, whatever its condition',
      `@id("a") permit (principal is Agent in Group::"g", action == Action::"sql.select", resource in Resource::"pg") ${WHEN};
       @id("b") permit (principal in Group::"g", ${READ}, resource in Resource::"pg");`,
      ['1: rule "a" adds nothing: rule "b" (p.cedar:2) permits all of it'],
    ],
    [
      'one within a bound that holds for both',
      `@id("a") permit (principal in Group::"g", action == Action::"sql.update", resource);
       @id("b") @rows("5") permit (principal, action == Action::"sql.update", resource);`,
      ['1: rule "a" adds nothing: rule "b" (p.cedar:2) permits all of it'],
    ],
    [
      'of two that are the same the later one',
      `@id("a") permit (principal, ${READ}, resource);
       @id("b") permit (principal, ${READ}, resource);`,
      ['2: rule "b" adds nothing: rule "a" (p.cedar:1) permits all of it'],
    ],
    [
      'an approval of what is forbidden without one',
      `@id("a") @approval("dba") forbid (principal, action == Action::"sql.drop", resource) unless { context.approvals.contains("dba") };
       @id("b") forbid (principal, action, resource is Table);`,
      [],
    ],
    [
      'an approval of what is forbidden for all types',
      `@id("a") @approval("dba") forbid (principal, action == Action::"sql.drop", resource) unless { context.approvals.contains("dba") };
       @id("b") forbid (principal, action in Action::"sql.ddl", resource);`,
      ['1: the approval of rule "a" lifts nothing: rule "b" (p.cedar:2) forbids all of it without one'],
    ],
    [
      'a mask that a stronger one hides',
      `@id("a") @mask("partial") forbid (principal in Group::"g", action == Action::"reveal", resource) when { resource.tags.contains("pii") };
       @id("b") @mask("null") forbid (principal, action == Action::"reveal", resource);`,
      [
        '1: the mask of rule "a" is never the one that is shown: rule "b" (p.cedar:2) hides all of it, and more',
      ],
    ],
  ])('%s', (_what, text, expected) => {
    const lines = warned(text).filter((line) =>
      /permits nothing|adds nothing|lifts nothing|never the one/.test(line),
    );
    expect(lines).toEqual(expected);
  });
});

describe('a rule that does change one is not', () => {
  it.each([
    [
      'a permit for more people',
      `permit (principal, ${READ}, resource); @id("b") permit (principal in Group::"g", ${READ}, resource);`,
    ],
    [
      'a narrower permit with a bound of its own, which holds',
      `@rows("5") permit (principal in Group::"g", action == Action::"sql.update", resource); @id("b") permit (principal, action in Action::"sql.write", resource);`,
    ],
    [
      'a permit by name of what is not permitted without',
      `permit (principal, action == Action::"reveal", resource is Column); @id("b") permit (principal, action == Action::"reveal", resource);`,
    ],
    [
      'a permit of more than the forbid is about',
      `permit (principal, action, resource); @id("b") forbid (principal, action in Action::"sql.write", resource);`,
    ],
    [
      'a permit where the forbid is not for all of its resource',
      `permit (principal, ${READ}, resource); @id("b") forbid (principal, ${READ}, resource in Resource::"pg");`,
    ],
    [
      'a permit where the forbid has another condition',
      `permit (principal, ${READ}, resource) ${WHEN}; @id("b") forbid (principal, ${READ}, resource) when { context.time.hour < 10 };`,
    ],
    [
      'a permit of what people may allow',
      `permit (principal, action == Action::"sql.drop", resource); @id("b") @approval("dba") forbid (principal, action == Action::"sql.drop", resource) unless { context.approvals.contains("dba") };`,
    ],
    [
      'a forbid with its own reason',
      `@reason("kept") forbid (principal, action == Action::"sql.drop", resource); @id("b") forbid (principal, action in Action::"sql.ddl", resource);`,
    ],
    [
      'a stronger mask under a weaker one',
      `@mask("null") forbid (principal in Group::"g", action == Action::"reveal", resource); @id("b") @mask("partial") forbid (principal, action == Action::"reveal", resource);`,
    ],
    [
      'a mask that may be asked about under one that may be too',
      `@mask("partial") forbid (principal in Group::"g", action == Action::"reveal", resource); @id("b") @lookups("5/1h") forbid (principal, action == Action::"reveal", resource);`,
    ],
    [
      'agents where the other is for people',
      `permit (principal is Agent, ${READ}, resource); @id("b") permit (principal is Person, ${READ}, resource);`,
    ],
  ])('%s', (_what, text) => {
    const lines = warned(`@id("a") ${text}`);
    expect(lines.filter((line) => /rule "a" (permits|adds|lifts|is never)/.test(line))).toEqual([]);
  });
});
