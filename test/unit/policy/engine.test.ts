import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/identity/principal.ts';
import { CedarEngine } from '../../../src/policy/engine.ts';
import type { LoadedPolicy } from '../../../src/policy/load.ts';
import type { PolicyObject, PolicyValue } from '../../../src/policy/model.ts';
import {
  agent,
  column,
  delegated,
  engineOf,
  person,
  policySet,
  resource,
  table,
  uncheckedSet,
} from './support.ts';

const ALL = '@id("all") permit (principal, action, resource);';
const bot = agent('bot', ['ai-agents']);
type Context = Readonly<Record<string, PolicyValue>>;

function decide(
  text: string,
  action: string,
  object: PolicyObject = table('t'),
  context: Context = {},
  who: Principal = bot,
) {
  return engineOf(text).decide({ principal: who, action, object, context });
}

describe('default deny, forbid wins, an error denies', () => {
  it.each([
    ['nothing is permitted by nothing', '', { effect: 'deny', rules: [], errors: [] }],
    ['a permit permits', ALL, { effect: 'allow', rules: [{ id: 'all' }] }],
    [
      'a forbid wins',
      `${ALL} @id("no") @reason("r") @hint("h") forbid (principal, action, resource);`,
      { effect: 'deny', rules: [{ id: 'no', reason: 'r', hint: 'h' }], errors: [] },
    ],
    [
      'a permit for others is none',
      '@id("p") permit (principal in Group::"staff", action, resource);',
      { effect: 'deny', rules: [], errors: [] },
    ],
  ])('%s', (_, text, decision) => expect(decide(text, 'sql.select')).toEqual(decision));

  const OVERFLOW = '9223372036854775807 + context.functions.contains("x")'.replace(
    'context.functions.contains("x")',
    '1',
  );
  it.each([
    ['an erring permit', `@id("e") permit (principal, action, resource) when { ${OVERFLOW} == 1 };`],
    [
      'an erring permit beside a good one',
      `${ALL} @id("e") permit (principal, action, resource) when { ${OVERFLOW} == 1 };`,
    ],
    [
      'an erring forbid, which Cedar alone would skip',
      `${ALL} @id("e") forbid (principal, action, resource) when { ${OVERFLOW} == 1 };`,
    ],
    ['an erring unless', `${ALL} @id("e") forbid (principal, action, resource) unless { ${OVERFLOW} == 1 };`],
    [
      'an erring forbid that an approval could lift',
      `${ALL} @id("e") @approval("x") forbid (principal, action in Action::"sql", resource) when { ${OVERFLOW} == 1 };`,
    ],
  ])('%s denies', (_, text) => {
    expect(decide(text, 'sql.select')).toMatchObject({
      effect: 'deny',
      errors: [expect.stringContaining('e: ')],
    });
  });

  it.each([
    [
      'an object without an attribute that the schema demands',
      'sql.select',
      { ...table('t'), attrs: { name: 't' } },
      {},
    ],
    ['an attribute of another type', 'sql.select', table('t', { tags: 'pii' }), {}],
    ['an attribute that nobody knows', 'sql.select', table('t', { owner: 'me' }), {}],
    ['a fact that nobody knows', 'sql.select', table('t'), { extra: true }],
    ['an action that nobody knows', 'sql.frobnicate', table('t'), {}],
    ['a group instead of an action', 'sql.read', table('t'), {}],
    ['an object that the action is not for', 'sql.select', resource, {}],
    [
      'a record that plays an entity',
      'sql.select',
      table('t', { tags: [{ __entity: { type: 'Group', id: 'x' } }] }),
      {},
    ],
  ] as const)('%s denies', (_, action, object, context) => {
    const decision = decide(ALL, action, object as PolicyObject, context as Context);
    expect(decision).toMatchObject({ effect: 'deny', rules: [] });
    expect(decision.effect === 'deny' && decision.errors.length).toBeGreaterThan(0);
  });
});

