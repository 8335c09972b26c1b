import { HoopError, isHoopError } from '../../core/errors.ts';

/** Who asks here is the operator: they are told of which place, and why. */
export function toldOf(place: string, error: unknown): unknown {
  if (!isHoopError(error) || error.code === 'ERR_USAGE') return error;
  const why = error.detail === undefined ? '' : ` (${error.detail})`;
  return new HoopError(error.code, `${place}: ${error.message}${why}`, {
    hint: error.hint ?? 'check the address, the port and the way there from this machine',
    cause: error,
  });
}
