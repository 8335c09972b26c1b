import { Readable } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import type { TargetAddresses } from '../../stream/addresses.ts';
import type { HttpCredential } from '../credentials/credential.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { TargetPlace } from '../request/response/own-reference.ts';
import type { HttpTarget, Switched, TargetAnswer } from './http-target.ts';
import { Http1Calls } from './http1/calls.ts';
import { Http2Calls } from './http2/calls.ts';
import { Sessions } from './http2/sessions.ts';
import { type Early, type Outgoing, outgoing } from './outgoing.ts';
import type { OwnCertificate } from './own-certificate.ts';
import type { Patience } from './patience.ts';
import { type Place, placeOf } from './place.ts';
import { Room } from './room.ts';

/** What is spoken to a target, as it is configured. */
export type TargetVersion = 'http/1.1' | 'http/2';

export interface TargetOptions {
  readonly place: TargetPlace;
  /** Undefined: agreed on by ALPN, and HTTP/1.1 where there is no TLS. */
  readonly version?: TargetVersion | undefined;
  /** PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** As it is now: asked with each request, behind `credential.show`. */
  readonly certificate?: () => OwnCertificate | undefined;
  readonly credential: HttpCredential;
  readonly addresses: TargetAddresses;
  readonly patience: Patience;
}

const UNAUTHORIZED = 401;

/** A target of HTTP/1.1 or HTTP/2, over connections that are kept. */
export function httpTarget(options: TargetOptions): HttpTarget {
  return new NodeTarget(options);
}

class NodeTarget implements HttpTarget {
  readonly #options: TargetOptions;
  readonly #place: Place;
  /** The host is an address, and one that may not be asked; names are looked at when they are resolved. */
  readonly #refused: boolean;
  readonly #room = new Room(HTTP_LIMITS.targetRequests);
  readonly #http1: Http1Calls;
  /** Undefined: HTTP/1.1 alone is spoken. */
  readonly #http2: { readonly sessions: Sessions; readonly calls: Http2Calls } | undefined;

  constructor(options: TargetOptions) {
    const { place, addresses, patience, version } = options;
    this.#options = options;
    this.#place = placeOf(place.origin, options);
    this.#refused = addresses.refuses(this.#place.host);
    this.#http1 = new Http1Calls(this.#place, patience, this.#room);
    if (version === 'http/2' || (version === undefined && this.#place.secure)) {
      const sessions = new Sessions(this.#place, patience, version === 'http/2');
      this.#http2 = { sessions, calls: new Http2Calls(this.#place, sessions, this.#room) };
    }
  }

  secrets(): readonly string[] {
    return this.#options.credential.secrets();
  }

  async close(): Promise<void> {
    this.#http1.close();
    this.#http2?.sessions.close();
  }

  async request(
    request: CanonicalRequest,
    body: Readable | undefined,
    signal: AbortSignal,
    early: Early,
  ): Promise<TargetAnswer> {
    const { credential } = this.#options;
    const whole = credential.signsBody && body !== undefined ? await readWhole(body) : undefined;
    const sent = whole === undefined ? body : Readable.from(whole.length === 0 ? [] : [whole]);
    const answer = await this.#answer(await this.#outgoing(request, whole, signal, early), sent);
    if (answer.status === UNAUTHORIZED) credential.refused();
    return answer;
  }

  async upgrade(
    request: CanonicalRequest,
    protocol: string,
    handshake: readonly Field[],
    signal: AbortSignal,
  ): Promise<Switched | TargetAnswer> {
    const asking = await this.#outgoing(request, undefined, signal, undefined);
    const answer = await this.#http1.upgrade(asking, protocol, handshake);
    if ('status' in answer && answer.status === UNAUTHORIZED) this.#options.credential.refused();
    return answer;
  }

  /** @throws {HoopError} The target is at no address that may be asked; there is no room; what the credential throws. */
  async #outgoing(
    request: CanonicalRequest,
    whole: Buffer | undefined,
    signal: AbortSignal,
    early: Early,
  ): Promise<Outgoing> {
    const { place, credential } = this.#options;
    const { host, origin } = this.#place;
    if (this.#refused)
      throw new HoopError('ERR_TARGET_UNREACHABLE', undefined, {
        detail: `${host} is refused as an address`,
      });
    const address = () => new URL(origin + place.base + request.path + request.query);
    const shown = await credential.show(request, address, whole);
    this.#room.check();
    return outgoing(request, place.base, shown, whole, { signal, early });
  }

  /** By the version that the target speaks. */
  async #answer(asked: Outgoing, body: Readable | undefined): Promise<TargetAnswer> {
    if (this.#http2 === undefined) return this.#http1.answer(asked, body);
    const { calls, sessions } = this.#http2;
    const leave = this.#room.enter();
    const way = await sessions.take(asked.signal).finally(leave);
    if (way.session === undefined) return this.#http1.answer(asked, body, way.ready);
    const answer = await calls.answer(way.session, asked, body);
    return 'way' in answer ? this.#http1.answer(asked, answer.body) : answer;
  }
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