describe('hold', () => {
  const DDL =
    '@id("ddl") @approval("dba") @reason("reviewed") forbid (principal, action in Action::"sql.ddl", resource) unless { context.approvals.contains("dba") };';
  const OPS =
    '@id("ops") @approval("ops") forbid (principal, action == Action::"sql.drop", resource) unless { context.approvals.contains("ops") };';
  const drop = (text: string, context: Context = {}) => decide(text, 'sql.drop', table('t'), context);

  it('needs a way to allow: a permit behind the forbid', () => {
    expect(drop(ALL + DDL)).toEqual({
      effect: 'hold',
      rules: [{ id: 'ddl', reason: 'reviewed' }],
      approvals: ['dba'],
    });
    expect(drop(DDL)).toEqual({ effect: 'deny', rules: [], errors: [] });
  });

  it('names every approval that is needed, and ends when all are given', () => {
    expect(drop(ALL + DDL + OPS)).toMatchObject({ effect: 'hold', approvals: ['dba', 'ops'] });
    expect(drop(ALL + DDL + OPS, { approvals: ['dba'] })).toMatchObject({
      effect: 'hold',
      approvals: ['ops'],
      rules: [{ id: 'ops' }],
    });
    expect(drop(ALL + DDL + OPS, { approvals: ['dba', 'ops'] })).toMatchObject({ effect: 'allow' });
  });

  it('is a denial if one reason cannot be lifted, and tells that one first', () => {
    expect(
      drop(`${ALL + DDL} @id("z-never") forbid (principal, action == Action::"sql.drop", resource);`),
    ).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'z-never' }, { id: 'ddl' }],
    });
  });

  it('is a denial if the approval would not help', () => {
    const hollow =
      '@id("hollow") @approval("dba") forbid (principal, action == Action::"sql.drop", resource);';
    expect(drop(ALL + hollow)).toMatchObject({ effect: 'deny', rules: [{ id: 'hollow' }] });
    const trap =
      '@id("trap") forbid (principal, action == Action::"sql.drop", resource) when { context.approvals.contains("dba") };';
    expect(drop(ALL + DDL + trap)).toMatchObject({ effect: 'deny', rules: [{ id: 'trap' }] });
    const erring =
      '@id("err") permit (principal, action == Action::"sql.drop", resource) when { context.approvals.contains("dba") && 9223372036854775807 + 1 == 1 };';
    expect(drop(ALL + DDL + erring)).toMatchObject({ effect: 'deny' });
  });

  it('holds connections too, also with the facts of a statement, and nothing that people do at the gateway', () => {
    const forbid = (action: string) =>
      `${ALL} @id("c") @approval("boss") forbid (principal, action == Action::"${action}", resource)`;
    expect(
      decide(`${forbid('connect')} unless { context.approvals.contains("boss") };`, 'connect', resource),
    ).toMatchObject({ effect: 'hold' });
    expect(decide(ALL, 'connect', resource, { hasWhere: true })).toMatchObject({ effect: 'allow' });
    const log = { type: 'AuditLog', id: 'all', attrs: {} };
    expect(decide(`${forbid('audit.search')};`, 'audit.search', log)).toMatchObject({ effect: 'deny' });
  });
});

