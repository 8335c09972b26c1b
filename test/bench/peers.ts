/**
 * What hoopctl + hoopd are measured beside: the server itself, one pgbouncer (P1), and pgbouncer → TLS 1.3 → pgbouncer
 * (P2), which has our shape.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLocalCertificates } from '../../src/gateway/init/certificates.ts';
import { freePort } from '../support/postgres/server.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface Peers {
  readonly p1: Place;
  readonly p2: Place;
  /** Processes whose CPU time counts, by variant. */
  readonly pids: { readonly p1: readonly number[]; readonly p2: readonly number[] };
  stop(): Promise<void>;
}

/** Starts the poolers in session mode in front of `target`. Needs Debian's pgbouncer. */
export async function startPeers(target: Place): Promise<Peers> {
  const directory = mkdtempSync(join(tmpdir(), 'hoop-bouncer-'));
  chmodSync(directory, 0o755);
  const { authority, server } = await makeLocalCertificates(['127.0.0.1', 'localhost'], Date.now());
  for (const [name, text] of [
    ['ca.pem', authority],
    ['tls.crt', server.cert],
    ['tls.key', server.key],
  ] as const) {
    writeFileSync(join(directory, name), text, { mode: 0o644 });
  }
  writeFileSync(join(directory, 'users.txt'), `"${target.user}" "${target.password}"\n`, { mode: 0o644 });
  const p1 = await bouncer(directory, 'p1', target, '');
  const far = await bouncer(
    directory,
    'p2far',
    target,
    `client_tls_sslmode = require\nclient_tls_protocols = tlsv1.3\nclient_tls_key_file = ${directory}/tls.key\nclient_tls_cert_file = ${directory}/tls.crt\n`,
  );
  const near = await bouncer(
    directory,
    'p2near',
    { ...target, port: far.port },
    `server_tls_sslmode = verify-ca\nserver_tls_protocols = tlsv1.3\nserver_tls_ca_file = ${directory}/ca.pem\n`,
  );
  const all = [p1, far, near];
  return {
    p1: { ...target, host: '127.0.0.1', port: p1.port },
    p2: { ...target, host: '127.0.0.1', port: near.port },
    pids: { p1: [pid(p1.child)], p2: [pid(far.child), pid(near.child)] },
    stop: async () => {
      for (const { child } of all) child.kill('SIGTERM');
      await Promise.all(all.map(({ exited }) => exited));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Bouncer {
  readonly child: ChildProcess;
  readonly port: number;
  readonly exited: Promise<unknown>;
}

async function bouncer(directory: string, name: string, target: Place, extra: string): Promise<Bouncer> {
  const port = await freePort();
  const file = join(directory, `${name}.ini`);
  writeFileSync(
    file,
    `[databases]
${target.database} = host=127.0.0.1 port=${target.port} dbname=${target.database} user=${target.user} password=${target.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${directory}/users.txt
pool_mode = session
max_client_conn = 500
default_pool_size = 200
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
${extra}`,
    { mode: 0o644 },
  );
  const command =
    process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  const [program = '', ...args] = [...command, '/usr/sbin/pgbouncer', '-q', file];
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for (let i = 0; !(await answers(port)); i++) {
    if (i > 100) throw new Error(`pgbouncer ${name} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { child, port, exited };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });
}

function pid(child: ChildProcess): number {
  return child.pid ?? 0;
}
