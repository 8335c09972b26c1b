/**
 * hoopd in this process over real TLS, identity, policy, audit and recordings; and a caller that speaks its API by hand,
 * so that a test can do what hoopctl never would.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import {
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  PATHS,
  TOKEN_EXCHANGE_GRANT,
  TOKEN_TYPES,
  type TokenResponse,
  TUNNEL_PROTOCOL,
} from '../../src/api/contract.ts';
import { newSealKeyText } from '../../src/audit/keys.ts';
import { formatMistake } from '../../src/core/config/mistake.ts';
import { toHoopError } from '../../src/core/errors.ts';
import { type Log, silentLog } from '../../src/core/log.ts';
import { loadConfig } from '../../src/gateway/config/load.ts';
import { type GatewayDeps, startGateway } from '../../src/gateway/gateway.ts';
import { makeLocalCertificates } from '../../src/gateway/init/certificates.ts';
import type { Gateway } from '../../src/gateway/running.ts';
import type { Adapter, StreamContext } from '../../src/protocols/adapter.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import type { Protocol } from '../../src/protocols/protocol.ts';
import { type JwksIssuer, startJwksIssuer } from './identity/jwks-issuer.ts';
import { makeProofKey, type ProofKey } from './identity/proof-key.ts';

export const OPEN_POLICY = `
@id("open")
permit (principal, action in [Action::"connect", Action::"sql", Action::"reveal"], resource)
when { principal in Group::"developers" || principal in Group::"ai-agents" || principal in Group::"ci" };
@id("auditors")
permit (principal in Group::"auditors", action in [Action::"audit.search", Action::"audit.export",
  Action::"recording.view", Action::"session.list"], resource);
@id("operators")
permit (principal in Group::"operators", action in [Action::"session.kill", Action::"session.list"], resource);
`;

export interface GatewayOptions {
  readonly policy?: string;
  /** YAML of `resources:`; default two echo resources, `echo` and `short`. */
  readonly resources?: string;
  /** Default: one that the system chooses. */
  readonly port?: number;
  /** Default: none. */
  readonly publicUrl?: string;
  /** More entries of `issuers:`, YAML, each two spaces in. */
  readonly issuers?: string;
  /** More files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** More top-level YAML. */
  readonly more?: string;
  readonly deps?: Partial<GatewayDeps>;
  /** Default: every resource echoes. `null`: the adapters of hoopd itself. */
  readonly adapter?: Adapter | null;
  /** Default: what hoopd speaks. */
  readonly protocols?: readonly Protocol[];
}

const RESOURCES = `
  echo:
    protocol: postgres
    target: { host: 127.0.0.1, port: 1, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: password } }
  short:
    protocol: postgres
    target: { host: 127.0.0.1, port: 1, database: shop, tls: disable }
    credentials: { user: hoop, password: { file: password } }
    session: { max: 1s, idle: 1s }
`;

export class RunningGateway {
  readonly dir: string;
  readonly issuer: JwksIssuer;
  readonly authority: string;
  readonly #options: GatewayOptions;
  #gateway: Gateway | undefined;

  private constructor(dir: string, issuer: JwksIssuer, authority: string, options: GatewayOptions) {
    this.dir = dir;
    this.issuer = issuer;
    this.authority = authority;
    this.#options = options;
  }

  static async start(options: GatewayOptions = {}): Promise<RunningGateway> {
    const dir = mkdtempSync(join(tmpdir(), 'hoopd-'));
    const issuer = await startJwksIssuer();
    const certificates = await makeLocalCertificates(['localhost', '127.0.0.1'], Date.now());
    const running = new RunningGateway(dir, issuer, certificates.authority, options);
    mkdirSync(join(dir, 'policies'));
    running.write('tls.crt', certificates.server.cert);
    running.write('tls.key', certificates.server.key);
    running.write('ca.crt', certificates.authority);
    running.write('seal.key', newSealKeyText());
    running.write('password', 'hunter2\n');
    running.write('policies/test.cedar', options.policy ?? OPEN_POLICY);
    for (const [name, text] of Object.entries(options.files ?? {})) running.write(name, text);
    running.write('hoopd.yaml', running.config());
    await running.restart();
    return running;
  }