describe('an agent that acts for a person may do what both may', () => {
  const AGENTS = '@id("agents") permit (principal in Group::"ai-agents", action, resource);';
  const STAFF = '@id("staff") permit (principal in Group::"developers", action, resource);';
  const who = delegated(['ai-agents'], ['developers']);
  const asWho = (text: string, principal = who) => decide(text, 'sql.drop', table('t'), {}, principal);

  it('neither alone is enough', () => {
    expect(asWho(AGENTS + STAFF)).toEqual({ effect: 'allow', rules: [{ id: 'agents' }, { id: 'staff' }] });
    expect(asWho(AGENTS)).toEqual({ effect: 'deny', rules: [], errors: [], lacks: 'person' });
    expect(asWho(STAFF)).toEqual({ effect: 'deny', rules: [], errors: [], lacks: 'agent' });
  });

  it('says which of them is permitted nothing, and nothing else of them', () => {
    expect(asWho('')).not.toHaveProperty('lacks');
    const no = '@id("no") forbid (principal in Group::"developers", action, resource);';
    expect(asWho(AGENTS + STAFF + no)).not.toHaveProperty('lacks');
    expect(asWho(AGENTS + no)).not.toHaveProperty('lacks');
    expect(decide('', 'sql.drop', table('t'))).not.toHaveProperty('lacks');
    const asked =
      '@id("dba") @approval("dba") forbid (principal in Group::"ai-agents", action == Action::"sql.drop", resource) unless { context.approvals.contains("dba") };';
    expect(asWho(AGENTS + asked)).not.toHaveProperty('lacks');
  });

  it('each stands in its own groups only', () => {
    expect(asWho(AGENTS + STAFF, delegated(['ai-agents', 'developers'], []))).toMatchObject({
      effect: 'deny',
    });
    expect(asWho(AGENTS + STAFF, delegated([], ['ai-agents', 'developers']))).toMatchObject({
      effect: 'deny',
    });
  });

  it('a forbid of either denies, with its reason', () => {
    const no = (group: string) =>
      `@id("no") @reason("${group}") forbid (principal in Group::"${group}", action == Action::"sql.drop", resource);`;
    for (const group of ['ai-agents', 'developers']) {
      expect(asWho(AGENTS + STAFF + no(group))).toMatchObject({
        effect: 'deny',
        rules: [{ id: 'no', reason: group }],
      });
    }
  });

  it('both may need approvals', () => {
    const needs = (id: string, group: string) =>
      `@id("${id}") @approval("${id}") forbid (principal in Group::"${group}", action == Action::"sql.drop", resource) unless { context.approvals.contains("${id}") };`;
    expect(asWho(AGENTS + STAFF + needs('dba', 'ai-agents') + needs('boss', 'developers'))).toMatchObject({
      effect: 'hold',
      approvals: ['boss', 'dba'],
    });
    expect(asWho(AGENTS + needs('dba', 'ai-agents'))).toMatchObject({ effect: 'deny' });
  });

  it('rules can ask who stands behind whom', () => {
    const text = `@id("a") permit (principal is Agent, action, resource) when { principal has person && principal.person in Group::"developers" };
      @id("p") permit (principal is Person, action, resource) when { principal has agent && principal.agent == Agent::"copilot" };
      @id("d") forbid (principal, action == Action::"sql.drop", resource) unless { context.delegated };`;
    expect(asWho(text)).toMatchObject({ effect: 'allow' });
    expect(asWho(text, delegated(['ai-agents'], ['guests']))).toMatchObject({ effect: 'deny' });
    expect(asWho(text, person('maya', ['developers']))).toMatchObject({
      effect: 'deny',
      rules: [{ id: 'd' }],
    });
    expect(asWho(text, agent('copilot', []))).toMatchObject({ effect: 'deny', rules: [{ id: 'd' }] });
  });
});

it('attested attributes are told apart from declared ones', () => {
  const text = `@id("p") permit (principal, action, resource) when {
    principal.attested has model && principal.attested.model == "m-1" && principal.hasTag("team") && principal.getTag("team") == "shop" };`;
  const asked = (more: Partial<Principal>) =>
    decide(text, 'sql.select', table('t'), {}, agent('bot', [], more)).effect;
  expect(asked({ attested: { model: 'm-1', team: 'shop' } })).toBe('allow');
  expect(asked({ declared: { model: 'm-1', team: 'shop' } })).toBe('deny');
  expect(asked({ attested: { model: 'm-1' }, declared: { team: 'shop' } })).toBe('deny');
});

