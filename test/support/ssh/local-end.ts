import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TUNNEL_HEADERS } from '../../../src/api/contract.ts';
import type { Caller } from '../running-gateway.ts';

/** What a program of OpenSSH has done. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A port on loopback, behind which each connection is a tunnel to one resource, proved by a key as hoopctl makes it. */
export class SshLocalEnd {
  readonly directory: string;
  readonly port: number;
  readonly #server: Server;
  /** Ids of the sessions that there were. */
  readonly sessions: string[] = [];

  private constructor(directory: string, server: Server) {
    this.directory = directory;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(caller: Caller, resource: string): Promise<SshLocalEnd> {
    const directory = mkdtempSync(join(tmpdir(), 'ssh-local-'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'key')]);
    const [, blob] = readFileSync(join(directory, 'key.pub'), 'utf8').split(' ');
    const headers = { [TUNNEL_HEADERS.localProof]: `ssh-key ${blob}` };
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      void caller.tunnel(resource, { headers }).then(({ socket: tunnel, head }) => {
        const id = /hoop-session: (ses_[0-9A-Z]{26})/.exec(head)?.[1];
        if (id === undefined) return socket.destroy();
        end.sessions.push(id);
        tunnel.on('error', () => undefined);
        tunnel.pipe(socket).pipe(tunnel);
        socket.once('close', () => tunnel.destroy());
        tunnel.once('close', () => socket.destroy());
        return undefined;
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const end: SshLocalEnd = new SshLocalEnd(directory, server);
    return end;
  }

  get key(): string {
    return readFileSync(join(this.directory, 'key'), 'utf8');
  }

  /** Options under which OpenSSH's programs take this end for the host. */
  get options(): string[] {
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'IdentitiesOnly=yes',
    ];
    return ['-F', 'none', '-i', join(this.directory, 'key'), ...options.flatMap((one) => ['-o', one])];
  }

  /** Runs OpenSSH's client to its end. @param input For its standard input. */
  ssh(args: readonly string[], input = ''): Promise<Ran> {
    return this.run('ssh', ['-p', String(this.port), ...args], input);
  }

  async run(program: string, args: readonly string[], input = ''): Promise<Ran> {
    const child = spawn(program, [...this.options, ...args], { stdio: 'pipe' });
    const texts = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString('latin1')));
    child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString('latin1')));
    child.stdin.on('error', () => undefined).end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...texts };
  }

  close(): void {
    this.#server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
