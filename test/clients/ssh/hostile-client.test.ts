import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientChannel, SFTPWrapper } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Caller, RunningGateway } from '../../support/running-gateway.ts';
import { gatewayBefore } from '../../support/ssh/gateway.ts';
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
  running = await gatewayBefore(sshd, POLICY, 'approvals: { wait: 60s }');
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

/** What hoopd has read of all that was sent before. */
const roundTrip = (inside: ReturnType<typeof sshInside>) =>
  new Promise<void>((resolve) => {
    const { REQUEST_FAILURE: answered } = inside._handlers;
    inside._handlers['REQUEST_FAILURE'] = (...said) => {
      answered?.(...said);
      inside._handlers['REQUEST_FAILURE'] = answered!;
      resolve();
    };
    inside.ping();
  });

it('does nothing more for a client that does not read what becomes of its requests', async () => {
  const { client } = await connected();
  const inside = sshInside(client);
  const session = inside.session;
  inside.session = (channel, _, packetSize) => session.call(inside, channel, 65_536, packetSize);
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.subsys('sftp', (error, one) => (error === undefined ? resolve(one) : reject(error))),
  );
  const init = Buffer.from('0000000501' + '00000003', 'hex');
  channel.write(init);
  const [version] = (await once(channel, 'data')) as [Buffer];
  expect(version[4]).toBe(2);
  channel.pause();
  // Of a kind that nobody knows: hoopd answers each by itself.
  const requests = Buffer.concat(
    Array.from({ length: 3500 }, () => Buffer.from('0000000563' + '00000001', 'hex')),
  );
  const { outgoing } = channel as unknown as { readonly outgoing: { readonly id: number; window: number } };
  let sent = 0;
  for (
    const most = 24 * 1024 * 1024;
    sent < most && outgoing.window >= requests.length;
    sent += requests.length
  ) {
    inside.channelData(outgoing.id, requests);
    outgoing.window -= requests.length;
    if (outgoing.window < requests.length) await roundTrip(inside);
  }
  expect(sent).toBeLessThan(8 * 1024 * 1024);
  // It goes on where it had stopped.
  let answered = 0;
  channel.on('data', (chunk: Buffer) => (answered += chunk.length)).resume();
  inside.channelWindowAdjust(outgoing.id, 400_000);
  await eventually('all that fits is answered', () => answered > 300_000);
  client.end();
}, 30_000);

it('takes no more of a program than its client reads, whichever of its two streams it writes to', async () => {
  const { client } = await connected();
  const inside = sshInside(client);
  const session = inside.session;
  inside.session = (channel, _, packetSize) => session.call(inside, channel, 65_536, packetSize);
  const file = join(files, 'written');
  const written = () => (existsSync(file) ? Number(readFileSync(file, 'utf8')) || 0 : 0);
  const round = 'head -c 500000 /dev/zero; echo x >&2';
  await exec(
    client,
    `i=0; while :; do ${round}; i=$((i+1)); echo $i > ${file}.new; mv ${file}.new ${file}; done`,
  );
  await eventually('it writes', () => written() > 0);
  let last = 0;
  await eventually(
    () => `it does not stop: ${written()} times half a megabyte`,
    async () => {
      const before = last;
      last = written();
      await othersAreServed();
      return before === last && last > 0;
    },
  );
  expect(last).toBeLessThan(32);
  client.end();
}, 30_000);

describe('a policy that is replaced while something runs', () => {
  const inForce = async (policy: string) => {
    running.write('policies/test.cedar', policy);
    expect(await running.gateway.reload(running.load())).toBe(true);
  };
  afterEach(() => inForce(POLICY));

  const text = async (channel: ClientChannel, until: string) => {
    let said = '';
    const listen = (chunk: Buffer) => (said += chunk.toString());
    channel.on('data', listen);
    await eventually(`it says ${until}`, () => said.includes(until));
    channel.off('data', listen);
    return said;
  };

  it('masks what is printed from there on', async () => {
    const { client } = await connected();
    const channel = await exec(client, 'cat');
    channel.write('ann@example.com one\n');
    expect(await text(channel, 'one')).toContain('ann@example.com');
    await inForce(`${POLICY}
@id("pii") @mask("redact") forbid (principal, action == Action::"reveal", resource is Detected) when { resource.tags.contains("pii") };`);
    channel.write('ann@example.com two\n');
    expect(await text(channel, 'two')).not.toContain('ann@example.com');
    client.end();
  });

  it('ends what it does not permit, at the next octet of either side, and nothing else', async () => {
    const { client } = await connected();
    const [cat, other] = [await exec(client, 'cat'), await exec(client, 'tee')];
    for (const channel of [cat, other]) {
      channel.write('one\n');
      await text(channel, 'one');
    }
    await inForce(`${POLICY}
@id("no-cat") forbid (principal, action == Action::"ssh.exec", resource) when { resource.program == "cat" };`);
    const over = ended(cat);
    cat.write('two\n');
    expect(await over).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining('ERR_DENIED'),
      exit: [255],
    });
    other.write('three\n');
    expect(await text(other, 'three')).toContain('three');
    client.end();
  });

  it('reads no more of a file that it does not permit', async () => {
    const { client } = await connected();
    const file = join(files, 'open');
    writeFileSync(file, 'what is in it');
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
      client.sftp((error, one) => (error === undefined ? resolve(one) : reject(error))),
    );
    const handle = await new Promise<Buffer>((resolve, reject) =>
      sftp.open(file, 'r', (error, one) => (error === undefined ? resolve(one) : reject(error))),
    );
    const read = () =>
      new Promise<string>((resolve) =>
        sftp.read(handle, Buffer.alloc(4), 0, 4, 0, (error, _, bytes) =>
          resolve(error?.message ?? bytes.toString()),
        ),
      );
    expect(await read()).toBe('what');
    await inForce(`${POLICY}
@id("no-get") forbid (principal, action == Action::"sftp.get", resource);`);
    expect(await read()).toContain('policy does not permit it any more: rule "no-get"');
    client.end();
  });
});
