/** hoopd before a real cluster, a namespace of the test's own in it, and kubectl through hoopctl's tunnel and past it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { RunningHoopctl } from '../run-hoopctl.ts';
import { RunningGateway } from '../running-gateway.ts';
import { admin, removeNamespace } from './admin.ts';
import { type ClusterSettings, runningCluster } from './cluster.ts';
import { type Ended, newestKubectl, type RunOptions, runProgram } from './kubectl.ts';

export interface ClusterGatewayOptions {
  /** Given the name of the namespace. The resource is called `k8s`. */
  readonly policy: (namespace: string) => string;
  /** What hoopd asks: the server itself (default), or the front, which speaks WebSocket and acts as an administrator. */
  readonly through?: 'server' | 'front';
  /** What hoopd's user may do in the whole cluster, a ClusterRole; default `cluster-admin`. `null`: nothing. */
  readonly role?: string | null;
  /** YAML of `credentials`; default hoopd's token. The file `token` stands beside it. */
  readonly credentials?: string;
  /** More YAML of the resource, each line four spaces in. */
  readonly resource?: string;
  /** More files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** More YAML of the gateway itself: `approvals: { wait: 10s }`. */
  readonly more?: string;
  /** Default: the cluster of the run. */
  readonly settings?: ClusterSettings;
}

/** An answer, read whole. */
export interface ClusterAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect.
  readonly json: any;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is a text. */
  readonly body?: unknown;
  /** Default application/json. */
  readonly type?: string;
}

interface Ready {
  readonly port: number;
  readonly token: string;
  readonly kubeconfig: string;
}

export class ClusterGateway {
  readonly namespace: string;
  readonly settings: ClusterSettings;
  readonly gateway: RunningGateway;
  readonly #hoopctl: RunningHoopctl;
  readonly #ready: Ready;
  readonly #bound: string | undefined;

  private constructor(
    parts: Pick<ClusterGateway, 'namespace' | 'settings' | 'gateway'>,
    hoopctl: RunningHoopctl,
    ready: Ready,
    bound: string | undefined,
  ) {
    this.namespace = parts.namespace;
    this.settings = parts.settings;
    this.gateway = parts.gateway;
    this.#hoopctl = hoopctl;
    this.#ready = ready;
    this.#bound = bound;
  }

  static async start(options: ClusterGatewayOptions): Promise<ClusterGateway> {
    const { settings = runningCluster(), role = 'cluster-admin' } = options;
    const namespace = `t-${randomBytes(5).toString('hex')}`;
    await admin(['create', 'namespace', namespace], '', settings);
    const bound = role === null ? undefined : `hoopd-${namespace}`;
    if (bound !== undefined)
      await admin(
        ['create', 'clusterrolebinding', bound, `--clusterrole=${role}`, '--user=hoopd'],
        '',
        settings,
      );
    const gateway = await RunningGateway.start({
      policy: options.policy(namespace),
      adapter: null,
      ...(options.more === undefined ? {} : { more: options.more }),
      files: { token: settings.gatewayToken, ...options.files },
      resources: `
  k8s:
    protocol: kubernetes
    target: { url: '${settings[options.through ?? 'server']}', caFile: ${settings.caFile} }
    credentials: ${options.credentials ?? '{ bearer: { file: token } }'}
${options.resource ?? ''}`,
    });
    const hoopctl = new RunningHoopctl(['connect', 'k8s', '--json'], envOf(gateway));
    const [line] = await hoopctl.until(/^\{.*"listening".*\}$/m);
    return new ClusterGateway({ namespace, settings, gateway }, hoopctl, JSON.parse(line) as Ready, bound);
  }

  /** The kubeconfig of the tunnel. */
  get kubeconfig(): string {
    return this.#ready.kubeconfig;
  }

  /** Where hoopctl listens. */
  get port(): number {
    return this.#ready.port;
  }

  /** Good at that port alone. */
  get token(): string {
    return this.#ready.token;
  }

  /** The authority of the tunnel's local TLS, PEM. */
  get authority(): string {
    const { clusters } = JSON.parse(readFileSync(this.kubeconfig, 'utf8')) as {
      readonly clusters: readonly [{ readonly cluster: { readonly 'certificate-authority-data': string } }];
    };
    return Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString();
  }

