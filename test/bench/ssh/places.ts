/** Where OpenSSH's client goes to: the host itself, a relay of ssh2 that decides nothing, and hoopctl with hoopd. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Sshd, startSshd } from '../../support/ssh/sshd.ts';
import { type Stack, startStack, type Tunnel } from '../../support/stack.ts';

/** All rooms at work; one group sees nothing that a detector finds. */
const POLICY = `
@id("all") permit (principal, action, resource);
@id("found-is-masked") @mask("redact") forbid (principal in Group::"others", action == Action::"reveal", resource)
when { resource.detected };
@id("no-reboot") forbid (principal, action == Action::"ssh.exec", resource) when { resource.program == "reboot" };
`;

/** Where a client goes to, by a configuration in which it is called `host-1`. */
export interface Place {
  readonly config: string;
  /** Processes whose CPU time counts. */
  readonly pids: readonly number[];
}

export type PlaceName = 'direct' | 'relay' | 'hoop' | 'masked';

export interface SshPlaces {
  /** For files of the clients and the host, in memory. */
  readonly directory: string;
  readonly places: Readonly<Record<PlaceName, Place>>;
  stop(): Promise<void>;
}

export async function startSshPlaces(): Promise<SshPlaces> {
  const directory = mkdtempSync(join('/dev/shm', 'hoop-ssh-bench-'));
  const configs = mkdtempSync(join(tmpdir(), 'hoop-ssh-bench-'));
  const sshd = await startSshd();
  const relay = await startRelay(sshd);
  const stack = await startStack({
    policy: POLICY,
    resources: () => `
  host-1:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${sshd.port}, hostKeys: ['${sshd.publicKey('host')}'] }
    credentials: { user: ${sshd.user}, key: { file: ${sshd.file('user')} } }`,
  });
  const tunnel = await stack.tunnelTo('host-1');
  const masked = await stack.tunnelTo('host-1', [], {
    HOOPCTL_TOKEN: stack.issuer.mint({ sub: 'job', repository: 'org/other' }),
  });
  const at = (name: string, port: number, pids: readonly number[]): Place => ({
    config: configFile(join(configs, name), port, sshd),
    pids,
  });
  return {
    directory,
    places: {
      direct: at('direct', sshd.port, []),
      relay: at('relay', relay.port, [relay.child.pid ?? 0]),
      hoop: through(stack, tunnel),
      masked: through(stack, masked),
    },
    stop: async () => {
      await tunnel.close();
      await masked.close();
      await stack.stop();
      relay.child.kill();
      await once(relay.child, 'exit');
      await sshd.stop();
      for (const one of [directory, configs]) rmSync(one, { recursive: true, force: true });
    },
  };
}

async function startRelay({ directory, port, user }: Sshd) {
  const script = fileURLToPath(new URL('./relay.ts', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, directory, String(port), user], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  return { child, port: Number(line.toString()) };
}

function configFile(file: string, port: number, sshd: Sshd): string {
  const settings = [
    `HostName 127.0.0.1`,
    `Port ${port}`,
    `User ${sshd.user}`,
    `IdentityFile ${sshd.file('user')}`,
  ];
  const trust = ['IdentitiesOnly yes', 'StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null'];
  const lines = ['Host host-1', ...settings, ...trust, 'LogLevel ERROR'];
  writeFileSync(file, `${lines.join('\n  ')}\n`);
  return file;
}

function through(stack: Stack, { running, config }: Tunnel): Place {
  if (config === undefined) throw new Error('the tunnel is none of SSH');
  return { config, pids: [stack.hoopd.child.pid ?? 0, running.child.pid ?? 0] };
}
