/** What an attack on HTTP is tried in: a target that keeps every octet, hoopd before it, and both ways to reach it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/core/clock.ts';
import { openRecordingStore } from '../../../src/recording/file-store.ts';
import { json } from '../../support/http/messages.ts';
import { RawHttp } from '../../support/http/raw-http.ts';
import { type Heard, RecordingUpstream } from '../../support/http/recording-upstream.ts';
import { RunningHoopctl } from '../../support/run-hoopctl.ts';
import { RunningGateway } from '../../support/running-gateway.ts';
import type { AnyAttack, AnyWorld, Trials } from '../trials.ts';
import { trials } from '../trials.ts';

/** What no client may be shown. */
export const SSN = '123-45-6789';

/** Agents read users and orders, place orders and give small refunds; what tries another method is denied. */
const POLICY = `
@id("connect") permit (principal, action == Action::"connect", resource);
@id("read") permit (principal, action in Action::"http.read", resource is Endpoint)
when { resource.path like "/api/v1/users/*" || resource.path like "/api/v1/orders/*" };
@id("order") permit (principal, action == Action::"http.post", resource is Endpoint)
when { resource.path == "/api/v1/orders" };
@id("refund") permit (principal, action == Action::"http.post", resource is Endpoint)
when { resource.path == "/api/v1/refunds" && context.bodyWhole };
@id("small") forbid (principal, action == Action::"http.post", resource)
when { context.fields.contains("$..amount=1000000") || context.fields.contains("$._method=DELETE") };
@id("no-admins") forbid (principal, action in Action::"http", resource)
when { context.query.contains("role=admin") || context.queryNames.contains("_method") };
@id("show") permit (principal, action == Action::"reveal", resource);
`;

/** The same, and personal data is masked in whatever they are answered. */
export const MASKED = `${POLICY}
@id("pii-is-masked") @mask("redact") forbid (principal, action == Action::"reveal", resource)
when { resource.tags.contains("pii.national-id") };
`;

/** An API that answers everybody. */
function usually({ method, target }: Heard): readonly Buffer[] {
  const user = { id: 1, name: 'Ann', ssn: SSN };
  const whole = json(target.includes('/users/') ? user : { path: target });
  const headEnd = whole.indexOf('\r\n\r\n') + 4;
  return [method === 'HEAD' ? whole.subarray(0, headEnd) : whole];
}

/** Where `hoopctl connect` listens, and the secret that its clients show. */
export interface LocalEnd {
  readonly hoopctl: RunningHoopctl;
  readonly port: number;
  readonly token: string;
}

export async function connected(gateway: RunningGateway, sub = 'job'): Promise<LocalEnd> {
  const hoopctl = new RunningHoopctl(['connect', 'api', '--json'], {
    HOOPCTL_GATEWAY: gateway.gateway.url,
    HOOPCTL_CONFIG_DIR: join(gateway.dir, `hoopctl-${sub}`),
    HOOPCTL_TOKEN: gateway.issuer.mint({ sub, repository: 'org/shop' }),
    NODE_EXTRA_CA_CERTS: join(gateway.dir, 'ca.crt'),
  });
  const [line] = await hoopctl.until(/^\{.*"listening".*\}$/m);
  return { hoopctl, ...(JSON.parse(line) as Pick<LocalEnd, 'port' | 'token'>) };
}

/** Whatever a gateway has kept so far: audit, logs of its state, and recordings as they are read. */
export async function keptIn({ dir }: RunningGateway): Promise<Buffer> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const found: Uint8Array[] = files.map((one) => readFileSync(join(one.parentPath, one.name)));
  const store = openRecordingStore(join(dir, 'recordings'), systemClock);
  for (const { name } of files.filter((one) => one.name.endsWith('.hrec'))) {
    for await (const item of (await store.read(name.slice(0, -'.hrec'.length))) ?? [])
      found.push('bytes' in item ? item.bytes : Buffer.from(JSON.stringify(item)));
  }
  return Buffer.concat(found);
}

