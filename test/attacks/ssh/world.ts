/** What an attack on SSH is tried in: a real server, hoopd before it, and both ways to reach it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectConfig } from 'ssh2';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { type Finished, HOOPCTL_MAIN, hoopctl, RunningHoopctl } from '../../support/run-hoopctl.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import { startDropbear } from '../../support/ssh/dropbear.ts';
import { startSshd } from '../../support/ssh/sshd.ts';
import { eventually } from '../../support/waiting.ts';
import { type AnyAttack, type AnyWorld, type Trials, trials } from '../trials.ts';
import { SshClient } from './client.ts';
import { Place } from './place.ts';

/** Agents look around, read logs, and copy from `data`; nothing else is permitted, and what detectors find is shown. */
const POLICY = (place: string) => `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("look") permit (principal, action == Action::"ssh.exec", resource is Command)
when { (resource.program == "uptime" && resource.count == 1) || resource.program == "ls" };
@id("logs") permit (principal, action == Action::"ssh.exec", resource is Command)
when { resource.program == "cat" && resource.count == 2 && resource.text like "cat ${place}/log/*" && !(resource.text like "*..*") };
@id("files") permit (principal, action == Action::"ssh.subsystem", resource) when { resource.name == "sftp" };
@id("data") permit (principal, action in Action::"sftp.read", resource is Path)
when { resource.path == "${place}/data" || resource.path like "${place}/data/*" };
`;

export type HostKind = 'OpenSSH' | 'dropbear';

interface Ready {
  readonly port: number;
  readonly config: string;
  readonly identityFile: string;
}

/** How a program of OpenSSH ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SshWorldOptions {
  readonly policy?: (place: string) => string;
  /** More top-level YAML. */
  readonly more?: string;
  /** More YAML of the resource. */
  readonly resource?: string;
  /** How hoopd knows the host, as YAML of `target`; default its key. */
  readonly trust?: () => string;
}

/** A server, and the login that hoopd has there. */
interface Host {
  readonly port: number;
  readonly user: string;
  /** Of the user, in OpenSSH's format. */
  readonly key: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  readonly log: string;
  stop(): Promise<void>;
}

export class SshWorld implements AnyWorld {
  readonly host: Host;
  readonly place: Place;
  readonly gateway: RunningGateway;
  readonly #hoopctl: RunningHoopctl;
  readonly #ready: Ready;
  readonly #clients = new Set<SshClient>();
  #direct: SshClient | undefined;
  #through: SshClient | undefined;

  private constructor(
    parts: Pick<SshWorld, 'host' | 'place' | 'gateway'>,
    hoopctl: RunningHoopctl,
    ready: Ready,
  ) {
    this.host = parts.host;
    this.place = parts.place;
    this.gateway = parts.gateway;
    this.#hoopctl = hoopctl;
    this.#ready = ready;
  }

  static async start(kind: HostKind, options: SshWorldOptions): Promise<SshWorld> {
    const place = new Place();
    place.reset();
    const host = kind === 'dropbear' ? await startDropbear('/bin/bash') : await startOpenSsh();
    const gateway = await RunningGateway.start({
      policy: (options.policy ?? POLICY)(place.path),
      adapter: null,
      files: { user: host.key },
      more: options.more ?? '',
      resources: `
  box:
    protocol: ssh
    target: { host: 127.0.0.1, port: ${host.port}, ${options.trust?.() ?? `hostKeys: ["${host.hostKey}"]`} }
    credentials: { user: ${host.user}, key: { file: user } }
${options.resource ?? ''}`,
    });
    const hoopctl = new RunningHoopctl(['connect', 'box', '--json'], envOf(gateway));
    const [line] = await hoopctl.until(/^\{.*"listening".*\}$/m);
    return new SshWorld({ host, place, gateway }, hoopctl, JSON.parse(line) as Ready);
  }

  /** Where hoopctl listens. */
  get port(): number {
    return this.#ready.port;
  }

