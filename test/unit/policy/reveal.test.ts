import { describe, expect, it } from 'vitest';
import type { PolicyObject } from '../../../src/policy/model.ts';
import { detectedObject } from '../../../src/policy/objects.ts';
import { agent, column, engineOf, resource } from './support.ts';

const field = (name: string, tags: readonly string[]): PolicyObject => ({
  type: 'Field',
  id: `api/${name}`,
  attrs: { schema: '', table: '', name, tags, detected: false },
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

  it('may ask for a place without asking for the kind first: what has none is in none', () => {
    expect(hidden(hide('resource', 'resource.table == "customers"'))).toEqual(['column']);
    expect(hidden(hide('resource', 'resource.schema != "public"'))).toEqual(['field', 'detected']);
  });

  it.each([
    ['all values', 'permit', 'resource', false],
    ['a resource', 'permit', 'resource in Resource::"pg"', false],
    ['functions', 'permit', 'resource is Function', true],
    ['functions of a schema', 'permit', 'resource is Function in Schema::"pg/public"', true],
    ['those of another', 'permit', 'resource is Function in Schema::"pg/other"', false],
    ['one function', 'permit', 'resource == Function::"pg/public.f"', true],
    ['columns', 'permit', 'resource is Column', false],
  ])('that shows %s shows what a function gives: %#', (_, effect, where, isShown) => {
    const attrs = { schema: 'public', name: 'f', class: 'user', table: '', tags: [], detected: false };
    const schema: PolicyObject = {
      type: 'Schema',
      id: 'pg/public',
      attrs: { name: 'public', system: false },
      parent: resource,
    };
    const f: PolicyObject = { type: 'Function', id: 'pg/public.f', attrs, parent: schema };
    const rule = `@id("it") ${effect} (principal, action == Action::"reveal", ${where});`;
    expect(engineOf(rule).reveal(agent('bot', []), f).show).toBe(isShown);
    const hidden = `${rule} @id("no") forbid (principal, action == Action::"reveal", resource) when { resource.schema == "public" };`;
    expect(engineOf(hidden).reveal(agent('bot', []), f).show).toBe(false);
  });
});
