import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Approval } from '../../src/approval/model.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import { RunningHoopctl } from '../support/run-hoopctl.ts';
import { RunningGateway } from '../support/running-gateway.ts';
import { eventually } from '../support/waiting.ts';

const POLICY = `
@id("open") permit (principal, action == Action::"connect", resource);
@id("just-in-time") @approval("on-call") @window("6s") @reason("it is opened for a purpose")
forbid (principal, action == Action::"connect", resource) unless { context.approvals.contains("on-call") };`;

const ON_CALL = { issuer: 'https://people.test', subject: 'cy', name: 'cy' } as Principal;

let running: RunningGateway;
beforeAll(async () => {
  running = await RunningGateway.start({ policy: POLICY });
  running.write('ca.pem', running.authority);
});
afterAll(() => running?.remove());

function connect(...args: string[]): RunningHoopctl {
  return new RunningHoopctl(['connect', 'echo', ...args], {
    HOOPCTL_GATEWAY: running.gateway.url,
    HOOPCTL_CONFIG_DIR: join(running.dir, 'hoopctl'),
    HOOPCTL_TOKEN: running.issuer.mint({ sub: 'job', repository: 'org/shop' }),
    NODE_EXTRA_CA_CERTS: join(running.dir, 'ca.pem'),
  });
}

const asked = (): Promise<Approval> =>
  eventually('a request that is pending', () =>
    running.gateway.approvals.list().find(({ state }) => state === 'pending'),
  ) as Promise<Approval>;

describe('a connection that needs an approval', () => {
  it('without --wait: 75, a hint that says how, and nobody is asked', async () => {
    const { exitCode, stderr } = await connect('--', 'true').finished;
    expect(exitCode).toBe(75);
    expect(stderr).toContain('hoopctl connect --wait');
    expect(running.gateway.approvals.list()).toEqual([]);
  });

  it('with --wait: says what it waits for, and runs the command after the yes', async () => {
    const hoopctl = connect('--wait', '--reason', 'ticket 4711', '--', 'sh', '-c', 'echo ran');
    const { id, reason, resource } = await asked();
    expect([reason, resource]).toEqual(['ticket 4711', 'echo']);
    await hoopctl.until(new RegExp(`waits for the approval of on-call: ${id}`), 'stderr');
    expect(hoopctl.stdout).toBe('');
    await running.gateway.approvals.approve(id, ON_CALL, ['on-call']);
    expect(await hoopctl.finished).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
  });

  it('a no: 77, with its reason, and the command is never started', async () => {
    const hoopctl = connect('--wait=1m', '--json', '--', 'sh', '-c', 'echo ran');
    const { id } = await asked();
    const [line] = await hoopctl.until(/^\{.*"waiting".*\}$/m);
    expect(JSON.parse(line)).toMatchObject({ schemaVersion: 1, waiting: 'echo', approval: id });
    await running.gateway.approvals.deny(id, ON_CALL, 'use the replica');
    const { exitCode, stderr, stdout } = await hoopctl.finished;
    expect(exitCode).toBe(77);
    expect(stderr).toContain('use the replica');
    expect(stdout).not.toContain('ran');
  });

  it('Ctrl-C takes back what was asked', async () => {
    const hoopctl = connect('--wait', '--', 'true');
    const { id } = await asked();
    await hoopctl.until(/waits for the approval/, 'stderr');
    hoopctl.child.kill('SIGINT');
    expect(await hoopctl.finished).toMatchObject({ exitCode: 130 });
    expect(running.gateway.approvals.find(id)).toMatchObject({ state: 'cancelled' });
  });

  it('nobody decides in time: 75, which is not a no', async () => {
    const { exitCode, stderr } = await connect('--wait=1s', '--', 'true').finished;
    expect(exitCode).toBe(75);
    expect(stderr).toMatch(/nobody has decided yet.*\n.*apr_/);
  });

  it('ends with its window, however late it was opened', async () => {
    const agent = await running.machine();
    const refused = await agent.tunnel('echo', { headers: { 'hoop-approval': 'ask' } });
    const { approval } = JSON.parse((await refused.until()).split('\r\n\r\n').at(-1) ?? '');
    const { expiresAt } = await running.gateway.approvals.approve(approval, ON_CALL, ['on-call']);
    await eventually('the second half of the window', () => Date.now() > expiresAt - 3000);
    const tunnel = await agent.tunnel('echo');
    expect(tunnel.status).toBe(101);
    await tunnel.until();
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt - 50);
    expect(Date.now()).toBeLessThan(expiresAt + 2900);
    expect((await agent.tunnel('echo')).status).toBe(403);
  });
});

describe('a session of several streams that was approved', () => {
  let several: RunningGateway;
  beforeAll(async () => {
    const protocols = PROTOCOLS.map((one) => ({ ...one, session: 'tunnel' as const }));
    several = await RunningGateway.start({ policy: POLICY.replace('3s', '1h'), protocols });
  });
  afterAll(() => several?.remove());

  it('takes further streams in, asks nobody again, and no more once policy says otherwise', async () => {
    const agent = await several.machine();
    const { approvals } = several.gateway;
    const of = (id: string, more = {}) => ({ headers: { 'hoop-tunnel': id.repeat(22), ...more } });
    const sessionOf = ({ head }: { head: string }) => /hoop-session: (\S+)/.exec(head)?.[1];
    expect((await agent.tunnel('echo', of('a', { 'hoop-approval': 'ask' }))).status).toBe(403);
    await approvals.approve(approvals.list()[0]!.id, ON_CALL, ['on-call']);
    const streams = await Promise.all([1, 2, 3].map(() => agent.tunnel('echo', of('a'))));
    expect(new Set(streams.map(sessionOf)).size).toBe(1);
    expect(sessionOf(streams[0]!)).toBeDefined();
    expect(sessionOf(await agent.tunnel('echo', of('b')))).not.toBe(sessionOf(streams[0]!));
    for (const policy of [
      POLICY.replaceAll('"on-call"', '"boss"'),
      `${POLICY}\n@id("closed") forbid (principal, action == Action::"connect", resource);`,
    ]) {
      several.write('policies/test.cedar', policy);
      await several.gateway.reload(several.load());
      expect((await agent.tunnel('echo', of('a'))).status).toBe(403);
    }
    expect(approvals.list()).toHaveLength(1);
  });
});
