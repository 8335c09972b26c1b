import { ERROR_TABLE } from '../../core/errors.ts';
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
 * What went wrong, as a cluster says it: kubectl prints the message, so what to do stands in it; for machines all of it
 * stands under `hoop`. Nothing in it makes a client try again by itself. Pure.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export const status: Says = (code, error, detail, more) => {
  const { hint } = more as { readonly hint?: string };
  const told = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: hint === undefined ? detail : `${detail}; ${hint}`,
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
