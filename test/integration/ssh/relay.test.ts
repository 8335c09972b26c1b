import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, RunningGateway } from '../../support/running-gateway.ts';
import { SshLocalEnd } from '../../support/ssh/local-end.ts';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';

const POLICY = `
@id("use") permit (principal, action in [Action::"connect", Action::"ssh", Action::"reveal"], resource);
@id("no-rm") forbid (principal, action == Action::"ssh.exec", resource) when { resource.program == "rm" };
@id("no-shell-syntax") forbid (principal, action == Action::"ssh.exec", resource) when { resource.text like "*no-such*" };
@id("ask-first") @approval("boss") forbid (principal, action == Action::"ssh.exec", resource)
when { resource.program == "reboot" } unless { context.approvals.contains("boss") };
`;

let sshd: Sshd;
let running: RunningGateway;
let caller: Caller;
let local: SshLocalEnd;

beforeAll(async () => {
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
    more: 'approvals: { wait: 1s }',
  });
  caller = await running.person(['developers'], { agent: 'copilot' });
  local = await SshLocalEnd.open(caller, 'host-1');
});

afterAll(async () => {
  local?.close();
  await running?.remove();
  await sshd?.stop();
});

const ssh = (...args: string[]) => local.ssh(['me@127.0.0.1', ...args]);

describe("OpenSSH's client through hoopd", () => {
  it('gets output, errors and exit code as they are', async () => {
    expect(await ssh('echo out; echo err >&2; exit 3')).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('sends its standard input, to its end', async () => {
    const input = 'x'.repeat(3_000_000);
    const ran = await local.ssh(['me@127.0.0.1', 'cat'], input);
    expect(ran.code).toBe(0);
    expect(ran.stdout.length).toBe(input.length);
  });

  it('is told why what is denied is denied, and ends with 126', async () => {
    const ran = await ssh('rm', '-rf', '/nonexistent');
    expect(ran.code).toBe(126);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(
      /^hoop: ERR_DENIED: ssh.exec on .* is denied by rule "no-rm"\nhoop: \{"rule":"no-rm",.*\}\n$/,
    );
  });
});
