/**
 * One stream through the gateway: its own TLS connection, its own proof, then raw bytes.
 */
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import {
  AHEAD_WORDS,
  type Ahead,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  type LocalProof,
  PATHS,
  TUNNEL_HEADERS,
  TUNNEL_PROTOCOL,
} from '../api/contract.ts';
import { HoopError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { type GatewayClient, NONCE_TRIES } from './gateway-client.ts';
import { type Credential, withFreshToken } from './login/credential.ts';
import type { InstanceKey } from './login/dpop.ts';
import { Liveness } from './network/liveness.ts';
import { type ResponseHead, readResponseHead } from './network/response-head.ts';
import { notAGateway, problemToError, type RefusedAnswer, wantedNonce } from './problem.ts';
import { systemScheduler } from './scheduler.ts';

export interface TunnelOptions {
  readonly resource: string;
  /** Of the local end's secret; none where the local end is its owner's by other means. */
  readonly localProof?: LocalProof;
  /** Which of many places behind the resource. */
  readonly place?: string;
  /** Why, in the user's words; at most 1 KiB once encoded. */
  readonly reason?: string;
  /**
   * If an approval is needed it is asked for: the refusal then names the request. `asks`: so is it for what is sent over
   * the streams, of which nothing runs; `explains`: nothing runs, and what policy would say is told.
   */
  readonly asks?: 'ask' | Ahead;
  /** Of what is asked: the same again under it is the same request. 1 to 255 printable characters, no `"` and no `\\`. */
  readonly idempotencyKey?: string;
}

/** Octets of `TUNNEL_HEADERS.reason` as sent. */
const MAX_REASON_BYTES = 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;
/** A target may be slow to answer; hoopd gives it 10 s of its own. */
const OPEN_MS = LIMITS.handshakeMs + LIMITS.targetConnectMs + 5_000;

/** What the gateway holds of one tunnel: any number of streams, each proven anew. */
export class Tunnel {
  readonly #client: GatewayClient;
  readonly #credential: Credential;
  readonly #key: InstanceKey;
  readonly #options: TunnelOptions;
  readonly #liveness: Liveness;
  readonly #id = randomBytes(16).toString('base64url');

  /** @throws {HoopError} `ERR_USAGE` the reason is too long. */
  constructor(client: GatewayClient, credential: Credential, key: InstanceKey, options: TunnelOptions) {
    if (encodeURIComponent(options.reason ?? '').length > MAX_REASON_BYTES) {
      throw new HoopError('ERR_USAGE', 'the reason is too long', { hint: 'about 1000 letters are kept' });
    }
    this.#client = client;
    this.#credential = credential;
    this.#key = key;
    this.#options = options;
    this.#liveness = new Liveness(() => this.#probe(), systemScheduler);
  }

  /**
   * Opens one stream.
   *
   * @param signal Aborted when the local end leaves.
   * @returns The connection, paused, right behind the gateway's `101`: every byte from here is the target's protocol.
   * @throws {HoopError} unreachable within 10 s, or what the gateway's Problem says.
   * @see RFC 9110 §7.8; RFC 9266
   */
  open(signal?: AbortSignal): Promise<TLSSocket> {
    return withFreshToken(this.#credential, (token) => this.#openWith(token, signal));
  }

  async #openWith(token: string, signal?: AbortSignal): Promise<TLSSocket> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(token, signal);
      if ('socket' in outcome) return outcome.socket;
      // The gateway wants its nonce in the proof: again, on a new connection with its own exporter value.
      if (attempt < NONCE_TRIES && wantedNonce(outcome.status, outcome.nonce, outcome.body) !== undefined)
        continue;
      throw problemToError(outcome, this.#client.origin.origin, Date.now());
    }
  }

  async #attempt(
    accessToken: string,
    signal?: AbortSignal,
  ): Promise<{ socket: TLSSocket } | (RefusedAnswer & { nonce: string | undefined })> {
    const socket = await this.#client.network.connectGateway(this.#client.origin, signal, { direct: true });
    try {
      socket.write(await this.#request(socket, accessToken));
      const late = AbortSignal.timeout(OPEN_MS);
      const head = await readResponseHead(socket, signal ? AbortSignal.any([signal, late]) : late);
      this.#client.rememberNonce(head.headers.get('dpop-nonce'));
      if (head.status !== 101) return await this.#refusal(socket, head);
      if (head.headers.get('upgrade') !== TUNNEL_PROTOCOL) {
        throw notAGateway(this.#client.origin.origin, head.headers.get('upgrade') ?? '', head.status);
      }
      // A gateway that does not know the word would run what is only asked for.
      const word = wordOf(this.#options.asks);
      if (word !== 'ask' && word !== undefined && head.headers.get(TUNNEL_HEADERS.approval) !== word)
        throw new HoopError('ERR_UNSUPPORTED', 'the gateway is too old to be asked ahead');
      if (head.rest.length > 0) socket.unshift(head.rest);
      this.#liveness.watch(socket);
      return { socket };
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #probe(): Promise<void> {
    (await this.#client.network.connectGateway(this.#client.origin)).destroy();
  }

  async #request(socket: TLSSocket, accessToken: string): Promise<string> {
    const url = new URL(`${PATHS.tunnel}/${encodeURIComponent(this.#options.resource)}`, this.#client.origin);
    const exporter = socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
    const nonce = this.#client.nonce;
    const proof = { method: 'GET', url, accessToken, exporter, ...(nonce === undefined ? {} : { nonce }) };
    const lines = [
      `GET ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      'Connection: Upgrade',
      `Upgrade: ${TUNNEL_PROTOCOL}`,
      `Authorization: DPoP ${accessToken}`,
      `DPoP: ${await this.#key.proof(proof)}`,
      `${TUNNEL_HEADERS.tunnel}: ${this.#id}`,
    ];
    const { localProof, place, reason, asks, idempotencyKey } = this.#options;
    if (place !== undefined) lines.push(`${TUNNEL_HEADERS.place}: ${place}`);
    if (asks !== undefined) lines.push(`${TUNNEL_HEADERS.approval}: ${wordOf(asks)}`);
    if (idempotencyKey !== undefined) lines.push(`${TUNNEL_HEADERS.idempotency}: "${idempotencyKey}"`);
    if (localProof !== undefined)
      lines.push(`${TUNNEL_HEADERS.localProof}: ${localProof.kind} ${localProof.value}`);
    if (reason !== undefined) lines.push(`${TUNNEL_HEADERS.reason}: ${encodeURIComponent(reason)}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  /** Reads the refusal's body, never more than 64 KiB, and ends the connection. */
  async #refusal(
    socket: TLSSocket,
    head: ResponseHead,
  ): Promise<RefusedAnswer & { nonce: string | undefined }> {
    const length = Math.min(
      Number(head.headers.get('content-length') ?? MAX_REFUSAL_BYTES),
      MAX_REFUSAL_BYTES,
    );
    const chunks: Buffer[] = [head.rest];
    let size = head.rest.length;
    const late = setTimeout(() => socket.destroy(), 2_000);
    try {
      while (size < length) {
        const chunk = await nextChunk(socket);
        if (chunk === undefined) break;
        chunks.push(chunk);
        size += chunk.length;
      }
    } finally {
      clearTimeout(late);
      socket.destroy();
    }
    return {
      status: head.status,
      contentType: head.headers.get('content-type') ?? '',
      body: Buffer.concat(chunks).toString('utf8'),
      date: head.headers.get('date'),
      nonce: head.headers.get('dpop-nonce'),
    };
  }
}

function nextChunk(socket: TLSSocket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const finish = (chunk?: Buffer) => {
      socket.off('data', finish).off('end', end).off('close', end).pause();
      resolve(chunk);
    };
    const end = () => finish();
    if (socket.destroyed || socket.readableEnded) return resolve(undefined);
    socket.on('data', finish).on('end', end).on('close', end).resume();
  });
}

function wordOf(asks: TunnelOptions['asks']): string | undefined {
  return asks === undefined || asks === 'ask' ? asks : AHEAD_WORDS[asks];
}
