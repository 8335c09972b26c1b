/** What an attack on a cluster's API is tried in: a cluster that keeps every octet, hoopd before it, and both ways to reach it. */
import { randomBytes } from 'node:crypto';
import { answer, head, json, type Message } from '../../support/http/messages.ts';
import { RawHttp, statusOf } from '../../support/http/raw-http.ts';
import { type Heard, RecordingUpstream } from '../../support/http/recording-upstream.ts';
import { type ClusterSettings, runningCluster } from '../../support/kubernetes/cluster.ts';
import { podOf } from '../../support/kubernetes/gateway.ts';
import { RawCluster } from '../../support/kubernetes/raw-cluster.ts';
import { type AnyAttack, type AnyWorld, type Ground, type Trials, trials } from '../trials.ts';
import { RecordingPipe } from './target.ts';

/** What no client may be shown: of a Secret, a ConfigMap and a pod's environment. */
export const SECRET = 'correct-horse-battery';
export const BASE64 = Buffer.from(SECRET).toString('base64');

/** Pods of one namespace and their logs are read; Secrets are nobody's. */
const POLICY = `
@id("connect") permit (principal, action in [Action::"connect", Action::"reveal"], resource);
@id("way") permit (principal, action == Action::"k8s.discover", resource);
@id("pods") permit (principal, action in [Action::"k8s.get", Action::"k8s.list", Action::"k8s.watch"], resource is KubernetesObject)
when { resource in Namespace::"k8s/NS" && resource.kind == "pods" };
@id("logs") permit (principal, action == Action::"k8s.logs", resource)
when { resource in Namespace::"k8s/NS" && resource.kind == "pods" };
@id("no-secrets") forbid (principal, action, resource is KubernetesObject) when { resource.kind == "secrets" };
`;

/** Everything may be done, and values are masked in whatever is answered. */
export const MASKED = `
@id("use") permit (principal, action in [Action::"connect", Action::"k8s"], resource);
@id("see") permit (principal, action == Action::"reveal", resource)
unless { resource.tags.containsAny(["secret.kubernetes", "secret.app", "pii.email"]) };
`;
const CLASSIFIED = `    classification: { kinds: { configmaps: { '$.data.*': [secret.app] }, events: { $.message: [secret.app] }, '*': { '$..env.value': [secret.app] } } }`;

/** At which clusters a case is live. */
export type Place = 'recording' | 'server' | 'both';

/** A request; `NS` in it stands for the namespace. */
export interface Asked {
  /** Default GET. */
  readonly method?: string;
  readonly target: string;
  readonly lines?: readonly string[];
  readonly body?: string | Buffer;
  /** Default application/json. */
  readonly type?: string;
}

interface Behind {
  readonly port: number;
  readonly octets: Buffer;
  clear(): void;
  stop(): Promise<void>;
}

interface Parts {
  /** YAML: as whom the cluster is asked. */
  readonly impersonate?: string | undefined;
  readonly namespace: string;
  readonly behind: Behind;
  /** By which hoopd is known to the cluster. */
  readonly token: string;
}

export class KubernetesWorld implements AnyWorld {
  readonly namespace: string;
  readonly cluster: RawCluster;
  readonly isRecording: boolean;
  readonly #behind: Behind;
  readonly #token: string;
  readonly #clients = new Set<RawHttp>();

  private constructor({ namespace, behind, token }: Parts, cluster: RawCluster) {
    this.namespace = namespace;
    this.cluster = cluster;
    this.isRecording = behind instanceof RecordingUpstream;
    this.#behind = behind;
    this.#token = token;
  }

  static async start(policy: string, parts: Parts): Promise<KubernetesWorld> {
    const { namespace, behind, token, impersonate } = parts;
    const more = { token, resource: CLASSIFIED, ...(impersonate === undefined ? {} : { impersonate }) };
    const cluster = await RawCluster.start(behind.port, policy.replaceAll('NS', namespace), '', more);
    return new KubernetesWorld(parts, cluster);
  }

