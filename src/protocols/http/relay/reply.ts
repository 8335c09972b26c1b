import { type IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import type { Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { lastWords } from '../../stream/farewell.ts';
import type { RawHead } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';

/** A request as it came, with the way back: HTTP/1.1 and HTTP/2 alike. */
export interface Incoming {
  readonly head: RawHead;
  readonly body: Readable;
  /** It was read to its end. */
  readonly bodyEnded: () => boolean;
  /** The client wants to be told before it sends the body. */
  readonly expectsContinue: boolean;
  readonly reply: Reply;
  /**
   * Asks for another protocol: answers 101 with these fields, in place of a reply, and gives what is spoken from there on.
   * Any reply is the connection's last.
   */
  readonly takeOver?: (fields: readonly Field[]) => Duplex;
}

/** What goes back to the client for one request. */
export interface Reply {
  readonly begun: boolean;
  /** The client has gone, or all was sent. */
  readonly closed: boolean;
  /** Sends `100 Continue`. */
  goOn(): void;
  /** Sends an answer before the answer: 102, 103. */
  inform(status: number, fields: readonly Field[]): void;
  /** @param last The connection ends behind this answer. */
  head(status: number, fields: readonly Field[], last?: boolean): void;
  /** @returns Whether the client takes more at once; if not, `onDrain` says when. */
  write(chunk: Uint8Array): boolean;
  onDrain(act: () => void): void;
  end(trailers?: readonly Field[]): void;
  /** Cuts the answer short, so that the client knows that it is not whole. */
  cut(): void;
  /** Calls back when all was handed over, or the client is gone before that. */
  onClose(act: (whole: boolean) => void): void;
}

export function http1Incoming(req: IncomingMessage, res: ServerResponse): Incoming {
  const { method = '', url = '', httpVersion, rawHeaders } = req;
  return {
    head: { method, target: url, httpVersion, rawHeaders },
    body: req,
    bodyEnded: () => req.complete,
    expectsContinue: expectsContinue(rawHeaders),
    reply: new Http1Reply(res),
  };
}

/**
 * A request by which the connection is to be upgraded. Node has let go of the connection.
 *
 * @param early What came behind the head already.
 */
export function upgradeIncoming(req: IncomingMessage, stream: Duplex, early: Buffer): Incoming {
  const { method = '', url = '', httpVersion, rawHeaders } = req;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(stream as Socket);
  const drained = () => void res.emit('drain');
  stream.on('drain', drained);
  res.once('finish', () => void lastWords(stream));
  return {
    head: { method, target: url, httpVersion, rawHeaders },
    body: Readable.from([]),
    bodyEnded: () => true,
    expectsContinue: false,
    reply: new Http1Reply(res),
    takeOver: (fields) => {
      stream.off('drain', drained);
      res.detachSocket(stream as Socket);
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      stream.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`, 'latin1');
      if (early.length > 0) stream.unshift(early);
      return stream;
    },
  };
}

/** @param raw Names and values in turn. */
export function http2Incoming(stream: ServerHttp2Stream, raw: readonly string[]): Incoming {
  return {
    head: http2Head(raw, stream.endAfterHeaders),
    body: stream,
    bodyEnded: () => stream.endAfterHeaders || stream.readableEnded,
    expectsContinue: expectsContinue(raw),
    reply: new Http2Reply(stream),
  };
}

/** Read here: Node's own object of all headers is made only where somebody asks for it. @param raw Names and values in turn. */
function expectsContinue(raw: readonly string[]): boolean {
  for (let at = 0; at + 1 < raw.length; at += 2)
    if (raw[at]!.length === 6 && raw[at]!.toLowerCase() === 'expect')
      return raw[at + 1]!.toLowerCase() === '100-continue';
  return false;
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
  return { method, target, httpVersion: '2.0', rawHeaders, ended };
}

class Http1Reply implements Reply {
  readonly #res: ServerResponse;
  /** Written with what follows it in this turn: an answer that is at hand leaves in one piece, its end too. */
  #held: Uint8Array | undefined;
  #soon: NodeJS.Immediate | undefined;

  constructor(res: ServerResponse) {
    this.#res = res;
    res.sendDate = false;
    res.on('error', () => undefined);
  }

  get begun(): boolean {
    return this.#res.headersSent;
  }

  get closed(): boolean {
    return this.#res.closed || this.#res.destroyed || this.#res.writableEnded;
  }

  goOn(): void {
    if (!this.#res.headersSent) this.#res.writeContinue();
  }

  inform(status: number, fields: readonly Field[]): void {
    const { socket } = this.#res;
    if (this.#res.headersSent || this.#res.req.httpVersion !== '1.1' || socket?.writable !== true) return;
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(
      `HTTP/1.1 ${status} ${status === 103 ? 'Early Hints' : 'Processing'}\r\n${lines}\r\n`,
      'latin1',
    );
  }

  head(status: number, fields: readonly Field[], last = false): void {
    if (last) this.#res.shouldKeepAlive = false;
    this.#res.writeHead(status, fields.flat());
    this.#flushSoon();
  }

  write(chunk: Uint8Array): boolean {
    this.#flush();
    this.#held = chunk;
    this.#flushSoon();
    return !this.#res.writableNeedDrain;
  }

  onDrain(act: () => void): void {
    this.#res.once('drain', act);
  }

  end(trailers: readonly Field[] = []): void {
    if (trailers.length > 0)
      this.#res.addTrailers(trailers.map(([name, value]) => [name, value] as [string, string]));
    clearImmediate(this.#soon);
    const last = this.#held;
    this.#held = undefined;
    if (last === undefined) this.#res.end();
    else this.#res.end(last);
  }

  #flush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && !this.closed) this.#res.write(held);
  }

  /** A head of which no body has come goes too: a stream of events is open before its first one. */
  #flushSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      if (this.#held === undefined && !this.closed) this.#res.flushHeaders();
      else this.#flush();
    });
  }

  /** Behind what was given already. */
  cut(): void {
    if (this.#held === undefined && this.begun && !this.closed) this.#res.flushHeaders();
    this.#flush();
    process.nextTick(() => this.#res.destroy());
  }

  onClose(act: (whole: boolean) => void): void {
    this.#res.once('close', () => act(this.#res.writableFinished));
  }
}

class Http2Reply implements Reply {
  readonly #stream: ServerHttp2Stream;
  #trailers: readonly Field[] = [];
  #ended = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
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

  head(status: number, fields: readonly Field[]): void {
    if (this.closed) return;
    // Known to Node, and not to its types.
    const options: ServerStreamResponseOptions & { readonly sendDate: boolean } = {
      sendDate: false,
      waitForTrailers: true,
    };
    this.#stream.respond({ ':status': status, ...grouped(fields) }, options);
  }

  write(chunk: Uint8Array): boolean {
    return this.#stream.writable ? this.#stream.write(chunk) : true;
  }

  onDrain(act: () => void): void {
    this.#stream.once('drain', act);
  }

  end(trailers: readonly Field[] = []): void {
    this.#trailers = trailers;
    this.#ended = true;
    if (this.#stream.writable) this.#stream.end();
  }

  cut(): void {
    this.#stream.close(INTERNAL_ERROR);
  }

  onClose(act: (whole: boolean) => void): void {
    this.#stream.once('close', () => act(this.#stream.writableFinished));
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