  get gateway(): Gateway {
    if (this.#gateway === undefined) throw new Error('the gateway is stopped');
    return this.#gateway;
  }

  get port(): number {
    return Number(new URL(this.gateway.url).port);
  }

  get log(): Log {
    return this.#options.deps?.log ?? silentLog;
  }

  config(): string {
    const { publicUrl } = this.#options;
    return `listen: 127.0.0.1:${this.#options.port ?? 0}${publicUrl === undefined ? '' : `\npublicUrl: ${publicUrl}`}
tls: { certFile: tls.crt, keyFile: tls.key }
state: sqlite:./state
recordings: file:./recordings
audit: { sealKey: { file: seal.key } }
issuers:
  - { issuer: "${this.issuer.issuer}", audience: hoop, clientId: hoopctl, claims: { groups: groups }, maxSession: 8h }
${this.#options.issuers ?? ''}
agents:
  copilot: { delegators: { groups: [developers] }, groups: [ai-agents] }
  other: { delegators: { groups: [developers] }, groups: [ai-agents] }
  ci: { match: { issuer: "${this.issuer.issuer}", claims: { repository: org/shop } }, groups: [ci] }
resources:${this.#options.resources ?? RESOURCES}
policies: ./policies
${this.#options.more ?? ''}`;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text, { mode: 0o600 });
  }

  read(name: string): string {
    return readFileSync(join(this.dir, name), 'utf8');
  }

  load() {
    const { adapter = echoAdapter(), protocols = PROTOCOLS } = this.#options;
    const served = protocols.map((one) => (adapter === null ? one : { ...one, create: () => adapter }));
    return loadConfig(join(this.dir, 'hoopd.yaml'), { protocols: served });
  }

  /** Starts, or starts again over the same state. */
  async restart(): Promise<void> {
    const loaded = this.load();
    if (!loaded.ok) throw new Error(loaded.mistakes.map(formatMistake).join('\n'));
    this.#gateway = await startGateway(loaded, {
      log: silentLog,
      ...this.#options.deps,
    });
  }

  async stop(graceMs = 0): Promise<void> {
    await this.#gateway?.close({ graceMs });
    this.#gateway = undefined;
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.issuer.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Signs a person in; `agent`: as that agent on the person's authority. */
  person(groups: readonly string[], options: { name?: string; agent?: string } = {}): Promise<Caller> {
    const { name = 'dana', agent } = options;
    const now = Math.floor(Date.now() / 1000);
    const claims = { sub: name, email: `${name}@example.com`, email_verified: true, groups, auth_time: now };
    const token = this.issuer.mint({ ...claims, aud: 'hoopctl' });
    return Caller.login(this, token, TOKEN_TYPES.idToken, agent);
  }

  machine(claims: Readonly<Record<string, unknown>> = { repository: 'org/shop' }): Promise<Caller> {
    return Caller.login(this, this.issuer.mint(claims), TOKEN_TYPES.jwt, undefined);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect.
  readonly json: any;
}

export interface TunnelOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly key?: ProofKey;
  readonly proof?: (exporter: Buffer, url: string) => Promise<string>;
  /** Sent in the same write as the request's head. */
  readonly early?: string;
  readonly raw?: (socket: TLSSocket) => void;
}

export interface Tunnel {
  readonly status: number;
  readonly head: string;
  readonly socket: TLSSocket;
  /** Everything the gateway sent after the head, until it closes or the text has come. */
  until(text?: string): Promise<string>;
}

/** One process with a key and a token. */
export class Caller {
  readonly #running: RunningGateway;
  readonly key: ProofKey;
  issued!: TokenResponse;
  #nonce: string | undefined;

  constructor(running: RunningGateway, key: ProofKey) {
    this.#running = running;
    this.key = key;
  }

  static async login(
    running: RunningGateway,
    token: string,
    type: string,
    agent: string | undefined,
  ): Promise<Caller> {
    const caller = new Caller(running, await makeProofKey());
    const answer = await caller.exchange({
      subject_token: token,
      subject_token_type: type,
      ...(agent ? { agent } : {}),
    });
    if (answer.status !== 200) throw new Error(`login refused: ${answer.text}`);
    caller.issued = answer.json;
    return caller;
  }

