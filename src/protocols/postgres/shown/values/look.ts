import type { ValueShape } from '../../../../masking/mask.ts';
import type { WireTypes } from './wire-types.ts';

/** Whoever looks at the pieces that a value is made of, and what else is needed to take it apart. */
export interface Look {
  readonly types: WireTypes;
  /** The same array if nothing was found, null for NULL. */
  readonly detect: (value: Uint8Array, shape: ValueShape) => Uint8Array | null;
}

/** Values within values: none is deeper in practice; what is, is NULL as a whole. */
export const MAX_DEPTH = 16;
