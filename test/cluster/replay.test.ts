/** A shell in a pod, at a real terminal, with colours, another size and vi: each player shows what was shown, one scene behind the other. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { admin, removeNamespace } from '../support/kubernetes/admin.ts';
import { runningCluster } from '../support/kubernetes/cluster.ts';
import { podOf } from '../support/kubernetes/gateway.ts';
import { newestKubectl } from '../support/kubernetes/kubectl.ts';
import { endedSession } from '../support/replays/ended-session.ts';
import { eachPlayerShows, hoopctlLine, LARGE, SMALL } from '../support/replays/players.ts';
import { Person, type Scene } from '../support/replays/scenes.ts';
import { type Stack, startStack } from '../support/stack.ts';

const namespace = `t-${randomBytes(5).toString('hex')}`;
const directory = mkdtempSync(join(tmpdir(), 'hoop-replay-'));

let stack: Stack;
let otto: Record<string, string>;
let session: string;
let scenes: readonly Scene[];

const inNamespace = (args: readonly string[], input = '') => admin(['-n', namespace, ...args], input);

beforeAll(async () => {
  const { front, caFile, adminToken } = runningCluster();
  writeFileSync(join(directory, 'token'), adminToken, { mode: 0o600 });
  await admin(['create', 'namespace', namespace]);
  await inNamespace(['create', '-f', '-'], JSON.stringify(podOf('shop')));
  await inNamespace(['wait', '--for=condition=Ready', 'pod/shop', '--timeout=60s']);
  stack = await startStack({
    resources: () => `  k8s:
    protocol: kubernetes
    target: { url: '${front}', caFile: ${caFile} }
    credentials: { bearer: { file: ${directory}/token } }`,
  });
  otto = await stack.person('otto');
  scenes = await lived();
  session = await endedSession(stack, otto);
});

afterAll(async () => {
  await stack?.stop();
  await removeNamespace(namespace);
  rmSync(directory, { recursive: true, force: true });
});

/** What a person does in the pod, and sees. */
async function lived(): Promise<readonly Scene[]> {
  const person = await Person.start(SMALL, stack.env());
  const { terminal } = person;
  /** What is typed close behind an Escape would be taken for one key with it. */
  const escaped = async () => {
    await person.sees('I shop.conf');
    await terminal.press('Escape');
    await person.sees('- shop.conf [Modified]');
  };
  try {
    const kubectl = `${newestKubectl().path} -n ${namespace} exec -it shop -- sh`;
    await person.enter(`${hoopctlLine('connect', 'k8s', '--')} ${kubectl}; echo over $?`);
    await person.sees('/ #');
    await person.enter(`PS1='\\[\\e[1;34m\\]shop# \\[\\e[m\\]'; cd /tmp`);
    await person.enter(
      `clear; printf 'listen: 127.0.0.1\\nport: 5432\\n' > shop.conf; ls --color=always -a /`,
    );
    await person.enter(
      `printf '\\e[32mgreen \\e[1;31mred \\e[38;5;208morange \\e[48;2;30;60;90mblue\\e[0;7m turned \\e[m done\\n'`,
    );
    await person.scene('colours', 'blue turned  done\n');
    await person.enter('vi shop.conf');
    await person.scene('vi', 'port: 5432', '~');
    await terminal.press('j');
    await terminal.type('cwPORT');
    await escaped();
    await terminal.resize(LARGE);
    await person.enter(
      'oA line that is longer than the screen was wide before the terminal was made larger: yes',
    );
    await terminal.type('end');
    await escaped();
    await person.scene('vi, in a larger terminal', 'PORT: 5432', 'end', 'larger: yes');
    await person.enter(':wq');
    await person.enter('clear; ls --color=always -p /; cat shop.conf; stty size');
    await person.scene('back in the shell', `${LARGE.rows} ${LARGE.columns}\nshop#`);
    await person.enter('exit 3');
    await person.sees('over 3');
    return person.scenes;
  } finally {
    await terminal.stop();
  }
}

eachPlayerShows(() => ({ stack, env: otto, session, scenes, directory }), {
  exitCode: 3,
  picture: { file: 'kubernetes-replay.png', scene: 'back in the shell' },
});
