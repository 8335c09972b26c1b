import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import { unreadable } from '../../../masking/pieces/unreadable.ts';

/** Of a body that is said to be empty. */
export class EmptyMasker implements PieceMasker {
  readonly maskedValues = 0;

  push(chunk: Uint8Array): undefined {
    if (chunk.length > 0) throw unreadable('there is a body where the head says that there is none');
  }

  end(): undefined {}
}
