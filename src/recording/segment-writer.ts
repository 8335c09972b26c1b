import type { Compressors } from './compressor.ts';
import { CODEC, type Codec, encodeSegment } from './format.ts';

/** Segments of one session with the compressors at one time: the others have their turn too. */
const COMPRESSING = 2;
/** After a segment that did not get smaller, so many are stored as they are before compression is tried again. */
const RAW_RUN = 15;
/** Smaller ones are not worth a compressor's set-up. */
const MIN_COMPRESS_BYTES = 128;

/** Where a recording's octets go. */
export interface RecordingFile {
  /** Appends all parts, in order, or rejects. Called again only when the call before has ended. */
  write(parts: readonly Uint8Array[]): Promise<void>;
  close(): Promise<void>;
}

/** A segment before it is compressed. */
export interface RawSegment {
  readonly end: boolean;
  /** Microseconds since the session's start. */
  readonly at: number;
  readonly raw: Buffer;
}

interface Queued extends RawSegment {
  payload: Promise<{ readonly codec: Codec; readonly bytes: Buffer }> | undefined;
  readonly written: (error: Error | undefined) => void;
}

/**
 * Compresses segments in the thread pool and appends them in the order in which they came, each chained to the one
 * before by its hash. After a failed write nothing more is written.
 */
export class SegmentWriter {
  readonly #file: RecordingFile;
  readonly #compressors: Compressors;
  #prev: Buffer;
  #fileBytes: number;
  #queue: Queued[] = [];
  #compressing = 0;
  #rawRun = 0;
  #failed: Error | undefined;

  /** @param header The file's header as already written: its hash and size. */
  constructor(
    file: RecordingFile,
    header: { readonly hash: Buffer; readonly bytes: number },
    compressors: Compressors,
  ) {
    this.#file = file;
    this.#compressors = compressors;
    this.#prev = header.hash;
    this.#fileBytes = header.bytes;
  }

  /** Hash of the last segment written, and the file's octets. */
  get state(): { readonly sha256: string; readonly bytes: number } {
    return { sha256: this.#prev.toString('hex'), bytes: this.#fileBytes };
  }

  /** @param written Called once, when it has been written or has failed; in order. */
  push(segment: RawSegment, written: (error: Error | undefined) => void): void {
    this.#queue.push({ ...segment, payload: undefined, written });
    this.#compressMore();
    if (this.#queue.length === 1) void this.#pump();
  }

  /** Writes nothing more: what waits is told of `error`, in order. */
  stop(error: Error): void {
    this.#failed ??= error;
  }

  async #pump(): Promise<void> {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      try {
        if (this.#failed === undefined) await this.#write(next);
      } catch (error) {
        this.#failed = error instanceof Error ? error : new Error(String(error));
      }
      this.#queue.shift();
      next.written(this.#failed);
      this.#compressMore();
    }
  }

  async #write(segment: Queued): Promise<void> {
    const { codec, bytes } = await (segment.payload ?? this.#compress(segment.raw));
    const fields = {
      end: segment.end,
      codec,
      rawBytes: segment.raw.length,
      at: segment.at,
      prev: this.#prev,
    };
    const { head, hash } = encodeSegment(fields, bytes);
    await this.#file.write([head, bytes]);
    this.#prev = hash;
    this.#fileBytes += head.length + bytes.length;
  }

  #compressMore(): void {
    for (const segment of this.#queue) {
      if (this.#compressing >= COMPRESSING || this.#failed !== undefined) return;
      if (segment.payload !== undefined) continue;
      segment.payload = this.#compress(segment.raw);
      // Its failure is met by the pump when the segment's turn comes.
      segment.payload.catch(() => undefined);
    }
  }

  async #compress(raw: Buffer): Promise<{ codec: Codec; bytes: Buffer }> {
    if (raw.length < MIN_COMPRESS_BYTES || this.#rawRun > 0) {
      this.#rawRun = Math.max(0, this.#rawRun - 1);
      return { codec: CODEC.raw, bytes: raw };
    }
    this.#compressing++;
    try {
      const bytes = await this.#compressors.compress(raw);
      if (bytes.length < raw.length * 0.95) return { codec: CODEC.zstd, bytes };
      this.#rawRun = RAW_RUN;
      return { codec: CODEC.raw, bytes: raw };
    } finally {
      this.#compressing--;
    }
  }
}
