import { HoopError } from '../../../core/errors.ts';
import { CopyData } from '../../../wire/postgres/copy.ts';
import type { CopyPlan } from '../sql/meaning/plan.ts';
import { type CopyFields, copyFields } from './copy-fields.ts';
import type { CellDetector, RewrittenRow } from './rows.ts';
import type { WireTypes } from './values/wire-types.ts';

/** Of a row that is not complete yet. A server sends whole rows; one that does not is not waited for without end. */
const MAX_UNFINISHED_BYTES = 16 * 1024 * 1024;

/**
 * Masks what detectors find in one COPY TO STDOUT, field by field, by the types of its columns where they are known.
 *
 * Rows may be cut anywhere by messages. What is not complete is kept until it is.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html "File Formats"
 */
export class CopyMasker {
  readonly #fields: CopyFields;
  readonly #detector: CellDetector;
  #unfinished: Buffer = Buffer.alloc(0);

  /** @throws {HoopError} `ERR_SESSION_ENDED` its form is one that cannot be looked through: it was judged otherwise. */
  constructor(plan: CopyPlan | undefined, types: WireTypes | undefined, detector: CellDetector) {
    if (plan?.options === undefined || types === undefined)
      throw new HoopError(
        'ERR_SESSION_ENDED',
        'the session was ended: a COPY can no longer be looked through',
      );
    const columns = plan.types?.map((oid) => types.of(oid));
    this.#detector = detector;
    this.#fields = copyFields(plan.options, columns, { types, detector });
  }

  /**
   * @param data The body of one CopyData message.
   * @returns What is sent instead, or undefined if it can go on as it is.
   * @throws {HoopError} `ERR_PROTOCOL` the data does not fit its format, or a row does not end.
   */
  take(data: Buffer): RewrittenRow | undefined {
    const before = this.#unfinished;
    const whole = before.length === 0 ? data : Buffer.concat([before, data]);
    const out: Buffer[] = [];
    let maskedValues = 0;
    let [at, copied] = [0, 0];
    for (let end = this.#fields.rowEnd(whole, at); end !== -1; end = this.#fields.rowEnd(whole, at)) {
      this.#detector.nextRecord();
      for (const { start, end: stop, by } of this.#fields.replacements(whole, at, end)) {
        out.push(whole.subarray(copied, start), by);
        copied = stop;
        maskedValues++;
      }
      at = end;
    }
    if (whole.length - at > MAX_UNFINISHED_BYTES)
      throw new HoopError('ERR_PROTOCOL', 'the target sent a row of COPY that does not end');
    this.#unfinished = at === whole.length ? EMPTY : Buffer.from(whole.subarray(at));
    if (maskedValues === 0 && before.length === 0 && at === whole.length) return undefined;
    return message(Buffer.concat([...out, whole.subarray(copied, at)]), maskedValues);
  }

  /** At the end: what is left of a row that did not end, if any. */
  rest(): RewrittenRow | undefined {
    const left = this.#unfinished;
    this.#unfinished = EMPTY;
    if (left.length === 0) return undefined;
    const parts: Buffer[] = [];
    let copied = 0;
    this.#detector.nextRecord();
    const replacements = this.#fields.replacements(left, 0, left.length);
    for (const { start, end, by } of replacements) {
      parts.push(left.subarray(copied, start), by);
      copied = end;
    }
    return message(Buffer.concat([...parts, left.subarray(copied)]), replacements.length);
  }
}

const EMPTY = Buffer.alloc(0);

function message(data: Buffer, maskedValues: number): RewrittenRow {
  const chunk = CopyData.encode({ data });
  // In COPY no row description says what is masked, and NULL is spelt.
  return { piece: { chunk, start: 0, end: chunk.length }, maskedValues, nullValues: 0 };
}
