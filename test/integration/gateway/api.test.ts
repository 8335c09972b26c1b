import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATHS, TOKEN_TYPES } from '../../../src/api/contract.ts';
import { makeProofKey } from '../../support/identity/proof-key.ts';
import { Caller, RunningGateway } from '../../support/running-gateway.ts';

let running: RunningGateway;
/** Two people, an agent for each of them, and the two offices. */
let dana: Caller;
let danasAgent: Caller;
let danasOther: Caller;
let evesAgent: Caller;
let auditor: Caller;
let operator: Caller;
const sessions: Record<string, string> = {};

beforeAll(async () => {
  running = await RunningGateway.start();
  dana = await running.person(['developers']);
  danasAgent = await running.person(['developers'], { agent: 'copilot' });
  danasOther = await running.person(['developers'], { agent: 'other' });
  evesAgent = await running.person(['developers'], { name: 'eve', agent: 'copilot' });
  auditor = await running.person(['auditors'], { name: 'ada' });
  operator = await running.person(['operators'], { name: 'olga' });
  for (const [name, caller] of Object.entries({ dana, danasAgent, danasOther, evesAgent })) {
    const tunnel = await caller.tunnel('echo', { early: name });
    await tunnel.until(name);
    sessions[name] = /hoop-session: (\S+)/.exec(tunnel.head)![1]!;
    tunnel.socket.destroy();
  }
});

afterAll(() => running.remove());

describe('who am I, and what may I reach', () => {
  it('names agent, person, instance and deadline', async () => {
    expect((await danasAgent.get(PATHS.whoami)).json).toMatchObject({
      schemaVersion: 1,
      gateway: running.gateway.url,
      kind: 'agent',
      name: 'copilot',
      person: 'dana@example.com',
      groups: ['ai-agents'],
      instance: danasAgent.issued.instance,
    });
  });

  it('D6: lists resources without anything of the target but database and role', async () => {
    const { resources } = (await danasAgent.get(PATHS.resources)).json;
    expect(resources[0]).toEqual({
      name: 'echo',
      protocol: 'postgres',
      connect: { protocol: 'postgres', database: 'shop', user: 'hoop' },
      access: 'allow',
      masks: false,
    });
  });

  it('says what may be done there to those who ask for it, and of nothing that they cannot reach', async () => {
    const { resources } = (await danasAgent.get(`${PATHS.resources}?may=true`)).json;
    expect(resources[0]).toMatchObject({ name: 'echo', may: [{ actions: ['sql'], effect: 'allow' }] });
    expect((await danasAgent.get(PATHS.resources)).json.resources[0].may).toBeUndefined();
    const of = async (name: string) =>
      (await danasAgent.get(`${PATHS.resources}?may=true&name=${name}`)).json;
    expect((await of('echo')).resources).toEqual(
      resources.filter(({ name }: { name: string }) => name === 'echo'),
    );
    expect((await of('other')).resources).toEqual([]);
    expect((await auditor.get(`${PATHS.resources}?may=true`)).json.resources).toEqual([]);
  });

  it('says that something is masked where that is only what detectors find', async () => {
    const hidden =
      '@id("hide") @mask("redact") forbid (principal, action == Action::"reveal", resource is Detected);';
    const other = await RunningGateway.start({
      policy: `@id("all") permit (principal, action, resource);\n${hidden}`,
    });
    try {
      const agent = await other.person(['developers'], { agent: 'copilot' });
      expect((await agent.get(PATHS.resources)).json.resources[0]).toMatchObject({
        name: 'echo',
        masks: true,
      });
    } finally {
      await other.remove();
    }
  });

  it('discovery and health need no token; everything else does', async () => {
    const nobody = new Caller(running, await makeProofKey());
    const open = await nobody.call('GET', PATHS.discovery, { token: null });
    // The issuer has a client, but no device grant: nobody is sent there to log in.
    expect(open.json.issuers).toEqual([]);
    expect(open.json.machines).toEqual([
      {
        issuer: running.issuer.issuer,
        audience: 'hoop',
        preset: 'oidc',
        clientCredentials: { namesAudience: true },
      },
    ]);
    expect((await nobody.call('GET', '/healthz', { token: null })).json).toEqual({ status: 'ok' });
    for (const path of [
      PATHS.whoami,
      PATHS.resources,
      PATHS.sessions,
      PATHS.auditEvents,
      PATHS.auditChains,
      '/v1/x',
    ])
      expect((await nobody.call('GET', path, { token: null })).status, path).toBe(401);
  });
});

