import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATHS, TOKEN_TYPES, TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import { makeProofKey } from '../../support/identity/proof-key.ts';
import {
  type Caller,
  OPEN_POLICY,
  openTls,
  RunningGateway,
  type Tunnel,
} from '../../support/running-gateway.ts';
import { timePasses } from '../../support/waiting.ts';

let running: RunningGateway;
let agent: Caller;
let auditor: Caller;

beforeAll(async () => {
  running = await RunningGateway.start();
  agent = await running.person(['developers'], { agent: 'copilot' });
  auditor = await running.person(['auditors'], { name: 'ada' });
});

afterAll(() => running.remove());

const VERIFIER = `SCRAM-SHA-256$4096:${'A'.repeat(22)}==$${'B'.repeat(43)}=:${'C'.repeat(43)}=`;

async function refusal(tunnel: Tunnel) {
  return { status: tunnel.status, ...JSON.parse(await tunnel.until()) };
}

async function events(query: string) {
  const answer = await auditor.get(`${PATHS.auditEvents}?${query}`);
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects of an event.
  return answer.json.events as Record<string, any>[];
}

describe('a stream', () => {
  it('carries octets both ways, those sent with the head too, and is on record', async () => {
    const reason = encodeURIComponent('fix order 7 \u202e');
    const headers = {
      [TUNNEL_HEADERS.reason]: reason,
      [TUNNEL_HEADERS.localProof]: `scram-sha-256 ${VERIFIER}`,
    };
    const tunnel = await agent.tunnel('echo', { early: 'hello ', headers });
    expect(tunnel.status).toBe(101);
    tunnel.socket.write('world');
    expect(await tunnel.until('world')).toBe('hello world');
    const session = /hoop-session: (ses_[0-9A-Z]{26})/.exec(tunnel.head)?.[1];
    const [live] = (await agent.get(PATHS.sessions)).json.sessions;
    expect(live).toMatchObject({
      id: session,
      resource: 'echo',
      actor: 'copilot',
      person: 'dana@example.com',
    });
    expect(live.endedAt).toBeUndefined();
    tunnel.socket.destroy();
    await expect
      .poll(async () => (await agent.get(`${PATHS.sessions}/${session}`)).json.endReason)
      .toBe('client-left');
    const [started] = await events(`session=${session}&type=session.started`);
    expect(started).toMatchObject({ reason: 'fix order 7  ', resource: 'echo', protocol: 'postgres' });
    const [asked] = await events(`session=${session}&type=operation.decided`);
    expect(asked).toMatchObject({ operation: started?.['operation'], decision: 'allow', outcome: 'success' });
    expect(asked).toMatchObject({ actions: ['connect'], objects: ['echo'], rules: [{ id: 'open' }] });
    expect(await agent.get(`${PATHS.sessions}/${session}`)).toMatchObject({ json: { operations: 0 } });
    const [ended] = await events(`session=${session}&type=session.ended`);
    expect(ended).toMatchObject({ reason: 'client-left', bytes: 11, outcome: 'success' });
    expect(ended?.facts.recordingSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('one that breaks touches no other', async () => {
    const good = await agent.tunnel('echo');
    const bad = await agent.tunnel('echo');
    bad.socket.write('half a mess');
    bad.socket.destroy();
    const socket = await openTls(running);
    socket.on('error', () => undefined);
    socket.write('\0\u0001nonsense\r\n\r\n');
    good.socket.write('still here');
    expect(await good.until('here')).toBe('still here');
    good.socket.destroy();
    socket.destroy();
  });

  it('ends when the resource allows no more time, and when idle', async () => {
    const tunnel = await agent.tunnel('short');
    expect(await tunnel.until()).toBe('bye ERR_SESSION_ENDED');
  });
});

describe('a stream is refused', () => {
  const refused = async (code: string, options: Parameters<Caller['tunnel']>[1] = {}, resource = 'echo') => {
    const answer = await refusal(await agent.tunnel(resource, options));
    expect(answer.code).toBe(code);
    return answer;
  };

  it('without a token', async () => {
    const answer = await refused('ERR_NOT_LOGGED_IN', { headers: { authorization: '' } });
    expect(answer.status).toBe(401);
  });

  it('with a bearer token: a copied token is worth nothing', () =>
    refused('ERR_NOT_LOGGED_IN', { headers: { authorization: `Bearer ${agent.issued.access_token}` } }));

  it('with a token copied from another key', async () => {
    const thief = await makeProofKey();
    await refused('ERR_TOKEN_INVALID', { key: thief });
  });

  it('with a proof made for another TLS connection', () =>
    refused('ERR_PROOF_INVALID', {
      proof: async (_, url) => {
        const other = await openTls(running);
        const exporter = other.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
        other.destroy();
        return agent.key.proof({ method: 'GET', url, accessToken: agent.issued.access_token, exporter });
      },
    }));

  it('with a proof without exporter value', () =>
    refused('ERR_PROOF_INVALID', {
      proof: (_, url) => agent.key.proof({ method: 'GET', url, accessToken: agent.issued.access_token }),
    }));

  it('with a proof for another gateway', () =>
    refused('ERR_PROOF_INVALID', {
      proof: (exporter) =>
        agent.key.proof({
          method: 'GET',
          url: 'https://evil.example.com/v1/tunnels/echo',
          accessToken: agent.issued.access_token,
          exporter,
        }),
    }));

  it('with two proofs', () => refused('ERR_USAGE', { headers: { DPoP: 'another' } }));

  it('when the resource is unknown, and as if unknown when nobody permits it', async () => {
    const unknown = await refused('ERR_NO_ACCESS', {}, 'nothing');
    const stranger = await running.person(['nobody'], { name: 'eve' });
    const denied = await refusal(await stranger.tunnel('echo'));
    expect(denied).toEqual(unknown);
    expect((await stranger.get(PATHS.resources)).json.resources).toEqual([]);
  });

  it('with a malformed name, proof or reason', async () => {
    await refused('ERR_NO_ACCESS', {}, '..%2fetc');
    const proved = (proof: string) =>
      refused('ERR_USAGE', { headers: { [TUNNEL_HEADERS.localProof]: proof } });
    await proved('scram-sha-256 SCRAM-SHA-256$1:x$y:z');
    expect((await proved('gpg-key AAAA')).hint).toContain('known are scram-sha-256');
    expect((await proved(`bearer-sha256 ${'A'.repeat(43)}`)).detail).toContain('proved by scram-sha-256');
    const old = await refused('ERR_USAGE', { headers: { 'hoop-local-verifier': VERIFIER } });
    expect(old.hint).toContain('upgrade hoopctl');
    await refused('ERR_USAGE', { headers: { [TUNNEL_HEADERS.reason]: '%ff' } });
    await refused('ERR_USAGE', { headers: { [TUNNEL_HEADERS.reason]: 'x'.repeat(1025) } });
  });

  it('by a rule, with the rule, its reason and its hint or from when it is permitted; a hold with whose approval it needs', async () => {
    const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
    const after = day(2);
    const policy = `${OPEN_POLICY}
@id("freeze") @reason("nothing changes these days")
forbid (principal in Group::"freeze", action == Action::"connect", resource)
when { ["${day(0)}", "${day(1)}"].contains(context.time.date) };
@id("fridays") @reason("nobody works on Fridays") @hint("come on Monday")
forbid (principal in Group::"fridays", action == Action::"connect", resource);
@id("bare") forbid (principal in Group::"bare", action == Action::"connect", resource);
@id("held") @approval("dba") forbid (principal in Group::"held", action == Action::"connect", resource)
unless { context.approvals.contains("dba") };`;
    const own = await RunningGateway.start({ policy });
    const answer = async (group: string) => {
      const caller = await own.person(['developers', group], { name: group });
      return refusal(await caller.tunnel('echo'));
    };
    const detail = 'nobody works on Fridays';
    const code = 'ERR_DENIED';
    expect(await answer('fridays')).toMatchObject({ code, rule: 'fridays', detail, hint: 'come on Monday' });
    expect(await answer('freeze')).toMatchObject({
      ...{ code, rule: 'freeze', detail: 'nothing changes these days' },
      hint: expect.stringContaining(`it is permitted from 00:00 on ${after} (UTC, where it is `),
    });
    const bare = await answer('bare');
    expect(bare).toMatchObject({ code, rule: 'bare', hint: expect.stringContaining('resource list') });
    expect(bare.detail ?? bare.title).toBe('denied by policy');
    expect(await answer('held')).toMatchObject({
      code: 'ERR_APPROVAL_REQUIRED',
      rule: 'held',
      hint: expect.stringContaining('dba'),
    });
    await own.remove();
  });

  it('and each refusal is on record with its reason', async () => {
    const found = await events('type=session.refused&limit=1000');
    const reasons = new Set(found.map((event) => event['reason']));
    for (const code of [
      'ERR_NOT_LOGGED_IN',
      'ERR_TOKEN_INVALID',
      'ERR_PROOF_INVALID',
      'ERR_NO_ACCESS',
      'ERR_USAGE',
    ])
      expect(reasons).toContain(code);
    const refused = found.find((event) => event['actor']?.person === 'eve@example.com');
    expect(refused).toMatchObject({ resource: 'echo', reason: 'ERR_NO_ACCESS', outcome: 'failure' });
    const decided = await events('type=operation.decided&decision=deny');
    expect(decided.find((event) => event['operation'] === refused?.['operation'])).toMatchObject({
      actions: ['connect'],
      objects: ['echo'],
      reason: 'default-deny',
      text: 'connect',
    });
  });
});

describe('ending', () => {
  it('a revoked login ends its streams within a second, and opens none', async () => {
    const victim = await running.person(['developers'], { name: 'vic', agent: 'copilot' });
    const tunnel = await victim.tunnel('echo');
    expect(tunnel.status).toBe(101);
    const before = Date.now();
    const answer = await victim.call('POST', PATHS.revokeSelf);
    expect(answer.json).toEqual({ schemaVersion: 1, sessions: 1 });
    expect(await tunnel.until()).toBe('bye ERR_REVOKED');
    expect(Date.now() - before).toBeLessThan(1000);
    expect(await refusal(await victim.tunnel('echo'))).toMatchObject({ status: 401, code: 'ERR_REVOKED' });
    expect((await victim.get(PATHS.whoami)).json.code).toBe('ERR_REVOKED');
  });

  it('an operator ends one session, and only that', async () => {
    const operator = await running.person(['operators'], { name: 'olga' });
    const [one, two] = [await agent.tunnel('echo'), await agent.tunnel('echo')];
    const id = /hoop-session: (\S+)/.exec(one.head)![1]!;
    expect((await operator.call('DELETE', `${PATHS.sessions}/${id}`)).json.sessions).toBe(1);
    expect(await one.until()).toBe('bye ERR_SESSION_ENDED');
    two.socket.write('on');
    expect(await two.until('on')).toBe('on');
    two.socket.destroy();
    expect((await operator.call('DELETE', `${PATHS.sessions}/${id}`)).json.sessions).toBe(0);
    expect(await events(`type=session.killed&session=${id}`)).toHaveLength(2);
  });
});

describe('stopping and starting', () => {
  it('drains: streams go on for the grace, then end in their protocol; no new ones', async () => {
    const own = await RunningGateway.start();
    const caller = await own.machine();
    const tunnel = await caller.tunnel('echo');
    const spare = await openTls(own);
    const closed = own.gateway.close({ graceMs: 400 });
    await timePasses(50, 'the drain has begun; what is said during it is answered');
    tunnel.socket.write('during');
    expect(await tunnel.until('during')).toBe('during');
    await expect(openTls(own)).rejects.toThrow();
    expect(await tunnel.until()).toBe('duringbye ERR_SESSION_ENDED');
    await closed;
    spare.destroy();
    await own.remove();
  });

  it('a second call hurries', async () => {
    const own = await RunningGateway.start();
    const tunnel = await (await own.machine()).tunnel('echo');
    const slow = own.gateway.close({ graceMs: 60_000 });
    await timePasses(20, 'the first call is under way');
    const before = Date.now();
    await Promise.all([slow, own.gateway.close({ graceMs: 0 })]);
    expect(Date.now() - before).toBeLessThan(3000);
    expect(await tunnel.until()).toBe('bye ERR_SESSION_ENDED');
    await own.remove();
  });

  it('a restart keeps revocations and tokens', async () => {
    const own = await RunningGateway.start({ more: '' });
    const port = own.port;
    own.write('hoopd.yaml', own.config().replace('127.0.0.1:0', `127.0.0.1:${port}`));
    const kept = await own.machine();
    const gone = await own.person(['developers'], { agent: 'copilot' });
    await gone.call('POST', PATHS.revokeSelf);
    await own.stop();
    await own.restart();
    expect((await kept.get(PATHS.whoami)).json.name).toBe('ci');
    expect((await gone.get(PATHS.whoami)).json.code).toBe('ERR_REVOKED');
    const again = await gone.exchange({
      subject_token: gone.issued.access_token,
      subject_token_type: TOKEN_TYPES.accessToken,
    });
    expect(again.json.code).toBe('ERR_REVOKED');
    await own.remove();
  });
});
