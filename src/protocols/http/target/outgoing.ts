import type { Readable } from 'node:stream';
import type { Shown } from '../credentials/credential.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { HttpTarget } from './http-target.ts';

export type Early = Parameters<HttpTarget['request']>[3];

/** One request, with all that it is sent with. */
export interface Outgoing {
  readonly request: CanonicalRequest;
  /** As the target has it: below its base, with the credential where that is shown there. */
  readonly path: string;
  /** All of them but how the body is framed, and what is of one version alone. */
  readonly fields: readonly Field[];
  /** Of the body, octets; undefined: it has none, or its end is marked. */
  readonly length: number | undefined;
  readonly signal: AbortSignal;
  readonly early: Early;
}

/** @param whole The body, where it had to be read before it is sent. Pure. */
export function outgoing(
  request: CanonicalRequest,
  base: string,
  { headers, parameter }: Shown,
  whole: Buffer | undefined,
  { signal, early }: Pick<Outgoing, 'signal' | 'early'>,
): Outgoing {
  const { body } = request;
  return {
    request,
    path: base + request.path + queryWith(request.query, parameter),
    fields: [...request.headers, ...headers],
    length: typeof body === 'string' ? whole?.length : (whole?.length ?? body.length),
    signal,
    early,
  };
}

/** What may be asked a second time, where nobody knows what a target has done of it. */
const ASKED_AGAIN: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function changesNothing({ request }: Outgoing, body: Readable | undefined): boolean {
  return body === undefined && ASKED_AGAIN.has(request.method);
}

/** Servers that know of no body there take it for the next request: nothing that they say or do behind it counts. */
export function goesAlone({ request }: Outgoing, body: Readable | undefined): boolean {
  return body !== undefined && request.method === 'DELETE';
}

function queryWith(query: string, parameter: string | undefined): string {
  if (parameter === undefined) return query;
  return query === '' ? `?${parameter}` : `${query}&${parameter}`;
}
