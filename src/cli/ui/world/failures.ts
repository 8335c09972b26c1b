import { type HoopError, toHoopError } from '../../../core/errors.ts';
import { inProfile } from '../../failure.ts';
import type { Failure } from '../state/model.ts';

/**
 * What went wrong, for the state; `exit` says of what kind it is.
 *
 * @param profile The one that was chosen, if any: whoever is told to log in is told to do it there.
 */
export function failureOf(
  error: unknown,
  profile?: string,
): { readonly failure: Failure; readonly exit: number } {
  const { code, message, hint, detail, exitCode }: HoopError = inProfile(toHoopError(error), profile);
  const said = code === 'ERR_INTERNAL' && detail !== undefined ? `${message}: ${detail}` : message;
  return { failure: { code, message: said, hint }, exit: exitCode };
}
