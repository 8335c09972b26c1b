/**
 * What an API's client is measured beside: the API itself, and haproxy → TLS 1.3 → haproxy in front of it, which has our
 * shape.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { freePort } from '../../support/postgres/server.ts';
import { eventually } from '../../support/waiting.ts';

export const LARGE_BYTES = 1024 ** 3;

/** What the API answers with, by path; beside it `/large`, `LARGE_BYTES` of zeros. */
const ANSWERS = {
  small: { id: 7, status: 'new', total: '12.50', lines: [{ sku: 'tea', count: 2 }] },
  customers: Array.from({ length: 100 }, (_, id) => ({
    id,
    name: `Name ${id}`,
    email: `user${id}@example.com`,
    note: 'likes tea and long walks by the river, and writes when it rains',
  })),
};

export interface HttpServers {
  readonly api: number;
  readonly pair: number;
  /** Takes bodies and keeps nothing: a server of Node's. */
  readonly sink: number;
  /** `LARGE_BYTES` of zeros. */
  readonly largeFile: string;
  /** Processes whose CPU time counts: of both haproxies. */
  readonly pairPids: readonly number[];
  stop(): Promise<void>;
}

interface Server {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

/** Starts nginx, and two haproxies with a thread each. Needs Debian's nginx and haproxy. */
export async function startHttpServers(): Promise<HttpServers> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-http-bench-'));
  const { authority, server } = await makeLocalCertificates(['127.0.0.1', 'localhost'], Date.now());
  writeFileSync(join(directory, 'ca.pem'), authority);
  writeFileSync(join(directory, 'tls.pem'), `${server.cert}\n${server.key}`, { mode: 0o600 });
  const api = await freePort();
  const nginx = await started(api, '/usr/sbin/nginx', ['-c', nginxFile(directory, api)]);
  const far = await haproxy(
    directory,
    'far',
    `ssl crt ${directory}/tls.pem ssl-min-ver TLSv1.3`,
    `127.0.0.1:${api}`,
  );
  const toFar = `127.0.0.1:${far.port} ssl verify required verifyhost localhost sni str(localhost) ca-file ${directory}/ca.pem ssl-min-ver TLSv1.3`;
  const near = await haproxy(directory, 'near', '', toFar);
  const all = [near, far, nginx];
  const sink = createServer((req, res) => req.on('end', () => res.end()).resume()).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  return {
    api,
    pair: near.port,
    sink: (sink.address() as AddressInfo).port,
    largeFile: join(directory, 'large'),
    pairPids: [near, far].map(({ child }) => child.pid ?? 0),
    stop: async () => {
      sink.closeAllConnections();
      sink.close();
      for (const { child } of all) child.kill('SIGTERM');
      await Promise.all(all.map(({ exited }) => exited));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function nginxFile(directory: string, port: number): string {
  for (const [name, value] of Object.entries(ANSWERS))
    writeFileSync(join(directory, name), JSON.stringify(value));
  writeFileSync(join(directory, 'large'), '');
  truncateSync(join(directory, 'large'), LARGE_BYTES);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${directory}/${one};`,
  );
  return written(
    join(directory, 'nginx.conf'),
    `daemon off; master_process off; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log;
events {}
http {
  access_log off; sendfile on; keepalive_requests 100000000; keepalive_timeout 60; open_file_cache max=10;
  ${temporary.join(' ')}
  server { listen 127.0.0.1:${port}; root ${directory}; default_type application/json;
    location /large { default_type application/octet-stream; } }
}`,
  );
}

async function haproxy(directory: string, name: string, bind: string, server: string) {
  const port = await freePort();
  const file = written(
    join(directory, `${name}.cfg`),
    `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen ${name}
  bind 127.0.0.1:${port} ${bind}
  server next ${server}
`,
  );
  return { ...(await started(port, '/usr/sbin/haproxy', ['-db', '-q', '-f', file])), port };
}

function written(file: string, text: string): string {
  writeFileSync(file, text);
  return file;
}

async function started(port: number, program: string, args: readonly string[]): Promise<Server> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await eventually(`${program} listens`, () => answers(port), Boolean);
  return { child, exited };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });
}
