import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Approval } from '../../../src/approval/model.ts';
import { isHoopError } from '../../../src/core/errors.ts';
import { judge } from '../../../src/enforcement/judge.ts';
import { ApprovalOffice } from '../../../src/gateway/approvals/office.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import { DeskSetUp, question } from '../approval/support.ts';
import { agent, engineOf, person, vocabulary } from '../policy/support.ts';

const POLICY = `
@id("dbas") permit (principal in Group::"dbas", action == Action::"approval.grant", resource)
when { resource.name == "dba" && resource in Resource::"pg" };
@id("security") permit (principal in Group::"security", action == Action::"approval.grant", resource)
when { resource.name == "security" };
`;
const TRIED = { schemaVersion: 1, changes: [], changed: false, catches: false } as const;
const BINDING = 'b1';

class SetUp extends DeskSetUp {
  readonly engine = engineOf(POLICY);
  readonly office = new ApprovalOffice({
    desk: this.desk,
    audit: this.log,
    vocabulary,
    clock: this.clock,
    trials: {
      run: async (actor, { id }, viewer) => ({
        ...TRIED,
        id,
        command: actor.name,
        notShown: viewer.policyVersion(),
      }),
    },
    viewer: ({ name }) => ({
      reveal: () => ({ show: true, rules: [] }),
      allows: () => false,
      policyVersion: () => `as ${name}`,
    }),
    formatted: async (_, { original, text }) => `in lines: ${original?.['statement'] ?? text}`,
    ask: (principal, action, object) =>
      judge({ engine: this.engine, vocabulary }, principal, [{ action, object }], {}).decision,
  });

  /** Signed in just now. */
  someone(name: string, groups: readonly string[], more: Partial<Principal> = {}): Principal {
    const subject = `sub-${name}`;
    const own = { issuer: 'https://login.test', subject, name, groups };
    return { ...person(name, groups), subject, person: own, signedInAt: this.now, ...more };
  }

