import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { SshLocalEnd } from '../../support/ssh/local-end.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { eventually } from '../../support/waiting.ts';

let sshd: Sshd;
let running: RunningGateway;
let local: SshLocalEnd;

beforeAll(async () => {
  sshd = await startSshd();
  running = await RunningGateway.start({
    policy: `@id("all") permit (principal, action in [Action::"connect", Action::"ssh", Action::"reveal"], resource);`,
    resources: `
  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ["${sshd.publicKey('host')}"] }
    credentials: { user: ${sshd.user}, key: { file: user } }`,
    files: { user: sshd.text('user') },
    adapter: null,
  });
  local = await SshLocalEnd.open(await running.person(['developers'], { agent: 'copilot' }), 'host-1');
});

afterAll(async () => {
  local?.close();
  await running?.remove();
  await sshd?.stop();
});

it('records a terminal: its size, what is typed where it is shown, what is printed, the exit', async () => {
  const ran = await local.ssh(['-tt', 'me@127.0.0.1', 'cat'], 'shown\n\x04');
  expect(ran.code).toBe(0);
  await eventually('the session has ended', () => running.gateway.sessions.size === 0);
  const items = (await openRecordingStore(join(running.dir, 'recordings'), { now: Date.now }).read(
    local.sessions[0]!,
  ))!;
  const kinds = new Map<string, string>();
  for await (const item of items) {
    const text = 'bytes' in item ? item.bytes.toString() : 'text' in item ? item.text : '';
    kinds.set(item.kind, `${kinds.get(item.kind) ?? ''}${text}`);
  }
  expect(kinds.get('request')).toBe('exec cat');
  expect(kinds.has('resize')).toBe(true);
  expect(kinds.get('output')).toContain('shown');
  expect(kinds.get('status')).toBe('exit 0');
  expect(kinds.get('input')).toContain('shown');
});