describe('reveal', () => {
  const SHOW = '@id("show") permit (principal, action == Action::"reveal", resource);';
  const hide = (id: string, mask: string, tag = 'pii.email') =>
    `@id("${id}") ${mask} forbid (principal in Group::"ai-agents", action == Action::"reveal", resource) when { resource.tags.contains("${tag}") };`;
  const email = column('email', ['pii.email', 'pii.contact']);
  const reveal = (text: string, who: Principal = bot) => engineOf(text).reveal(who, email);

  it.each([
    ['nothing permits it', '', { show: false, mask: 'redact', rules: [] }],
    ['a permit shows', SHOW, { show: true }],
    [
      'a mask without a permit behind it',
      hide('a', '@mask("partial")'),
      { show: false, mask: 'partial', rules: [{ id: 'a' }] },
    ],
    [
      'one mask',
      SHOW + hide('a', '@mask("partial")'),
      { show: false, mask: 'partial', rules: [{ id: 'a' }] },
    ],
    [
      'the strongest of several',
      SHOW + hide('a', '@mask("partial")') + hide('b', '@mask("null")', 'pii.contact'),
      { show: false, mask: 'null', rules: [{ id: 'a' }, { id: 'b' }] },
    ],
    [
      'lookups: the fewest, in the longest time',
      SHOW + hide('a', '@mask("partial") @lookups("20/1h")') + hide('b', '@lookups("30/2h")', 'pii.contact'),
      {
        show: false,
        mask: 'redact',
        rules: [{ id: 'a' }, { id: 'b' }],
        lookups: { count: 20, ms: 7_200_000 },
      },
    ],
    [
      'none where one of several allows none',
      SHOW + hide('a', '@lookups("20/1h")') + hide('b', '', 'pii.contact'),
      { show: false, mask: 'redact', rules: [{ id: 'a' }, { id: 'b' }] },
    ],
    [
      'a plain forbid',
      SHOW + hide('a', '@mask("partial")') + hide('b', ''),
      { show: false, mask: 'redact', rules: [{ id: 'a' }, { id: 'b' }] },
    ],
    [
      'an error',
      `${SHOW} @id("e") forbid (principal, action == Action::"reveal", resource) when { 9223372036854775807 + 1 == 1 };`,
      { show: false, mask: 'redact', rules: [] },
    ],
  ])('%s', (_, text, answer) => expect(reveal(text)).toEqual(answer));

  it('of an agent for a person: both must be shown it, the strongest mask holds', () => {
    const who = delegated(['ai-agents'], ['developers']);
    const forPerson =
      '@id("p") @mask("null") forbid (principal in Group::"developers", action == Action::"reveal", resource);';
    expect(reveal(SHOW, who)).toEqual({ show: true });
    expect(reveal(SHOW + hide('a', '@mask("partial")'), who)).toMatchObject({ show: false, mask: 'partial' });
    expect(reveal(SHOW + hide('a', '@mask("partial")') + forPerson, who)).toMatchObject({ mask: 'null' });
    expect(
      reveal('@id("a") permit (principal is Agent, action == Action::"reveal", resource);', who),
    ).toMatchObject({ mask: 'redact' });
  });

  it('of a column without its tags hides it', () => {
    const bare = {
      ...email,
      attrs: { schema: 'public', table: 'customers', name: 'email', detected: false },
    };
    expect(engineOf(SHOW).reveal(bot, bare)).toMatchObject({ show: false, mask: 'redact' });
  });
});

