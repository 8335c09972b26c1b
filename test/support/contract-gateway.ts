/**
 * A small gateway that speaks `src/api/contract.ts` over real TLS 1.3 and checks what a client must prove: for tests of
 * hoopctl alone. Its resources echo, or answer with what a test gives.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import {
  type DiscoveryIssuer,
  EXPORTER_BYTES,
  EXPORTER_CLAIM,
  EXPORTER_LABEL,
  PATHS,
  TUNNEL_HEADERS,
  TUNNEL_PROTOCOL,
} from '../../src/api/contract.ts';
import { ERROR_TABLE, type ErrorCode } from '../../src/core/errors.ts';
import type { Certificates } from './postgres/certificates.ts';

export interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
}

export interface ContractGatewayOptions {
  readonly certificates: Certificates;
  readonly issuers?: readonly DiscoveryIssuer[];
  /** Lifetime of the tokens it gives, seconds; default 300. */
  readonly tokenSeconds?: number;
  /** Ask for a nonce in every proof of an API call; default true, as hoopd does. */
  readonly wantsNonce?: boolean;
  /** What comes after `101`; default echo. */
  readonly serve?: (stream: Duplex) => void;
  readonly port?: number;
}

export interface Exchange {
  readonly form: URLSearchParams;
  readonly thumbprint: string;
}

/** A running gateway, and what it was asked. */
export class ContractGateway {
  readonly origin: string;
  readonly port: number;
  readonly exchanges: Exchange[] = [];
  readonly tunnels: IncomingMessage[] = [];
  /** Streams open now. */
  readonly streams = new Set<Duplex>();
  readonly requests: string[] = [];
  /** By path without query: given instead of the built-in answer. */
  readonly answers = new Map<string, Answer | ((url: URL) => Answer)>();
  /** Refuses every stream with it, once set. */
  refuseTunnels: ErrorCode | undefined;
  refuseExchange: ErrorCode | undefined;
  /** The host that clients must have meant, where they come by another name than `localhost`. */
  publicHost: string;
  /** How far its clock is off, ms. */
  clockOffsetMs = 0;
  readonly #server: Server;
  readonly #options: ContractGatewayOptions;
  readonly #sockets = new Set<Socket>();
  readonly #tokens = new Map<string, string>();
  readonly #nonce = randomBytes(8).toString('hex');

