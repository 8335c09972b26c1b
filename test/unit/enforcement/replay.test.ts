import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { questionOf, recordedQuestion } from '../../../src/enforcement/asked.ts';
import { replayed } from '../../../src/enforcement/replay.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import type { Pair, PolicyObject, PolicyValue } from '../../../src/policy/model.ts';
import { agent, delegated, policySet, resource, table, vocabulary } from '../policy/support.ts';

const bot = agent('bot', ['ai-agents']);
const endpoint: PolicyObject = {
  type: 'Endpoint',
  id: 'api/orders/7',
  attrs: { path: '/orders/7', segments: ['orders', '7'], depth: 2 },
  parent: { type: 'Resource', id: 'api', attrs: { protocol: 'http' } },
};

function rulesOf(text: string) {
  const set = policySet(text);
  return { engine: new CedarEngine(set), vocabulary, sights: set.policies.map(({ sight }) => sight) };
}

const ask = (
  policy: string,
  pairs: readonly Pair[],
  context: Readonly<Record<string, PolicyValue>> = {},
  principal = bot,
) => replayed(rulesOf(policy), principal, recordedQuestion(vocabulary, { pairs, context }));

const ALL = '@id("all") permit (principal, action, resource);';

describe('a question on record', () => {
  const leaf = fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.array(fc.string(), { maxLength: 3 }));
  const attrs = fc.dictionary(fc.string({ minLength: 1 }), leaf, { maxKeys: 3, noNullPrototype: true });
  const object = fc.letrec<{ object: PolicyObject }>((tie) => ({
    object: fc.record(
      { type: fc.string(), id: fc.string(), attrs, parent: tie('object') as fc.Arbitrary<PolicyObject> },
      { requiredKeys: ['type', 'id', 'attrs'] },
    ),
  })).object;

  it('is the question again, also when it has been JSON', () => {
    const pairs = fc.array(
      fc.record(
        { action: fc.string(), object, counted: fc.constant(true) },
        { requiredKeys: ['action', 'object'] },
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(pairs, (asked) => {
        const record = recordedQuestion(vocabulary, { pairs: asked, context: { approvals: ['dba'] } });
        const again = questionOf(JSON.parse(JSON.stringify(record)));
        expect(again).toEqual({ pairs: asked, context: { approvals: ['dba'] } });
      }),
    );
  });

  it('names each object once, and what it hangs in before it', () => {
    const pairs = [
      { action: 'sql.select', object: table('a') },
      { action: 'sql.insert', object: table('b'), counted: true },
    ];
    const { objects, pairs: kept } = recordedQuestion(vocabulary, { pairs, context: {} });
    expect(objects.map(([type, id, , parent]) => [type, id, parent])).toEqual([
      ['Resource', 'pg', undefined],
      ['Schema', 'pg/public', 0],
      ['Table', 'pg/public.a', 1],
      ['Table', 'pg/public.b', 1],
    ]);
    expect(kept).toEqual([
      ['sql.select', 2],
      ['sql.insert', 3, 1],
    ]);
  });

  it.each([
    ['SQL', 'sql.select', table('t'), { functions: ['pg_catalog.lower'] }, undefined],
    ['a request', 'http.get', endpoint, { query: ['token=s3cret'], bodyWhole: true }, ['query']],
    [
      'a command',
      'k8s.exec',
      endpoint,
      { argv: ['0=s3cret'], program: 's3cret', tty: true },
      ['argv', 'program'],
    ],
    ['of no known verb', 'x.y', endpoint, { anything: 's3cret' }, ['anything']],
  ])('of %s holds nothing that a caller wrote: names alone', (_what, action, object, context, withheld) => {
    const record = recordedQuestion(vocabulary, { pairs: [{ action, object }], context });
    expect(record.withheld).toEqual(withheld);
    expect(JSON.stringify(record)).not.toContain('s3cret');
  });

  it('holds of an object that is shown masked what is shown', () => {
    const hidden = { ...endpoint, id: 'api/orders/s3cret', shownId: 'api/orders/‹…›' };
    const record = recordedQuestion(vocabulary, {
      pairs: [{ action: 'http.get', object: hidden }],
      context: {},
    });
    expect(JSON.stringify(record)).not.toContain('s3cret');
    expect(questionOf(record)).toBeUndefined();
  });

  it.each([
    ['a pair of no object', { objects: [], pairs: [['sql.select', 0]], context: {} }],
    ['an object before what it hangs in', { objects: [['Table', 't', {}, 1]], pairs: [], context: {} }],
  ] as const)('that is damaged is none: %s', (_what, record) => {
    expect(questionOf(record)).toBeUndefined();
  });
});

