/**
 * `node relay.ts DIRECTORY PORT USER`: what SSH costs in this language with nothing decided. A server that lets everybody in and does
 * at the host on PORT whatever it is asked, with the keys `host` and `user` of DIRECTORY. Prints the port that it listens on.
 */
import { readFileSync, writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2, { type Client, type ClientChannel, type ServerChannel, type Session } from 'ssh2';
import { ALGORITHMS, LOCAL_ALGORITHMS } from '../../../src/protocols/ssh/algorithms.ts';

const [directory = '', port = '', username = ''] = process.argv.slice(2);
const key = (name: string) => readFileSync(join(directory, name), 'utf8');

function connected(): Promise<Client> {
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve(client)).on('error', reject);
    client.connect({
      host: '127.0.0.1',
      port: Number(port),
      username,
      privateKey: key('user'),
      algorithms: ALGORITHMS,
    });
  });
}

function joined(local: ServerChannel, remote: ClientChannel): void {
  local.pipe(remote);
  remote.pipe(local, { end: false });
  remote.stderr.pipe(local.stderr);
  remote.once('exit', (code: number) => local.exit(code));
  remote.once('close', () => local.end());
}

function carried(session: Session, upstream: Promise<Client>): void {
  const run = async (
    accept: () => ServerChannel,
    start: (client: Client, then: (error: Error | undefined, channel: ClientChannel) => void) => void,
  ) => {
    const local = accept();
    start(await upstream, (error, remote) => {
      if (error !== undefined) throw error;
      joined(local, remote);
    });
  };
  session.on('exec', (accept, _reject, { command }) =>
    run(accept, (client, then) => client.exec(command, then)),
  );
  session.on('subsystem', (accept, _reject, { name }) =>
    run(accept, (client, then) => client.subsys(name, then)),
  );
}

const server = new ssh2.Server({ hostKeys: [key('host')], algorithms: LOCAL_ALGORITHMS }, (local) => {
  const upstream = connected();
  local.on('authentication', (asked) => asked.accept());
  local.on('session', (accept) => carried(accept(), upstream));
  local.on('error', () => undefined);
  local.once('close', () => void upstream.then((client) => client.end()));
});
server.listen(0, '127.0.0.1', () => writeSync(1, `${(server.address() as AddressInfo).port}\n`));
