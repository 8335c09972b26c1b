import { ERROR_TABLE, type ErrorCode, HoopError } from '../../../core/errors.ts';
import { refusalLine, wordOf } from '../../../core/refusal-line.ts';
import { refusalDenial } from '../../../enforcement/denial.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import { WEBSOCKET_VERSION } from '../../../wire/http/websocket/handshake.ts';
import { type HttpRefusal, statusOfRule, stepOfRule } from '../refusals.ts';
import type { Field } from '../request/fields/read-fields.ts';

/** An answer of the gateway's own. */
export interface OwnAnswer {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: Buffer;
}

/**
 * How one kind of API says what went wrong, in a body of its own form. Pure.
 *
 * @param more What machines read beside it: the members that denials have in every protocol.
 */
export type Says = (status: number, code: ErrorCode, detail: string, more: object) => OwnAnswer;

/**
 * A denial: 403 unless its rule or its code has another status, with the members that denials have in every protocol. Pure.
 *
 * @param operation Its id in the audit; empty: it is not there.
 */
export function denialAnswer(
  says: Says,
  denial: Denial,
  operation: string,
  status: number = denialStatus(denial),
): OwnAnswer {
  const machine: unknown = JSON.parse(refusalLine(denial));
  const answer = says(status, denial.code, denial.message, {
    ...(machine as object),
    ...named(operation),
  });
  return status === UPGRADE_REQUIRED ? { ...answer, fields: [...answer.fields, SPOKEN] } : answer;
}

/** RFC 6455 §4.4: whoever asks for another version is told which there is. */
const UPGRADE_REQUIRED = 426;
const SPOKEN: Field = ['sec-websocket-version', WEBSOCKET_VERSION];

/** Of an answer that says it. */
export function denialStatus({ rule, code }: Denial): number {
  return statusOfRule(rule) ?? statusOfCode(code);
}

/** What was asked for waits for people: it is to be asked for again. Pure. @see RFC 7240 §4.1 */
export function acceptedAnswer(says: Says, denial: Denial, approval: string, operation: string): OwnAnswer {
  const answer = denialAnswer(says, denial, operation, ACCEPTED);
  const fields: Field[] = [
    ...answer.fields,
    ['location', `urn:hoop:approval:${approval}`],
    ['preference-applied', 'respond-async'],
    ['retry-after', String(RETRY_SECONDS)],
  ];
  return { ...answer, fields };
}

const ACCEPTED = 202;

const RETRY_SECONDS = 15;

/** A failure that is nobody's decision: of the target, or the end of the session. Pure. */
export function failureAnswer(says: Says, error: HoopError, operation?: string): OwnAnswer {
  return saying(says, error, statusOfCode(error.code), operation);
}

function saying(says: Says, error: HoopError, status: number, operation?: string): OwnAnswer {
  const machine = JSON.parse(refusalLine(wordOf(error))) as object;
  return says(status, error.code, error.message, { ...machine, ...named(operation ?? '') });
}

/**
 * The target has answered, and the answer is not shown. Pure.
 *
 * @param status The target's: whether it did what it was asked is no secret.
 */
export function withheldAnswer(
  says: Says,
  refusal: HttpRefusal,
  status: number,
  operation: string,
): OwnAnswer {
  const { code, rule, reason } = refusal;
  const machine = JSON.parse(refusalLine(refusalDenial(refusal, stepOfRule(rule)))) as object;
  const more = { ...machine, ...named(operation) };
  const shown = status >= 400 ? status : (statusOfRule(rule) ?? statusOfCode(code));
  return says(shown, code, reason, { ...more, targetStatus: status });
}

/** Who asks is not who opened the tunnel. Pure. */
export function notLocalAnswer(says: Says, status: 401 | 403, reason: string, hint: string): OwnAnswer {
  const answer = saying(says, new HoopError('ERR_LOCAL_AUTH', reason, { hint }), status);
  const challenge: Field = ['www-authenticate', 'Basic realm="hoopctl tunnel", charset="UTF-8"'];
  return status === 401 ? { ...answer, fields: [...answer.fields, challenge] } : answer;
}

function statusOfCode(code: ErrorCode): number {
  return ERROR_TABLE[code].http;
}

function named(operation: string): { readonly operation?: string } {
  return operation === '' ? {} : { operation };
}

/** As HTTP APIs say it. @see RFC 9457 */
export const problem: Says = (status, code, detail, more) => {
  const members = { type: 'about:blank', title: ERROR_TABLE[code].text, status, detail, code, ...more };
  const body = Buffer.from(`${JSON.stringify(members)}\n`);
  const fields: Field[] = [
    ['content-type', 'application/problem+json'],
    ['content-length', String(body.length)],
    ['cache-control', 'no-store'],
  ];
  return { status, fields, body };
};
