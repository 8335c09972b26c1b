import type { PieceMasker } from '../../../../../masking/pieces/piece-masker.ts';
import type { Guard } from '../../../../stream/guard.ts';
import type { OpenOperation } from '../../../../stream/operations.ts';
import { MessageMasker } from '../../../shown/events/message-masker.ts';
import type { AnswerMasks } from '../../../shown/masks.ts';
import type { SideName } from './ending.ts';

/** Octets of each side's messages that are recorded. */
const MAX_RECORDED = 16 * 1024 * 1024;

type Evidence = Pick<Guard, 'input' | 'output' | 'note'>;

/** One message of the client's, on its way into the recording. */
export interface RecordedMessage {
  push(chunk: Uint8Array): void;
  end(): void;
}

/** Keeps what both sides say, up to a bound each, and says how much more there was. */
export class RecordedMessages {
  readonly #guard: Evidence;
  readonly #operation: OpenOperation;
  readonly #hides: () => AnswerMasks;
  readonly #kept = { client: 0, target: 0 };
  readonly #more = { client: 0, target: 0 };

  /** @param hides What nobody is to read of what the client says. */
  constructor(guard: Evidence, operation: OpenOperation, hides: () => AnswerMasks) {
    this.#guard = guard;
    this.#operation = operation;
    this.#hides = hides;
  }

  /** What the client is about to be given. */
  given(bytes: Uint8Array): void {
    this.#keep('target', bytes);
  }

  /** A message of the client's. What cannot be looked at is counted. */
  said(binary: boolean): RecordedMessage {
    const masks = this.#hides();
    if (!masks.any) return { push: (chunk) => this.#keep('client', chunk), end: () => undefined };
    let length = 0;
    let masker: PieceMasker | undefined = binary ? undefined : new MessageMasker(masks.fields, masks.detects);
    const read = (take: (from: PieceMasker) => Uint8Array | undefined) => {
      try {
        const shown = masker && take(masker);
        if (shown !== undefined) this.#keep('client', shown);
      } catch {
        masker = undefined;
      }
    };
    return {
      push: (chunk) => {
        length += chunk.length;
        read((from) => from.push(chunk));
      },
      end: () => {
        read((from) => from.end());
        if (masker === undefined) this.#more.client += length;
      },
    };
  }

  /** Says how much more there was. */
  close(): void {
    for (const side of ['client', 'target'] as const) {
      const more = this.#more[side];
      if (more > 0) this.#guard.note(`${more} more octets of the ${side}'s messages`, this.#operation);
    }
  }

  #keep(side: SideName, bytes: Uint8Array): void {
    const room = MAX_RECORDED - this.#kept[side];
    const kept = bytes.length > room ? bytes.subarray(0, Math.max(0, room)) : bytes;
    this.#kept[side] += kept.length;
    this.#more[side] += bytes.length - kept.length;
    if (kept.length === 0) return;
    if (side === 'client') this.#guard.input(kept, this.#operation);
    else this.#guard.output(kept, this.#operation);
  }
}
