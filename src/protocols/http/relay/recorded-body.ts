import type { ExchangeSide } from '../../../api/replay.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import type { Guard } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { AnswerMasks } from '../shown/masks.ts';
import { planBody } from '../shown/plan.ts';

/** Keeps the first part of a body in the recording, and says how much more there was. */
export class RecordedBody {
  readonly #guard: Pick<Guard, 'body' | 'note'>;
  readonly #side: ExchangeSide;
  readonly #operation: OpenOperation;
  readonly #most: number;
  #length = 0;

  constructor(
    guard: Pick<Guard, 'body' | 'note'>,
    side: ExchangeSide,
    operation: OpenOperation,
    most: number,
  ) {
    this.#guard = guard;
    this.#side = side;
    this.#operation = operation;
    this.#most = most;
  }

  add(chunk: Uint8Array): void {
    const room = this.#most - this.#length;
    this.#length += chunk.length;
    if (room > 0)
      this.#guard.body(this.#side, chunk.length > room ? chunk.subarray(0, room) : chunk, this.#operation);
  }

  /** Says how much more there was, and how much was `unread`. */
  close(unread = 0): void {
    const more = Math.max(0, this.#length - this.#most) + unread;
    if (more > 0) this.#guard.note(`${more} more octets of the ${this.#side}'s body`, this.#operation);
  }
}

/** Records the body of a request, without what detectors find in it and what is classified. What cannot be read is counted. */
export class RecordedRequest {
  readonly #record: RecordedBody;
  readonly #headers: CanonicalRequest['headers'];
  readonly #masks: AnswerMasks;
  #masker: PieceMasker | undefined;
  #begun = false;
  #unread = 0;

  /** @param masks Of whatever nobody is to read in a recording. */
  constructor(
    guard: Pick<Guard, 'body' | 'note'>,
    operation: OpenOperation,
    { headers }: CanonicalRequest,
    masks: AnswerMasks,
  ) {
    this.#record = new RecordedBody(guard, 'request', operation, HTTP_LIMITS.recordedRequestBytes);
    this.#headers = headers;
    this.#masks = masks;
  }

  add(chunk: Uint8Array): void {
    if (!this.#begun) this.#masker = this.#begin();
    if (this.#masker === undefined) this.#unread += chunk.length;
    else this.#shown((masker) => masker.push(chunk), chunk.length);
  }

  #begin(): PieceMasker | undefined {
    this.#begun = true;
    const value = (name: string) => this.#headers.find((one) => one[0] === name)?.[1];
    const contentEncoding = value('content-encoding');
    const head = { method: 'POST', status: 200, contentType: value('content-type'), contentEncoding };
    const plan = planBody({ ...head, contentRange: undefined, contentLength: undefined }, this.#masks, false);
    return plan.kind === 'mask' && plan.codings.length === 0 ? plan.make() : undefined;
  }

  close(): void {
    this.#shown((masker) => masker.end(), 0);
    this.#record.close(this.#unread);
  }

  #shown(read: (masker: PieceMasker) => Uint8Array | undefined, length: number): void {
    try {
      const shown = this.#masker && read(this.#masker);
      if (shown !== undefined) this.#record.add(shown);
    } catch {
      // It is not what its head says: that is between client and target.
      this.#masker = undefined;
      this.#unread += length;
    }
  }
}
