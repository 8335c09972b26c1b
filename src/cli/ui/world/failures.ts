import { type HoopError, toHoopError } from '../../../core/errors.ts';
import type { Failure } from '../state/model.ts';

/** What went wrong, for the state; `exit` says of what kind it is. */
export function failureOf(error: unknown): { readonly failure: Failure; readonly exit: number } {
  const { code, message, hint, detail, exitCode }: HoopError = toHoopError(error);
  const said = code === 'ERR_INTERNAL' && detail !== undefined ? `${message}: ${detail}` : message;
  return { failure: { code, message: said, hint }, exit: exitCode };
}
