import type { HoopError } from '../../../core/errors.ts';
import { refusalLine, wordOf } from '../../../core/refusal-line.ts';
import { visible } from '../../../core/visible.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import { SSH_LIMITS } from '../limits.ts';

/** What a command that may not be run ends with: POSIX says so of one that is found and cannot be. */
export const DENIED_STATUS = 126;
/** What `ssh` ends with where the connection fails. */
export const FAILED_STATUS = 255;

/** What is told on a channel's standard error, each a line; with a terminal lines end as terminals want. */
export function lines(texts: readonly string[], terminal: boolean): Buffer {
  const end = terminal ? '\r\n' : '\n';
  return Buffer.from(texts.map((text) => `hoop: ${text}${end}`).join(''));
}

/** A denial: a sentence, and a line for machines. */
export function denialLines(denial: Denial): string[] {
  return [`${denial.code}: ${visible(denial.message)}`, refusalLine(denial)];
}

/** A failure that nobody decided: the same. */
export function failureLines(error: HoopError): string[] {
  return [`${error.code}: ${visible(error.message)}`, refusalLine(wordOf(error))];
}

/** Where something runs that has a standard error. */
export interface Hearer {
  /** @returns False: nothing runs there yet. */
  remark(texts: readonly string[]): boolean;
}

/**
 * What a connection was asked for and refused, where the answer has no text: it is said by what runs over the same connection, or runs next. No
 * more than some: whoever asks a thousand times has been told.
 */
export class Remarks {
  readonly #waiting: (readonly string[])[] = [];
  #said = 0;

  add(texts: readonly string[], hearers: Iterable<Hearer>): void {
    if (++this.#said > SSH_LIMITS.remarks) return;
    for (const hearer of hearers) if (hearer.remark(texts)) return;
    this.#waiting.push(texts);
  }

  /** Something begins to run there. */
  take(hearer: Hearer): void {
    for (const texts of this.#waiting.splice(0)) hearer.remark(texts);
  }
}
