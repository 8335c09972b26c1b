import { BodyReader, framingOf } from './body-reader.ts';
import { HeadReader, MalformedMessage, readFieldLines, valuesOf } from './head.ts';

/** Where an answer goes as it is read. */
export interface AnswerSink {
  /** A head before the answer: 1xx, but for a 101 that was asked for. */
  informed(status: number, fields: readonly string[]): void;
  head(head: AnswerHead): void;
  /** A part of the chunk that was read. */
  body(data: Buffer): void;
  /** @param trailers Names and values in turn. */
  end(trailers: readonly string[]): void;
}

export interface AnswerHead {
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** How long behind the answer another request may be sent, ms; 0: none may be, infinite: the server does not say. */
  readonly keptMs: number;
}

/** What was asked, as far as it tells where the answer ends. */
export interface Asked {
  readonly method: string;
  /** An upgrade is asked for: 101 is an answer, and what is behind it is no HTTP. */
  readonly upgrade: boolean;
}

const MAX_HEAD = 96 * 1024;
const START = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** Of a start line: what speaks something else is not waited for. */
const FIRST = 0x48;

const STATE = { idle: 0, head: 1, body: 2, untilEnd: 3 } as const;

/**
 * Reads what a server of HTTP/1.1 answers to one request after the other, in whatever pieces it comes.
 *
 * Pure, linear; holds a head at most. What two readers could take in two ways is malformed: lines that end otherwise, two
 * lengths, a length beside a coding, a coding that is not `chunked` alone.
 *
 * @see RFC 9112 §4, §6
 */
export class AnswerReader {
  readonly #head = new HeadReader(MAX_HEAD);
  #state: number = STATE.idle;
  #asked: Asked = NOTHING_ASKED;
  #reader: BodyReader | undefined;

  /** The next answer is to this. */
  expect(asked: Asked): void {
    this.#asked = asked;
    this.#state = STATE.head;
  }

  /** No answer is being read, and none is waited for. */
  get idle(): boolean {
    return this.#state === STATE.idle;
  }

  /** A head has begun and is not whole. */
  get inHead(): boolean {
    return this.#head.begun;
  }

  /**
   * @param chunk A head is kept of it until that is whole.
   * @returns How many octets were read: the rest is behind the answer.
   * @throws {MalformedMessage}
   */
  push(chunk: Buffer, sink: AnswerSink): number {
    let at = 0;
    while (at < chunk.length && this.#state !== STATE.idle) {
      if (this.#state === STATE.head) {
        if (!this.#head.begun && chunk[at] !== FIRST) throw noAnswer();
        const end = this.#head.push(chunk, at);
        if (end === -1) return chunk.length;
        at = end;
        this.#headEnds(sink);
      } else at = this.#body(chunk, at, sink);
    }
    return at;
  }

  /** The connection has ended. @returns False: amid an answer, or before it. */
  end(sink: AnswerSink): boolean {
    if (this.#state !== STATE.untilEnd) return this.#state === STATE.idle;
    this.#finish(sink, NONE);
    return true;
  }

  #headEnds(sink: AnswerSink): void {
    const text = this.#head.take();
    const lineEnd = text.indexOf('\r\n');
    const start = START.exec(text.slice(0, Math.max(0, lineEnd)));
    if (start === null) throw noAnswer();
    const fields = readFieldLines(text, lineEnd + 2);
    const status = Number(start[2]);
    if (status === 101 && this.#asked.upgrade) {
      sink.head({ status, fields, keptMs: 0 });
      return this.#finish(sink, NONE);
    }
    if (status === 101) throw new MalformedMessage('another protocol is spoken, unasked');
    if (status < 200) return sink.informed(status, fields);
    this.#answer(sink, status, fields, start[1] === '1');
  }

  #answer(sink: AnswerSink, status: number, fields: readonly string[], is11: boolean): void {
    const framing = framingOf(fields, is11);
    const none = this.#asked.method === 'HEAD' || status === 204 || status === 304 || framing === 0;
    if (none) this.#state = STATE.head;
    else this.#state = framing === undefined ? STATE.untilEnd : STATE.body;
    if (!none && framing !== undefined) this.#reader = new BodyReader(framing);
    sink.head({ status, fields, keptMs: this.#state === STATE.untilEnd ? 0 : keptMs(fields, is11) });
    if (none) this.#finish(sink, NONE);
  }

  #body(chunk: Buffer, at: number, sink: AnswerSink): number {
    if (this.#state === STATE.untilEnd) {
      sink.body(at === 0 ? chunk : chunk.subarray(at));
      return chunk.length;
    }
    const reader = this.#reader!;
    const end = reader.push(chunk, at, (data) => sink.body(data));
    if (end === -1) return chunk.length;
    this.#finish(sink, reader.trailers);
    return end;
  }

  #finish(sink: AnswerSink, trailers: readonly string[]): void {
    this.#state = STATE.idle;
    this.#reader = undefined;
    sink.end(trailers);
  }
}

function noAnswer(): MalformedMessage {
  return new MalformedMessage('what came is no answer of HTTP/1.1');
}

const NONE: readonly string[] = [];
const NOTHING_ASKED: Asked = { method: '', upgrade: false };

function keptMs(fields: readonly string[], is11: boolean): number {
  const said = valuesOf(fields, 'connection');
  const options =
    said.length === 0
      ? said
      : said
          .join()
          .toLowerCase()
          .split(/[ \t]*,[ \t]*/);
  if (is11 ? options.includes('close') : !options.includes('keep-alive')) return 0;
  const [hint] = valuesOf(fields, 'keep-alive');
  const seconds =
    hint === undefined ? undefined : /(?:^|[, \t])timeout=([0-9]{1,9})(?![0-9])/i.exec(hint)?.[1];
  return seconds === undefined
    ? Number.POSITIVE_INFINITY
    : Math.max(0, Number(seconds) * 1000 - ON_ITS_WAY_MS);
}

/** What is sent must be there before the server closes the connection. */
const ON_ITS_WAY_MS = 1000;
