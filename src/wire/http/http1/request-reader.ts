import { BodyReader, framingOf } from './body-reader.ts';
import { HeadReader, MalformedMessage, readFieldLines, valuesOf } from './head.ts';

/** Where a request goes as it is read. */
export interface RequestSink {
  head(head: RequestHead): void;
  /** A part of the chunk that was read. */
  body(data: Buffer): void;
  /** All of it has come. */
  end(): void;
}

/** A head, an octet per character. One that comes again is the same object, which nobody changes. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** `1.1`, or any other digits. */
  readonly httpVersion: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** What follows it; `unclear`: two readers could take it in two ways, `switched`: it may be no HTTP. Neither is read. */
  readonly follows: number | 'chunked' | 'unclear' | 'switched';
  /** It is `unclear` what follows. */
  readonly unframed: boolean;
  /** Another request may follow. */
  readonly kept: boolean;
}

/** `PRI` is of what HTTP/2 begins with: RFC 9113 §11.6. */
const START = /^(?!PRI )([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ([\x21-\x7e\x80-\xff]+) HTTP\/([0-9]\.[0-9])$/;
/** Characters of a head that is remembered. */
const MAX_KNOWN = 4096;

const STATE = { head: 0, body: 1, over: 2 } as const;

/**
 * Reads what a client of HTTP/1.1 asks, one request after the other, in whatever pieces it comes.
 *
 * Pure, linear; holds a head at most, and one that it knows. One empty line before a request is passed over (RFC 9112 §2.2); lines
 * that end otherwise or go on in the next, a name that is no token and controls are malformed.
 *
 * @see RFC 9112 §3, §5, §6
 */
export class RequestReader {
  readonly #head: HeadReader;
  #state: number = STATE.head;
  #blank = false;
  #body: BodyReader | undefined;
  #text = '';
  #known: RequestHead | undefined;

  /** @param maxHeadBytes Octets of a head, its request line among them. */
  constructor(maxHeadBytes: number) {
    this.#head = new HeadReader(maxHeadBytes);
  }

  /** Something of a request has come, and not all. */
  get amid(): boolean {
    return this.#state === STATE.body || this.inHead;
  }

  /** A head has begun and is not whole. */
  get inHead(): boolean {
    return this.#head.begun;
  }

  /** The last request has ended: nothing is read before `next`. */
  get over(): boolean {
    return this.#state === STATE.over;
  }

  /** Another request is read. */
  next(): void {
    this.#state = STATE.head;
    this.#blank = false;
  }

  /**
   * @param chunk A head is kept of it until that is whole.
   * @returns How many octets of it, from its beginning, were read: the rest is behind the request.
   * @throws {MalformedMessage}
   */
  push(chunk: Buffer, from: number, sink: RequestSink): number {
    let at = from;
    while (at < chunk.length && this.#state !== STATE.over) {
      const end = this.#state === STATE.head ? this.#lines(chunk, at, sink) : this.#data(chunk, at, sink);
      if (end === -1) return chunk.length;
      at = end;
    }
    return at;
  }

  #lines(chunk: Buffer, at: number, sink: RequestSink): number {
    const end = this.#head.push(chunk, at);
    if (end === -1) return end;
    const text = this.#head.take();
    if (text !== '') this.#begin(this.#headOf(text), sink);
    else if (this.#blank) throw new MalformedMessage('empty lines stand before a request');
    else this.#blank = true;
    return end;
  }

  #begin(head: RequestHead, sink: RequestSink): void {
    const { follows } = head;
    this.#state =
      follows === 'chunked' || (typeof follows === 'number' && follows > 0) ? STATE.body : STATE.over;
    this.#body = this.#state === STATE.body ? new BodyReader(follows as number | 'chunked') : undefined;
    sink.head(head);
    if (follows === 0) sink.end();
  }

  #data(chunk: Buffer, at: number, sink: RequestSink): number {
    const end = this.#body!.push(chunk, at, (data) => sink.body(data));
    if (end === -1) return end;
    this.#body = undefined;
    this.#state = STATE.over;
    sink.end();
    return end;
  }

  #headOf(text: string): RequestHead {
    if (this.#known !== undefined && text === this.#text) return this.#known;
    const head = readHead(text);
    const isKept = text.length <= MAX_KNOWN;
    this.#text = isKept ? text : '';
    this.#known = isKept ? head : undefined;
    return head;
  }
}

/** @param text Lines, each with its end. */
function readHead(text: string): RequestHead {
  const lineEnd = text.indexOf('\r\n');
  const start = START.exec(text.slice(0, lineEnd));
  if (start === null) throw new MalformedMessage('what came is no request of HTTP/1.1');
  const [, method = '', target = '', httpVersion = ''] = start;
  const rawHeaders = readFieldLines(text, lineEnd + 2);
  const options = members(rawHeaders, 'connection');
  const follows = switches(method, rawHeaders, options) ? 'switched' : followsOf(httpVersion, rawHeaders);
  const unframed = follows === 'unclear';
  const isLast = unframed || follows === 'switched' || options.includes('close');
  const kept = !isLast && (httpVersion === '1.1' || options.includes('keep-alive'));
  return { method, target, httpVersion, rawHeaders, follows, unframed, kept };
}

function followsOf(version: string, fields: readonly string[]): number | 'chunked' | 'unclear' {
  if (version !== '1.1' && version !== '1.0') return 'unclear';
  try {
    return framingOf(fields, version === '1.1') ?? 0;
  } catch {
    return 'unclear';
  }
}

/** What is behind the head might be another protocol: but for HTTP/2, which nobody takes up (RFC 9110 §7.8). */
function switches(method: string, fields: readonly string[], options: readonly string[]): boolean {
  if (method === 'CONNECT') return true;
  return options.includes('upgrade') && members(fields, 'upgrade').some((one) => one !== 'h2c');
}

/** Members of a list, over all of its lines, in lower case. @see RFC 9110 §5.6.1 */
function members(fields: readonly string[], name: string): string[] {
  return valuesOf(fields, name).flatMap((value) => value.toLowerCase().split(/[ \t]*,[ \t]*/));
}
