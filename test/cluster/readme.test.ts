/** What the README says of a cluster is so: its resource, its rules, its commands and what they print, before a real one. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { admin, removeNamespace } from '../support/kubernetes/admin.ts';
import { runningCluster } from '../support/kubernetes/cluster.ts';
import { newestKubectl, runProgram } from '../support/kubernetes/kubectl.ts';
import { HOOPCTL_MAIN } from '../support/run-hoopctl.ts';
import { ROOT } from '../support/source-tree.ts';
import { type Stack, startStack } from '../support/stack.ts';

const NAMESPACE = 'shop';
const section = /^## A cluster$(.*?)^## /ms.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';
const directory = mkdtempSync(join(tmpdir(), 'hoop-readme-'));

let stack: Stack;

/** The only block of a language; empty: what is printed. */
function block(language: string): string {
  const [only, ...others] = [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)].filter(
    ([, one]) => one === language,
  );
  if (only?.[2] === undefined || others.length > 0)
    throw new Error(`the README has not one block of ${language || 'what is printed'} about a cluster`);
  return only[2];
}

/** @throws {Error} What is to be replaced stands nowhere. */
function replaced(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`the README says nothing of ${from}`);
    return before.replace(from, to);
  }, text);
}

beforeAll(async () => {
  const { server, caFile, adminToken } = runningCluster();
  const token = join(directory, 'cluster.token');
  writeFileSync(token, adminToken, { mode: 0o600 });
  await admin(['create', 'namespace', NAMESPACE]);
  await admin([
    '-n',
    NAMESPACE,
    'create',
    'secret',
    'generic',
    'db',
    '--from-literal=password=correct-horse',
  ]);
  const mine = { 'https://10.0.0.1:6443': server, 'cluster-ca.pem': caFile, 'cluster.token': token };
  stack = await startStack({ policy: block('cedar'), resources: () => replaced(block('yaml'), mine) });
  for (const [name, program] of [
    ['npx', `shift; exec ${process.execPath} ${HOOPCTL_MAIN}`],
    ['kubectl', `exec ${newestKubectl().path}`],
  ] as const) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${program} "$@"\n`);
    chmodSync(join(directory, name), 0o755);
  }
});

afterAll(async () => {
  await stack?.stop();
  await removeNamespace(NAMESPACE);
  rmSync(directory, { recursive: true, force: true });
});

it.each([
  ['a job', () => Promise.resolve(stack.env())],
  ['an agent that acts for a person', () => stack.person('ada', ['--agent', 'copilot'])],
] as const)('has what it prints, for %s', async (_, signedIn) => {
  const caller = await signedIn();
  const commands = block('sh').trimEnd().split('\n');
  expect(commands).toHaveLength(2);
  let printed = '';
  for (const command of commands) {
    const env = { ...caller, PATH: `${directory}${delimiter}${process.env['PATH'] ?? ''}` };
    const { stdout, stderr } = await runProgram('sh', ['-c', command], { env });
    printed += stdout + stderr;
  }
  expect(printed).toBe(block(''));
});
