import type { SlabSizes } from '../core/bytes/slabs.ts';
import { FRAME_HEAD_BYTES, type Frame, writeFrame } from './format.ts';

/**
 * The payload of the segment that grows: frames are copied into it as they come, so that nothing of the caller's is
 * kept.
 */
export class SegmentBuffer {
  readonly #slabs: SlabSizes;
  #memory: Buffer = Buffer.alloc(0);
  #used = 0;
  #firstAt = 0;
  #lastAt = 0;
  /** Frames added since the last `take`, and their own octets. */
  frames = 0;
  bytes = 0;

  constructor(slabs: SlabSizes) {
    this.#slabs = slabs;
  }

  get length(): number {
    return this.#used;
  }

  /** Whether the frame would fit with those before it. An empty one takes any. */
  fits(frameBytes: number): boolean {
    return this.#used === 0 || this.#used + frameBytes + FRAME_HEAD_BYTES <= this.#slabs.largestBytes;
  }

  add(frame: Frame): void {
    if (this.frames === 0) this.#firstAt = this.#lastAt = frame.at;
    this.#reserve(this.#used + frame.bytes.length + FRAME_HEAD_BYTES);
    this.#used = writeFrame(this.#memory, this.#used, frame, this.#lastAt);
    this.#lastAt = frame.at;
    this.frames++;
    this.bytes += frame.bytes.length;
  }

  /** @returns What was added, and the memory it lies in, to be given back when it has been written. */
  take(): { readonly at: number; readonly raw: Buffer; readonly memory: Buffer } {
    const memory = this.#memory;
    const taken = { at: this.#firstAt, raw: memory.subarray(0, this.#used), memory };
    this.#memory = Buffer.alloc(0);
    this.#used = this.frames = this.bytes = 0;
    return taken;
  }

  #reserve(size: number): void {
    if (size <= this.#memory.length) return;
    const larger = this.#slabs.take(size);
    this.#memory.copy(larger, 0, 0, this.#used);
    this.#slabs.give(this.#memory);
    this.#memory = larger;
  }
}
