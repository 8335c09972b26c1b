import { type HoopError, isHoopError } from '../../../core/errors.ts';
import { after, type Later, rescued } from '../../../core/later.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import { type Planned, refused, type StatementPlanner } from './planner.ts';

/**
 * Plans the SQL of a message; one that cannot be read gives a plan that is refused.
 *
 * @param types Asked when the text is decoded: OIDs of its parameters' types.
 */
export function readStatement(
  planner: StatementPlanner,
  decode: () => string,
  types: () => readonly number[] = () => [],
): Later<{ planned: Planned; statement: string | undefined }> {
  let statement: string | undefined;
  const plan = () => {
    const text = decode();
    statement = text;
    const given = types();
    return planner.planned(text, given) ?? planner.plan(text, given);
  };
  const unreadable = (error: unknown) => {
    if (!isHoopError(error)) throw error;
    return refused('‹statement that cannot be read›', asRefusal(error));
  };
  return after(rescued(plan, unreadable), (planned) => ({ planned, statement }));
}

function asRefusal(error: HoopError): Refusal {
  return {
    code: error.code,
    rule: 'unreadable-statement',
    reason: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
