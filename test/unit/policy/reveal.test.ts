import { describe, expect, it } from 'vitest';
import { loadPolicies } from '../../../src/policy/load.ts';
import type { PolicyObject } from '../../../src/policy/model.ts';
import { detectedObject } from '../../../src/policy/objects.ts';
import { agent, column, engineOf, resource, vocabulary } from './support.ts';

const field = (name: string, tags: readonly string[]): PolicyObject => ({
  type: 'Field',
  id: `api/${name}`,
  attrs: { name, tags, detected: false },
  parent: resource,
});
const OBJECTS = {
  column: column('email', ['pii.email']),
  field: field('$.customer.email', ['pii.email']),
  detected: detectedObject(resource, 'pii.email'),
} as const;

const SHOW = '@id("show") permit (principal, action == Action::"reveal", resource);';
const hide = (resource: string, condition: string) =>
  `@id("hide") @mask("partial") forbid (principal, action == Action::"reveal", ${resource}) when { ${condition} };`;
const load = (text: string) => loadPolicies(vocabulary, [{ name: 'a.cedar', text }]);

/** The kinds of value that a rule hides. */
function hidden(rule: string): string[] {
  const engine = engineOf(SHOW + rule);
  const principal = agent('bot', []);
  return Object.entries(OBJECTS).flatMap(([kind, object]) =>
    engine.reveal(principal, object).show ? [] : [kind],
  );
}

describe('a rule on reveal', () => {
  it.each([
    [
      'by tags alone hides all kinds of value',
      'resource',
      'resource.tags.contains("pii")',
      ['column', 'field', 'detected'],
    ],
    [
      'in a resource, too',
      'resource in Resource::"pg"',
      'resource.tags.contains("pii")',
      ['column', 'field', 'detected'],
    ],
    ['in another, none', 'resource in Resource::"other"', 'resource.tags.contains("pii")', []],
    ['can ask whether it was found', 'resource', 'resource.detected', ['detected']],
    ['or classified', 'resource', 'resource.tags.contains("pii") && !resource.detected', ['column', 'field']],
    ['can be for columns', 'resource is Column', 'resource.tags.contains("pii")', ['column']],
    [
      'within its condition, too',
      'resource',
      'resource is Column && resource.table == "customers"',
      ['column'],
    ],
    ['can be for what detectors find', 'resource is Detected', 'resource.name == "pii.email"', ['detected']],
    ['can be for fields', 'resource is Field', 'resource.name like "$.customer.*"', ['field']],
    ['in a schema hides columns', 'resource in Schema::"pg/public"', 'true', ['column']],
  ])('%s', (_, resource, condition, kinds) => expect(hidden(hide(resource, condition))).toEqual(kinds));

  it('that shows columns only shows nothing else', () => {
    const engine = engineOf(
      '@id("show") permit (principal, action == Action::"reveal", resource is Column);',
    );
    const shown = Object.values(OBJECTS).map((object) => engine.reveal(agent('bot', []), object).show);
    expect(shown).toEqual([true, false, false]);
  });

  it('asks for a table only where there is one', () => {
    const loaded = load(hide('resource', 'resource.table == "customers"'));
    expect(loaded.ok ? [] : loaded.faults.map(({ message }) => message).sort()).toEqual([
      'attribute `table` on entity type `Detected` not found',
      'attribute `table` on entity type `Field` not found',
    ]);
  });
});

describe('a rule that hides by tags and leaves out what detectors find', () => {
  const TAGGED = 'resource.tags.contains("pii")';
  const warnings = (text: string) => {
    const loaded = load(text);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
    return loaded.warnings.map(({ line, message, cure }) => [line, message, cure]);
  };
  const WARNED = [
    2,
    'this rule hides values by tags, but not those that detectors find',
    'leave out "is", or write a rule for Detected as well',
  ];

  it.each([
    ['in its head', hide('resource is Column', TAGGED), [WARNED]],
    ['in its condition', hide('resource', `resource is Column && ${TAGGED}`), [WARNED]],
    ['not, if it is for all', hide('resource', TAGGED), []],
    ['not, if it says so', hide('resource is Column', `${TAGGED} && !resource.detected`), []],
    ['not, if it goes by names', hide('resource is Column', 'resource.name == "ssn"'), []],
    [
      'not, if there is another',
      `${hide('resource is Column', TAGGED)} @id("found") forbid (principal, action == Action::"reveal", resource is Detected);`,
      [],
    ],
    [
      'not, if it is no rule on reveal',
      '@id("x") forbid (principal, action == Action::"sql.drop", resource is Table);',
      [],
    ],
  ])('is warned of %s', (_, text, expected) => expect(warnings(`\n${text}`)).toEqual(expected));
});
