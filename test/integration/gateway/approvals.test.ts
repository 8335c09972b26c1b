import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApprovalItem } from '../../../src/api/approvals.ts';
import { PATHS, TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import { type Caller, OPEN_POLICY, RunningGateway } from '../../support/running-gateway.ts';

const POLICY = `${OPEN_POLICY}
@id("held") @approval("dba") @reason("it is production")
forbid (principal in Group::"ai-agents", action == Action::"connect", resource)
unless { context.approvals.contains("dba") };
@id("dbas-approve")
permit (principal in Group::"dbas", action == Action::"approval.grant", resource)
when { resource.name == "dba" };`;

let running: RunningGateway;
let agent: Caller;
let dana: Caller;
let ada: Caller;

beforeAll(async () => {
  running = await RunningGateway.start({ policy: POLICY });
  agent = await running.person(['developers'], { agent: 'copilot' });
  dana = await running.person(['developers', 'dbas']);
  ada = await running.person(['dbas', 'auditors'], { name: 'ada' });
});
afterAll(() => running.remove());

/** A connection that is held, asked for. */
async function asked(by: Caller = agent, resource = 'echo'): Promise<ApprovalItem> {
  const tunnel = await by.tunnel(resource, {
    headers: { [TUNNEL_HEADERS.approval]: 'ask', [TUNNEL_HEADERS.reason]: 'ticket%204711' },
  });
  tunnel.socket.destroy();
  expect(tunnel.status).toBe(403);
  const { approvals } = (await by.get(`${PATHS.approvals}?status=pending`)).json;
  return approvals[0];
}

const at = ({ id }: ApprovalItem) => `${PATHS.approvals}/${id}`;
const decide = (by: Caller, item: ApprovalItem, word: string, more: object = {}) =>
  by.call('POST', `${at(item)}/${word}`, { json: { binding: item.binding, ...more } });

describe('requests for approval', () => {
  it('are seen by the one who asked and by those who may decide, approved once, and used', async () => {
    const item = await asked();
    expect(item).toMatchObject({
      status: 'pending',
      next_action: 'none',
      actor: 'copilot',
      person: 'dana@example.com',
      reason: 'ticket 4711',
      needs: [{ name: 'dba', count: 1, given: 0 }],
      mine: [],
      actions: ['connect'],
      window: 3600,
      notTried: 'it opens something, and changes nothing by itself',
    });
    const seen = await ada.get(at(item));
    expect(seen.headers['retry-after']).toBe('5');
    expect(seen.json).toMatchObject({ mine: ['dba'], binding: item.binding });
    const waiting = agent.get(`${at(item)}?wait=60`);
    expect((await decide(ada, item, 'approve')).json).toMatchObject({ status: 'approved', mine: [] });
    const waited = await waiting;
    expect(waited.headers['retry-after']).toBeUndefined();
    expect(waited.json).toMatchObject({
      status: 'approved',
      next_action: 'retry',
      votes: [{ by: 'ada@example.com' }],
    });
    const tunnel = await agent.tunnel('echo', { early: 'hello' });
    await tunnel.until('hello');
    tunnel.socket.destroy();
    expect((await decide(ada, item, 'approve')).json).toMatchObject({ code: 'ERR_USAGE' });
    const story = (await ada.get(`${PATHS.auditEvents}?approval=${item.id}`)).json.events;
    expect(story.map((event: { type: string }) => event.type)).toEqual([
      'operation.decided',
      'approval.used',
      'approval.granted',
      'approval.viewed',
      'operation.decided',
      'approval.requested',
    ]);
    expect(story[0]).toMatchObject({ decision: 'allow', text: 'connect' });
    expect(story[2]).toMatchObject({
      facts: { decidedBy: 'ada@example.com', names: 'dba', state: 'approved' },
    });
    const { events } = (await ada.get(`${PATHS.auditEvents}?type=approval.*&limit=1`)).json;
    expect(events[0].type).toBe('approval.used');
    expect((await ada.get(`${PATHS.auditEvents}?type=nothing.*`)).json.code).toBe('ERR_USAGE');
  });

  it('survive a restart while they wait', async () => {
    const item = await asked(agent, 'short');
    await running.stop();
    await running.restart();
    [agent, ada, dana] = await Promise.all([
      running.person(['developers'], { agent: 'copilot' }),
      running.person(['dbas', 'auditors'], { name: 'ada' }),
      running.person(['developers', 'dbas']),
    ]);
    expect((await ada.get(at(item))).json).toMatchObject({ status: 'pending', mine: ['dba'] });
    const answer = await decide(ada, item, 'deny', { reason: 'use the replica' });
    expect(answer.json).toMatchObject({
      status: 'denied',
      endedBy: 'ada@example.com',
      endReason: 'use the replica',
    });
    expect((await agent.get(at(item))).json).toMatchObject({
      status: 'denied',
      endReason: 'use the replica',
    });
  });

  it('are never decided by whoever asked: the agent, the person behind it, another agent of theirs', async () => {
    const item = await asked();
    const other = await running.person(['developers', 'dbas'], { agent: 'other' });
    const machine = await running.machine();
    for (const [by, code] of [
      [agent, 'ERR_DENIED'],
      [dana, 'ERR_DENIED'],
      [other, 'ERR_DENIED'],
      [machine, 'ERR_DENIED'],
      [await running.person(['developers'], { name: 'eve' }), 'ERR_NO_ACCESS'],
    ] as const) {
      for (const word of ['approve', 'deny']) expect((await decide(by, item, word)).json.code).toBe(code);
    }
    expect((await decide(ada, { ...item, binding: '0'.repeat(64) }, 'approve')).json.code).toBe('ERR_VERIFY');
    expect((await agent.get(at(item))).json).toMatchObject({ status: 'pending', votes: [] });
    expect((await agent.call('POST', `${at(item)}/cancel`)).json).toMatchObject({ status: 'cancelled' });
  });

  it.each([
    ['no body', {}, 'ERR_USAGE'],
    ['no binding', { json: {} }, 'ERR_USAGE'],
    ['a binding of another form', { json: { binding: 'x' } }, 'ERR_USAGE'],
    [
      'a reason of more than 500 characters',
      { json: { binding: '0'.repeat(64), reason: 'x'.repeat(501) } },
      'ERR_USAGE',
    ],
    ['more than is known', { json: { binding: '0'.repeat(64), force: true } }, 'ERR_USAGE'],
  ])('a decision with %s is none', async (_, body, code) => {
    const item = await asked();
    expect((await ada.call('POST', `${at(item)}/deny`, body)).json.code).toBe(code);
  });

  it.each(['wait=0', 'wait=61', 'wait=x', 'wait=1&wait=2', 'status=open', 'more=1'])(
    '?%s is refused',
    async (query) => {
      expect((await ada.get(`${PATHS.approvals}?${query}`)).json.code).toBe('ERR_USAGE');
    },
  );

  it('a list that waits comes with the next change, and at once where one was missed', async () => {
    const { cursor } = (await ada.get(PATHS.approvals)).json;
    const waiting = ada.get(`${PATHS.approvals}?wait=60&cursor=${cursor}`);
    const item = await asked(agent, 'short');
    const next = (await waiting).json;
    expect(next.approvals[0]).toMatchObject({ id: item.id, status: 'pending' });
    expect(next.cursor).not.toBe(cursor);
    expect((await ada.get(`${PATHS.approvals}?wait=60&cursor=${cursor}`)).json.approvals[0].id).toBe(item.id);
  });
});
