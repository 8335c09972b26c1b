import type { ExchangeHead, ExchangeSide } from '../api/replay.ts';
import { type FrameKind, MAX_FRAME_BYTES } from './format.ts';
import type { RecordingState, StreamRecorder } from './recorder.ts';

/** Texts are one frame each and cut here: a statement is at most 4 MiB. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_SIZE = 65_535;

/** Takes the frames of all streams of one session, in order. */
export interface FrameSink extends RecordingState {
  /** @param bytes Copied at once. */
  add(kind: FrameKind, stream: number, operation: number, bytes: Uint8Array): void;
  /** Numbers the next operation, from 1. */
  nextOperation(): number;
}

/** Makes frames of what one stream shows. Holds nothing. */
export class FramingStreamRecorder implements StreamRecorder {
  readonly #sink: FrameSink;
  readonly #stream: number;

  constructor(sink: FrameSink, stream: number) {
    this.#sink = sink;
    this.#stream = stream;
  }

  get failed(): Error | undefined {
    return this.#sink.failed;
  }

  get pendingBytes(): number {
    return this.#sink.pendingBytes;
  }

  drained(): Promise<void> {
    return this.#sink.drained();
  }

  request(text: string, id: string): number {
    const operation = this.#sink.nextOperation();
    this.#text('request', `${id}\0${text}`, operation);
    return operation;
  }

  response(bytes: Uint8Array, operation = 0): void {
    this.#bytes('response', bytes, operation);
  }

  head(side: ExchangeSide, head: ExchangeHead, operation = 0): void {
    const kind = side === 'request' ? 'request-head' : 'response-head';
    const whole = Buffer.from(JSON.stringify(head));
    // A text that was cut would be no JSON any more.
    const start = head.start.slice(0, MAX_FRAME_BYTES / 8);
    const bytes = whole.length <= MAX_TEXT_BYTES ? whole : Buffer.from(JSON.stringify({ start, fields: [] }));
    this.#sink.add(kind, this.#stream, operation, bytes);
  }

  body(side: ExchangeSide, bytes: Uint8Array, operation = 0): void {
    this.#bytes(side === 'request' ? 'request-body' : 'response-body', bytes, operation);
  }

  input(bytes: Uint8Array, operation = 0): void {
    this.#bytes('input', bytes, operation);
  }

  output(bytes: Uint8Array, operation = 0): void {
    this.#bytes('output', bytes, operation);
  }

  stderr(bytes: Uint8Array, operation = 0): void {
    this.#bytes('stderr', bytes, operation);
  }

  resize(columns: number, rows: number, operation = 0): void {
    const size = Buffer.alloc(4);
    size.writeUInt16BE(withinSize(columns), 0);
    size.writeUInt16BE(withinSize(rows), 2);
    this.#sink.add('resize', this.#stream, operation, size);
  }

  status(text: string, operation: number): void {
    this.#text('status', text, operation);
  }

  note(text: string, operation = 0): void {
    this.#text('note', text, operation);
  }

  closed(reason: string): void {
    this.#text('closed', reason, 0);
  }

  #text(kind: FrameKind, text: string, operation: number): void {
    this.#sink.add(kind, this.#stream, operation, Buffer.from(text).subarray(0, MAX_TEXT_BYTES));
  }

  #bytes(kind: FrameKind, bytes: Uint8Array, operation: number): void {
    if (bytes.length <= MAX_FRAME_BYTES) {
      if (bytes.length > 0) this.#sink.add(kind, this.#stream, operation, bytes);
      return;
    }
    for (let start = 0; start < bytes.length; start += MAX_FRAME_BYTES) {
      this.#sink.add(kind, this.#stream, operation, bytes.subarray(start, start + MAX_FRAME_BYTES));
    }
  }
}

function withinSize(cells: number): number {
  return Math.min(Math.max(0, Math.trunc(cells) || 0), MAX_SIZE);
}
