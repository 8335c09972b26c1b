import type { ValueShape } from '../mask.ts';
import type { Masked } from '../replaced.ts';

/** What detectors say of a value, as the principal of the session may see it. */
export interface Detects {
  /** The operator has configured detectors beside those that come with hoopd. */
  readonly configured: boolean;
  /** What is looked at from here on is of another record: each is given the same attention. */
  nextRecord(): void;
  /**
   * Whether there can be anything to find: a quick look at octets `start` … `end`, wrong in saying yes only.
   *
   * @param from No octet before it is one that a detector starts from.
   */
  suspects(bytes: Uint8Array, start: number, end: number, shape: ValueShape, from?: number): boolean;
  /**
   * The same array if nothing was found that is masked, null for no value at all.
   *
   * @throws {HoopError} `ERR_LIMIT` this record was looked at long enough: show nothing of the value.
   */
  detect(value: Uint8Array, shape: ValueShape): Uint8Array | null;
  /** What is to be masked in a text, by place. @throws {HoopError} `ERR_LIMIT` as `detect`, and where there is too much of it. */
  masked(text: Uint8Array): readonly Masked[];
}
