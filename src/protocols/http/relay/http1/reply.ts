import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoopError } from '../../../../core/errors.ts';
import type { RequestHead } from '../../../../wire/http/http1/request-reader.ts';
import type { Field } from '../../request/fields/read-fields.ts';
import { type Reply, whenDone } from '../incoming.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LENGTH = /^[0-9]{1,15}$/;
/** Said here, or not at all. */
const OF_CONNECTION: ReadonlySet<string> = new Set(['connection', 'transfer-encoding']);
/** Up to here it is cheaper to copy a body than to hand it over beside its head, octets. */
const COPIED_BYTES = 16 * 1024;

interface HeldBody {
  readonly body: Uint8Array;
  readonly written: (() => void) | undefined;
}

const NOTHING_HELD = { body: undefined, written: undefined };

/** An answer by HTTP/1.1 (RFC 9112). What is at hand leaves in one piece: the head, the body, its end. */
export class Http1Reply implements Reply {
  readonly #stream: Duplex;
  readonly #method: string;
  readonly #is11: boolean;
  #last: boolean;
  #begun = false;
  #ended = false;
  #gone = false;
  /** Not written yet. */
  #head = '';
  /** Written with what follows it in this turn. */
  #held: HeldBody | undefined;
  #soon: NodeJS.Immediate | undefined;
  #chunked = false;
  /** Octets that were said and have not come; undefined: how many was not said. */
  #left: number | undefined;
  #acts: ((whole: boolean) => void)[] = [];

  constructor(stream: Duplex, { method, httpVersion, kept }: RequestHead) {
    this.#stream = stream;
    this.#method = method;
    this.#is11 = httpVersion !== '1.0';
    this.#last = !kept;
  }

  /** Nothing follows on its connection. */
  get last(): boolean {
    return this.#last;
  }

  get begun(): boolean {
    return this.#begun;
  }

  get closed(): boolean {
    return this.#ended || this.#gone || !this.#stream.writable;
  }

  goOn(): void {
    if (!this.#begun && !this.closed) this.#stream.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
  }

  inform(status: number, fields: readonly Field[]): void {
    if (this.#begun || this.closed || !this.#is11) return;
    this.#stream.write(`${startOf(status)}${linesOf(fields)}\r\n`, 'latin1');
  }

  /** @throws {HoopError} `ERR_INTERNAL` something in it would be read as more than one line, or as another length. */
  head(status: number, fields: readonly Field[], last = false): void {
    if (this.#begun || this.closed) return;
    const bodiless = this.#method === 'HEAD' || status === 204 || status === 304;
    const length = lengthIn(fields);
    const untold = !bodiless && length === undefined;
    const head = `${startOf(status)}${linesOf(fields)}`;
    this.#begun = true;
    this.#chunked = untold && this.#is11;
    this.#left = bodiless ? 0 : length;
    this.#last ||= last || (untold && !this.#is11);
    this.#head = `${head}${this.#chunked ? 'transfer-encoding: chunked\r\n' : ''}${this.#option()}\r\n`;
    this.#sendSoon();
  }

  write(chunk: Uint8Array, written?: () => void): boolean {
    if (this.closed || chunk.length === 0 || this.#method === 'HEAD') return true;
    if (this.#left !== undefined) this.#left -= chunk.length;
    // What goes beyond its length would be an answer of its own.
    if (this.#left !== undefined && this.#left < 0) return this.#wrongLength();
    if (this.#held !== undefined) this.#send();
    this.#held = { body: chunk, written };
    this.#sendSoon();
    return !this.#stream.writableNeedDrain;
  }

  onDrain(act: () => void): void {
    this.#stream.once('drain', act);
  }

  end(trailers: readonly Field[] = []): void {
    if (this.closed) return;
    if (this.#left !== undefined && this.#left > 0) return void this.#wrongLength();
    this.#send(this.#chunked ? `0\r\n${linesOf(trailers)}\r\n` : '');
    this.#ended = true;
    this.#over(true);
  }

  /** Behind what was given already. Where the connection is ending anyhow, what was said last still goes. */
  cut(): void {
    if (this.#gone || !this.#stream.writable) return this.lost();
    if (!this.closed) this.#send();
    this.lost();
    process.nextTick(() => this.#stream.destroy());
  }

  onClose(act: (whole: boolean) => void): void {
    this.#acts.push(act);
  }

  /** Nothing more of it is written. */
  lost(): void {
    this.#gone = true;
    this.#over(false);
  }

  /** The connection is another protocol's now. */
  takenOver(): void {
    this.#begun = this.#ended = true;
    this.#over(true);
  }

  #over(whole: boolean): void {
    clearImmediate(this.#soon);
    this.#held = undefined;
    const acts = this.#acts;
    this.#acts = [];
    for (const act of acts) act(whole);
  }

  #wrongLength(): true {
    this.cut();
    return true;
  }

  #option(): string {
    if (this.#last) return 'connection: close\r\n';
    return this.#is11 ? '' : 'connection: keep-alive\r\n';
  }

  /** A head of which no body has come goes too: a stream of events is open before its first one. */
  #sendSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      if (!this.closed) this.#send();
    });
  }

  /** @param end What stands behind the body. */
  #send(end = ''): void {
    const { body, written } = this.#held ?? NOTHING_HELD;
    this.#held = undefined;
    const head = this.#head;
    this.#head = '';
    const isChunk = this.#chunked && body !== undefined;
    const before = isChunk ? `${head}${body.length.toString(16)}\r\n` : head;
    const after = isChunk ? `\r\n${end}` : end;
    if (body !== undefined) writeAround(this.#stream, before, { body, written }, after);
    else if (before !== '' || after !== '') this.#stream.write(before + after, 'latin1');
  }
}

function writeAround(stream: Duplex, before: string, { body, written }: HeldBody, after: string): void {
  const size = before.length + body.length + after.length;
  if (size <= COPIED_BYTES) {
    const all = Buffer.allocUnsafe(size);
    all.write(before, 0, 'latin1');
    all.set(body, before.length);
    if (after !== '') all.write(after, before.length + body.length, 'latin1');
    stream.write(all);
    return written?.();
  }
  stream.cork();
  if (before !== '') stream.write(before, 'latin1');
  stream.write(body, whenDone(written));
  if (after !== '') stream.write(after, 'latin1');
  stream.uncork();
}

function startOf(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
}

function linesOf(fields: readonly Field[]): string {
  let lines = '';
  for (const [name, value] of fields) {
    if (!NAME.test(name) || !VALUE.test(value) || OF_CONNECTION.has(name.toLowerCase()))
      throw new HoopError('ERR_INTERNAL', `the header ${name} cannot be written`);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

function lengthIn(fields: readonly Field[]): number | undefined {
  let length: string | undefined;
  for (const [name, value] of fields) {
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue;
    if (length !== undefined || !LENGTH.test(value))
      throw new HoopError('ERR_INTERNAL', 'the length of an answer cannot be written');
    length = value;
  }
  return length === undefined ? undefined : Number(length);
}
