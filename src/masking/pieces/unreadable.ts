import { HoopError } from '../../core/errors.ts';

/** What the target sent is not what it is said to be, and what cannot be read cannot be masked: none of it is shown. */
export function unreadable(what: string): HoopError {
  return new HoopError('ERR_TARGET_LOST', `what the target sent cannot be read to be masked: ${what}`);
}
