/** What people are asked for before it is done in a cluster: kubectl waits for their yes, and asks them once. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';
import { kubectls, newestKubectl } from '../support/kubernetes/kubectl.ts';
import { Tmux } from '../support/replays/tmux.ts';
import { eventually } from '../support/waiting.ts';
import { person } from '../unit/policy/support.ts';

const POLICY = () => `
@id("all") permit (principal, action in [Action::"connect", Action::"reveal", Action::"k8s"], resource);
@id("asked-for") @approval("sre") forbid (principal, action in [Action::"k8s.exec", Action::"k8s.delete"], resource)
unless { context.approvals.contains("sre") };
`;
/** Of input: more than is kept while it waits. */
const BYTES = 2 * 1024 * 1024;
const ADA = { ...person('ada', ['sre']), subject: 'ada' };

let at: ClusterGateway;
/** Requests that an earlier case has made. */
let before: number;

beforeAll(async () => {
  at = await ClusterGateway.start({ policy: POLICY, through: 'front', more: 'approvals: { wait: 20s }' });
  await at.admin(['create', '-f', '-'], JSON.stringify(podOf('box')));
  await at.admin(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
});

afterAll(() => at?.stop());

const asked = () => at.gateway.gateway.approvals.list().length - before;
const pending = () => at.gateway.gateway.approvals.list().filter(({ state }) => state === 'pending');

beforeEach(() => {
  before = at.gateway.gateway.approvals.list().length;
});

async function decided(how: 'yes' | 'no'): Promise<void> {
  await eventually('people are asked', pending, (all) => all.length === 1);
  const { id } = pending()[0]!;
  const { approvals } = at.gateway.gateway;
  await (how === 'yes' ? approvals.approve(id, ADA, ['sre']) : approvals.deny(id, ADA, 'not on a Friday'));
}

describe.each([kubectls()[0]!, newestKubectl()])('kubectl $version', ({ path }) => {
  const exec = () => at.kubectl(['exec', 'box', '--', 'echo', 'done'], {}, path);

  it('runs a command after a yes, which is for that one', async () => {
    const running = exec();
    await decided('yes');
    expect(await running).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(asked()).toBe(1);
    const again = exec();
    await decided('no');
    expect((await again).code).toBe(1);
  });

  it('is told of a no, for which people are asked once, in whatever forms it asks', async () => {
    const running = exec();
    await decided('no');
    expect(await running).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('not on a Friday'),
    });
    expect(asked()).toBe(1);
  });

  it('deletes after a yes', async () => {
    const name = `gone-${path.slice(-2)}`;
    await at.admin(['create', 'configmap', name]);
    const running = at.kubectl(['delete', 'configmap', name], {}, path);
    await eventually('people are asked', pending, (all) => all.length === 1);
    expect((await at.direct(['get', 'configmap', name])).code).toBe(0);
    await decided('yes');
    expect(await running).toMatchObject({ code: 0, stdout: expect.stringContaining('deleted') });
    expect((await at.direct(['get', 'configmap', name])).stderr).toContain('NotFound');
    expect(asked()).toBe(1);
  });

  it('deletes nothing after a no', async () => {
    const name = `kept-${path.slice(-2)}`;
    await at.admin(['create', 'configmap', name]);
    const running = at.kubectl(['delete', 'configmap', name], {}, path);
    await decided('no');
    expect(await running).toMatchObject({ code: 1, stderr: expect.stringContaining('not on a Friday') });
    expect((await at.direct(['get', 'configmap', name])).code).toBe(0);
  });
});

describe('kubectl that speaks by WebSocket, to a cluster that is known to', () => {
  const { path } = newestKubectl();
  beforeAll(async () => {
    const first = at.kubectl(['exec', 'box', '--', 'true'], {}, path);
    await decided('yes');
    expect(await first).toMatchObject({ code: 0, stderr: '' });
  });

  const LINE = /^hoop: waits until .* for the approval of "sre": apr_\w+/m;

  it('says that it waits while it does, and gives the command what it was given meanwhile', async () => {
    const env = { ...process.env, KUBECONFIG: at.kubeconfig, HOME: at.gateway.dir };
    const input = randomBytes(BYTES);
    const child = spawn(path, ['-n', at.namespace, 'exec', '-i', 'box', '--', 'sha256sum'], { env });
    const said = { out: '', err: '' };
    child.stdout.on('data', (text) => (said.out += text));
    child.stderr.on('data', (text) => (said.err += text));
    child.stdin.on('error', () => undefined).end(input);
    await eventually(
      () => `it says so: ${said.err}`,
      () => LINE.test(said.err),
    );
    expect(said.out).toBe('');
    await decided('yes');
    const [code] = await once(child, 'close');
    const hash = createHash('sha256').update(input).digest('hex');
    expect({ code, out: said.out }).toEqual({ code: 0, out: `${hash}  -\n` });
    expect(asked()).toBe(1);
  });

  it('fails where it may not, and does not ask again in another form', async () => {
    const running = at.kubectl(['exec', 'box', '--', 'echo', 'told'], {}, path);
    await decided('no');
    const { code, stdout, stderr } = await running;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(LINE);
    expect(stderr).toContain('not on a Friday');
    expect(asked()).toBe(1);
  });

  it('is left by Ctrl-C at a terminal, and people are asked no more', async () => {
    const terminal = await Tmux.start({ columns: 120, rows: 20 }, { KUBECONFIG: at.kubeconfig });
    try {
      await terminal.type(`${path} -n ${at.namespace} exec -it box -- sh; echo over $?`);
      await terminal.press('Enter');
      await eventually('it says that it waits', async () =>
        /^hoop: waits until/m.test(await terminal.screen()),
      );
      expect(pending()).toHaveLength(1);
      await terminal.press('C-c');
      await eventually('it is over', async () => (await terminal.screen()).includes('over 1'));
      expect(pending()).toEqual([]);
    } finally {
      await terminal.stop();
    }
  });
});

it('where nobody decides in time the answer names the request, and the same command waits for the same yes', async () => {
  const late = await ClusterGateway.start({
    policy: POLICY,
    through: 'front',
    more: 'approvals: { wait: 1s }',
  });
  try {
    const { approvals } = late.gateway.gateway;
    await late.admin(['create', '-f', '-'], JSON.stringify(podOf('box')));
    await late.admin(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
    const command = ['exec', 'box', '--', 'echo', 'done'];
    const first = await late.kubectl(command);
    const [request, ...others] = approvals.list();
    expect(others).toEqual([]);
    expect(first).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(request!.id) });
    await approvals.approve(request!.id, ADA, ['sre']);
    expect(await late.kubectl(command)).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(approvals.list()).toHaveLength(1);
  } finally {
    await late.stop();
  }
});
