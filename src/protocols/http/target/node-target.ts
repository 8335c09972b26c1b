import { Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { HttpCredential } from '../credentials/credential.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { TargetPlace } from '../request/response/own-reference.ts';
import { isOfTheMachine, lookupTarget } from './addresses.ts';
import type { HttpTarget, TargetAnswer } from './http-target.ts';

export interface TargetOptions {
  readonly place: TargetPlace;
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** The gateway's own certificate and its key, as they are now: asked with each request. */
  readonly certificate?: () => { readonly cert: string; readonly key: string };
  readonly credential: HttpCredential;
}

/** Octets of an answer's head. */
const MAX_HEAD = 96 * 1024;
/** Connections that are kept for later. */
const KEPT = 64;
const KEPT_MS = 4_000;
const UNAUTHORIZED = 401;

/** A target of HTTP/1.1, over connections that are kept. */
export function httpTarget({ place, ca, certificate, credential }: TargetOptions): HttpTarget {
  const url = new URL(place.origin);
  const secure = url.protocol === 'https:';
  const agents = new Agents(secure, ca);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    secrets: () => credential.secrets(),
    close: async () => agents.close(),
    async request(request, body, signal, early) {
      if (isOfTheMachine(host)) throw new HoopError('ERR_TARGET_UNREACHABLE');
      const address = new URL(url.origin + place.base + request.path + request.query);
      const whole = credential.signsBody && body !== undefined ? await readWhole(body) : undefined;
      const shown = await credential.show(request, address, whole);
      const send = secure ? requestTls : requestPlain;
      const call = send({
        agent: agents.of(certificate?.()),
        signal,
        host,
        ...(url.port === '' ? {} : { port: url.port }),
        ...(secure && isIP(host) === 0 ? { servername: host } : {}),
        lookup: lookupTarget,
        method: request.method,
        path: place.base + request.path + queryWith(request.query, shown.parameter),
        headers: headersFor(request, url.host, shown.headers, whole),
        maxHeaderSize: MAX_HEAD,
        timeout: LIMITS.targetConnectMs,
      });
      const answer = answerTo(call, early);
      write(call, whole === undefined ? body : Readable.from(whole.length === 0 ? [] : [whole]));
      const { status } = await answer;
      if (status === UNAUTHORIZED) credential.refused();
      return answer;
    },
  };
}

/** Connections are kept by the certificate that they were made with: a new one is used by new connections at once. */
class Agents {
  readonly #secure: boolean;
  readonly #ca: string | undefined;
  readonly #byKey = new Map<string, Agent | TlsAgent>();

  constructor(secure: boolean, ca: string | undefined) {
    this.#secure = secure;
    this.#ca = ca;
  }

  of(certificate: { readonly cert: string; readonly key: string } | undefined): Agent | TlsAgent {
    const name = certificate === undefined ? '' : certificate.cert + certificate.key;
    const known = this.#byKey.get(name);
    if (known !== undefined) return known;
    const kept = { keepAlive: true, maxFreeSockets: KEPT, timeout: 0, freeSocketTimeout: KEPT_MS };
    const ca = this.#ca === undefined ? {} : { ca: this.#ca };
    const agent = this.#secure
      ? new TlsAgent({ ...kept, minVersion: 'TLSv1.2', ...ca, ...certificate })
      : new Agent(kept);
    this.#byKey.set(name, agent);
    return agent;
  }

  close(): void {
    for (const agent of this.#byKey.values()) agent.destroy();
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

function answerTo(call: ClientRequest, early: Parameters<HttpTarget['request']>[3]): Promise<TargetAnswer> {
  return new Promise((resolve, reject) => {
    watch(call, reject);
    call.on('information', (info) => early?.(info.statusCode, info.rawHeaders));
    call.once('response', (response) => resolve(answerOf(response)));
  });
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

/** Only the way there has a bound: an answer may take its time. */
function watch(call: ClientRequest, reject: (error: HoopError) => void): void {
  let connected = false;
  call.on('socket', (socket) => {
    const stands = () => {
      connected = true;
      socket.setTimeout(0);
    };
    if (!socket.connecting) stands();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', stands);
  });
  call.on('timeout', () => call.destroy(new HoopError('ERR_TARGET_UNREACHABLE')));
  call.on('error', (error: NodeJS.ErrnoException) => reject(targetError(error, connected)));
}

function targetError(error: NodeJS.ErrnoException, connected: boolean): HoopError {
  const of = isHoopError(error.cause) ? error.cause : error;
  if (isHoopError(of)) return of;
  const { code = 'error', message } = error;
  const told = { detail: `${code}: ${message}`, cause: error };
  if (connected) return new HoopError('ERR_TARGET_LOST', undefined, told);
  const ofTls = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_)/.test(code);
  return new HoopError(ofTls ? 'ERR_TARGET_TLS' : 'ERR_TARGET_UNREACHABLE', undefined, told);
}

function write(call: ClientRequest, body: Readable | undefined): void {
  if (body === undefined) return void call.end();
  body.once('error', (error) => call.destroy(error));
  call.once('close', () => body.unpipe(call).destroy());
  body.pipe(call);
}

function answerOf(response: IncomingMessage): TargetAnswer {
  const { statusCode = 0, rawHeaders } = response;
  return { status: statusCode, rawHeaders, body: response, trailers: () => response.rawTrailers };
}