  /** The tunnel's own, by which its clients are let in. */
  get key(): string {
    return readFileSync(this.#ready.identityFile, 'utf8');
  }

  /** How a client reaches the host through the gateway. */
  get throughConfig(): ConnectConfig {
    return { host: '127.0.0.1', port: this.port, privateKey: this.key };
  }

  /** Where no gateway stands: the login that hoopd itself has. */
  get directConfig(): ConnectConfig {
    const { port, user } = this.host;
    return { host: '127.0.0.1', port, username: user, privateKey: this.host.key };
  }

  /** Connections that cases share which do nothing to them. */
  async shared(): Promise<{ readonly direct: SshClient; readonly through: SshClient }> {
    if (this.#direct === undefined || this.#direct.closed)
      this.#direct = await SshClient.login(this.directConfig);
    if (this.#through === undefined || this.#through.closed)
      this.#through = await SshClient.login(this.throughConfig);
    return { direct: this.#direct, through: this.#through };
  }

  async through(): Promise<SshClient> {
    return this.#keep(await SshClient.login(this.throughConfig));
  }

  async direct(): Promise<SshClient> {
    return this.#keep(await SshClient.login(this.directConfig));
  }

  /** One that has not logged in. */
  begin(config: ConnectConfig): SshClient {
    return this.#keep(SshClient.begin(config));
  }

  /** Runs a program through the gateway: `ssh`, `scp`, `sftp`, in which the host is called `box`. */
  program(name: string, args: readonly string[], input = ''): Promise<ProgramEnd> {
    return ended(name, [...this.#optionsOf('program', name), ...args], input);
  }

  /** The same without the gateway. */
  programDirect(name: string, args: readonly string[], input = ''): Promise<ProgramEnd> {
    return ended(name, [...this.#optionsOf('programDirect', name), ...args], input);
  }

  /** `ssh`, for programs that start it. */
  command(by: 'program' | 'programDirect'): string {
    return ['ssh', ...this.#optionsOf(by, 'ssh')].join(' ');
  }

  /** Runs hoopctl, as whoever connects. */
  hoopctl(...args: readonly string[]): Promise<Finished> {
    return hoopctl(args, envOf(this.gateway));
  }

  /** Plays a recording at a terminal. @returns All that is written to that. */
  async played(id: string): Promise<ProgramEnd> {
    const command = `${process.execPath} ${HOOPCTL_MAIN} session replay ${id} --speed 0`;
    const env = { ...envOf(this.gateway), TERM: 'xterm-256color' };
    const end = await ended('script', ['-qefc', command, '/dev/null'], '', env);
    return { ...end, stdout: Buffer.from(end.stdout, 'latin1').toString() };
  }

  /** What stands in the recording of the only session that there is, when its client has left, by kind. */
  async recorded(
    client: SshClient,
  ): Promise<{ readonly id: string; readonly kinds: ReadonlyMap<string, string> }> {
    const { sessions } = this.gateway.gateway;
    const live = sessions.list();
    if (live.length !== 1) throw new Error(`there are ${live.length} sessions`);
    const { id } = live[0]!.ref;
    client.close();
    await eventually('the session goes on', () => sessions.find(id) === undefined);
    const store = openRecordingStore(join(this.gateway.dir, 'recordings'), { now: Date.now });
    const kinds = new Map<string, string>();
    for await (const item of (await store.read(id))!) {
      const text = 'bytes' in item ? item.bytes.toString() : 'text' in item ? item.text : '';
      kinds.set(item.kind, `${kinds.get(item.kind) ?? ''}${text}`);
    }
    return { id, kinds };
  }

  #optionsOf(by: 'program' | 'programDirect', name: string): readonly string[] {
    if (name === 'rsync') return [];
    if (by === 'program') return ['-F', this.#ready.config];
    const options = [
      ...['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'HostName=127.0.0.1'],
      ...[`User=${this.host.user}`, `Port=${this.host.port}`, 'IdentitiesOnly=yes'],
    ];
    const all = options.flatMap((one) => ['-o', one]);
    return ['-F', 'none', '-i', join(this.gateway.dir, 'user'), ...all];
  }

  /** `ssh`, beside an agent. */
  async withAgent(by: 'program' | 'programDirect', args: readonly string[]): Promise<ProgramEnd> {
    const agent = spawn('ssh-agent', ['-D', '-a', this.place.at('agent')], { stdio: 'ignore' });
    await eventually('the agent does not listen', () => existsSync(this.place.at('agent')));
    try {
      return await this[by]('ssh', ['-o', `IdentityAgent=${this.place.at('agent')}`, ...args]);
    } finally {
      agent.kill();
      await once(agent, 'exit');
    }
  }

  /** How much the host has done so far for whoever logged in. */
  get begun(): number {
    return this.host.log.match(/^Starting session: |Pubkey auth succeeded/gm)?.length ?? 0;
  }

  #keep(client: SshClient): SshClient {
    this.#clients.add(client);
    return client;
  }

  closeClients(): void {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
  }

  async stop(): Promise<void> {
    this.closeClients();
    this.#direct?.close();
    this.#through?.close();
    this.#hoopctl.child.kill('SIGTERM');
    await this.#hoopctl.finished;
    await this.gateway.remove();
    await this.host.stop();
    this.place.remove();
  }
}

/** What hoopctl needs of its environment. */
function envOf(gateway: RunningGateway): Record<string, string> {
  return {
    HOOPCTL_GATEWAY: gateway.gateway.url,
    HOOPCTL_CONFIG_DIR: join(gateway.dir, 'hoopctl-job'),
    HOOPCTL_TOKEN: gateway.issuer.mint({ sub: 'job', repository: 'org/shop' }),
    NODE_EXTRA_CA_CERTS: join(gateway.dir, 'ca.crt'),
  };
}

/** Shells there read no start-up files of whoever runs the tests. */
async function startOpenSsh(): Promise<Host> {
  const sshd = await startSshd({
    config: ['SetEnv HOME=/nonexistent SHLVL=1', 'PermitTunnel yes', 'AcceptEnv *'],
  });
  return {
    ...{ port: sshd.port, user: sshd.user, key: sshd.text('user'), hostKey: sshd.publicKey('host') },
    get log() {
      return sshd.log;
    },
    stop: () => sshd.stop(),
  };
}

async function ended(
  name: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramEnd> {
  const child = spawn(name, args, { stdio: 'pipe', env: { ...process.env, ...env } });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString('latin1')));
  child.stdin.on('error', () => undefined).end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

export interface SshAttack extends AnyAttack<SshWorld> {
  /** Where it is live; default OpenSSH. */
  readonly hosts?: readonly HostKind[];
}

/** Attacks of one kind. Groups of the same id are numbered on. */
export interface SshGroup extends SshWorldOptions {
  readonly id: string;
  readonly attacks: readonly SshAttack[];
}

const HOSTS: readonly HostKind[] = ['OpenSSH', 'dropbear'];

export function ofSsh({ id, attacks, ...options }: SshGroup): Trials {
  const grounds = HOSTS.map((kind) => ({
    name: kind,
    live: ({ hosts = ['OpenSSH'] }: SshAttack) => hosts.includes(kind),
    start: () => SshWorld.start(kind, options),
  }));
  return trials<SshWorld, SshAttack>(id, attacks, grounds);
}
