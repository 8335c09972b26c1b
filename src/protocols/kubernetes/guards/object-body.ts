import { isHoopError } from '../../../core/errors.ts';
import type { ApiMeaning } from '../../http/relay/meaning.ts';
import { readJson } from '../../http/request/body/json.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { type KubernetesRefusal, refused } from '../request/refusals.ts';
import type { Json } from './json.ts';

/** Octets; objects are at most half as long, as they are stored. */
export const MAX_OBJECT = 3 * 1024 * 1024;

type Whole = Parameters<ApiMeaning['read']>[1];

/** A body, read. */
export interface ObjectBody {
  readonly text: string;
  readonly value: Json;
}

/** JSON, also where it is called YAML, of which it is a part. */
const TYPES: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]);

/**
 * Reads the body of a request that writes, as strictly as JSON can be read.
 *
 * @param whole Reads the body, of so many octets at most.
 * @returns Undefined where there is none. Refused with `k8s-body`: it is not JSON, or too long. Fails as `whole` does.
 */
export async function objectBody(
  request: CanonicalRequest,
  whole: Whole,
): Promise<ObjectBody | undefined | KubernetesRefusal> {
  if (request.body === 'none') return undefined;
  if (!TYPES.has(request.contentType)) return refused('k8s-body', 'the body is not JSON');
  if (request.headers.some(([name, value]) => name === 'content-encoding' && value !== 'identity'))
    return refused('k8s-body', 'the body is encoded');
  let octets: Uint8Array;
  try {
    octets = await whole(MAX_OBJECT);
  } catch (error) {
    if (isHoopError(error) && error.code === 'ERR_TOO_LARGE')
      return refused('k8s-body', `the body is longer than ${MAX_OBJECT} octets`);
    throw error;
  }
  if (octets.length === 0) return undefined;
  const refusal = readJson(octets, () => undefined);
  if (refusal !== undefined) return refused('k8s-body', refusal.reason);
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString();
  return { text, value: JSON.parse(text) as Json };
}