  async asked(more: Partial<Approval> = {}): Promise<string> {
    return (await this.desk.request(question(more))).id;
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const codeOf = (error: unknown) => (isHoopError(error) ? error.code : error);
const agentOf = (name: string, more: Partial<Principal> = {}) =>
  agent(name, ['ai-agents'], { issuer: 'https://login.test', subject: 'sub-maya', ...more });
const narrow = { instance: 'ins_9', attenuation: { readOnly: false, resources: ['pg'] } };

describe('who may say yes or no', () => {
  it.each<[string, (at: SetUp) => Principal, string]>([
    ['a person whom policy permits it', (at) => at.someone('ada', ['dbas']), 'yes'],
    ['a person whom it does not', (at) => at.someone('bo', ['developers']), 'ERR_NO_ACCESS'],
    ['a person for another name only', (at) => at.someone('cy', ['security']), 'ERR_NO_ACCESS'],
    ['the one it was asked for', (at) => at.someone('maya', ['dbas']), 'ERR_DENIED'],
    [
      'the one it was asked for, by another issuer',
      (at) => at.someone('maya', ['dbas'], { issuer: 'https://other.test' }),
      'ERR_NO_ACCESS',
    ],
    [
      'the one it was asked for, under another name',
      (at) => at.someone('m', ['dbas'], { subject: 'sub-maya' }),
      'ERR_DENIED',
    ],
    ['the agent that asked', () => agentOf('shop-copilot', { groups: ['dbas'] }), 'ERR_DENIED'],
    ['another agent of the same person', () => agentOf('other', { groups: ['dbas'] }), 'ERR_DENIED'],
    [
      'an agent of somebody else who might',
      (at) => agentOf('other', { subject: 'sub-ada', person: at.someone('ada', ['dbas']), groups: ['dbas'] }),
      'ERR_DENIED',
    ],
    ['a login that gave something up', (at) => at.someone('ada', ['dbas'], narrow), 'ERR_NO_ACCESS'],
    [
      'who signed in too long ago',
      (at) => at.someone('ada', ['dbas'], { signedInAt: at.now - at.terms.signedInMs - 1 }),
      'ERR_LOGIN_STALE',
    ],
    [
      'who signed in just not too long ago',
      (at) => at.someone('ada', ['dbas'], { signedInAt: at.now - at.terms.signedInMs }),
      'yes',
    ],
  ])('%s: %s', async (_, by, expected) => {
    for (const decide of ['approve', 'deny'] as const) {
      const at = new SetUp();
      const id = await at.asked();
      const done = at.office[decide](by(at), id, BINDING, undefined);
      const state = decide === 'approve' ? 'approved' : 'denied';
      if (expected === 'yes') expect(await done).toMatchObject({ status: state, mine: [] });
      else {
        expect(codeOf(await done.catch((error: unknown) => error))).toBe(expected);
        expect(at.desk.find(id)).toMatchObject({ state: 'pending', votes: [] });
      }
    }
    const at = new SetUp();
    const [id, who] = [await at.asked(), by(at)];
    const tried = at.office.tryOut(who, id, BINDING, new AbortController().signal);
    if (expected === 'yes')
      expect(await tried).toEqual({ ...TRIED, id, command: who.name, notShown: `as ${who.name}` });
    else expect(codeOf(await tried.catch((error: unknown) => error))).toBe(expected);
  });

  it('of a request at another resource, a rule on this one says nothing', async () => {
    const at = new SetUp();
    const id = await at.asked({ resource: 'pg2' });
    await expect(at.office.approve(at.someone('ada', ['dbas']), id, BINDING)).rejects.toMatchObject({
      code: 'ERR_NO_ACCESS',
    });
  });

  it('nobody, of something else than what was seen', async () => {
    const at = new SetUp();
    const id = await at.asked();
    const ada = at.someone('ada', ['dbas']);
    await expect(at.office.approve(ada, id, 'b2')).rejects.toMatchObject({ code: 'ERR_VERIFY' });
    expect(at.desk.find(id)).toMatchObject({ state: 'pending' });
  });

  it('each under the names that they may give, and once', async () => {
    const at = new SetUp();
    const needs = [
      { name: 'dba', count: 1 },
      { name: 'security', count: 2 },
    ];
    const id = await at.asked({ needs });
    const ada = at.someone('ada', ['dbas']);
    const both = at.someone('bo', ['dbas', 'security']);
    expect(await at.office.show(both, id)).toMatchObject({ mine: ['dba', 'security'] });
    const notMine = 'you have said yes to it';
    expect(await at.office.approve(ada, id, BINDING)).toMatchObject({
      status: 'pending',
      mine: [],
      notMine,
      mayDeny: true,
    });
    await expect(at.office.approve(ada, id, BINDING)).rejects.toMatchObject({ code: 'ERR_DENIED' });
    expect(await at.office.approve(both, id, BINDING)).toMatchObject({
      needs: [{ given: 1 }, { name: 'security', count: 2, given: 1 }],
    });
    await expect(at.office.approve(both, id, BINDING)).rejects.toMatchObject({
      message: 'you have said yes to this before: it waits for others',
    });
    const cy = at.someone('cy', ['security']);
    expect(await at.office.approve(cy, id, BINDING)).toMatchObject({ status: 'approved' });
    await expect(at.office.approve(cy, id, BINDING)).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(at.office.deny(ada, id, BINDING, 'no')).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it('a no may come from one who said yes, and reaches the one who asked with its reason', async () => {
    const at = new SetUp();
    const id = await at.asked({ needs: [{ name: 'dba', count: 2 }] });
    const ada = at.someone('ada', ['dbas']);
    await at.office.approve(ada, id, BINDING);
    await at.office.deny(ada, id, BINDING, 'use the archive');
    expect(await at.office.show(agentOf('shop-copilot'), id)).toMatchObject({
      status: 'denied',
      next_action: 'none',
      endedBy: 'ada',
      endReason: 'use the archive',
    });
  });
});

describe('who sees what', () => {
  it.each<[string, (at: SetUp) => Principal, 'nothing' | 'masked' | 'exact']>([
    ['the agent that asked', () => agentOf('shop-copilot'), 'masked'],
    ['another agent of the same person', () => agentOf('other'), 'nothing'],
    ['the same agent for another person', () => agentOf('shop-copilot', { subject: 'sub-eve' }), 'nothing'],
    ['the person behind it', (at) => at.someone('maya', []), 'masked'],
    ['the person behind it who might approve', (at) => at.someone('maya', ['dbas']), 'masked'],
    ['an approver', (at) => at.someone('ada', ['dbas']), 'exact'],
    ['an approver with rights given up', (at) => at.someone('ada', ['dbas'], narrow), 'nothing'],
    ['another person', (at) => at.someone('bo', ['developers']), 'nothing'],
    [
      'its own instance, with rights given up',
      () => agentOf('shop-copilot', { ...narrow, instance: 'ins_1' }),
      'masked',
    ],
    [
      'another instance, with rights given up',
      () => agentOf('shop-copilot', { ...narrow, instance: 'ins_2' }),
      'nothing',
    ],
  ])('%s: %s', async (_, who, sees) => {
    const at = new SetUp();
    const id = await at.asked();
    const by = who(at);
    expect(at.office.list(by).map((one) => one.id)).toEqual(sees === 'nothing' ? [] : [id]);
    expect(at.office.list(by).every((one) => one.original === undefined)).toBe(true);
    if (sees === 'nothing') {
      await expect(at.office.show(by, id)).rejects.toMatchObject({ code: 'ERR_NO_ACCESS' });
      return;
    }
    const item = await at.office.show(by, id);
    expect(item).toMatchObject({ id, binding: BINDING, mine: sees === 'exact' ? ['dba'] : [] });
    const why = by.kind === 'person' ? 'it was asked on your own authority' : 'agents decide nothing';
    expect(item.notMine).toBe(sees === 'exact' ? undefined : why);
    expect(item.mayDeny).toBe(sees === 'exact' ? true : undefined);
    expect(item.original).toEqual(sees === 'exact' ? { statement: 'DROP TABLE t' } : undefined);
    expect(item.sha256).toEqual(sees === 'exact' ? { statement: sha256('DROP TABLE t') } : undefined);
    expect(item.formatted).toBe(`in lines: ${sees === 'exact' ? 'DROP TABLE t' : item.text}`);
    const views = at.log.events.filter(({ type }) => type === 'approval.viewed');
    expect(views).toMatchObject(
      sees === 'exact' ? [{ actor: { name: by.name }, facts: { approval: id } }] : [],
    );
  });

  it('nobody sees exactly what was asked where the look cannot be put on record, or it is decided', async () => {
    const at = new SetUp();
    const id = await at.asked();
    const ada = at.someone('ada', ['dbas']);
    at.log.failing = true;
    await expect(at.office.show(ada, id)).rejects.toMatchObject({ code: 'ERR_AUDIT_UNAVAILABLE' });
    at.log.failing = false;
    await at.office.approve(ada, id, BINDING);
    expect(await at.office.show(ada, id)).not.toHaveProperty('original');
    expect(await at.office.show(ada, id)).toMatchObject({ next_action: 'retry' });
    await at.desk.use(question(), 'op_1');
    expect(await at.office.show(ada, id)).toMatchObject({ next_action: 'request', usedBy: 'op_1' });
  });

  it('a list of those that wait has no others', async () => {
    const at = new SetUp();
    const ada = at.someone('ada', ['dbas']);
    const first = await at.asked();
    await at.office.deny(ada, first, BINDING, undefined);
    const second = await at.asked({ binding: 'another' });
    expect(at.office.list(ada, 'pending').map(({ id }) => id)).toEqual([second]);
    expect(at.office.list(ada).map(({ id }) => id)).toEqual([second, first]);
  });
});

describe('taking back', () => {
  it('is for the one who asked, until it is used', async () => {
    const at = new SetUp();
    const id = await at.asked();
    const ada = at.someone('ada', ['dbas']);
    await expect(at.office.cancel(ada, id)).rejects.toMatchObject({ code: 'ERR_DENIED' });
    await expect(at.office.cancel(agentOf('other'), id)).rejects.toMatchObject({ code: 'ERR_NO_ACCESS' });
    await at.office.approve(ada, id, BINDING);
    expect(await at.office.cancel(agentOf('shop-copilot'), id)).toMatchObject({ status: 'cancelled' });
    expect(await at.desk.use(question(), 'op_1')).toBeUndefined();
    const next = await at.asked();
    await at.office.approve(ada, next, BINDING);
    await at.desk.use(question(), 'op_2');
    await expect(at.office.cancel(at.someone('maya', []), next)).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: 'too late: the request is approved and used',
    });
  });
});
