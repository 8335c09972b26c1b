/**
 * The agent's plane and the administrator's: what opens one of them opens nothing of the other. Each refusal has its twin that
 * is let in, so that no row passes by asking for something that is not there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApprovalItem } from '../../../src/api/approvals.ts';
import { PATHS, TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import { type Caller, OPEN_POLICY, RunningGateway } from '../../support/running-gateway.ts';

/** Agents are permitted all that there is: what is refused to them no rule could have opened. */
const POLICY = `${OPEN_POLICY}
@id("agents-all") permit (principal is Agent, action, resource);
@id("held") @approval("dba")
forbid (principal, action == Action::"connect", resource == Resource::"short")
unless { context.approvals.contains("dba") };
@id("dbas") permit (principal in Group::"dbas", action == Action::"approval.grant", resource);
`;

let running: RunningGateway;
let job: Caller;
let copilot: Caller;
let office: Caller;
let request: ApprovalItem;
let chain: string;
let revocation: string;

beforeAll(async () => {
  running = await RunningGateway.start({ policy: POLICY });
  job = await running.machine();
  copilot = await running.person(['developers'], { agent: 'copilot' });
  office = await running.person(['auditors', 'operators', 'dbas'], { name: 'olga' });
  const asked = await copilot.tunnel('short', { headers: { [TUNNEL_HEADERS.approval]: 'ask' } });
  asked.socket.destroy();
  [request] = (await copilot.get(`${PATHS.approvals}?status=pending`)).json.approvals;
  [{ id: chain }] = (await office.get(PATHS.auditChains)).json.chains;
  await office.call('POST', PATHS.revocations, { json: { agent: 'nobody-yet' } });
  [{ id: revocation }] = (await office.get(PATHS.revocations)).json.revocations;
});
afterAll(() => running?.remove());

interface Act {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly json?: unknown;
}

/** All that administers, in an order in which each still has something to do. */
function administration(): readonly Act[] {
  const files = [{ name: 'p.cedar', text: '@id("all") permit (principal, action, resource);' }];
  const decide = (word: string): Act => ({
    method: 'POST',
    path: `${PATHS.approvals}/${request.id}/${word}`,
    json: { binding: request.binding },
  });
  return [
    { method: 'GET', path: PATHS.auditChains },
    { method: 'GET', path: `${PATHS.auditChains}/${chain}` },
    { method: 'POST', path: PATHS.policyReplay, json: { files, query: {}, limit: 0 } },
    { method: 'GET', path: PATHS.revocations },
    { method: 'POST', path: PATHS.revocations, json: { agent: 'somebody' } },
    { method: 'DELETE', path: `${PATHS.revocations}/${revocation}` },
    decide('approve'),
  ];
}

const answered = (caller: Caller, { method, path, json }: Act) =>
  caller.call(method, path, json === undefined ? {} : { json });

describe('the agent’s plane and the administrator’s', () => {
  it('E1: a token of the data plane is refused by all that administers, where policy permits agents everything', async () => {
    for (const agent of [job, copilot])
      for (const act of administration()) {
        const { status, json } = await answered(agent, act);
        expect([act.method, act.path, status, json?.code]).toEqual([act.method, act.path, 403, 'ERR_DENIED']);
      }
    expect((await copilot.get(`${PATHS.approvals}/${request.id}`)).json.status).toBe('pending');
    // The same agents reach what they are for.
    for (const agent of [job, copilot]) {
      const tunnel = await agent.tunnel('echo', { early: 'in' });
      expect(await tunnel.until('in')).toBe('in');
      tunnel.socket.destroy();
    }
  });

  it('E1: an administrator’s token opens no tunnel and sees no resource, and does what it is for', async () => {
    const tunnel = await office.tunnel('echo');
    tunnel.socket.destroy();
    // No access is told as no resource: nobody learns which there are.
    expect(tunnel.status).toBe(404);
    expect((await office.get(PATHS.resources)).json.resources).toEqual([]);
    for (const act of administration())
      expect([act.method, act.path, (await answered(office, act)).status]).toEqual([
        act.method,
        act.path,
        200,
      ]);
  });

  it('E1: what opens a tunnel at its local end, and a token without its key, open nothing at the gateway', async () => {
    const secret = 'x'.repeat(43);
    const thief = await running.machine();
    for (const authorization of [
      `Bearer ${secret}`,
      `Basic ${Buffer.from(`hoop:${secret}`).toString('base64')}`,
    ])
      expect((await thief.call('GET', PATHS.whoami, { headers: { authorization } })).status).toBe(401);
    const stolen = await thief.call('GET', PATHS.whoami, { token: office.issued.access_token });
    expect([stolen.status, stolen.json.code]).toEqual([401, 'ERR_TOKEN_INVALID']);
    const tunnel = await office.tunnel('echo', { token: copilot.issued.access_token });
    tunnel.socket.destroy();
    expect(tunnel.status).toBe(401);
    expect((await thief.get(PATHS.whoami)).status).toBe(200);
  });
});
