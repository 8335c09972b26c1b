import type { CanonicalRequest } from './canonical.ts';

/** What asks for a part of a body, or for none where it is still the same. */
const PARTIAL: ReadonlySet<string> = new Set([
  'a-im',
  'accept-encoding',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
  'request-range',
  'want-content-digest',
  'want-digest',
  'want-repr-digest',
]);

/**
 * A request whose answer is masked: it asks for a whole body in a coding that can be undone.
 *
 * What reads gets no validators and no ranges: a part of a document cannot be read as one, and a validator tells of a value
 * whether it is still what it was. What writes keeps its conditions, without which it would overwrite.
 *
 * @param codings Content codings that are undone, `gzip`, in lower case.
 * @see RFC 9110 §8.8, §12.5.3, §14
 */
export function maskedRequest(request: CanonicalRequest, codings: readonly string[]): CanonicalRequest {
  const writes = request.method !== 'GET' && request.method !== 'HEAD';
  const headers = request.headers.filter(
    ([name]) => !PARTIAL.has(name) || (writes && (name === 'if-match' || name === 'if-unmodified-since')),
  );
  const accepted = codings.length === 0 ? 'identity' : codings.join(', ');
  return { ...request, headers: [...headers, ['accept-encoding', accepted]] };
}
