import { HoopError, isHoopError } from '../../core/errors.ts';

const HINTS: Partial<Record<HoopError['code'], string>> = {
  ERR_TARGET_AUTH: 'check what credentials name, and that the target lets it in',
  ERR_TARGET_TLS: 'name its authority in target.caFile, and the target as its certificate does',
  ERR_TARGET_UNREACHABLE: 'check what target names, and the way there from this machine',
};

/** Who asks here is the operator: they are told of which place, and why. */
export function toldOf(place: string, error: unknown): unknown {
  if (!isHoopError(error) || error.code === 'ERR_USAGE') return error;
  const why = error.detail === undefined ? '' : ` (${error.detail})`;
  return new HoopError(error.code, `${place}: ${error.message}${why}`, {
    hint: error.hint ?? HINTS[error.code] ?? 'check its address and the way there from this machine',
    cause: error,
  });
}
