/**
 * What a client is shown of one document or text, piece by piece. Memory is bounded, and how it is cut into pieces makes no
 * difference.
 *
 * Both methods throw `ERR_TARGET_LOST` for what cannot be read: nothing more of it may then be shown.
 */
export interface PieceMasker {
  /**
   * @param chunk Not written to, and not kept.
   * @returns What goes on now: `chunk` itself if all of it does as it is; undefined for nothing yet.
   */
  push(chunk: Uint8Array): Uint8Array | undefined;
  /** What is left at its end. */
  end(): Uint8Array | undefined;
  /** Values that were masked so far. */
  readonly maskedValues: number;
}
