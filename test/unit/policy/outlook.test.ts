import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayAt } from '../../../src/enforcement/may.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import type { PolicyObject } from '../../../src/policy/model.ts';
import { PolicyOutlook } from '../../../src/policy/outlook/outlook.ts';
import { SQL_VOCABULARY } from '../../../src/policy/vocabulary/sql.ts';
import { agent, delegated, policySet, resource, schema, table, vocabulary } from './support.ts';

const bot = agent('bot', ['ai-agents']);
const turns = { spent: false, next: async () => undefined };
const outlookOf = (text: string, who: Principal = bot, verb = 'sql.select', type = 'Table') => {
  const { effects, approvals } = new PolicyOutlook(policySet(text)).of(who, verb, type, resource);
  return [[...effects].sort().join(' '), ...approvals].join(' ');
};

const READ = '@id("r") permit (principal in Group::"ai-agents", action in Action::"sql.read", resource);';
const forbid = (rest: string, notes = '') =>
  `${READ} @id("f") ${notes} forbid (principal, action == Action::"sql.select", resource ${rest};`;
const HELD = '@approval("dba")';

describe('what a verb may come to at a resource', () => {
  it.each([
    ['no rule permits it', '', 'deny'],
    ['a rule permits it', READ, 'allow'],
    ['one permits it to others', READ.replace('ai-agents', 'people'), 'deny'],
    ['at this resource', READ.replace('resource)', 'resource in Resource::"pg")'), 'allow'],
    ['at another one', READ.replace('resource)', 'resource in Resource::"pg-two")'), 'deny'],
    ['on one schema', READ.replace('resource)', 'resource in Schema::"pg/public")'), 'allow deny'],
    [
      'on a schema of another resource',
      READ.replace('resource)', 'resource in Schema::"pg-two/public")'),
      'deny',
    ],
    ['one table is forbidden', forbid('== Table::"pg/public.a")'), 'allow deny'],
    ['one of several', forbid(') when { [Table::"pg/public.a"].contains(resource) }'), 'allow deny'],
    ['some tables are', forbid(') when { resource.tags.contains("pii") }'), 'allow deny'],
    ['all are', forbid(') when { resource is Table }'), 'deny'],
    ['some statements are', forbid(') unless { context.hasWhere }'), 'allow deny'],
    ['by what is known to be so', forbid(') when { !context.delegated && principal.name == "bot" }'), 'deny'],
    ['by what is known not to be', forbid(') when { context.delegated && resource.name == "a" }'), 'allow'],
    ['all need a yes', forbid(') unless { context.approvals.contains("dba") }', HELD), 'hold dba'],
    [
      'some need a yes',
      forbid(') when { resource.tags.contains("pii") } unless { context.approvals.contains("dba") }', HELD),
      'allow hold dba',
    ],
    ['a yes lifts nothing', forbid(')', HELD), 'deny'],
  ])('%s', (_, text, expected) => {
    expect(outlookOf(text)).toBe(expected);
  });

  it('a fact that may be missing is not believed to be there, nor to be missing', () => {
    const rule =
      '@id("p") permit (principal, action == Action::"k8s.create", resource) when { context has pod };';
    for (const text of [rule, rule.replace('when', 'unless')])
      expect(outlookOf(text, bot, 'k8s.create', 'KubernetesObject')).toBe('allow deny');
    const named =
      '@id("p") permit (principal, action == Action::"sql.create", resource is Schema) when { resource has name };';
    expect(outlookOf(named, bot, 'sql.create', 'Schema')).toBe('allow deny');
  });

  it('an agent for a person may do what both may', () => {
    const both = `${READ} @id("p") permit (principal is Person in Group::"staff", action == Action::"sql.select", resource) when { resource.name == "a" };`;
    expect(outlookOf(READ, delegated(['ai-agents'], ['staff']))).toBe('deny');
    expect(outlookOf(both, delegated(['ai-agents'], ['staff']))).toBe('allow deny');
  });

  it('what nobody can count is refused under a bound on rows', () => {
    const bound = '@id("w") @rows("5") permit (principal, action in Action::"sql.write", resource);';
    expect(outlookOf(bound, bot, 'sql.update')).toBe('allow');
    expect(outlookOf(bound, bot, 'sql.truncate')).toBe('deny');
  });

  it('of very many rules it is said to depend', () => {
    const many = Array.from({ length: 201 }, (_, i) => READ.replace('"r"', `"r${i}"`)).join('\n');
    expect(outlookOf(many)).toBe('allow deny hold');
  });
});

