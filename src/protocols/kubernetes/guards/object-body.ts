import { isHoopError } from '../../../core/errors.ts';
import type { ApiMeaning, Sent } from '../../http/relay/meaning.ts';
import { readJson } from '../../http/request/body/json.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import type { Field } from '../../http/request/fields/read-fields.ts';
import { objectInProtobuf } from '../forms/protobuf.ts';
import { Unreadable } from '../forms/wire-reader.ts';
import { objectInYaml } from '../forms/yaml.ts';
import { type KubernetesRefusal, refused } from '../request/refusals.ts';
import type { Json } from './json.ts';

/** Octets; objects are at most half as long, as they are stored. */
export const MAX_OBJECT = 3 * 1024 * 1024;

type Whole = Parameters<ApiMeaning['read']>[1];

/** A body, read. */
export interface ObjectBody {
  /** In JSON. */
  readonly text: string;
  readonly value: Json;
  /** What is sent in its place, where it is no JSON: the same in JSON. */
  readonly sends?: Sent;
}

/** What a body is read as; what is called YAML may be JSON, which is a part of it. */
const TYPES: Readonly<Record<string, readonly ((octets: Uint8Array) => Json)[]>> = {
  '': [],
  'application/json': [],
  'application/json-patch+json': [],
  'application/merge-patch+json': [],
  'application/strategic-merge-patch+json': [],
  'application/yaml': [objectInYaml],
  'application/apply-patch+yaml': [objectInYaml],
  'application/vnd.kubernetes.protobuf': [objectInProtobuf],
};

/**
 * Reads the body of a request that writes: JSON as strictly as it can be read, and what says the same in YAML or protobuf.
 *
 * @param whole Reads the body, of so many octets at most.
 * @returns Undefined where there is none. Refused with `k8s-body`: it is none of these, or too long. Fails as `whole` does.
 */
export async function objectBody(
  request: CanonicalRequest,
  whole: Whole,
): Promise<ObjectBody | undefined | KubernetesRefusal> {
  if (request.body === 'none') return undefined;
  const forms = TYPES[request.contentType];
  if (forms === undefined) return refused('k8s-body', 'the body is neither JSON nor YAML nor protobuf');
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
  return inJson(request, octets, forms);
}

function inJson(
  request: CanonicalRequest,
  octets: Uint8Array,
  [otherwise]: readonly ((octets: Uint8Array) => Json)[],
): ObjectBody | KubernetesRefusal {
  const refusal = readJson(octets, () => undefined);
  if (refusal === undefined) {
    const text = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString();
    return { text, value: JSON.parse(text) as Json };
  }
  if (otherwise === undefined) return refused('k8s-body', refusal.reason);
  try {
    return translated(request, JSON.stringify(otherwise(octets)));
  } catch (error) {
    if (error instanceof Unreadable) return refused('k8s-body', error.message);
    throw error;
  }
}

/** What is decided on is what is sent. */
function translated(request: CanonicalRequest, text: string): ObjectBody | KubernetesRefusal {
  const body = Buffer.from(text);
  if (body.length > MAX_OBJECT) return refused('k8s-body', `the body is longer than ${MAX_OBJECT} octets`);
  const refusal = readJson(body, () => undefined);
  if (refusal !== undefined) return refused('k8s-body', refusal.reason);
  const type = request.contentType === APPLY ? APPLY : 'application/json';
  const headers = request.headers.map(
    (field): Field => (field[0] === 'content-type' ? ['content-type', type] : field),
  );
  const sent = { ...request, headers, contentType: type, body: { length: body.length } };
  return { text, value: JSON.parse(text) as Json, sends: { request: sent, body } };
}

/** JSON is sent under this name too. */
const APPLY = 'application/apply-patch+yaml';
