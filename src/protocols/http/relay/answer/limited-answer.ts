import { durationText, sizeText } from '../../../../core/config/units.ts';
import { HoopError } from '../../../../core/errors.ts';
import type { Denial } from '../../../../enforcement/operation.ts';
import type { AnswerLimit } from '../../../../policy/model.ts';
import type { OpenOperation } from '../../../stream/operations.ts';
import { overLimit } from '../../../stream/over-limit.ts';
import type { Field } from '../../request/fields/read-fields.ts';

const HINT = 'ask for a page, or for fewer fields';

/** What went over a limit, as it is told and as it is on record. */
interface Over {
  readonly denial: Denial;
  readonly outcome: string;
}

/**
 * Holds an answer within what the permits of its request let it come to (`@limit`): octets of the body as it is shown, and the time
 * from when the target is asked until all of it is given.
 */
export class LimitedAnswer {
  readonly #abort: (reason: HoopError) => void;
  #operation: OpenOperation | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over: Over | undefined;

  /** @param abort Called when the time is over. */
  constructor(abort: (reason: HoopError) => void) {
    this.#abort = abort;
  }

  /** The target is asked from now on. */
  begin(operation: OpenOperation): void {
    this.end();
    this.#operation = operation;
    const time = operation.limits?.time;
    if (time === undefined) return;
    const late = () =>
      this.#abort(this.#went(time, `took more than ${durationText(time.max)}`, 'refused: time'));
    this.#timer = setTimeout(late, time.max);
  }

  /**
   * Ends an answer that went over: by an answer of the gateway's own, or where the target's has begun by cutting it short. A length that
   * was promised is not kept then, nor an end sent, so that no client takes what it has for all there was.
   *
   * @returns Whether it had gone over, and is on record as that.
   */
  async told(
    reply: { readonly begun: boolean; cut(): void },
    say: (denial: Denial, of: OpenOperation) => Promise<void>,
  ): Promise<boolean> {
    if (this.#over === undefined || this.#operation === undefined) return false;
    const { denial, outcome } = this.#over;
    if (reply.begun) reply.cut();
    else await say(denial, this.#operation);
    this.#operation.close('failure', undefined, outcome);
    return true;
  }

  /**
   * Before a body is begun.
   *
   * @param httpVersion Of the client: by HTTP/1.0 a body without a length ends with its connection, cut or whole.
   * @throws {HoopError} `ERR_DENIED` it is longer than it may be, or its client could not tell a part from the whole.
   */
  demandLength(fields: readonly Field[], httpVersion: string): void {
    const length = fields.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
    if (length !== undefined) return this.#demand(Number(length));
    const { bytes, time } = this.#operation?.limits ?? {};
    const limit = bytes ?? time;
    if (limit === undefined || httpVersion !== '1.0') return;
    throw this.#went(
      limit,
      'has no length, and by HTTP/1.0 a part would pass for all of it',
      'refused: not limited',
    );
  }

  /** Before so many octets more are given. @throws {HoopError} `ERR_DENIED` the body is longer than it may be. */
  demandMore(bytes: number): void {
    this.#demand((this.#operation?.bytes ?? 0) + bytes);
  }

  /** The answer is whole, or nobody gets more of it. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #demand(bytes: number): void {
    const limit = this.#operation?.limits?.bytes;
    if (limit !== undefined && bytes > limit.max)
      throw this.#went(limit, `has more than ${sizeText(limit.max)}`, 'refused: bytes shown');
  }

  #went(limit: AnswerLimit, how: string, outcome: string): HoopError {
    const denial = overLimit(limit, how, { hint: HINT });
    this.#over ??= { denial, outcome };
    return new HoopError('ERR_DENIED', denial.message);
  }
}