describe('what the list of resources says', () => {
  const may = (text: string, who: Principal = bot) =>
    mayAt(
      { outlook: new PolicyOutlook(policySet(text)), vocabulary, turns },
      who,
      resource,
      SQL_VOCABULARY.verbs,
    );
  const SHOP = `${READ}
    @id("w") @rows("9") permit (principal, action in Action::"sql.write", resource);
    @id("f") forbid (principal, action in Action::"sql.write", resource) when { context.writesMasked };
    @id("d") permit (principal, action in Action::"sql.ddl", resource);
    @id("a") @approval("dba") forbid (principal, action in Action::"sql.ddl", resource) unless { context.approvals.contains("dba") };`;

  it('verbs of one answer together, groups folded', async () => {
    const [first, ...others] = await may(SHOP);
    expect(first).toEqual({ actions: ['sql.read'], effect: 'allow' });
    expect(others.slice(0, 2)).toEqual([
      { actions: ['sql.ddl'], effect: 'hold', approvals: ['dba'] },
      {
        actions: ['sql.copy-in', 'sql.delete', 'sql.insert', 'sql.merge', 'sql.update'],
        effect: 'depends',
        among: ['allow', 'deny'],
      },
    ]);
    expect(others[2]?.effect).toBe('deny');
    expect(others[2]?.actions).toContain('sql.truncate');
  });

  it('what the instance gave up is refused, and what is always left is not', async () => {
    const limited = { ...bot, attenuation: { readOnly: true } };
    const items = await may('@id("all") permit (principal, action, resource);', limited);
    const [allowed, depends, denied] = items;
    expect(allowed?.actions).toContain('sql.read');
    expect(depends).toMatchObject({ effect: 'depends', among: ['allow', 'deny'] });
    expect(depends?.actions).toContain('sql.call');
    expect(denied?.actions).toEqual(expect.arrayContaining(['sql.ddl', 'sql.write']));
  });

  it('verbs that no rule tells apart are asked about once', () => {
    const outlook = new PolicyOutlook(policySet(SHOP));
    expect(outlook.likeness('sql.create')).toBe(outlook.likeness('sql.drop'));
    expect(outlook.likeness('sql.insert')).not.toBe(outlook.likeness('sql.truncate'));
    const apart = new PolicyOutlook(
      policySet('@id("x") permit (principal, action, resource) when { action == Action::"sql.drop" };'),
    );
    expect(apart.likeness('sql.create')).not.toBe(apart.likeness('sql.drop'));
  });
});

describe('it is never more certain than the engine', () => {
  const heads = [
    'resource',
    'resource is Table',
    'resource in Resource::"pg"',
    'resource in Schema::"pg/public"',
    'resource == Table::"pg/public.a"',
    'resource is Table in Schema::"pg/other"',
  ];
  const conditions = [
    '',
    'when { resource.name == "a" }',
    'unless { resource.system }',
    'when { resource.tags.contains("pii") && context.hasWhere }',
    'unless { context.hasWhere || context.delegated }',
    'when { principal.name == "bot" && resource.name like "a*" }',
    'when { if context.tautology then resource.system else true }',
    'unless { context.functions.contains("s.f") }',
    'when { resource == Table::"pg/public.b" || context.functions.isEmpty() }',
    'unless { context.approvals.contains("dba") }',
    'when { resource.name == "a" } unless { context.approvals.contains("dba") }',
  ];
  const rule = fc.record({
    effect: fc.constantFrom('permit', 'forbid'),
    who: fc.constantFrom('principal', 'principal in Group::"ai-agents"', 'principal is Person'),
    head: fc.constantFrom(...heads),
    condition: fc.constantFrom(...conditions),
    held: fc.boolean(),
  });
  const objects: readonly PolicyObject[] = ['a', 'b', 'ab'].flatMap((name) => [
    table(name),
    table(name, { tags: ['pii'], system: true }),
    { ...table(name), id: `pg/other.${name}`, parent: { ...schema, id: 'pg/other' } },
  ]);
  const contexts = [
    { hasWhere: true, tautology: false, functions: [] },
    { hasWhere: false, tautology: true, functions: ['s.f'] },
  ];

  it('for random rules, objects and contexts; and what it leaves open differs somewhere, often enough', () => {
    let certain = 0;
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 5 }), fc.boolean(), (rules, forPerson) => {
        const text = rules
          .map(({ effect, who, head, condition, held }, i) => {
            const note = held && effect === 'forbid' ? '@approval("dba")' : '';
            return `@id("r${i}") ${note} ${effect} (${who}, action == Action::"sql.select", ${head}) ${condition};`;
          })
          .join('\n');
        const set = policySet(text);
        const who = forPerson ? delegated(['ai-agents'], ['staff']) : bot;
        const { effects } = new PolicyOutlook(set).of(who, 'sql.select', 'Table', resource);
        const engine = new CedarEngine(set);
        certain += Number(effects.size === 1);
        for (const object of objects)
          for (const context of contexts) {
            const decision = engine.decide({ principal: who, action: 'sql.select', object, context });
            if (!effects.has(decision.effect))
              throw new Error(`${[...effects]} but ${decision.effect}\n${text}`);
          }
      }),
      { numRuns: 30 },
    );
    expect(certain).toBeGreaterThan(4);
  });
});