  private constructor(server: Server, options: ContractGatewayOptions) {
    this.#server = server;
    this.#options = options;
    this.port = (server.address() as AddressInfo).port;
    this.publicHost = `localhost:${this.port}`;
    this.origin = `https://${this.publicHost}`;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => void this.#request(request, response));
    server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  static async start(options: ContractGatewayOptions): Promise<ContractGateway> {
    const [cert, key] = await Promise.all([
      readFile(options.certificates.certFile),
      readFile(options.certificates.keyFile),
    ]);
    const server = createServer({ cert, key, minVersion: 'TLSv1.3', ALPNProtocols: ['http/1.1'] });
    await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return new ContractGateway(server, options);
  }

  /** Cuts every connection and stops listening, as a killed process does. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    this.requests.push(`${request.method} ${request.url}`);
    response.setHeader('DPoP-Nonce', this.#nonce);
    response.setHeader('Date', new Date(Date.now() + this.clockOffsetMs).toUTCString());
    const given = this.answers.get(url.pathname);
    try {
      if (url.pathname !== PATHS.discovery && url.pathname !== PATHS.token)
        await this.#authenticate(request, url);
      const answer =
        (typeof given === 'function' ? given(url) : given) ??
        (await this.#answer(request, url, await bodyOf(request)));
      response.writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'application/json' });
      response.end(answer.body);
    } catch (error) {
      const problem = problemOf(error);
      response.writeHead(problem.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(problem));
    }
  }

  async #answer(request: IncomingMessage, url: URL, body: string): Promise<Answer> {
    const json = (value: object): Answer => ({ body: JSON.stringify({ schemaVersion: 1, ...value }) });
    if (url.pathname === PATHS.discovery) {
      return json({ gateway: this.origin, version: '0.0.0', issuers: this.#options.issuers ?? [] });
    }
    if (url.pathname === PATHS.token) return this.#exchange(request, url, body);
    if (url.pathname === PATHS.whoami) return json(ME(this.origin));
    if (url.pathname === PATHS.resources) return json({ resources: RESOURCES });
    if (url.pathname === PATHS.revokeSelf) return json({ sessions: 0 });
    throw refusal('ERR_NO_ACCESS');
  }

  async #exchange(request: IncomingMessage, url: URL, body: string): Promise<Answer> {
    const { thumbprint } = await this.#proof(request, url, { wantsNonce: true });
    if (this.refuseExchange) throw refusal(this.refuseExchange);
    this.exchanges.push({ form: new URLSearchParams(body), thumbprint });
    const token = `token-${this.exchanges.length}-${randomBytes(4).toString('hex')}`;
    this.#tokens.set(token, thumbprint);
    const seconds = this.#options.tokenSeconds ?? 300;
    const answer = {
      access_token: token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'DPoP',
      expires_in: seconds,
      instance: 'ins_TEST',
      login: 'lgn_TEST',
      deadline: new Date(Date.now() + 3_600_000).toISOString(),
    };
    return { body: JSON.stringify(answer) };
  }

  async #authenticate(request: IncomingMessage, url: URL, exporter?: Buffer): Promise<void> {
    const token = /^DPoP (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const owner = token === undefined ? undefined : this.#tokens.get(token);
    if (token === undefined || owner === undefined) throw refusal('ERR_TOKEN_INVALID');
    const proof = await this.#proof(request, url, { wantsNonce: exporter === undefined });
    const ath = createHash('sha256').update(token).digest('base64url');
    if (proof.claims['ath'] !== ath || proof.thumbprint !== owner) throw refusal('ERR_PROOF_INVALID');
    if (exporter && proof.claims[EXPORTER_CLAIM] !== exporter.toString('base64url'))
      throw refusal('ERR_PROOF_INVALID');
  }

  async #proof(request: IncomingMessage, url: URL, { wantsNonce }: { wantsNonce: boolean }) {
    const proof = request.headers['dpop'];
    if (typeof proof !== 'string') throw refusal('ERR_PROOF_INVALID');
    const verified = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256'],
      maxTokenAge: 60,
    });
    const { payload, protectedHeader } = verified;
    if (payload['htm'] !== request.method || payload['htu'] !== `https://${this.publicHost}${url.pathname}`) {
      throw refusal('ERR_PROOF_INVALID');
    }
    const nonce = wantsNonce && (this.#options.wantsNonce ?? true);
    if (nonce && payload['nonce'] !== this.#nonce) throw refusal('ERR_PROOF_NONCE');
    return { claims: payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk!, 'sha256') };
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined);
    try {
      const exporter = (socket as TLSSocket).exportKeyingMaterial(
        EXPORTER_BYTES,
        EXPORTER_LABEL,
        Buffer.alloc(0),
      );
      const url = new URL(request.url ?? '/', this.origin);
      await this.#authenticate(request, url, exporter);
      if (request.headers.upgrade !== TUNNEL_PROTOCOL) throw refusal('ERR_USAGE');
      if (this.refuseTunnels) throw refusal(this.refuseTunnels);
      this.tunnels.push(request);
      this.streams.add(socket);
      socket.once('close', () => this.streams.delete(socket));
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${TUNNEL_PROTOCOL}\r\n${TUNNEL_HEADERS.session}: ses_TEST\r\n\r\n`,
      );
      socket.unshift(head);
      (this.#options.serve ?? echo)(socket);
    } catch (error) {
      const problem = problemOf(error);
      const body = JSON.stringify(problem);
      socket.end(
        `HTTP/1.1 ${problem.status} Refused\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
      );
    }
  }
}

function echo(stream: Duplex): void {
  stream.pipe(stream);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

function refusal(code: ErrorCode): Refusal {
  return new Refusal(code);
}

function problemOf(error: unknown) {
  const code = error instanceof Refusal ? error.code : 'ERR_PROOF_INVALID';
  const { text, http } = ERROR_TABLE[code];
  return { type: 'about:blank', title: text, status: http, code, hint: `hint for ${code}` };
}

const RESOURCES = [
  {
    name: 'pg-demo',
    protocol: 'postgres',
    connect: { protocol: 'postgres', database: 'shop', user: 'shop_reader' },
    access: 'allow',
    masks: true,
  },
  { name: 'echo', protocol: 'echo', connect: { protocol: 'echo' }, access: 'allow', masks: false },
  {
    name: 'pg-held',
    protocol: 'postgres',
    connect: { protocol: 'postgres', database: 'shop', user: 'shop_reader' },
    access: 'hold',
    masks: true,
  },
];

const ME = (gateway: string) => ({
  gateway,
  kind: 'agent',
  name: 'shop-copilot',
  person: 'alice@example.com',
  groups: ['ai-agents'],
  issuer: 'https://issuer.test',
  instance: 'ins_TEST',
  login: 'lgn_TEST',
  attested: {},
  declared: { model: 'opus' },
  signedInAt: '2026-01-01T00:00:00.000Z',
  deadline: '2030-01-01T00:00:00.000Z',
});
