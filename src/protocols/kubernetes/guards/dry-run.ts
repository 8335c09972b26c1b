import type { Asks, Tried } from '../../http/relay/meaning.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { type KubernetesRefusal, refused } from '../request/refusals.ts';
import { type Json, membersOf, parsedToWrite, textAt } from './json.ts';
import type { ObjectBody } from './object-body.ts';
import { answeredBy, readByUs, wholeOf } from './own-answer.ts';

/**
 * Asks the cluster what a patch would make of its object: by a dry run, of which nothing is kept.
 *
 * The request that is then sent names the version of the object that was patched, so that it makes nothing else: where the
 * object has changed meanwhile, the cluster answers 409. An object that an apply would make has no version yet.
 *
 * @param factsOf What rules may ask of the object that it would make.
 * @returns Refused: the patch has a form that none has. Fails as `ask` does.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
 */
export async function tried(
  request: CanonicalRequest,
  body: ObjectBody,
  ask: Asks,
  factsOf: (made: Json) => Extract<Tried, { facts: unknown }>['facts'],
): Promise<Tried | KubernetesRefusal> {
  const answer = await ask(dryRunOf(request), Buffer.from(body.text));
  const octets = await wholeOf(answer);
  if (answer.status >= 300) return { answer: answeredBy(answer, octets) };
  const made = JSON.parse(octets.toString()) as Json;
  const facts = factsOf(made);
  const version = textAt(membersOf(membersOf(made)['metadata']), 'resourceVersion');
  if (version === '') return { facts, sends: { request, body: Buffer.from(body.text) } };
  const pinned = pinnedTo(version, request.contentType, parsedToWrite(body.text));
  if (pinned === undefined) return refused('k8s-body', 'the patch is none of an object');
  const octetsSent = Buffer.from(JSON.stringify(pinned));
  return {
    facts,
    sends: { request: { ...request, body: { length: octetsSent.length } }, body: octetsSent },
  };
}

function dryRunOf(request: CanonicalRequest): CanonicalRequest {
  const { query, parameters } = request;
  const dry = parameters.some(([name]) => name === 'dryRun');
  return {
    ...readByUs(request),
    query: dry ? query : `${query === '' ? '?' : `${query}&`}dryRun=All`,
  };
}

function pinnedTo(version: string, contentType: string, patch: Json): Json | undefined {
  if (contentType === 'application/json-patch+json') {
    const test = { op: 'test', path: '/metadata/resourceVersion', value: version };
    return Array.isArray(patch) ? [test, ...(patch as Json[])] : undefined;
  }
  if (Array.isArray(patch)) return undefined;
  const members = membersOf(patch);
  const { metadata = {} } = members as { readonly metadata?: Json };
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined;
  return { ...members, metadata: { ...metadata, resourceVersion: version } };
}
