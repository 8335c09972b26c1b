import { HoopError } from '../../../core/errors.ts';

/** The target's body is not what its head says, and what cannot be read cannot be masked: the exchange is cut. */
export function unreadable(what: string): HoopError {
  return new HoopError('ERR_TARGET_LOST', `what the target sent cannot be read to be masked: ${what}`);
}
