import { SlabPool, SlabSizes } from '../core/bytes/slabs.ts';
import { HoopError } from '../core/errors.ts';
import { Compressors } from './compressor.ts';
import { encodeHeader, type FrameKind, type RecordingHeader } from './format.ts';
import {
  RECORDING_PENDING_BYTES,
  type RecordingSummary,
  type SessionRecorder,
  type StreamRecorder,
} from './recorder.ts';
import { SegmentBuffer } from './segment-buffer.ts';
import { type RecordingFile, SegmentWriter } from './segment-writer.ts';
import { type FrameSink, FramingStreamRecorder } from './stream-recorder.ts';

/** A segment is cut at so many octets, or so long after its first frame. */
const SEGMENT_BYTES = 256 * 1024;
const SEGMENT_MS = 200;
/**
 * Memory of a segment as it grows, and how much of each size is kept: most sessions say little at a time. The largest holds
 * a full segment with the frame that fills it; a larger frame gets memory of its own.
 */
const SLABS = [
  { bytes: 8 * 1024, kept: 256 },
  { bytes: 64 * 1024, kept: 64 },
  { bytes: 2 * SEGMENT_BYTES, kept: 16 },
];
/** A caller that does not pause when told is stopped here. */
const HARD_PENDING_BYTES = 16 * RECORDING_PENDING_BYTES;
/** What a frame takes beside its octets, in memory and on disk, roughly. */
const FRAME_OVERHEAD = 16;

/** Microseconds since the session's start, never going back. */
export type SessionMicros = () => number;

/** What the recordings of one gateway share. */
export interface RecordingTools {
  readonly slabs: SlabSizes;
  readonly compressors: Compressors;
}

export function recordingTools(): RecordingTools {
  const pools = SLABS.map(({ bytes, kept }) => new SlabPool(bytes, kept));
  return { slabs: new SlabSizes(pools), compressors: new Compressors() };
}

/** Writes one session's recording. Idle, it holds an open file and nothing else: no timer runs. */
export class FileRecorder implements SessionRecorder, FrameSink {
  readonly #file: RecordingFile;
  readonly #micros: SessionMicros;
  readonly #writer: SegmentWriter;
  readonly #slabs: SlabSizes;
  readonly #segment: SegmentBuffer;
  #timer: NodeJS.Timeout | undefined;
  #waiters: (() => void)[] = [];
  #total = { frames: 0, bytes: 0 };
  #operations = 0;
  #closing: Promise<RecordingSummary> | undefined;
  #failed: Error | undefined;
  #pendingBytes = 0;

  private constructor(file: RecordingFile, micros: SessionMicros, writer: SegmentWriter, slabs: SlabSizes) {
    this.#file = file;
    this.#micros = micros;
    this.#writer = writer;
    this.#slabs = slabs;
    this.#segment = new SegmentBuffer(slabs);
  }

  /** Writes the header. Takes over `file`: `close` closes it. @throws What the file says. */
  static async start(
    file: RecordingFile,
    header: RecordingHeader,
    micros: SessionMicros,
    tools: RecordingTools = recordingTools(),
  ): Promise<FileRecorder> {
    const { bytes, hash } = encodeHeader(header);
    await file.write([bytes]);
    const writer = new SegmentWriter(file, { hash, bytes: bytes.length }, tools.compressors);
    return new FileRecorder(file, micros, writer, tools.slabs);
  }

  get failed(): Error | undefined {
    return this.#failed;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  stream(number: number): StreamRecorder {
    return new FramingStreamRecorder(this, number);
  }

  nextOperation(): number {
    return ++this.#operations;
  }

  add(kind: FrameKind, stream: number, operation: number, bytes: Uint8Array): void {
    if (this.#failed !== undefined || this.#closing !== undefined) return;
    if (!this.#segment.fits(bytes.length)) this.#cut();
    // Whole microseconds: rounded differences would drift apart from the segments' own times.
    this.#segment.add({ kind, stream, operation, at: Math.round(this.#micros()), bytes });
    this.#pendingBytes += bytes.length + FRAME_OVERHEAD;
    if (this.#segment.length >= SEGMENT_BYTES) this.#cut();
    else this.#timer ??= setTimeout(() => this.#cut(), SEGMENT_MS).unref();
    if (this.#pendingBytes > HARD_PENDING_BYTES) this.#fail(new Error('the recording cannot keep up'));
  }

  async drained(): Promise<void> {
    if (this.#isDrained()) return;
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  close(reason: string): Promise<RecordingSummary> {
    this.#closing ??= this.#end(reason);
    return this.#closing;
  }

  #cut(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { frames, bytes } = this.#segment;
    if (frames === 0) return;
    const { at, raw, memory } = this.#segment.take();
    this.#total.frames += frames;
    this.#total.bytes += bytes;
    this.#writer.push({ end: false, at, raw }, (error) => {
      this.#pendingBytes -= bytes + frames * FRAME_OVERHEAD;
      // After a failure a compressor may still be reading it.
      if (error === undefined) this.#slabs.give(memory);
      else this.#fail(error);
      this.#wake();
    });
  }

  /** What is held is dropped: it could not be written in order any more. */
  #fail(error: Error): void {
    if (this.#failed !== undefined) return;
    this.#failed = new HoopError('ERR_RECORDING_UNAVAILABLE', undefined, {
      detail: error.message,
      cause: error,
    });
    this.#writer.stop(error);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pendingBytes -= this.#segment.bytes + this.#segment.frames * FRAME_OVERHEAD;
    this.#segment.take();
    this.#wake();
  }

  #isDrained(): boolean {
    return this.#failed !== undefined || this.#pendingBytes < RECORDING_PENDING_BYTES / 2;
  }

  #wake(): void {
    if (!this.#isDrained()) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  async #end(reason: string): Promise<RecordingSummary> {
    this.#cut();
    const raw = Buffer.from(JSON.stringify({ reason, ...this.#total }));
    // Behind all others, so that nothing is being written any more when the file is closed.
    await new Promise<void>((resolve) => {
      this.#writer.push({ end: true, at: this.#micros(), raw }, (error) => {
        if (error !== undefined) this.#fail(error);
        resolve();
      });
    });
    await this.#file.close().catch((error: unknown) => this.#fail(error as Error));
    return { ...this.#writer.state, complete: this.#failed === undefined };
  }
}