describe('remembers, and never the wrong answer', () => {
  it('across engines that live side by side, more than there are slots', () => {
    const engines = Array.from({ length: 9 }, (_, i) =>
      engineOf(
        `@id("p${i}") permit (principal, action, resource) when { resource == Table::"pg/public.t${i}" };`,
      ),
    );
    for (let round = 0; round < 2; round++) {
      for (const [i, engine] of engines.entries()) {
        for (const other of [i, (i + 1) % 9]) {
          // A fresh table name in each round keeps the answers from being remembered ones.
          const object = { ...table(`t${other}`), attrs: { ...table(`t${other}`).attrs, kind: `k${round}` } };
          const decision = engine.decide({ principal: bot, action: 'sql.select', object, context: {} });
          expect(decision.effect).toBe(other === i ? 'allow' : 'deny');
        }
      }
    }
    expect(new Set(engines.map(({ version }) => version)).size).toBe(9);
  });

  it('by everything that Cedar sees', () => {
    const text = `@id("p") permit (principal, action, resource) when {
        principal in Group::"ok" || (principal.attested has ref && principal.attested.ref == "main") };
      @id("w") forbid (principal, action == Action::"sql.delete", resource) unless { context has hasWhere && context.hasWhere };
      @id("s") forbid (principal, action in Action::"sql", resource) when { resource is Table && resource.sensitive };`;
    const set = policySet(text);
    const shared = new CedarEngine(set);
    const principals = fc.constantFrom(
      bot,
      agent('bot', ['ok']),
      agent('bot', [], { attested: { ref: 'main' } }),
      delegated(['ok'], []),
      delegated(['ok'], ['ok']),
      person('bot', ['ok']),
    );
    const objects = fc.constantFrom(table('a'), table('a', { sensitive: true }), table('b'));
    const contexts = fc.constantFrom<Context>(
      {},
      { hasWhere: true },
      { hasWhere: false },
      { hasWhere: true, approvals: ['x'] },
    );
    fc.assert(
      fc.property(
        principals,
        objects,
        contexts,
        fc.constantFrom('sql.select', 'sql.delete'),
        (principal, object, context, action) => {
          const request = { principal, object, context, action };
          expect(shared.decide(request)).toEqual(new CedarEngine(set).decide(request));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('and gives the remembered answer again', () => {
    const engine = engineOf(ALL);
    const request = { principal: bot, action: 'sql.select', object: table('t'), context: {} };
    expect(engine.decide({ ...request, object: table('t'), context: {} })).toBe(engine.decide(request));
    expect(engine.reveal(bot, column('c', []))).toBe(engine.reveal(bot, column('c', [])));
  });
});

it('adding a forbid never allows what was denied, nor shows what was hidden', () => {
  const scopes = fc.constantFrom(
    'principal',
    'principal in Group::"ai-agents"',
    'principal in Group::"other"',
    'principal is Person',
  );
  const actions = fc.constantFrom(
    'action',
    'action in Action::"sql.write"',
    'action == Action::"sql.delete"',
    'action == Action::"reveal"',
  );
  const NOTES = {
    none: {},
    approval: { approval: 'x' },
    partial: { mask: 'partial' },
    null: { mask: 'null' },
  } as const;
  const notes = fc.constantFrom(...Object.keys(NOTES));
  const conditions = fc.constantFrom(
    '',
    'when { principal.name like "b*" }',
    'unless { principal.name == "bot" }',
  );
  const rule = fc.tuple(fc.constantFrom('permit', 'forbid'), scopes, actions, notes, conditions);
  const write = (rules: readonly (readonly string[])[]) =>
    uncheckedSet(
      rules.map(([effect, scope, action, note, condition], i): LoadedPolicy => {
        const id = `r${i}`;
        const text = `@id("${id}") ${effect} (${scope}, ${action}, resource) ${condition};`;
        const softer = effect === 'permit' ? {} : NOTES[note as keyof typeof NOTES];
        return {
          id,
          text,
          effect: effect as 'permit' | 'forbid',
          file: 'x',
          line: 1,
          conditions: [],
          named: [],
          hides: false,
          texts: [],
          tags: [],
          ...softer,
        };
      }),
    );
  const rank = { allow: 2, hold: 1, deny: 0 };
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), rule, (rules, extra) => {
      const before = new CedarEngine(write(rules));
      const after = new CedarEngine(write([...rules, ['forbid', ...extra.slice(1)]]));
      for (const principal of [bot, person('bob', []), delegated(['ai-agents'], ['other'])]) {
        const request = { principal, action: 'sql.delete', object: table('t'), context: {} };
        expect(rank[after.decide(request).effect]).toBeLessThanOrEqual(rank[before.decide(request).effect]);
        const shown = (engine: CedarEngine) => engine.reveal(principal, column('c', [])).show;
        expect(shown(after) && !shown(before)).toBe(false);
      }
    }),
    { numRuns: 60 },
  );
});
