import {
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
  type ServerStreamResponseOptions,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { HTTP_LIMITS } from '../limits.ts';
import type { RawHead } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import { expectsContinue, type Incoming, type Receiver, type Reply, whenDone } from './incoming.ts';

const OPTIONS: ServerOptions = {
  maxSessionMemory: HTTP_LIMITS.http2Megabytes,
  streamResetBurst: HTTP_LIMITS.takenBack,
  streamResetRate: HTTP_LIMITS.takenBackPerSecond,
  // What a target says twice goes on as by HTTP/1.1: Node would throw, for trailers where nobody hears it.
  strictSingleValueFields: false,
  settings: {
    maxConcurrentStreams: HTTP_LIMITS.concurrentStreams,
    maxHeaderListSize: HTTP_LIMITS.headBytes,
  },
};

/**
 * Speaks HTTP/2 with prior knowledge over one connection: RFC 9113 §3.3.
 *
 * @param connects A stream may be another protocol's: RFC 8441.
 */
export function serveHttp2(stream: Duplex, receiver: Receiver, connects: boolean): ServerHttp2Session {
  const settings = { ...OPTIONS.settings, enableConnectProtocol: connects };
  const session = performServerHandshake(stream, { ...OPTIONS, settings });
  session.on('stream', (one, _headers, _flags, raw) => {
    void receiver.request(http2Incoming(one as ServerHttp2Stream, raw as unknown as string[]));
  });
  session.on('error', () => receiver.malformed(false));
  return session;
}

/** @param raw Names and values in turn. */
function http2Incoming(stream: ServerHttp2Stream, raw: readonly string[]): Incoming {
  const head = http2Head(raw, stream.endAfterHeaders);
  const connects = head.connects !== undefined;
  const reply = new Http2Reply(stream, connects);
  return {
    head,
    body: stream,
    // Nothing behind an extended CONNECT is of it.
    bodyEnded: () => connects || stream.endAfterHeaders || stream.readableEnded,
    expectsContinue: expectsContinue(raw),
    reply,
    ...(connects && { takeOver: (fields: readonly Field[]) => reply.takeOver(fields) }),
  };
}

/** `:authority` is the host; a field beside it that says something else is kept, and is one host too many. */
function http2Head(raw: readonly string[], ended: boolean): RawHead {
  const pseudo = new Map<string, string>();
  const rawHeaders: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [raw[at]!, raw[at + 1]!];
    if (name.startsWith(':')) pseudo.set(name, value);
    else if (name !== 'host' || value !== pseudo.get(':authority')) rawHeaders.push(name, value);
  }
  const authority = pseudo.get(':authority');
  if (authority !== undefined) rawHeaders.push('host', authority);
  const [method = '', target = ''] = [pseudo.get(':method'), pseudo.get(':path')];
  const connects = pseudo.get(':protocol');
  if (method !== 'CONNECT' || connects === undefined)
    return { method, target, httpVersion: '2.0', rawHeaders, ended };
  return { method: 'GET', target, httpVersion: '2.0', rawHeaders, ended: true, connects };
}

/** Of a handshake by HTTP/1.1, and not by HTTP/2: RFC 8441 §5. */
const OF_HTTP1: ReadonlySet<string> = new Set(['connection', 'upgrade', 'sec-websocket-accept']);

class Http2Reply implements Reply {
  readonly #stream: ServerHttp2Stream;
  readonly #connects: boolean;
  #trailers: readonly Field[] = [];
  #ended = false;
  #takenOver = false;

  /** @param connects Its client would say something else over it than a request. */
  constructor(stream: ServerHttp2Stream, connects: boolean) {
    this.#stream = stream;
    this.#connects = connects;
    stream.on('error', () => undefined);
    stream.on('wantTrailers', () => stream.sendTrailers(grouped(this.#trailers)));
  }

  get begun(): boolean {
    return this.#stream.headersSent;
  }

  get closed(): boolean {
    return this.#stream.destroyed || this.#ended;
  }

  goOn(): void {
    this.inform(100, []);
  }

  inform(status: number, fields: readonly Field[]): void {
    if (!this.begun && !this.closed)
      this.#stream.additionalHeaders({ ':status': status, ...grouped(fields) });
  }

  head(status: number, fields: readonly Field[], _last?: boolean, alone = false): void {
    if (this.closed) return;
    // Known to Node, and not to its types.
    const options: ServerStreamResponseOptions & { readonly sendDate: boolean } = {
      sendDate: false,
      endStream: alone,
      waitForTrailers: !alone,
    };
    this.#stream.respond({ ':status': status, ...grouped(fields) }, options);
  }

  write(chunk: Uint8Array, written?: () => void): boolean {
    return this.#stream.writable ? this.#stream.write(chunk, whenDone(written)) : true;
  }

  onDrain(act: () => void): void {
    this.#stream.once('drain', act);
  }

  end(trailers: readonly Field[] = []): void {
    this.#trailers = trailers;
    this.#ended = true;
    // What the client of a protocol that is not taken up still says goes nowhere.
    if (this.#connects) this.#stream.resume();
    if (this.#stream.writable) this.#stream.end();
  }

  /** The stream is another protocol's now. */
  takeOver(fields: readonly Field[]): Duplex {
    this.#ended = this.#takenOver = true;
    const shown = fields.filter(([name]) => !OF_HTTP1.has(name));
    const options: ServerStreamResponseOptions & { readonly sendDate: boolean } = { sendDate: false };
    this.#stream.respond({ ':status': 200, ...grouped(shown) }, options);
    return this.#stream;
  }

  cut(): void {
    this.#stream.close(INTERNAL_ERROR);
  }

  onClose(act: (whole: boolean) => void): void {
    this.#stream.once('close', () => act(this.#takenOver || this.#stream.writableFinished));
  }
}

/** What was sent is not whole: RFC 9113 §7. */
const INTERNAL_ERROR = 2;

function grouped(fields: readonly Field[]): Record<string, string | string[]> {
  const groups = Map.groupBy(fields, ([name]) => name);
  return Object.fromEntries(
    [...groups].map(([name, all]) => [name, all.length === 1 ? all[0]![1] : all.map(([, value]) => value)]),
  );
}
