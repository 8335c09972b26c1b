import type { Method } from '../methods.ts';
import { type Refused, refused } from '../refusals.ts';
import type { Fields } from './read-fields.ts';

/** What follows the head: a length in octets, an end that is marked, or nothing. */
export type Body = { readonly length: number } | 'chunked' | 'none';

/** A number of octets as everybody reads it: no sign, no leading zero, no list. Below 2^53. */
const LENGTH = /^(?:0|[1-9][0-9]{0,14})$/;
const WITHOUT_BODY: ReadonlySet<Method> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Where the body ends, for certain: whoever reads another end takes the rest for a request of its own.
 *
 * @param ended HTTP/2: nothing follows the head. What has no length there is framed by the stream.
 * @see RFC 9112 §6, RFC 9113 §8.1.1
 */
export function readBody(
  fields: Fields,
  version: string,
  method: Method,
  ended: boolean,
): { readonly body: Body } | Refused {
  const length = fields.one('content-length');
  const coding = fields.one('transfer-encoding');
  if (length !== undefined && !LENGTH.test(length))
    return refused('framing', 'Content-Length is not one number');
  if (coding !== undefined) {
    if (length !== undefined)
      return refused('framing', 'there are both Content-Length and Transfer-Encoding');
    if (version !== '1.1') return refused('framing', `HTTP/${version} has no Transfer-Encoding`);
    if (coding.toLowerCase() !== 'chunked')
      return refused('transfer-coding', 'the transfer coding is not chunked alone');
  }
  const octets = length === undefined ? undefined : Number(length);
  if (ended && octets !== undefined && octets > 0)
    return refused('framing', 'a body was announced, and none followed');
  const streamed = coding !== undefined || (version === '2.0' && octets === undefined && !ended);
  const empty = !streamed && (octets ?? 0) === 0;
  if (WITHOUT_BODY.has(method))
    return empty ? { body: 'none' } : refused('body-not-expected', `${method} has no body`);
  // Seldom has one, and says so without one too.
  if (method === 'DELETE' && empty) return { body: 'none' };
  return { body: streamed ? 'chunked' : bodyOf(octets) };
}

function bodyOf(octets: number | undefined): Body {
  return octets === undefined ? 'none' : { length: octets };
}