  /** kubectl through the gateway, in the namespace. @param path Default the newest one. */
  kubectl(args: readonly string[], options: RunOptions = {}, path = newestKubectl().path): Promise<Ended> {
    return this.#kubectl(path, this.kubeconfig, args, options);
  }

  /** The same as an administrator, past the gateway. */
  direct(args: readonly string[], options: RunOptions = {}, path = newestKubectl().path): Promise<Ended> {
    return this.#kubectl(path, this.settings.kubeconfig, args, options);
  }

  /** As `direct`, of what must work. @returns What it prints. @throws {Error} It fails. */
  admin(args: readonly string[], input = ''): Promise<string> {
    return admin(['-n', this.namespace, ...args], input, this.settings);
  }

  /** A request through the gateway, as it is. */
  ask(method: string, path: string, options: AskOptions = {}): Promise<ClusterAnswer> {
    const place = { port: this.port, ca: this.authority, token: this.token };
    return ask(place, method, path, options);
  }

  /** The same with hoopd's own credential, past the gateway. */
  askDirect(method: string, path: string, options: AskOptions = {}): Promise<ClusterAnswer> {
    const { server, caFile, gatewayToken } = this.settings;
    const place = {
      port: Number(new URL(server).port),
      ca: readFileSync(caFile, 'utf8'),
      token: gatewayToken,
    };
    return ask(place, method, path, options);
  }

  /** Replaces the policy. */
  async reload(policy: string): Promise<void> {
    this.gateway.write('policies/test.cedar', policy);
    await this.gateway.gateway.reload(this.gateway.load());
  }

  /** The namespace goes too. */
  async stop(): Promise<void> {
    this.#hoopctl.child.kill('SIGTERM');
    await this.#hoopctl.finished;
    if (this.#bound !== undefined) await this.direct(['delete', 'clusterrolebinding', this.#bound]);
    await removeNamespace(this.namespace, this.settings);
    await this.gateway.remove();
  }

  /** What a client caches of the kinds that there are lives as long as this gateway. */
  #kubectl(path: string, kubeconfig: string, args: readonly string[], options: RunOptions): Promise<Ended> {
    const env = { HOME: this.gateway.dir, KUBECONFIG: kubeconfig, ...options.env };
    return runProgram(path, ['-n', this.namespace, ...args], { ...options, env });
  }
}

/** A pod of the image that clusters for tests have: there is no scheduler there. */
export function podOf(name: string, spec: object = {}, container: object = {}): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: podSpec(spec, container) };
}

/** What stands in a pod, or in a template of one. */
export function podSpec(spec: object = {}, container: object = {}): object {
  const box = { name: 'box', image: 'localhost/box:1', imagePullPolicy: 'Never', command: ['sleep', '3600'] };
  return {
    nodeName: 'n1',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    containers: [{ ...box, ...container }],
    ...spec,
  };
}

function ask(
  { port, ca, token }: { readonly port: number; readonly ca: string; readonly token: string },
  method: string,
  path: string,
  { headers = {}, body, type = 'application/json' }: AskOptions,
): Promise<ClusterAnswer> {
  const octets = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const fields = {
    authorization: `Bearer ${token}`,
    ...(octets === undefined
      ? {}
      : { 'content-type': type, 'content-length': String(Buffer.byteLength(octets)) }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const to = { host: '127.0.0.1', port, ca, method, path, headers: fields, agent: false };
    const call = request(to, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject).on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: parsed(text) });
      });
    });
    call.on('error', reject).end(octets);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What hoopctl needs of its environment, as a job. */
function envOf(gateway: RunningGateway, claims: object = {}): Record<string, string> {
  return {
    HOOPCTL_GATEWAY: gateway.gateway.url,
    HOOPCTL_CONFIG_DIR: join(gateway.dir, 'hoopctl'),
    HOOPCTL_TOKEN: gateway.issuer.mint({ sub: 'job', repository: 'org/shop', ...claims }),
    NODE_EXTRA_CA_CERTS: join(gateway.dir, 'ca.crt'),
  };
}
