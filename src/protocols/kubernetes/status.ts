import { ERROR_TABLE } from '../../core/errors.ts';
import { type MachineWord, stepLine } from '../../core/refusal-line.ts';
import type { Says } from '../http/relay/problem.ts';
import type { Field } from '../http/request/fields/read-fields.ts';

/** Words that clients know: kubectl shows them, and decides by some whether to try again. */
const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/**
 * What went wrong, as a cluster says it: kubectl prints the message alone, so what to do stands in it, and behind it, for programs,
 * `{"rule":…,"next":…,"retryable":…}`. All that denials have in every protocol stands under `hoop`. Nothing in it makes a client try again by itself. Pure.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export const status: Says = (code, error, detail, more) => {
  const { hint, ...word } = more as Partial<MachineWord>;
  const said = hint === undefined ? detail : `${detail}; ${hint}`;
  const told = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: isWhole(word) ? `${said} ${stepLine(word)}` : said,
    reason: REASONS[code] ?? 'InternalError',
    code,
    hoop: { title: ERROR_TABLE[error].text, detail, code: error, ...more },
  };
  const body = Buffer.from(`${JSON.stringify(told)}\n`);
  const fields: Field[] = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
    ['cache-control', 'no-store'],
  ];
  return { status: code, fields, body };
};

function isWhole(word: Partial<MachineWord>): word is MachineWord {
  return word.rule !== undefined && word.next !== undefined;
}
