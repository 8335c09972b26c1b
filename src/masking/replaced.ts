import type { MaskKind } from '../policy/model.ts';
import type { Finding } from './detectors/finding.ts';

/** A finding that may not be shown. */
export interface Masked extends Finding {
  readonly kind: MaskKind;
}

/** Octets `start` … `end`, and what stands for them. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly by: Uint8Array;
}

/** Copies what is untouched in runs, and what stands for each part, in order. */
export function replaced(value: Uint8Array, parts: readonly Replacement[]): Uint8Array {
  let length = value.length;
  for (const { start, end, by } of parts) length += by.length - (end - start);
  const out = Buffer.allocUnsafe(length);
  let [from, to] = [0, 0];
  for (const { start, end, by } of parts) {
    out.set(value.subarray(from, start), to);
    to += start - from;
    out.set(by, to);
    to += by.length;
    from = end;
  }
  out.set(value.subarray(from), to);
  return out;
}
