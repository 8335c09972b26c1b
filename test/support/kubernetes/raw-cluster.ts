/** hoopd before a cluster of raw octets, over TLS as clusters are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { makeLocalCertificates } from '../../../src/gateway/init/certificates.ts';
import { LocalEnd } from '../http/local-end.ts';
import { type Caller, RunningGateway } from '../running-gateway.ts';

interface RawClusterOptions {
  /** That hoopd shows the cluster. */
  readonly token?: string;
  /** More YAML of the resource, each line four spaces in. */
  readonly resource?: string;
  /** YAML of `credentials.impersonate`; default none. */
  readonly impersonate?: string;
}

export class RawCluster {
  readonly running: RunningGateway;
  readonly caller: Caller;
  readonly local: LocalEnd;
  readonly #tls: Server;
  readonly #directory: string;

  private constructor(
    parts: Pick<RawCluster, 'running' | 'caller' | 'local'>,
    tls: Server,
    directory: string,
  ) {
    this.running = parts.running;
    this.caller = parts.caller;
    this.local = parts.local;
    this.#tls = tls;
    this.#directory = directory;
  }

  /** @param port Of what speaks as the cluster, without TLS. @param more Top-level YAML. */
  static async start(
    port: number,
    policy: string,
    more = '',
    { token = 'token-of-the-cluster', resource = '', impersonate }: RawClusterOptions = {},
  ): Promise<RawCluster> {
    const { authority, server } = await makeLocalCertificates(['127.0.0.1'], Date.now());
    const tls = createServer({ ...server, ALPNProtocols: ['http/1.1'] }, (socket) => {
      const behind = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.on('error', () => behind.destroy()).on('close', () => behind.destroy());
      behind.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    const directory = mkdtempSync(join(tmpdir(), 'hoop-cluster-'));
    writeFileSync(join(directory, 'ca.pem'), authority);
    writeFileSync(join(directory, 'token'), token, { mode: 0o600 });
    const url = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`;
    const running = await RunningGateway.start({
      policy,
      resources: `
  k8s:
    protocol: kubernetes
    target: { url: '${url}', caFile: ${directory}/ca.pem }
    credentials: { bearer: { file: ${directory}/token }${impersonate === undefined ? '' : `, impersonate: ${impersonate}`} }
${resource}`,
      adapter: null,
      more,
    });
    const caller = await running.person(['developers']);
    const local = await LocalEnd.open(caller, 'k8s');
    return new RawCluster({ running, caller, local }, tls, directory);
  }

  async stop(): Promise<void> {
    this.local.close();
    await this.running.remove();
    this.#tls.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
