import type { PolicyValue } from '../../../policy/model.ts';
import type { ApiMeaning, Understood } from '../../http/relay/meaning.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { isRefused } from '../../http/request/refusals.ts';
import { isName, type ObjectAddress, type OtherAddress } from '../request/address.ts';
import { type KubernetesRefusal, refused } from '../request/refusals.ts';
import { tried } from './dry-run.ts';
import { type Json, listOf, membersOf, textAt } from './json.ts';
import { type ObjectBody, objectBody } from './object-body.ts';
import { holdsPod, podFacts } from './pod-facts.ts';

interface Asked {
  readonly request: CanonicalRequest;
  readonly action: string;
  readonly address: ObjectAddress | OtherAddress;
}

/** What a request would write, as far as rules may ask of it. */
export interface Written extends Pick<Understood, 'tries' | 'becomes'> {
  /** With the name that the body gives. */
  readonly address: ObjectAddress;
  /** Members of the context, as far as they stand in the request. */
  readonly facts: Readonly<Record<string, PolicyValue>>;
}

type Result = Promise<Written | KubernetesRefusal>;

/**
 * Reads what a request would write: what is created, and of what is or makes pods, what an update would make of it; what a patch would
 * make is known by trying it.
 *
 * @returns Undefined where nothing in its body is asked for. Refused with `k8s-body`. Fails as `whole` does.
 */
export function writtenBy(
  { request, action, address }: Asked,
  whole: Parameters<ApiMeaning['read']>[1],
): Result | undefined {
  if (!('kind' in address) || request.body === 'none') return undefined;
  const body = () => objectBody(request, whole);
  const { subresource } = address;
  if (action === 'k8s.delete' || action === 'k8s.deletecollection') return deleted(address, body());
  if (action === 'k8s.create' && subresource === '') return created(address, body());
  const ofPod = holdsPod(address) && (subresource === '' || subresource === 'ephemeralcontainers');
  if (!ofPod) return undefined;
  if (request.method === 'PUT') return updated(address, body());
  return request.method === 'PATCH' ? patched(request, address, body()) : undefined;
}

type Body = ReturnType<typeof objectBody>;

/** What stands in the body is done, whatever the query says. */
async function deleted(address: ObjectAddress, reading: Body): Result {
  const body = await reading;
  if (body === undefined) return { address, facts: {} };
  if (isRefused(body)) return body;
  const { dryRun } = membersOf(body.value);
  return { address, facts: { dryRun: listOf(dryRun).includes('All') }, becomes: body.sends };
}

async function created(address: ObjectAddress, reading: Body): Result {
  const body = await reading;
  if (body === undefined) return { address, facts: {} };
  if (isRefused(body)) return body;
  const metadata = membersOf(membersOf(body.value)['metadata']);
  const [name, namespace] = [textAt(metadata, 'name'), textAt(metadata, 'namespace')];
  if (namespace !== '' && namespace !== address.namespace)
    return refused('k8s-body', 'the body names another namespace than the path');
  if (name !== '' && !isName(name)) return refused('k8s-body', 'the body gives a name that no object has');
  const { group, kind } = address;
  // A namespace lies in itself.
  const within = group === '' && kind === 'namespaces' ? { namespace: name } : {};
  const generateName = name === '' ? textAt(metadata, 'generateName') : '';
  return {
    address: { ...address, ...within, name },
    facts: { generateName, ...factsOf(address, body.value) },
    becomes: body.sends,
  };
}

async function updated(address: ObjectAddress, reading: Body): Result {
  const body = await reading;
  if (body === undefined) return { address, facts: {} };
  return isRefused(body) ? body : { address, facts: factsOf(address, body.value), becomes: body.sends };
}

async function patched(request: CanonicalRequest, address: ObjectAddress, reading: Body): Result {
  const body: ObjectBody | KubernetesRefusal | undefined = await reading;
  if (body === undefined) return { address, facts: {} };
  if (isRefused(body)) return body;
  const { request: asked } = body.sends ?? { request };
  return {
    address,
    facts: {},
    becomes: body.sends,
    tries: (ask) => tried(asked, body, ask, (made) => factsOf(address, made)),
  };
}

function factsOf(address: ObjectAddress, object: Json): Readonly<Record<string, PolicyValue>> {
  const labels = Object.entries(membersOf(membersOf(membersOf(object)['metadata'])['labels']));
  const pod = podFacts(address, object);
  return {
    labels: labels.map(([name, value]) => `${name}=${typeof value === 'string' ? value : ''}`),
    ...(pod && { pod }),
  };
}
