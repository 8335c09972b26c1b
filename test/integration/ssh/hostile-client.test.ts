import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';
import { ended, exec, sshInside, sshOver } from '../../support/ssh/raw-client.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { eventually } from '../../support/waiting.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh", Action::"sftp", Action::"reveal"], resource);
@id("ask-first") @approval("boss") forbid (principal, action == Action::"ssh.exec", resource)
when { resource.program == "touch" } unless { context.approvals.contains("boss") };
`;

let sshd: Sshd;
let running: RunningGateway;
let caller: Caller;
let files: string;

beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'hoop-hostile-'));
  sshd = await startSshd();
  running = await RunningGateway.start({
    policy: POLICY,
    resources: `
  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ["${sshd.publicKey('host')}"] }
    credentials: { user: ${sshd.user}, key: { file: user } }`,
    files: { user: sshd.text('user') },
    adapter: null,
    more: 'approvals: { wait: 60s }',
  });
  caller = await running.person(['developers'], { agent: 'copilot' });
});

afterAll(async () => {
  await running?.remove();
  await sshd?.stop();
  rmSync(files, { recursive: true, force: true });
});

const connected = () => sshOver(caller, 'host-1');

/** The positive control of all that follows: others are served. */
async function othersAreServed(): Promise<void> {
  const { client } = await connected();
  expect(await ended(await exec(client, 'echo well'))).toMatchObject({ stdout: 'well\n', exit: [0] });
  client.end();
}

it.each([0, 1, 511])(
  'opens no channel whose packets hold %i octets: it would be written to for ever',
  async (bytes) => {
    const { client } = await connected();
    const inside = sshInside(client);
    const session = inside.session;
    inside.session = (channel, window) => session.call(inside, channel, window, bytes);
    await expect(exec(client, 'echo small')).rejects.toMatchObject({ reason: 4 });
    inside.session = (channel, window) => session.call(inside, channel, window, 512);
    expect(await ended(await exec(client, 'seq 1000'))).toMatchObject({ exit: [0] });
    client.end();
    await othersAreServed();
  },
);

it('withdraws what waits for people when its channel is closed, though the connection goes on', async () => {
  const { client } = await connected();
  const file = join(files, 'touched');
  const channel = await exec(client, `touch ${file}`);
  const [line] = (await once(channel.stderr, 'data')) as [Buffer];
  const id = /apr_[0-9A-Z]{26}/.exec(line.toString())![0];
  const { approvals } = running.gateway;
  expect(approvals.find(id)?.state).toBe('pending');
  channel.close();
  await eventually('it is withdrawn', () => approvals.find(id)?.state === 'cancelled');
  expect(await ended(await exec(client, 'echo still here'))).toMatchObject({ stdout: 'still here\n' });
  expect(existsSync(file)).toBe(false);
  client.end();
});

it('answers the end of a channel in which nothing ran, and forgets it', async () => {
  const { client } = await connected();
  const inside = sshInside(client);
  let closed = 0;
  inside._handlers['CHANNEL_OPEN_CONFIRMATION'] = (_, { sender }) => inside.channelClose(sender);
  inside._handlers['CHANNEL_CLOSE'] = () => closed++;
  for (let round = 1; round <= 5; round++) {
    for (let channel = 0; channel < 200; channel++) inside.session(channel, 0, 32_768);
    await eventually('all are answered', () => closed === round * 200);
  }
  client.end();
  await othersAreServed();
});