  /** What the cluster hears, and answers. @throws {Error} It is a real one. */
  get upstream(): RecordingUpstream {
    if (!(this.#behind instanceof RecordingUpstream)) throw new Error('the cluster is a real one');
    return this.#behind;
  }

  /** Every octet that the cluster was sent. */
  get sent(): Buffer {
    return this.#behind.octets;
  }

  get token(): string {
    return this.#token;
  }

  clear(): void {
    this.#behind.clear();
  }

  /** Past the gateway, as hoopd. */
  async direct(asked: Asked): Promise<RawHttp> {
    return this.send(this.#behind.port, asked, `Authorization: Bearer ${this.#token}`);
  }

  async through(asked: Asked): Promise<RawHttp> {
    return this.send(this.cluster.local.port, asked, `Authorization: ${this.cluster.local.authorization}`);
  }

  async send(port: number, asked: Asked, ...auth: readonly string[]): Promise<RawHttp> {
    const client = await RawHttp.connect(port);
    this.#clients.add(client);
    client.send(this.octetsOf(asked, ...auth));
    return client;
  }

  octetsOf({ method = 'GET', target, lines = [], body, type }: Asked, ...auth: readonly string[]): Buffer {
    const own = (text: string) => text.replaceAll('NS', this.namespace);
    const octets = typeof body === 'string' ? Buffer.from(own(body)) : (body ?? Buffer.alloc(0));
    const told = [`Content-Type: ${type ?? 'application/json'}`, `Content-Length: ${octets.length}`];
    const more = body === undefined ? [] : told;
    const start = `${method} ${own(target)} HTTP/1.1`;
    return Buffer.concat([
      Buffer.from(head(start, 'Host: localhost', ...auth, ...lines.map(own), ...more), 'latin1'),
      octets,
    ]);
  }

  /** Past the gateway, read whole. */
  async admin(asked: Asked): Promise<Message> {
    const client = await this.direct(asked);
    const [answered] = await client.answered();
    client.close();
    if (answered === undefined) throw new Error(`${asked.target} is not answered`);
    return answered;
  }

  closeClients(): void {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    this.clear();
  }

  async stop(): Promise<void> {
    this.closeClients();
    await this.cluster.stop();
    if (!this.isRecording) await unmade(this);
    await this.#behind.stop();
  }
}

const SECRETS = [
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData: { password: SECRET } },
];
const FIXTURE: Readonly<Record<string, readonly object[]>> = {
  secrets: SECRETS,
  configmaps: [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { password: SECRET } },
  ],
  events: [
    {
      metadata: { name: 'told' },
      involvedObject: { kind: 'Pod', name: 'web', namespace: 'NS' },
      message: SECRET,
    },
  ],
  pods: [podOf('web', {}, { env: [{ name: 'KEY', value: SECRET }] })],
};

async function made(world: KubernetesWorld): Promise<void> {
  const create = async (target: string, body: object) => {
    const answered = await world.admin({ method: 'POST', target, body: JSON.stringify(body) });
    if (statusOf(answered) !== 201) throw new Error(`${target}: ${answered.start} ${answered.body}`);
  };
  await create('/api/v1/namespaces', { metadata: { name: world.namespace } });
  for (const [kind, objects] of Object.entries(FIXTURE))
    for (const one of objects) await create(`/api/v1/namespaces/NS/${kind}`, one);
}

/** Nothing in clusters for tests collects what is in a namespace. */
async function unmade(world: KubernetesWorld): Promise<void> {
  const now = '?gracePeriodSeconds=0';
  for (const kind of Object.keys(FIXTURE))
    await world.admin({ method: 'DELETE', target: `/api/v1/namespaces/NS/${kind}${now}` });
  await world.admin({ method: 'DELETE', target: '/api/v1/namespaces/NS' });
  const body = '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"NS"},"spec":{}}';
  await world.admin({ method: 'PUT', target: '/api/v1/namespaces/NS/finalize', body });
  world.closeClients();
}

/** A cluster that does whatever it is asked for. */
function usually({ method, target }: Heard): readonly Buffer[] {
  const whole = target.includes('/secrets')
    ? json({ kind: 'Secret', metadata: { name: 'db' }, data: { password: BASE64 } })
    : target.includes('/log')
      ? answer('200 OK', ['Content-Type: text/plain'], 'started')
      : json({ kind: 'PodList', metadata: {}, items: [] });
  return [method === 'HEAD' ? whole.subarray(0, whole.indexOf('\r\n\r\n') + 4) : whole];
}

export interface KubernetesAttack extends AnyAttack<KubernetesWorld> {
  /** Default recording. */
  readonly at?: Place;
}

/** Attacks that share a policy. */
export interface KubernetesGroup {
  readonly id: string;
  readonly policy?: string;
  /** YAML of `credentials.impersonate`; default none. */
  readonly impersonate?: string;
  readonly attacks: readonly KubernetesAttack[];
}

/** Each is tried at a cluster of raw octets, and at a real one where one is up. */
export function ofKubernetes({ id, policy = POLICY, impersonate, attacks }: KubernetesGroup): Trials {
  type Tried = Ground<KubernetesWorld, KubernetesAttack>;
  const recording: Tried = {
    name: 'cluster',
    live: ({ at }) => at !== 'server',
    start: async () =>
      KubernetesWorld.start(policy, {
        namespace: 'app',
        impersonate,
        behind: await RecordingUpstream.start(usually),
        token: 'token-of-the-cluster',
      }),
  };
  const server: Tried = {
    name: 'API server',
    live: ({ at = 'recording' }) => at !== 'recording',
    missing: process.env['HOOP_TEST_CLUSTER_ENV'] === undefined ? 'no cluster is up' : undefined,
    start: () => atServer(policy, runningCluster()),
  };
  return trials<KubernetesWorld, KubernetesAttack>(id, attacks, [recording, server]);
}

async function atServer(policy: string, settings: ClusterSettings): Promise<KubernetesWorld> {
  const behind = await RecordingPipe.start(settings);
  const namespace = `t-${randomBytes(5).toString('hex')}`;
  const world = await KubernetesWorld.start(policy, { namespace, behind, token: settings.adminToken });
  await made(world);
  return world;
}
