/** What kubectl runs, copies and reaches in pods, before a real cluster: by WebSocket, by SPDY, and from the one to the other. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HoopError } from '../../src/core/errors.ts';
import { ClusterGateway, podOf } from '../support/kubernetes/gateway.ts';
import { kubectls, newestKubectl } from '../support/kubernetes/kubectl.ts';
import { eventually } from '../support/waiting.ts';

const POLICY = (namespace: string) => `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("find-the-way") permit (principal, action == Action::"k8s.discover", resource);
@id("own-namespace") permit (principal, action in Action::"k8s", resource in Namespace::"k8s/${namespace}");
@id("no-rm") forbid (principal, action == Action::"k8s.exec", resource) when { context.program == "rm" };
@id("web-only") forbid (principal, action == Action::"k8s.port-forward", resource) unless { [8080].containsAll(context.ports) };
`;
/** A pod that serves one page. */
const SERVES = {
  command: ['sh', '-c', 'mkdir /w; echo a page > /w/index.html; httpd -p 8080 -h /w; exec sleep 3600'],
};
const BYTES = 20 * 1024 * 1024;

const directory = mkdtempSync(join(tmpdir(), 'hoop-streams-'));
/** The API server takes up SPDY alone, the front WebSockets too. */
const at = {} as Record<'server' | 'front', ClusterGateway>;

beforeAll(async () => {
  for (const through of ['server', 'front'] as const) {
    const one = await ClusterGateway.start({ policy: POLICY, through });
    at[through] = one;
    await one.admin(['create', '-f', '-'], JSON.stringify(podOf('box', {}, SERVES)));
    const running = async () =>
      (await one.direct(['get', 'pod', 'box', '-o', 'jsonpath={.status.phase}'])).stdout;
    await eventually('the pod runs', running, (phase) => phase === 'Running', {
      withinMs: 60_000,
      everyMs: 250,
    });
  }
});

afterAll(async () => {
  await at.front?.stop();
  await at.server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const hashOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

const EACH = (['server', 'front'] as const).flatMap((through) =>
  kubectls().map(({ version, path }) => ({ through, version, path })),
);

describe.each(EACH)('kubectl $version through the $through', ({ through, path }) => {
  const kubectl = (args: readonly string[], input?: string) =>
    at[through].kubectl(args, input === undefined ? {} : { input }, path);

  it('has the exit code and both outputs of a command', async () => {
    const ended = await kubectl(['exec', 'box', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(ended).toMatchObject({ code: 7, stdout: 'out\n' });
    expect(ended.stderr).toMatch(/^err$/m);
    expect(ended.stderr).toContain('exit code 7');
    expect(await kubectl(['exec', 'box', '--', 'true'])).toMatchObject({ code: 0 });
  });

  it('gives input, and its end', async () => {
    const input = `${'a line\n'.repeat(50_000)}the last`;
    const ended = await kubectl(['exec', '-i', 'box', '--', 'md5sum'], input);
    expect(ended.stdout).toBe(`${createHash('md5').update(input).digest('hex')}  -\n`);
  });

  it('is told why it may not run something', async () => {
    const ended = await kubectl(['exec', 'box', '--', 'rm', '-rf', '/w']);
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('rule "no-rm"') });
    expect(await kubectl(['exec', 'box', '--', 'ls', '/w'])).toMatchObject({
      code: 0,
      stdout: 'index.html\n',
    });
  });
});

describe.each([
  { through: 'server', ...kubectls()[0]! },
  { through: 'front', ...newestKubectl() },
] as const)('kubectl $version through the $through', ({ through, path }) => {
  it('copies 20 MiB both ways', async () => {
    const [file, back] = [join(directory, `sent-${through}`), join(directory, `back-${through}`)];
    writeFileSync(file, randomBytes(BYTES));
    const sent = await at[through].kubectl(['cp', file, 'box:/big'], {}, path);
    expect(sent, sent.stderr).toMatchObject({ code: 0 });
    const there = await at[through].direct(['exec', 'box', '--', 'sha256sum', '/big']);
    expect(there.stdout.split(' ')[0]).toBe(hashOf(file));
    const got = await at[through].kubectl(['cp', 'box:/big', back], {}, path);
    expect(got, got.stderr).toMatchObject({ code: 0 });
    expect(hashOf(back)).toBe(hashOf(file));
  });

  it('reaches the port that is permitted, and no other', async () => {
    const gateway = at[through];
    const env = { ...process.env, KUBECONFIG: gateway.kubeconfig, HOME: gateway.gateway.dir };
    const args = ['-n', gateway.namespace, 'port-forward', 'box', ':8080', ':22'];
    const child = spawn(path, args, { env, stdio: 'pipe' });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    const portOf = (remote: string) => new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${remote}`).exec(said)?.[1];
    try {
      await eventually(
        () => said,
        () => portOf('8080') !== undefined && portOf('22') !== undefined,
      );
      const pages = await Promise.all(
        Array.from({ length: 8 }, async () => (await fetch(`http://127.0.0.1:${portOf('8080')}/`)).text()),
      );
      expect(pages).toEqual(Array(8).fill('a page\n'));
      await expect(fetch(`http://127.0.0.1:${portOf('22')}/`)).rejects.toThrow();
      await eventually(
        () => said,
        () => said.includes('web-only'),
      );
    } finally {
      child.kill();
    }
  });

  it('ends with a failure where the session is ended, and says why', async () => {
    const gateway = at[through];
    const ended = gateway.kubectl(['exec', 'box', '--', 'sh', '-c', 'echo begun; sleep 60'], {}, path);
    const { sessions } = gateway.gateway.gateway;
    const runs = () => gateway.direct(['exec', 'box', '--', 'sh', '-c', 'ps | grep -q "[s]leep 60"']);
    await eventually('it runs', async () => (await runs()).code === 0);
    const why = new HoopError('ERR_SESSION_ENDED', 'an operator ended it');
    sessions.endWhere(() => true, why);
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain('an operator ended it');
  });
});