  exchange(fields: Readonly<Record<string, string>>): Promise<Answer> {
    const form = new URLSearchParams({ grant_type: TOKEN_EXCHANGE_GRANT, ...fields }).toString();
    return this.call('POST', PATHS.token, { form, token: null });
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  /** With token and proof; asks again once if a nonce is wanted. `token: null` sends none. */
  async call(
    method: string,
    path: string,
    options: {
      form?: string;
      json?: unknown;
      token?: string | null;
      headers?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<Answer> {
    const url = this.#running.gateway.url + path.split('?')[0]!;
    const token = options.token === undefined ? this.issued.access_token : options.token;
    for (let attempt = 1; ; attempt++) {
      const proof = await this.key.proof({
        method,
        url,
        nonce: this.#nonce,
        accessToken: token ?? undefined,
      });
      const headers = {
        dpop: proof,
        ...(token === null ? {} : { authorization: `DPoP ${token}` }),
        ...options.headers,
      };
      const answer = await send(this.#running, { method, path, headers }, options);
      this.#nonce = String(answer.headers['dpop-nonce'] ?? '');
      if (answer.json?.code !== 'ERR_PROOF_NONCE' || attempt > 1) return answer;
    }
  }

  /** Opens a stream; a refusal is an answer too. */
  async tunnel(resource: string, options: TunnelOptions = {}): Promise<Tunnel> {
    const socket = await openTls(this.#running);
    const path = `${PATHS.tunnel}/${resource}`;
    const exporter = socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
    const url = this.#running.gateway.url + path;
    const token = options.token ?? this.issued.access_token;
    const key = options.key ?? this.key;
    const proof = await (options.proof?.(exporter, url) ??
      key.proof({ method: 'GET', url, accessToken: token, exporter }));
    const fields = {
      host: `localhost:${this.#running.port}`,
      connection: 'Upgrade',
      upgrade: TUNNEL_PROTOCOL,
      authorization: `DPoP ${token}`,
      dpop: proof,
      ...options.headers,
    };
    const lines = Object.entries(fields)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n${options.early ?? ''}`);
    return readTunnel(socket);
  }
}

export function openTls(running: RunningGateway): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: running.port,
      ca: running.authority,
      servername: 'localhost',
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function readTunnel(socket: TLSSocket): Promise<Tunnel> {
  let received = '';
  let closed = false;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    wake();
  });
  socket.on('error', () => undefined);
  for (const event of ['end', 'close'])
    socket.on(event, () => {
      closed = true;
      wake();
    });
  const when = async (done: () => boolean) => {
    while (!done() && !closed) await new Promise<void>((resolve) => (wake = resolve));
  };
  await when(() => received.includes('\r\n\r\n'));
  const end = received.indexOf('\r\n\r\n') + 4;
  const head = received.slice(0, end);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
    head,
    socket,
    until: async (text) => {
      await when(() => text !== undefined && received.slice(end).includes(text));
      return received.slice(end);
    },
  };
}

function send(
  running: RunningGateway,
  options: RequestOptions,
  body: { form?: string; json?: unknown },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const payload = body.form ?? (body.json === undefined ? undefined : JSON.stringify(body.json));
    const type = body.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
    const call = request(
      {
        ...options,
        host: '127.0.0.1',
        port: running.port,
        ca: running.authority,
        servername: 'localhost',
        agent: false,
        headers: { ...options.headers, ...(payload === undefined ? {} : { 'content-type': type }) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
        });
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(payload);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Sends back what it gets, and says why it ends. The smallest protocol there is. */
function echoAdapter(): Adapter {
  return { protocol: 'postgres', serve: echo, close: async () => undefined };
}

function echo(stream: Duplex, { signal, guard }: StreamContext) {
  return new Promise<{ reason: string; bytesIn: number; bytesOut: number }>((resolve) => {
    let bytes = 0;
    const end = (reason: string) => resolve({ reason, bytesIn: bytes, bytesOut: bytes });
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      guard.shown(chunk);
      stream.write(chunk);
    });
    stream.on('close', () => end('client-left'));
    stream.on('error', () => end('client-left'));
    const stop = () => {
      const { code } = toHoopError(signal.reason);
      stream.end(`bye ${code}`, () => end(code));
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}
