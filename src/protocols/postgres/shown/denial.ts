import type { ErrorCode, HoopError } from '../../../core/errors.ts';
import type { NextStep } from '../../../core/next-step.ts';
import { refusalLine, wordOf } from '../../../core/refusal-line.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import type { ReportField } from '../../../wire/postgres/report.ts';
import { SQLSTATE } from '../../../wire/postgres/sqlstate.ts';

/** SQLSTATEs that clients act upon by themselves (drivers re-prepare on 26000), for refusals with such a rule. */
export const SQLSTATE_BY_RULE: Readonly<Record<string, string>> = {
  'unknown-statement': '26000',
  'unknown-portal': '34000',
  'unknown-function': '42883',
  cancelled: '57014',
  // The connection is good, and pools are not to drop it as they would for class 08.
  'catalog-unavailable': '58000',
  // Drivers and tools try again.
  'schema-changing': '55P03',
};

/**
 * A denial as PostgreSQL says it: ERROR, SQLSTATE 42501 unless the code has another, and a HINT that is one line of
 * JSON for the agent.
 *
 * @returns Fields for an ErrorResponse. Pure. Never throws.
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function denialFields(denial: Denial): readonly ReportField[] {
  return [
    ['S', 'ERROR'],
    ['V', 'ERROR'],
    ['C', SQLSTATE_BY_RULE[denial.rule] ?? SQLSTATE[denial.code]],
    ['M', denial.message],
    ['H', refusalLine(denial)],
  ];
}

/**
 * The SQLSTATE of an error that ends the session. A login that expires in the middle of one is no failed login: clients
 * that tell these apart reconnect.
 */
export function sqlstateAtEnd(code: ErrorCode): string {
  return code === 'ERR_LOGIN_EXPIRED' ? '57P01' : SQLSTATE[code];
}

/**
 * An error of ours that ends the session: FATAL, with what to do next as denials say it. Of a target's failure the client learns no more
 * than that; the log has the cause under the session's id.
 */
export function fatalFields(error: HoopError, session: string): readonly ReportField[] {
  const hint =
    error.hint ??
    (OPERATORS_BUSINESS.has(error.code)
      ? `ask the operator of the gateway: its log says why, for session ${session}`
      : undefined);
  const { code, message } = error;
  return [
    ['S', 'FATAL'],
    ['V', 'FATAL'],
    ['C', sqlstateAtEnd(error.code)],
    ['M', message],
    ['H', refusalLine(wordOf({ code, message, hint }))],
  ];
}

/**
 * What follows where the target itself ends a session, in one line of JSON as of `fatalFields`.
 *
 * @param sqlstate That the target gives. Pure. Never throws.
 */
export function targetEndedLine(sqlstate: string): string {
  const { next, hint } = ENDED[sqlstate] ?? { next: 'reconnect', hint: ANEW };
  return refusalLine({
    ...wordOf({ code: 'ERR_TARGET_LOST', message: 'the target ended the session', hint }),
    next,
  });
}

const ANEW = 'connect again; what was not committed is undone';

/** Where it is not enough to come back. */
const ENDED: Readonly<Record<string, { readonly next: NextStep; readonly hint: string }>> = {
  '25P03': { next: 'reconnect', hint: `${ANEW}: the target lets no transaction wait so long` },
  '25P04': { next: 'less', hint: `${ANEW}: do less in one transaction, the target lets none last so long` },
  '57P04': { next: 'report', hint: 'the database is there no more: tell whom you work for' },
};

const OPERATORS_BUSINESS: ReadonlySet<string> = new Set([
  'ERR_TARGET_UNREACHABLE',
  'ERR_TARGET_TLS',
  'ERR_TARGET_AUTH',
  'ERR_TARGET_CREDENTIAL',
  'ERR_INTERNAL',
]);
