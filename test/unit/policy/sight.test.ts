import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CedarEngine } from '../../../src/policy/engine.ts';
import type { PolicyObject, PolicyValue } from '../../../src/policy/model.ts';
import { agent, column, engineOf, policySet, resource, schema, table } from './support.ts';

const bot = agent('bot', ['ai-agents']);
const ALL = '@id("all") permit (principal, action, resource);';
const NOTHING = { whole: false, attrs: [] };
const WHOLE = { whole: true, attrs: [] };
const of = (...attrs: string[]) => ({ whole: false, attrs });

describe('what a rule looks at', () => {
  const head = 'principal, action == Action::"sql.select"';
  it.each([
    ['nothing', `(principal, action, resource)`, NOTHING, NOTHING],
    ['a type', `(principal, action == Action::"reveal", resource is Column)`, NOTHING, NOTHING],
    ['a type in its condition', `(${head}, resource) when { resource is Table }`, NOTHING, NOTHING],
    ['one object', `(${head}, resource == Table::"pg/a.b")`, WHOLE, NOTHING],
    ['what lies in another', `(${head}, resource in Schema::"pg/a")`, WHOLE, NOTHING],
    ['a type in another', `(${head}, resource is Table in Schema::"pg/a")`, WHOLE, NOTHING],
    ['that in its condition', `(${head}, resource) when { resource in Schema::"pg/a" }`, WHOLE, NOTHING],
    ['one of several', `(${head}, resource) when { [Table::"pg/a.b"].contains(resource) }`, WHOLE, NOTHING],
    [
      'attributes',
      `(${head}, resource) when { resource.name like "a*" || resource.system }`,
      of('name', 'system'),
      NOTHING,
    ],
    [
      'an attribute in brackets',
      `(${head}, resource) when { resource["kind"] == "view" }`,
      of('kind'),
      NOTHING,
    ],
    [
      'the context',
      `(${head}, resource) when { context has hasWhere && context.functions.contains("s.x") }`,
      NOTHING,
      of('hasWhere', 'functions'),
    ],
    [
      'a branch',
      `(${head}, resource) when { if context.delegated then resource.tags.contains("x") else false }`,
      of('tags'),
      of('delegated'),
    ],
  ])('%s', (_, rest, object, context) => {
    const [policy] = policySet(`@id("p") permit ${rest};`).policies;
    expect(policy?.sight).toMatchObject({ resource: object, context });
  });

  it('of which verbs its head says', () => {
    const words = (head: string) =>
      policySet(`@id("p") permit (principal, ${head}, resource);`).policies[0]?.sight?.words;
    expect(words('action')).toBeUndefined();
    expect(words('action == Action::"sql.select"')).toEqual(['sql.select']);
    expect(words('action in [Action::"sql.write", Action::"connect"]')).toEqual(['sql.write', 'connect']);
  });
});

describe('objects that no rule tells apart are asked for once', () => {
  const select = (engine: CedarEngine, object: PolicyObject, action = 'sql.select') =>
    engine.decide({ principal: bot, action, object, context: {} });

  it('where the rules about the verb do not look', () => {
    const engine = engineOf(
      `${ALL} @id("n") forbid (principal, action in Action::"sql.write", resource) when { resource is Table && resource.name == "b" };`,
    );
    expect(select(engine, table('b'))).toBe(select(engine, table('a')));
    expect(select(engine, table('a'), 'sql.delete')).toMatchObject({ effect: 'allow' });
    expect(select(engine, table('b'), 'sql.delete')).toMatchObject({ effect: 'deny' });
    expect(engine.reveal(bot, column('x', []))).toBe(engine.reveal(bot, column('y', [], table('z'))));
  });

  it('never what does not fit the schema, behind what does', () => {
    const engine = engineOf(ALL);
    expect(select(engine, table('a'))).toMatchObject({ effect: 'allow' });
    const { name: _, ...rest } = table('b').attrs;
    const broken: PolicyObject[] = [
      { ...table('b'), attrs: rest },
      table('b', { system: 'no' }),
      table('b', { tags: [1] }),
      table('b', { more: 1 }),
      { ...table('b'), parent: { ...schema, attrs: {} } },
      { ...table('b'), type: 'Tableau' },
    ];
    for (const object of broken) {
      const answer = select(engine, object);
      expect(answer, JSON.stringify(object)).toEqual(select(engineOf(ALL), object));
      expect(answer).not.toBe(select(engine, table('a')));
    }
    expect(broken.filter((object) => select(engine, object).effect === 'deny').length).toBeGreaterThan(3);
  });

  it('never with an error, which may name the object', () => {
    const overflow = '9223372036854775807 + 1 == 1';
    const engine = engineOf(`${ALL} @id("e") permit (principal, action, resource) when { ${overflow} };`);
    expect(select(engine, table('a'))).not.toBe(select(engine, table('a')));
  });
});

it('answers as an engine that has never been asked before, whatever rules look at', () => {
  const conditions = [
    'resource is Table && resource.name == "a"',
    'resource is Table && resource.schema like "p*"',
    'resource has name && resource.name != "b"',
    'resource in Schema::"pg/public"',
    'resource == Table::"pg/public.a"',
    '[Table::"pg/public.a", Table::"pg/public.b"].contains(resource)',
    'resource is Table in Schema::"pg/other"',
    'resource is Table && resource.tags.contains("pii")',
    'if resource is Table then resource["sensitive"] else false',
    'context has hasWhere && context.hasWhere',
    'context has columns && context.columns.contains("public.a.x")',
    'context.functions.containsAny(["pg_catalog.lower"])',
    '{ o: resource }.o == Table::"pg/public.b"',
  ];
  const heads = [
    'action == Action::"sql.delete"',
    'action in Action::"sql.write"',
    'action in [Action::"sql.select", Action::"sql.delete"]',
  ];
  const other: PolicyObject = { ...schema, id: 'pg/other', attrs: { name: 'other', system: false } };
  const objects: PolicyObject[] = [
    table('a'),
    table('b'),
    table('a', { sensitive: true }),
    table('b', { tags: ['pii.email'] }),
    { ...table('a', { schema: 'other' }), id: 'pg/other.a', parent: other },
    { ...table('b'), parent: other },
    resource,
  ];
  const contexts: Record<string, PolicyValue>[] = [
    {},
    { hasWhere: true },
    { columns: ['public.a.x'], functions: [] },
    { columns: ['public.b.x'], functions: ['pg_catalog.lower'] },
  ];
  const rule = fc.tuple(
    fc.constantFrom('permit', 'forbid'),
    fc.constantFrom(...heads),
    fc.constantFrom(...conditions),
  );
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), fc.boolean(), (rules, open) => {
      const text = rules.map(
        ([effect, head, when], i) =>
          `@id("r${i}") ${effect} (principal, ${head}, resource) when { ${when} };`,
      );
      const set = policySet([...(open ? [ALL] : []), ...text].join('\n'));
      const shared = new CedarEngine(set);
      for (const action of ['sql.delete', 'sql.select']) {
        for (const object of objects) {
          for (const context of contexts) {
            const request = { principal: bot, action, object, context };
            expect(shared.decide(request)).toEqual(new CedarEngine(set).decide(request));
          }
        }
      }
    }),
    { numRuns: 25 },
  );
  // An engine is made for each question: some seconds where nothing else runs.
}, 60_000);
