/** nginx as a target: files of its own, and a way through to another server, by HTTP/1.1 and over TLS by HTTP/2 too. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { freePort } from '../postgres/server.ts';
import { eventually } from '../waiting.ts';

export interface NginxOptions {
  /** Name → content. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Where what lies below `/api/` is asked: `http://127.0.0.1:8080`. */
  readonly behind: string;
  /** More of the block `server`. */
  readonly more?: string;
}

export class Nginx {
  readonly directory: string;
  /** Of HTTP/1.1; of HTTP/1.1 and HTTP/2 over TLS. */
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly #child: ChildProcess;

  private constructor(directory: string, ports: readonly [number, number], child: ChildProcess) {
    this.directory = directory;
    [this.plainPort, this.tlsPort] = ports;
    this.#child = child;
  }

  static async start(options: NginxOptions): Promise<Nginx> {
    const directory = mkdtempSync(join(tmpdir(), 'nginx-'));
    const ports = [await freePort(), await freePort()] as const;
    const { authority, server } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    mkdirSync(join(directory, 'files'));
    for (const [name, content] of Object.entries(options.files))
      writeFileSync(join(directory, 'files', name), content);
    writeFileSync(join(directory, 'ca.pem'), authority);
    writeFileSync(join(directory, 'cert.pem'), server.cert);
    writeFileSync(join(directory, 'key.pem'), server.key);
    writeFileSync(join(directory, 'nginx.conf'), configuration(directory, ports, options));
    const args = ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'];
    const child = spawn('/usr/sbin/nginx', args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const started = new Nginx(directory, ports, child);
    await eventually('nginx listens', () => isOpen(ports[1]));
    return started;
  }

  get caFile(): string {
    return join(this.directory, 'ca.pem');
  }

  /** A line for each request: its protocol, method, URI and status. */
  get log(): readonly string[] {
    return readFileSync(join(this.directory, 'access.log'), 'utf8').trim().split('\n');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function configuration(
  directory: string,
  [plain, tls]: readonly [number, number],
  { behind, more = '' }: NginxOptions,
): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  return `
daemon off; worker_processes 1; pid ${directory}/pid; ${user}
events { worker_connections 1024; }
http {
  ${temporary.join(' ')}
  log_format told '$server_protocol $request_method $request_uri $status $server_port';
  access_log ${directory}/access.log told;
  types { application/json json; text/plain txt; application/octet-stream bin; }
  client_max_body_size 0;
  gzip on; gzip_types *; gzip_min_length 100; gzip_http_version 1.0;
  server {
    listen 127.0.0.1:${plain};
    listen 127.0.0.1:${tls} ssl http2;
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    root ${directory}/files;
    ${more}
    location /api/ {
      proxy_pass ${behind}; proxy_http_version 1.1; proxy_set_header Connection '';
      proxy_request_buffering off; proxy_buffering off;
    }
  }
}
`;
}

function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return once(socket, 'connect').then(
    () => !socket.destroy().connecting,
    () => false,
  );
}
