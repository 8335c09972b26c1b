import type { Pair } from '../../../policy/model.ts';
import { HINTS } from '../hints.ts';
import type { PostgresRefusal, PostgresRule } from '../refusals.ts';
import type { SessionMasks } from '../shown/masks.ts';
import type { CopyPlan, StatementPlan } from '../sql/meaning/plan.ts';
import { isOfReading } from '../sql/meaning/settings.ts';

/**
 * Rules that hold for a session from which something is masked, whatever policy permits.
 *
 * @param unseenDdl The session has changed the schema in a transaction, and its catalog does not show it.
 * @returns Undefined where none of them stands in the way.
 */
export function sessionRefusal(
  plan: StatementPlan,
  masks: SessionMasks,
  unseenDdl: boolean,
): PostgresRefusal | undefined {
  if (!masks.active) return undefined;
  if (plan.pairs.some(changesReading)) {
    return refuse(
      'unsafe-setting',
      'this setting could change how statements are read, and values here are masked',
      HINTS.keepSetting,
    );
  }
  if (plan.reshapesMasked) {
    return refuse(
      'masked-table-ddl',
      'a table with masked columns cannot be changed by one for whom they are masked',
      HINTS.askOwnerOfColumns,
    );
  }
  if (plan.copy?.direction === 'out' && masks.detecting) {
    const why = unreadableCopy(plan.copy);
    if (why !== undefined) return refuse('copy-format', ...why);
  }
  const unknown = plan.pairs.some(
    (pair) => pair.object.attrs['kind'] === 'unknown' && pair.action !== 'sql.create',
  );
  if (unknown && unseenDdl) {
    return refuse(
      'uncommitted-relation',
      'a relation made in this transaction is not known: that is asked for at READ COMMITTED, and not behind what ends a transaction in one string',
      HINTS.commitFirst,
    );
  }
  return undefined;
}

function changesReading({ action, object }: Pair): boolean {
  return action === 'sql.set-unsafe' && isOfReading(String(object.attrs['name']));
}

/** Why detectors could not look through what a COPY sends, and what to do instead. */
function unreadableCopy({ options, types }: CopyPlan): readonly [string, string] | undefined {
  if (options === undefined) {
    return ['the options of this COPY cannot be looked through', HINTS.copyReadable];
  }
  if (options.format !== 'binary' || types !== undefined) return undefined;
  return [
    'binary COPY of a query does not say what types its columns have, so it cannot be looked through',
    HINTS.copyTable,
  ];
}

function refuse(rule: PostgresRule, reason: string, hint: string): PostgresRefusal {
  return { code: 'ERR_DENIED', rule, reason, hint };
}
