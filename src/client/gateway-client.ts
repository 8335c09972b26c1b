/**
 * Requests to one gateway: nonces, problems, and answers that are not a gateway's, in one place.
 */
import type { IncomingMessage } from 'node:http';
import { type Discovery, PATHS, TOKEN_EXCHANGE_GRANT, type TokenResponse } from '../api/contract.ts';
import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import type { InstanceKey } from './login/dpop.ts';
import { explainGatewayFailure } from './network/errors.ts';
import { OriginAgent, readBody, send } from './network/http.ts';
import type { Network } from './network/network.ts';
import { notAGateway, problemToError, refusalOf, wantedNonce } from './problem.ts';

export interface GatewayRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly form?: URLSearchParams;
  readonly json?: unknown;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** Signs the request that is about to be sent; called again if the gateway asks for its nonce. */
export type Signer = (method: string, url: URL, nonce: string | undefined) => Promise<Record<string, string>>;

/** Nonces are per replica: behind a load balancer the second try may meet another one. */
export const NONCE_TRIES = 3;
const MAX_REFUSAL_BYTES = 64 * 1024;

export interface SubjectToken {
  readonly token: string;
  readonly type: string;
}

/** What a caller says of itself at the exchange. */
export interface Attributes {
  readonly agent?: string;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly ttlSeconds?: number;
  /** Resources and actions, by commas: everything else is given up. */
  readonly only?: string;
  /** Everything that writes is given up. */
  readonly readOnly?: boolean;
  /** The run that this process is part of. */
  readonly run?: string;
}

/** A request that is longer is cut off by the gateway before it can say why. */
const MAX_SUBJECT_BYTES = 48 * 1024;

export class GatewayClient {
  readonly origin: URL;
  readonly network: Network;
  readonly #clock: Clock;
  readonly #agent: OriginAgent;
  #nonce: string | undefined;
  /** The gateway's clock minus ours, ms, as of the last answer. */
  clockSkewMs: number | undefined;

  constructor(origin: string, network: Network, clock: Clock) {
    this.origin = new URL(origin);
    this.network = network;
    this.#clock = clock;
    this.#agent = new OriginAgent(this.origin, (url, signal) => network.connectGateway(url, signal));
  }

  get nonce(): string | undefined {
    return this.#nonce;
  }

  /** Remembers the nonce for the next proof, if the answer brings one. */
  rememberNonce(value: string | undefined): void {
    if (value !== undefined && value.length <= 512) this.#nonce = value;
  }

  /** Ends kept connections, so that the process can end. */
  close(): void {
    this.#agent.destroy();
  }

  /**
   * Sends a request and gives its successful answer, body unread.
   *
   * @throws {HoopError} `ERR_GATEWAY_UNREACHABLE`, `ERR_GATEWAY_TLS`, or what the gateway's Problem says.
   */
  async fetch(request: GatewayRequest, sign?: Signer): Promise<IncomingMessage> {
    const url = new URL(request.path, this.origin);
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#send(url, request, sign ? await sign(request.method, url, this.#nonce) : {});
      const status = answer.statusCode ?? 0;
      const fresh = headerOf(answer, 'dpop-nonce');
      this.rememberNonce(fresh);
      this.#rememberClock(answer.headers.date);
      if (status >= 200 && status < 300) return answer;
      const body = await readBody(answer, MAX_REFUSAL_BYTES);
      if (sign && attempt < NONCE_TRIES && wantedNonce(status, fresh, body) !== undefined) continue;
      throw problemToError(refusalOf(answer, body), this.origin.origin, this.#clock.now());
    }
  }

  /**
   * Sends a request and gives its JSON answer.
   *
   * @throws {HoopError} as `fetch`; also when the answer is not JSON of `schemaVersion` 1 or a token answer.
   */
  async json<T>(request: GatewayRequest, sign?: Signer): Promise<T> {
    const answer = await this.fetch(request, sign);
    const type = String(answer.headers['content-type'] ?? '');
    const body = await readBody(answer);
    if (!type.includes('json')) throw notAGateway(this.origin.origin, type, answer.statusCode ?? 0);
    try {
      return JSON.parse(body) as T;
    } catch (error) {
      throw new HoopError('ERR_GATEWAY_UNREACHABLE', `${this.origin.origin} answered with broken JSON`, {
        cause: error,
      });
    }
  }

  /** Who this gateway is and where one logs in for it. */
  async discovery(signal?: AbortSignal): Promise<Discovery> {
    const found = await this.json<Discovery>({
      method: 'GET',
      path: PATHS.discovery,
      ...(signal ? { signal } : {}),
    });
    if (found?.schemaVersion !== 1 || !Array.isArray(found.issuers)) {
      throw new HoopError(
        'ERR_GATEWAY_UNREACHABLE',
        `${this.origin.origin} is no hoop gateway that this hoopctl knows`,
        {
          hint: 'hoopctl and the gateway may be of different versions',
        },
      );
    }
    return found;
  }

  /**
   * Exchanges a subject token for the gateway's own short-lived one, bound to `key`.
   *
   * @throws {HoopError} what the gateway says: `ERR_TOKEN_INVALID`, `ERR_LOGIN_EXPIRED`, `ERR_AGENT_UNKNOWN`, …
   * @see RFC 8693 §2; RFC 9449 §5
   */
  async exchange(
    subject: SubjectToken,
    attributes: Attributes,
    key: InstanceKey,
    signal?: AbortSignal,
  ): Promise<TokenResponse> {
    if (subject.token.length > MAX_SUBJECT_BYTES) throw new HoopError('ERR_TOKEN_TOO_LARGE');
    const form = new URLSearchParams({
      grant_type: TOKEN_EXCHANGE_GRANT,
      subject_token: subject.token,
      subject_token_type: subject.type,
    });
    if (attributes.agent !== undefined) form.set('agent', attributes.agent);
    if (attributes.model !== undefined) form.set('model', attributes.model);
    if (attributes.modelVersion !== undefined) form.set('model_version', attributes.modelVersion);
    if (attributes.only !== undefined) form.set('only', attributes.only);
    if (attributes.readOnly) form.set('read_only', 'true');
    if (attributes.run !== undefined) form.set('run', attributes.run);
    if (attributes.ttlSeconds !== undefined) form.set('ttl', String(attributes.ttlSeconds));
    const request = { method: 'POST', path: PATHS.token, form, ...(signal ? { signal } : {}) };
    const issued = await this.json<TokenResponse>(request, async (method, url, nonce) => ({
      dpop: await key.proof({ method, url, ...(nonce === undefined ? {} : { nonce }) }),
    }));
    if (typeof issued.access_token !== 'string' || !(issued.expires_in > 0)) {
      throw new HoopError(
        'ERR_GATEWAY_UNREACHABLE',
        `${this.origin.origin} answered the exchange without a token`,
      );
    }
    return issued;
  }

  async #send(url: URL, request: GatewayRequest, signed: Record<string, string>): Promise<IncomingMessage> {
    const headers: Record<string, string> = { accept: request.accept ?? 'application/json', ...signed };
    let body: string | undefined;
    if (request.form !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      body = request.form.toString();
    } else if (request.json !== undefined) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(request.json);
    }
    const { method, signal } = request;
    try {
      return await send(this.#agent, {
        method,
        url,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      throw explainGatewayFailure(error, url, this.network.trust);
    }
  }

  #rememberClock(date: string | undefined): void {
    const theirs = date === undefined ? Number.NaN : Date.parse(date);
    if (!Number.isNaN(theirs)) this.clockSkewMs = theirs - this.#clock.now();
  }
}

function headerOf(answer: IncomingMessage, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
