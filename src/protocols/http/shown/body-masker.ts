/**
 * What a client is shown of one body, piece by piece. Memory is bounded, and how the body is cut into pieces makes no
 * difference.
 *
 * Both methods throw `ERR_TARGET_LOST` for what cannot be read: nothing more of the body may then be shown.
 */
export interface BodyMasker {
  /**
   * @param chunk Not written to, and not kept.
   * @returns What goes on now: `chunk` itself if all of it does as it is; undefined for nothing yet.
   */
  push(chunk: Uint8Array): Uint8Array | undefined;
  /** What is left at the end of the body. */
  end(): Uint8Array | undefined;
  /** Values that were masked so far. */
  readonly maskedValues: number;
}
