import { isHoopError } from '../../../core/errors.ts';
import type { PostgresRefusal } from '../refusals.ts';

/** Whatever policy permits: what nothing is known of cannot be judged. */
export const CATALOG_UNAVAILABLE = 'catalog-unavailable';

/** Why a statement is refused while the catalog cannot be read. @throws Whatever is no error of ours. */
export function catalogUnavailable(error: unknown): PostgresRefusal {
  if (!isHoopError(error)) throw error;
  return {
    code: error.code,
    rule: CATALOG_UNAVAILABLE,
    reason: `the gateway cannot read the target's catalog now: ${error.message}`,
    hint: 'try again soon; if it lasts, ask the operator of the gateway',
  };
}
