import { type ErrorCode, HoopError, isHoopError } from '../../core/errors.ts';

const WAY = 'check the address, the port and the way there from this machine';
const CREDENTIAL =
  'check what credentials of this resource names: the user, and what is in the file or the variable';

/** By what failed: whoever was refused was reached. */
const CURES: Partial<Record<ErrorCode, string>> = {
  ERR_TARGET_AUTH: CREDENTIAL,
  ERR_TARGET_CREDENTIAL: CREDENTIAL,
  ERR_TARGET_TLS: "check target.tls and target.caFile, and whether the certificate is for the target's name",
  ERR_TARGET_NO_TLS: 'check target.tls, and whether the port is the one that speaks TLS',
};

/** Who asks here is the operator: they are told of which place, and why. */
export function toldOf(place: string, error: unknown): unknown {
  if (!isHoopError(error) || error.code === 'ERR_USAGE') return error;
  const why = error.detail === undefined ? '' : ` (${error.detail})`;
  return new HoopError(error.code, `${place}: ${error.message}${why}`, {
    hint: error.hint ?? CURES[error.code] ?? WAY,
    cause: error,
  });
}
