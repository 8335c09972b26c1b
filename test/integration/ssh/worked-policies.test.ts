/** The policies of docs/protocols/ssh.md as they stand there, before a real host: what each of them lets through, and what not. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../support/postgres/server.ts';
import type { RunningGateway } from '../../support/running-gateway.ts';
import { gatewayBefore } from '../../support/ssh/gateway.ts';
import { SshLocalEnd } from '../../support/ssh/local-end.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';

/** Only directories are others: those of the tests. */
function worked(place: string): string {
  const page = readFileSync('docs/protocols/ssh.md', 'utf8');
  const blocks = [...page.matchAll(/```cedar\n([\s\S]*?)```/g)].map(([, text]) => text);
  return blocks.join('\n').replaceAll('/var/log', `${place}/log`).replaceAll('/data', `${place}/data`);
}

let place: string;
let sshd: Sshd;
let running: RunningGateway;
let agent: SshLocalEnd;
let operator: SshLocalEnd;

beforeAll(async () => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'ssh-worked-')));
  for (const name of ['log', 'data', 'secret']) {
    mkdirSync(join(place, name));
    writeFileSync(join(place, name, 'file'), `of ${name}\n`);
  }
  symlinkSync('../secret/file', join(place, 'data/link'));
  sshd = await startSshd();
  // The agent acts for a developer, who may all of it.
  const more = `
@id("use") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("developers") permit (principal is Person in Group::"developers", action in Action::"ssh", resource);`;
  running = await gatewayBefore(
    sshd,
    `${more}\n${worked(place)}`,
    'approvals: { wait: 1s }',
    '{ listens: loopback }',
  );
  agent = await SshLocalEnd.open(await running.person(['developers'], { agent: 'copilot' }), 'host-1');
  operator = await SshLocalEnd.open(await running.person(['operators']), 'host-1');
});

afterAll(async () => {
  for (const one of [agent, operator]) one?.close();
  await running?.remove();
  await sshd?.stop();
  rmSync(place, { recursive: true, force: true });
});

describe('agents', () => {
  it.each([
    ['uptime', 0],
    ['uptime -p', 126],
    ['/usr/bin/uptime', 126],
    ['cat P/log/file', 0],
    ['cat P/log/../secret/file', 126],
    ['cat P/log/file P/secret/file', 126],
    ['cat P/secret/file', 126],
    ['cat P/log/*', 126],
    ['id', 126],
    ['bash', 126],
    ['sh -c id', 126],
  ])('%s ends with %i', async (command, code) => {
    const ran = await agent.ssh(['me@127.0.0.1', command.replaceAll('P/', `${place}/`)], 'id\n');
    expect([ran.code, ran.stdout.includes('secret')], ran.stderr).toEqual([code, false]);
  });

  it('wait for a yes to a restart', async () => {
    const ran = await agent.ssh(['me@127.0.0.1', 'systemctl restart shop']);
    expect([ran.code, ran.stderr]).toEqual([
      126,
      expect.stringMatching(/waits until .* for the approval of "on-call"/),
    ]);
    const other = await agent.ssh(['me@127.0.0.1', 'systemctl stop shop']);
    expect([other.code, other.stderr]).toEqual([126, expect.not.stringContaining('waits until')]);
  });

  it('are told to say by words what would stand on standard input', async () => {
    const { stderr } = await agent.ssh(['me@127.0.0.1', 'bash -s'], 'id\n');
    expect(stderr).toContain('"rule":"agents-say-what-they-run"');
  });

  it('read what is below data by sftp, under its own name, and write nothing', async () => {
    const sftp = (line: string) =>
      agent.run('sftp', ['-q', '-b', '-', '-P', `${agent.port}`, 'me@127.0.0.1'], `${line}\n`);
    expect(await sftp(`get ${place}/data/file ${place}/got`)).toMatchObject({ code: 0 });
    expect(readFileSync(join(place, 'got'), 'utf8')).toBe('of data\n');
    for (const line of [`get ${place}/data/link ${place}/no`, `get ${place}/secret/file ${place}/no`])
      expect(await sftp(line)).toMatchObject({ code: 1, stderr: expect.stringContaining('default-deny') });
    for (const line of [`put ${place}/got ${place}/data/new`, `rm ${place}/data/file`, `ls ${place}/secret`])
      expect((await sftp(line)).code, line).toBe(1);
  });

  it('have no shell, and ports of the host only where a rule says so', async () => {
    expect((await agent.ssh(['me@127.0.0.1'], 'id\n')).code).toBe(126);
    const listens = async (bind: string) => {
      const options = ['-o', 'ExitOnForwardFailure=yes', '-R', `${bind}:127.0.0.1:9`];
      return (await agent.ssh([...options, 'me@127.0.0.1', 'uptime'])).code;
    };
    expect(await listens(`${await freePort()}`)).toBe(255);
    expect(await listens('*:8042')).toBe(255);
    expect(await listens('8042')).toBe(0);
  });
});

it('operators have shells, and nothing that is said of agents', async () => {
  const ran = await operator.ssh(['me@127.0.0.1'], 'echo in a shell\n');
  expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('in a shell')]);
  expect((await operator.ssh(['-tt', 'me@127.0.0.1'], 'test -t 0 && exit 7\n')).code).toBe(7);
  expect((await operator.ssh(['me@127.0.0.1', 'uptime'])).code).toBe(126);
});
