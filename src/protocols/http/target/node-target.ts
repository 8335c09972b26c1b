import { type Agent, type ClientRequest, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import { whenAborted } from '../../../core/later.ts';
import type { TargetAddresses } from '../../stream/addresses.ts';
import type { HttpCredential, Shown } from '../credentials/credential.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { TargetPlace } from '../request/response/own-reference.ts';
import { Agents, type OwnCertificate } from './agents.ts';
import type { HttpTarget, Switched, TargetAnswer } from './http-target.ts';
import { type Patience, Watched } from './patience.ts';
import { answerOf, closedUnanswered, switched } from './upgrade.ts';

export interface TargetOptions {
  readonly place: TargetPlace;
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** As it is now: asked with each request. */
  readonly certificate?: () => OwnCertificate;
  readonly credential: HttpCredential;
  readonly addresses: TargetAddresses;
  readonly patience: Patience;
}

type Early = Parameters<HttpTarget['request']>[3];

/** Octets of an answer's head. */
const MAX_HEAD = 96 * 1024;
const UNAUTHORIZED = 401;
/** What may be asked a second time, where a kept connection had been closed by the target meanwhile. */
const ASKED_AGAIN: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A target of HTTP/1.1, over connections that are kept. */
export function httpTarget(options: TargetOptions): HttpTarget {
  return new NodeTarget(options);
}

class NodeTarget implements HttpTarget {
  readonly #options: TargetOptions;
  readonly #url: URL;
  readonly #host: string;
  /** The host is an address, and one that may not be asked; names are looked at when they are resolved. */
  readonly #refused: boolean;
  readonly #agents: Agents;
  /** Requests that have a connection, or wait for one. */
  #open = 0;

  constructor(options: TargetOptions) {
    this.#options = options;
    this.#url = new URL(options.place.origin);
    this.#host = this.#url.hostname.replace(/^\[|\]$/g, '');
    this.#refused = options.addresses.refuses(this.#host);
    this.#agents = new Agents(this.#url.protocol === 'https:', options.ca);
  }

  secrets(): readonly string[] {
    return this.#options.credential.secrets();
  }

  async close(): Promise<void> {
    this.#agents.close();
  }

  async request(
    request: CanonicalRequest,
    body: Readable | undefined,
    signal: AbortSignal,
    early: Early,
  ): Promise<TargetAnswer> {
    const { credential } = this.#options;
    const whole = credential.signsBody && body !== undefined ? await readWhole(body) : undefined;
    const shown = await this.#shown(request, whole);
    const sent = whole === undefined ? body : Readable.from(whole.length === 0 ? [] : [whole]);
    const send = () => this.#send(request, shown, whole, signal);
    const answer = await this.#answer(send, sent, early);
    if (answer.status === UNAUTHORIZED) credential.refused();
    return answer;
  }

  async upgrade(
    request: CanonicalRequest,
    protocol: string,
    handshake: readonly Field[],
    signal: AbortSignal,
  ): Promise<Switched | TargetAnswer> {
    const { certificate, credential, patience } = this.#options;
    const shown = await this.#shown(request, undefined);
    const fields: readonly Field[] = [['connection', 'Upgrade'], ['upgrade', protocol], ...handshake];
    const asking = { ...request, headers: [...request.headers, ...fields] };
    const call = this.#send(asking, shown, undefined, signal, this.#agents.once(certificate?.()));
    this.#open++;
    const over = () => this.#open--;
    call.once('close', () => {
      if (call.socket === null || call.socket.destroyed) over();
      else call.socket.once('close', over);
    });
    const answer = await switched(call, new Watched(call, patience));
    if ('status' in answer && answer.status === UNAUTHORIZED) credential.refused();
    return answer;
  }

  /** @throws {HoopError} The target is at no address that may be asked; what the credential throws. */
  async #shown(request: CanonicalRequest, whole: Buffer | undefined): Promise<Shown> {
    const { place, credential } = this.#options;
    if (this.#refused)
      throw new HoopError('ERR_TARGET_UNREACHABLE', undefined, {
        detail: `${this.#host} is refused as an address`,
      });
    const address = () => new URL(this.#url.origin + place.base + request.path + request.query);
    return credential.show(request, address, whole);
  }

  /** Once more over a new connection, where a kept one was closed before it could carry what changes nothing. */
  async #answer(send: () => ClientRequest, body: Readable | undefined, early: Early): Promise<TargetAnswer> {
    const call = send();
    const watched = new Watched(call, this.#options.patience);
    try {
      return await this.#answerTo(call, watched, body, early);
    } catch (error) {
      if (body !== undefined || !ASKED_AGAIN.has(call.method) || !watched.stale()) throw error;
    }
    this.#agents.forget();
    const again = send();
    return this.#answerTo(again, new Watched(again, this.#options.patience), undefined, early);
  }

  #answerTo(
    call: ClientRequest,
    watched: Watched,
    body: Readable | undefined,
    early: Early,
  ): Promise<TargetAnswer> {
    this.#open++;
    return new Promise((resolve, reject) => {
      let answered = false;
      call.on('error', (error) => reject(watched.means(error)));
      call.on('information', (info) => {
        watched.informed();
        early?.(info.statusCode, info.rawHeaders);
      });
      call.once('response', (response) => {
        answered = true;
        watched.over();
        resolve(answerOf(response));
      });
      call.once('close', () => {
        this.#open--;
        watched.over();
        if (!answered) reject(closedUnanswered());
      });
      write(call, body);
    });
  }

  #send(
    request: CanonicalRequest,
    shown: Shown,
    whole: Buffer | undefined,
    signal: AbortSignal,
    agent?: Agent,
  ): ClientRequest {
    if (this.#open >= HTTP_LIMITS.targetRequests)
      throw new HoopError('ERR_LIMIT', 'too many requests wait for the target', { hint: 'try again later' });
    const { place, addresses, certificate } = this.#options;
    const secure = this.#url.protocol === 'https:';
    const call = (secure ? requestTls : requestPlain)({
      agent: agent ?? this.#agents.of(certificate?.()),
      host: this.#host,
      ...(this.#url.port === '' ? {} : { port: this.#url.port }),
      ...(secure && isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      lookup: addresses.lookup,
      method: request.method,
      path: place.base + request.path + queryWith(request.query, shown.parameter),
      headers: headersFor(request, this.#url.host, shown.headers, whole),
      maxHeaderSize: MAX_HEAD,
      timeout: 0,
    });
    // Its `signal` costs more than all else of it.
    whenAborted(signal, (reason) => call.destroy(reason as Error));
    return call;
  }
}

function queryWith(query: string, parameter: string | undefined): string {
  if (parameter === undefined) return query;
  return query === '' ? `?${parameter}` : `${query}&${parameter}`;
}

/** @throws {HoopError} `ERR_TOO_LARGE`: nothing was sent. */
async function readWhole(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > HTTP_LIMITS.approvableBytes)
      throw new HoopError('ERR_TOO_LARGE', 'the body is too large to be signed', {
        hint: `send at most ${HTTP_LIMITS.approvableBytes / 1024 / 1024} MiB at once`,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersFor(
  { headers, body }: CanonicalRequest,
  host: string,
  credential: readonly Field[],
  whole: Buffer | undefined,
): string[] {
  const framing: Field[] =
    body === 'none'
      ? []
      : whole !== undefined
        ? [['content-length', String(whole.length)]]
        : body === 'chunked'
          ? [['transfer-encoding', 'chunked']]
          : [['content-length', String(body.length)]];
  return [['host', host], ...headers, ...credential, ...framing].flat();
}

function write(call: ClientRequest, body: Readable | undefined): void {
  if (body === undefined) return void call.end();
  body.once('error', (error) => call.destroy(error));
  call.once('close', () => body.unpipe(call).destroy());
  body.pipe(call);
}