describe('proofs and tokens of API calls', () => {
  it('the first call is told the nonce', async () => {
    const key = await makeProofKey();
    const nobody = new Caller(running, key);
    const url = running.gateway.url + PATHS.whoami;
    const proof = await key.proof({ method: 'GET', url, accessToken: dana.issued.access_token });
    const headers = { dpop: proof, authorization: `DPoP ${dana.issued.access_token}` };
    const answer = await nobody.call('GET', PATHS.whoami, { token: null, headers });
    expect(answer.status).toBe(401);
    expect(answer.json.code).toBe('ERR_PROOF_NONCE');
    expect(answer.headers['www-authenticate']).toContain('error="use_dpop_nonce"');
    expect(answer.headers['dpop-nonce']).toMatch(/^[\w-]{43}$/);
  });

  it('a replayed proof is refused, and one for another path, method or token', async () => {
    const nonce = String((await dana.get(PATHS.whoami)).headers['dpop-nonce']);
    const accessToken = dana.issued.access_token;
    const url = running.gateway.url + PATHS.whoami;
    const proof = await dana.key.proof({ method: 'GET', url, accessToken, nonce });
    const use = (path: string, token: string, method = 'GET') =>
      dana.call(method, path, { token: null, headers: { dpop: proof, authorization: `DPoP ${token}` } });
    expect((await use(PATHS.resources, accessToken)).json.code).toBe('ERR_PROOF_INVALID');
    expect((await use(PATHS.whoami, accessToken, 'POST')).json.code).toBe('ERR_PROOF_INVALID');
    expect((await use(PATHS.whoami, danasAgent.issued.access_token)).json.code).toBe('ERR_PROOF_INVALID');
    expect((await use(PATHS.whoami, accessToken)).status).toBe(200);
    expect((await use(PATHS.whoami, accessToken)).json).toMatchObject({
      code: 'ERR_PROOF_INVALID',
      detail: 'the proof was used before',
    });
  });

  it('a name that nobody granted is refused, and on record', async () => {
    const stranger = new Caller(running, await makeProofKey());
    const subject_token = running.issuer.mint({
      aud: 'hoopctl',
      groups: ['sales'],
      auth_time: Date.now() / 1000,
    });
    const answer = await stranger.exchange({
      subject_token,
      subject_token_type: TOKEN_TYPES.idToken,
      agent: 'copilot',
    });
    expect([answer.status, answer.json.code]).toEqual([403, 'ERR_AGENT_UNKNOWN']);
    const { events } = (await auditor.get(`${PATHS.auditEvents}?type=login.refused`)).json;
    expect(events[0]).toMatchObject({ reason: 'ERR_AGENT_UNKNOWN', outcome: 'failure' });
    expect(JSON.stringify(events)).not.toContain(subject_token.slice(0, 40));
  });

  it('renewal by the own token keeps instance and deadline', async () => {
    const answer = await dana.exchange({
      subject_token: dana.issued.access_token,
      subject_token_type: TOKEN_TYPES.accessToken,
    });
    const { instance, deadline, login } = dana.issued;
    expect(answer.json).toMatchObject({ instance, deadline, login });
    const { events } = (await dana.get(`${PATHS.auditEvents}?type=credential.renewed`)).json;
    expect(events[0].actor.instance).toBe(instance);
  });

  it.each([
    ['no form', { json: {} }],
    ['a field twice', { form: 'grant_type=a&grant_type=b' }],
    ['another grant', { form: 'grant_type=password&username=x' }],
  ])('a token request with %s is refused', async (_, body) => {
    const answer = await dana.call('POST', PATHS.token, { ...body, token: null });
    expect([answer.status, answer.json.code]).toEqual([400, 'ERR_USAGE']);
  });

  it('a body of more than 64 KiB is refused', async () => {
    const answer = await dana.call('POST', PATHS.token, { form: `a=${'x'.repeat(70_000)}`, token: null });
    expect([answer.status, answer.json.code]).toEqual([429, 'ERR_LIMIT']);
  });

  it('errors are problems without stack or detail, with the security fields', async () => {
    const answer = await dana.get('/v1/nothing');
    expect(answer.json).toEqual({
      type: 'about:blank',
      title: 'the call is not valid',
      status: 404,
      code: 'ERR_USAGE',
      detail: 'nothing is at /v1/nothing',
      hint: 'this is the gateway: hoopctl speaks to it; its health is at GET /healthz, and pages for approvers, where it has them, are at /approvals',
    });
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.headers['strict-transport-security']).toBeDefined();
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});

describe("the agent's plane", () => {
  const seen = async (caller: Caller) =>
    (await caller.get(PATHS.sessions)).json.sessions.map((one: { id: string }) => one.id);

  it('an agent sees what this agent did for this person: not the person, not another agent, not another person', async () => {
    expect(await seen(danasAgent)).toEqual([sessions['danasAgent']]);
    expect(await seen(evesAgent)).toEqual([sessions['evesAgent']]);
  });

  it('a person sees what was done on their authority', async () => {
    expect((await seen(dana)).sort()).toEqual(
      [sessions['dana'], sessions['danasAgent'], sessions['danasOther']].sort(),
    );
  });

  it('an auditor sees all', async () => {
    expect(await seen(auditor)).toEqual(expect.arrayContaining(Object.values(sessions)));
  });

  it('filters and pages find sessions among those that may be seen', async () => {
    const of = async (caller: Caller, query: string) => {
      const page = await caller.get(`${PATHS.sessions}?${query}`);
      return page.json.sessions?.map(({ id }: { id: string }) => id) ?? page.json.code;
    };
    expect(await of(danasAgent, 'agent=other')).toEqual([]);
    expect(await of(auditor, 'agent=other')).toEqual([sessions['danasOther']]);
    expect(await of(dana, 'agent=copilot')).toEqual([sessions['danasAgent']]);
    expect(await of(dana, 'resource=other')).toEqual([]);
    expect(await of(dana, 'person=eve')).toEqual([]);
    expect(await of(dana, 'model=eve')).toBe('ERR_USAGE');
    // By the beginning of an id nobody finds more than by the whole one.
    const own = sessions['danasAgent']!;
    expect(await of(dana, `id=${own.slice(0, 29)}`)).toContain(own);
    expect(await of(danasAgent, `id=${sessions['evesAgent']}`)).toEqual([]);
    expect(await of(danasAgent, `id=${sessions['dana']!.slice(0, 14)}`)).not.toContain(sessions['dana']);
    for (const id of ['ses_', 'ses_%25', 'evt_01M8P8', ''])
      expect(await of(dana, `id=${id}`)).toBe('ERR_USAGE');
    expect(await of(dana, 'agent=copilot&agent=other')).toBe('ERR_USAGE');
    const pages: string[] = [];
    for (let query: string | undefined = 'limit=1'; query !== undefined; ) {
      const { json } = await dana.get(`${PATHS.sessions}?${query}`);
      pages.push(...json.sessions.map(({ id }: { id: string }) => id));
      query = json.next && `limit=1&cursor=${encodeURIComponent(json.next)}`;
    }
    expect(pages).toEqual(await seen(dana));
    expect(new Set(pages).size).toBe(pages.length);
  });

  it('an agent cannot look at, end or replay the session of another', async () => {
    for (const name of ['dana', 'danasOther', 'evesAgent']) {
      const path = `${PATHS.sessions}/${sessions[name]}`;
      for (const [method, at] of [
        ['GET', path],
        ['DELETE', path],
        ['GET', `${path}/recording`],
      ] as const) {
        const answer = await danasAgent.call(method, at);
        expect([answer.status, answer.json.code], `${method} ${name}`).toEqual([404, 'ERR_NO_ACCESS']);
      }
    }
  });

  it('a search of an agent finds its own events only, whatever it asks for', async () => {
    for (const query of ['', '?person=eve%40example.com', '?agent=other', `?session=${sessions['dana']}`]) {
      const { events } = (await danasAgent.get(PATHS.auditEvents + query)).json;
      for (const { actor } of events) {
        expect([actor.name, actor.person]).toEqual(['copilot', 'dana@example.com']);
      }
    }
  });

  it('E1: no policy can open the administration to an agent', async () => {
    const own = await RunningGateway.start({
      policy: '@id("everything") permit (principal, action, resource);',
    });
    const agent = await own.person(['developers'], { agent: 'copilot' });
    const other = await own.person(['developers'], { name: 'eve', agent: 'copilot' });
    const tunnel = await other.tunnel('echo');
    const id = /hoop-session: (\S+)/.exec(tunnel.head)![1]!;
    expect((await agent.get(PATHS.sessions)).json.sessions).toEqual([]);
    expect((await agent.get(`${PATHS.sessions}/${id}/recording`)).status).toBe(404);
    expect((await agent.call('DELETE', `${PATHS.sessions}/${id}`)).status).toBe(404);
    for (const [method, path] of [
      ['GET', PATHS.auditChains],
      ['GET', `${PATHS.auditChains}/x`],
      ['GET', PATHS.revocations],
      ['POST', PATHS.revocations],
    ] as const)
      expect(
        (await agent.call(method, path, method === 'POST' ? { json: { agent: 'x' } } : {})).json.code,
        path,
      ).toBe('ERR_DENIED');
    tunnel.socket.write('alive');
    expect(await tunnel.until('alive')).toBe('alive');
    tunnel.socket.destroy();
    await own.remove();
  });

  it('a person without audit.search still finds their own', async () => {
    const { events } = (await dana.get(`${PATHS.auditEvents}?type=session.started`)).json;
    expect(new Set(events.map((event: { session: string }) => event.session))).toEqual(
      new Set([sessions['dana'], sessions['danasAgent'], sessions['danasOther']]),
    );
    expect((await dana.get(PATHS.auditChains)).json.code).toBe('ERR_DENIED');
  });
});

describe('evidence about evidence', () => {
  it('searches, views and exports are on record', async () => {
    await auditor.get(`${PATHS.auditEvents}?q=needle`);
    await auditor.get(`${PATHS.sessions}/${sessions['dana']}/recording`);
    const [chain] = (await auditor.get(PATHS.auditChains)).json.chains;
    const raw = await auditor.get(`${PATHS.auditChains}/${chain.id}`);
    expect(raw.text.split('\n')[0]).toContain('"header"');
    const types = async (type: string) =>
      (await auditor.get(`${PATHS.auditEvents}?type=${type}`)).json.events;
    expect(
      (await types('audit.searched')).some((event: { facts: { q?: string } }) => event.facts.q === 'needle'),
    ).toBe(true);
    expect((await types('recording.viewed'))[0]).toMatchObject({
      session: sessions['dana'],
      actor: { name: 'ada@example.com' },
    });
    expect((await types('audit.exported'))[0].facts.chain).toBe(chain.id);
  });

  it('one event by its id, within the same bounds', async () => {
    const { events } = (
      await auditor.get(`${PATHS.auditEvents}?type=session.started&session=${sessions['dana']}`)
    ).json;
    const path = `${PATHS.auditEvents}/${events[0].id}`;
    expect((await auditor.get(path)).json.id).toBe(events[0].id);
    expect((await danasAgent.get(path)).status).toBe(404);
  });

  it('an object is asked for by its name, under the word of 0.1 as well', async () => {
    const by = async (filter: string) =>
      (await auditor.get(`${PATHS.auditEvents}?type=operation.decided&${filter}`)).json.events;
    const found = await by('object=echo');
    expect(found[0]).toMatchObject({ schemaVersion: 2, actions: ['connect'], objects: ['echo'] });
    expect(await by('table=echo')).toEqual(found);
    expect(await by('object=ech')).toEqual([]);
  });

  it('an unknown or repeated filter is refused, never dropped', async () => {
    expect((await auditor.get(`${PATHS.auditEvents}?object=a&table=a`)).json.code).toBe('ERR_USAGE');
    expect((await auditor.get(`${PATHS.auditEvents}?sesion=x`)).json.code).toBe('ERR_USAGE');
    expect((await auditor.get(`${PATHS.auditEvents}?agent=a&agent=b`)).json.code).toBe('ERR_USAGE');
  });
});

describe('revocations', () => {
  it('a kill switch by agent ends its streams, keeps it out, and can be lifted', async () => {
    const victim = await running.person(['developers'], { name: 'vic', agent: 'other' });
    const tunnel = await victim.tunnel('echo');
    const answer = await operator.call('POST', PATHS.revocations, {
      json: { agent: 'other', reason: 'misbehaves' },
    });
    expect(answer.json).toEqual({ schemaVersion: 1, sessions: 1 });
    expect(await tunnel.until()).toBe('bye ERR_REVOKED');
    await expect(running.person(['developers'], { name: 'zoe', agent: 'other' })).rejects.toThrow(
      'ERR_REVOKED',
    );
    const [revocation] = (await operator.get(PATHS.revocations)).json.revocations;
    expect(revocation).toMatchObject({ kind: 'agent', value: 'other' });
    expect((await operator.call('DELETE', `${PATHS.revocations}/${revocation.id}`)).status).toBe(200);
    await running.person(['developers'], { name: 'zoe', agent: 'other' });
  });

  it.each([{}, { agent: 'a', login: 'b' }, { modelVersion: '1' }, { agents: 'a' }, { agent: '' }, [], 5])(
    '%j is refused',
    async (json) => {
      expect((await operator.call('POST', PATHS.revocations, { json })).json.code).toBe('ERR_USAGE');
    },
  );

  it('a person whom no policy permits may not', async () => {
    expect((await dana.call('POST', PATHS.revocations, { json: { agent: 'other' } })).json.code).toBe(
      'ERR_DENIED',
    );
  });
});