describe('other policies, asked again', () => {
  const read = [{ action: 'sql.select', object: table('t') }];

  it.each([
    ['allow', ALL, ['all']],
    ['deny', '', []],
    ['deny', `${ALL} @id("no") forbid (principal, action, resource is Table);`, ['no']],
    [
      'hold',
      `${ALL} @id("ask") @approval("dba") forbid (principal, action, resource is Table)
       when { context has approvals } unless { context has approvals && context.approvals.contains("dba") };`,
      ['ask'],
    ],
  ] as const)('%s', (effect, policy, rules) => {
    const only = policy.replace(
      '(principal, action, resource is Table)',
      '(principal, action == Action::"sql.select", resource)',
    );
    const now = ask(only, read);
    expect(now).toMatchObject({ effect, rules: rules.map((id) => ({ id })) });
  });

  it('with the approvals that it had', () => {
    const policy = `${ALL} @id("ask") @approval("dba") forbid (principal, action == Action::"sql.select", resource)
      unless { context.approvals.contains("dba") };`;
    expect(ask(policy, read, { approvals: ['dba'] })).toMatchObject({ effect: 'allow' });
    expect(ask(policy, read, { approvals: ['other'] })).toMatchObject({ effect: 'hold' });
  });

  it('what is made ready only needs its approvals when it runs', () => {
    const policy = `${ALL} @id("ask") @approval("dba") forbid (principal, action == Action::"sql.select", resource)
      unless { context.approvals.contains("dba") };`;
    const record = recordedQuestion(vocabulary, { pairs: read, context: {} }, true);
    expect(replayed(rulesOf(policy), bot, record)).toMatchObject({ effect: 'allow' });
  });

  it('a bound on rows holds only where rows are counted, as when it was asked', () => {
    const policy = '@id("few") @rows("5") permit (principal, action, resource);';
    const write = { action: 'sql.update', object: table('t') };
    expect(ask(policy, [{ ...write, counted: true }])).toMatchObject({ effect: 'allow' });
    expect(ask(policy, [write])).toMatchObject({ effect: 'deny' });
  });

  it('of an agent that acts for a person: both are asked', () => {
    const policy = '@id("people") permit (principal in Group::"developers", action, resource);';
    expect(ask(policy, read, {}, delegated(['ai-agents'], ['developers']))).toMatchObject({ effect: 'deny' });
    expect(ask(policy, read, {}, delegated(['developers'], ['developers']))).toMatchObject({
      effect: 'allow',
    });
  });

  it('what an instance gave up stays given up', () => {
    const readOnly = agent('bot', [], { attenuation: { readOnly: true } });
    const write = [{ action: 'sql.update', object: table('t'), counted: true }];
    expect(ask(ALL, write, {}, readOnly)).toMatchObject({ effect: 'deny' });
    expect(ask(ALL, read, {}, readOnly)).toMatchObject({ effect: 'allow' });
  });

  it.each([
    ['at it', 'http.get', 'when { context.query.contains("a=1") }', 'query'],
    ['at all of the context', 'http.get', 'when { [context].contains(context) }', 'query'],
    ['at another fact', 'http.get', 'when { context.bodyWhole }', undefined],
    ['at nothing', 'http.get', '', undefined],
    ['at it, of another verb', 'http.delete', 'when { context.query.contains("a=1") }', undefined],
  ])('a rule that looks %s, which is not on record', (_how, verb, when, what) => {
    const policy = `${ALL} @id("no") forbid (principal, action == Action::"${verb}", resource) ${when};`;
    const now = ask(policy, [{ action: 'http.get', object: endpoint }], { query: ['a=1'], bodyWhole: true });
    if (what === undefined) expect(now).toHaveProperty('effect');
    else expect(now).toEqual({ missing: 'fact-not-recorded', what });
  });

  it('an action that there is no more, and a masked name: not replayable', () => {
    expect(ask(ALL, [{ action: 'sql.gone', object: resource }])).toEqual({
      missing: 'unknown-action',
      what: 'sql.gone',
    });
    expect(ask(ALL, [{ action: 'http.get', object: { ...endpoint, shownId: 'api/‹…›' } }])).toEqual({
      missing: 'name-masked',
    });
  });

  it('says the same as the engine itself, whatever the policies', () => {
    const policies = fc.subarray([
      ALL,
      '@id("t") permit (principal, action in Action::"sql.read", resource is Table) when { resource.name == "t" };',
      '@id("w") @rows("3") permit (principal, action in Action::"sql.write", resource);',
      '@id("n") forbid (principal, action in Action::"sql", resource) when { context.writesMasked };',
      '@id("s") forbid (principal, action == Action::"sql.update", resource in Schema::"pg/public");',
    ]);
    const verbs = fc.constantFrom('sql.select', 'sql.update', 'sql.insert');
    const pairs = fc.array(
      fc.record({
        action: verbs,
        object: fc.constantFrom(table('t'), table('u')),
        counted: fc.constant(true),
      }),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(policies, pairs, fc.boolean(), (texts, asked, writesMasked) => {
        const rules = rulesOf(texts.join('\n'));
        const now = replayed(
          rules,
          bot,
          recordedQuestion(vocabulary, { pairs: asked, context: { writesMasked } }),
        );
        const each = asked.map((one) =>
          rules.engine.decide({ principal: bot, context: { writesMasked }, ...one }),
        );
        const denied = each.some(({ effect }) => effect === 'deny');
        expect(now).toMatchObject({ effect: denied ? 'deny' : 'allow' });
      }),
      { numRuns: 60 },
    );
  });
});
