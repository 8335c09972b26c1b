import { Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { HoopError, isHoopError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { TargetPlace } from '../request/response/own-reference.ts';
import { isOfTheMachine, lookupTarget } from './addresses.ts';
import type { HttpTarget, TargetAnswer } from './http-target.ts';

export interface TargetOptions {
  readonly place: TargetPlace;
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** What the target is shown, as it is now: asked with each request. */
  readonly credential: () => readonly Field[];
}

/** Octets of an answer's head. */
const MAX_HEAD = 96 * 1024;
/** Connections that are kept for later. */
const KEPT = 64;
const KEPT_MS = 4_000;

/** A target of HTTP/1.1, over connections that are kept. */
export function httpTarget({ place, ca, credential }: TargetOptions): HttpTarget {
  const url = new URL(place.origin);
  const secure = url.protocol === 'https:';
  const kept = { keepAlive: true, maxFreeSockets: KEPT, timeout: 0, freeSocketTimeout: KEPT_MS };
  const agent = secure
    ? new TlsAgent({ ...kept, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) })
    : new Agent(kept);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    close: async () => agent.destroy(),
    request: (request, body, signal, early) =>
      new Promise<TargetAnswer>((resolve, reject) => {
        if (isOfTheMachine(host)) return reject(new HoopError('ERR_TARGET_UNREACHABLE'));
        const send = secure ? requestTls : requestPlain;
        const call = send({
          agent,
          signal,
          host,
          ...(url.port === '' ? {} : { port: url.port }),
          ...(secure && isIP(host) === 0 ? { servername: host } : {}),
          lookup: lookupTarget,
          method: request.method,
          path: place.base + request.path + request.query,
          headers: headersFor(request, url.host, credential()),
          maxHeaderSize: MAX_HEAD,
          timeout: LIMITS.targetConnectMs,
        });
        watch(call, reject);
        call.on('information', (info) => early?.(info.statusCode, info.rawHeaders));
        call.once('response', (response) => resolve(answerOf(response)));
        return write(call, body);
      }),
  };
}

function headersFor(
  { headers, body }: CanonicalRequest,
  host: string,
  credential: readonly Field[],
): string[] {
  const framing: Field[] =
    body === 'none'
      ? []
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