function authorizationOf({ token }: LocalEnd): string {
  return `Authorization: Basic ${Buffer.from(`hoop:${token}`).toString('base64')}`;
}

export class HttpWorld implements AnyWorld {
  readonly upstream: RecordingUpstream;
  /** Answers nobody: whoever connects was led here. */
  readonly elsewhere: RecordingUpstream;
  readonly #gateway: RunningGateway;
  readonly #local: LocalEnd;
  #stranger: Promise<LocalEnd> | undefined;
  readonly #clients = new Set<RawHttp>();

  private constructor(
    { upstream, elsewhere }: Pick<HttpWorld, 'upstream' | 'elsewhere'>,
    gateway: RunningGateway,
    local: LocalEnd,
  ) {
    this.upstream = upstream;
    this.elsewhere = elsewhere;
    this.#gateway = gateway;
    this.#local = local;
  }

  static async start(policy: string): Promise<HttpWorld> {
    const upstream = await RecordingUpstream.start(usually);
    const elsewhere = await RecordingUpstream.start(() => []);
    const gateway = await RunningGateway.start({
      policy,
      adapter: null,
      resources: `
  api:
    protocol: http
    target: { url: 'http://127.0.0.1:${upstream.port}' }
    credentials: { bearer: { file: password } }
    api:
      fields: { 'POST /api/v1/refunds': [$..amount, $._method], 'POST /graphql': [$.*, $.extensions..*] }
      mcp: [/mcp, /other]
    classification:
      fields: { '/api/v1/users/**': { '$..ssn': [pii.national-id] } }
      results: { lookup: { $.ssn: [pii.national-id] } }`,
    });
    return new HttpWorld({ upstream, elsewhere }, gateway, await connected(gateway));
  }

  /** What the target is shown for a credential, which nobody else may see. */
  get secret(): string {
    return this.#gateway.read('password').trim();
  }

  /** The tunnel's own secret, as a client shows it. */
  get authorization(): string {
    return authorizationOf(this.#local);
  }

  /** Somebody else, who is connected to the same resource. */
  async stranger(): Promise<{ readonly client: RawHttp; readonly authorization: string }> {
    this.#stranger ??= connected(this.#gateway, 'stranger');
    const local = await this.#stranger;
    const client = this.#keep(await RawHttp.connect(local.port));
    return { client, authorization: authorizationOf(local) };
  }

  /** The target's host, as the gateway calls it. */
  get host(): string {
    return `127.0.0.1:${this.upstream.port}`;
  }

  get port(): number {
    return this.#local.port;
  }

  async through(): Promise<RawHttp> {
    return this.#keep(await RawHttp.connect(this.port));
  }

  /** Where no gateway stands. */
  async direct(): Promise<RawHttp> {
    return this.#keep(await RawHttp.connect(this.upstream.port));
  }

  /** What is kept so far. */
  kept(): Promise<Buffer> {
    return keptIn(this.#gateway);
  }

  #keep(client: RawHttp): RawHttp {
    this.#clients.add(client);
    return client;
  }

  closeClients(): void {
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    this.upstream.clear();
    this.elsewhere.clear();
  }

  async stop(): Promise<void> {
    this.closeClients();
    for (const local of [this.#local, await this.#stranger]) {
      local?.hoopctl.child.kill('SIGTERM');
      await local?.hoopctl.finished;
    }
    await this.#gateway.remove();
    await this.upstream.stop();
    await this.elsewhere.stop();
  }
}

export type HttpAttack = AnyAttack<HttpWorld>;

/** Attacks of one kind. */
export interface HttpGroup {
  readonly id: string;
  readonly policy?: string;
  readonly attacks: readonly HttpAttack[];
}

export function ofHttp({ id, policy = POLICY, attacks }: HttpGroup): Trials {
  const ground = { name: 'HTTP', live: () => true, start: () => HttpWorld.start(policy) };
  return trials<HttpWorld, HttpAttack>(id, attacks, [ground]);
}
