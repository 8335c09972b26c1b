/** A shell in a pod, at a real terminal: it is played as it was shown, and written for players of asciicasts. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { admin, removeNamespace } from '../support/kubernetes/admin.ts';
import { runningCluster } from '../support/kubernetes/cluster.ts';
import { podOf } from '../support/kubernetes/gateway.ts';
import { newestKubectl } from '../support/kubernetes/kubectl.ts';
import { endedSession } from '../support/replays/ended-session.ts';
import { Tmux } from '../support/replays/tmux.ts';
import { HOOPCTL_MAIN } from '../support/run-hoopctl.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { eventually } from '../support/waiting.ts';

const SIZE = { columns: 90, rows: 20 };
const namespace = `t-${randomBytes(5).toString('hex')}`;
const directory = mkdtempSync(join(tmpdir(), 'hoop-replay-'));

let stack: Stack;
let otto: Record<string, string>;
let session: string;

const inNamespace = (args: readonly string[], input = '') => admin(['-n', namespace, ...args], input);

beforeAll(async () => {
  const { front, caFile, adminToken } = runningCluster();
  writeFileSync(join(directory, 'token'), adminToken, { mode: 0o600 });
  await admin(['create', 'namespace', namespace]);
  await inNamespace(['create', '-f', '-'], JSON.stringify(podOf('box')));
  await inNamespace(['wait', '--for=condition=Ready', 'pod/box', '--timeout=60s']);
  stack = await startStack({
    resources: () => `  k8s:
    protocol: kubernetes
    target: { url: '${front}', caFile: ${caFile} }
    credentials: { bearer: { file: ${directory}/token } }`,
  });
  otto = await stack.person('otto');
  await lived();
  session = await endedSession(stack, otto);
});

afterAll(async () => {
  await stack?.stop();
  await removeNamespace(namespace);
  rmSync(directory, { recursive: true, force: true });
});

/** What a person does in the pod, and sees. */
async function lived(): Promise<void> {
  const terminal = await Tmux.start(SIZE, stack.env());
  const screen = (shows: string) =>
    eventually(`${shows} is not shown`, async () => (await terminal.screen()).includes(shows));
  const enter = async (text: string) => {
    await terminal.type(text);
    await terminal.press('Enter');
  };
  try {
    const kubectl = `${newestKubectl().path} -n ${namespace} exec -it box -- sh`;
    await enter(`${process.execPath} ${HOOPCTL_MAIN} connect k8s -- ${kubectl}; echo over $?`);
    await screen('/ #');
    await enter('echo $((6 * 7)) of the pod');
    await screen('42 of the pod');
    await enter('exit 3');
    await screen('over 3');
  } finally {
    await terminal.stop();
  }
}

it('is played in a terminal, with how it ended', async () => {
  const { stdout, exitCode } = await stack.hoopctl(['session', 'replay', session, '--speed', '0'], otto);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('42 of the pod');
  expect(stdout).toContain('exit 3');
});

it.each([2, 3])('is an asciicast of version %i', async (version) => {
  const { stdout, stderr } = await stack.hoopctl(
    ['session', 'replay', session, '--asciicast', `${version}`],
    otto,
  );
  expect(stderr).toBe('');
  const [head, ...events] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(head).toMatchObject({ version });
  const shown = events
    .filter(([, kind]) => kind === 'o')
    .map(([, , text]) => text)
    .join('');
  expect(shown).toContain('42 of the pod');
});
