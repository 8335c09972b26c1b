import { parseFieldPath } from '../../../masking/json/field-path.ts';
import { FieldState } from '../../../masking/json/field-states.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { isRefused } from '../../http/request/refusals.ts';
import type { AnswerMasks } from '../../http/shown/masks.ts';
import { mediaType } from '../../http/shown/media-type.ts';
import { type AnswerHead, type BodyPlan, planBody } from '../../http/shown/plan.ts';
import { type ObjectAddress, readAddress } from '../request/address.ts';
import { verbOf } from '../request/verb.ts';

/** Forms of the same objects that nobody can mask: servers have all of them in JSON too. */
const OBJECTS: ReadonlySet<string> = new Set([
  'application/vnd.kubernetes.protobuf',
  'application/cbor',
  'application/cbor-seq',
  'application/yaml',
  'application/*',
  '*/*',
]);
/** Answered by no object: servers that are asked for one there do not take it up. */
const CARRIED: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy']);
const JSON_TYPE = 'application/json';
/** By which a client asks for a table, or for what all objects have. */
const VIEWS = ['as', 'v', 'g'];
/** Groups whose kinds the server brings itself: others may end in `.k8s.io` too. */
const OF_SERVER = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'policy',
  ...['admissionregistration', 'apiextensions', 'apiregistration', 'authentication', 'authorization'].map(
    k8s,
  ),
  ...['certificates', 'coordination', 'discovery', 'events', 'flowcontrol.apiserver', 'networking'].map(k8s),
  ...['node', 'rbac.authorization', 'resource', 'scheduling', 'storage'].map(k8s),
]);

function k8s(group: string): string {
  return `${group}.k8s.io`;
}

/**
 * A request whose answer is masked: it asks for JSON wherever it would have another form of objects.
 *
 * Columns of a table are written by whoever wrote the kind, and may show any value: tables are asked for of the server's own kinds
 * alone, where nothing is masked that they show, and clients make their own of all others.
 *
 * Pure.
 */
export function readable(request: CanonicalRequest, masks: Pick<AnswerMasks, 'elsewhere'>): CanonicalRequest {
  const address = readAddress(request.segments, false);
  if (isRefused(address) || !('kind' in address) || CARRIED.has(address.subresource)) return request;
  const tables = isOfServer(address) && !masks.elsewhere;
  const headers = request.headers.filter(([name]) => name !== 'accept');
  const asked = request.headers
    .filter(([name]) => name === 'accept')
    .flatMap(([, value]) => value.split(','));
  const accepted = new Set(asked.flatMap((one) => inJson(one, tables) ?? []));
  if (accepted.size === 0) accepted.add(JSON_TYPE);
  return { ...request, headers: [...headers, ['accept', [...accepted].join(', ')]] };
}

/** The kind is the server's own, and written by nobody else. Pure. */
export function isOfServer({ group }: Pick<ObjectAddress, 'group'>): boolean {
  return OF_SERVER.has(group);
}

/** Undefined: it is left out. */
function inJson(asked: string, tables: boolean): string | undefined {
  const type = mediaType(asked);
  if (type === undefined) return undefined;
  const { essence, parameters } = type;
  if (essence !== JSON_TYPE && !OBJECTS.has(essence))
    return essence.startsWith('text/') ? essence : undefined;
  if (parameters.get('as') === 'Table' && !tables) return undefined;
  const views = VIEWS.flatMap((name) => (parameters.has(name) ? [`;${name}=${parameters.get(name)}`] : []));
  return JSON_TYPE + views.join('');
}

/** Answers in which the server says what is wrong, and shows the values that are. */
const SHOWS_VALUES: ReadonlySet<number> = new Set([400, 422, 500]);
const MESSAGES = ['$.message', '$.details.causes.message'].map((text) => ({
  path: parseFieldPath(text)!,
  kind: 'redact' as const,
}));

/** How an answer is shown: a watch is one event after another, and what is wrong with an object may be a value of it. Pure. */
export function planAnswer(
  request: CanonicalRequest,
  head: AnswerHead,
  masks: AnswerMasks,
  scrubs: boolean,
): BodyPlan {
  const address = readAddress(request.segments, false);
  if (isRefused(address) || !('kind' in address)) return planBody(head, masks, scrubs);
  const { method } = request;
  if (masks.fields !== undefined && method !== 'GET' && SHOWS_VALUES.has(head.status))
    return planBody(head, { ...masks, fields: FieldState.start(MESSAGES) }, scrubs);
  const watches = verbOf(request, address) === 'k8s.watch';
  const isJson = mediaType(head.contentType ?? '')?.essence === JSON_TYPE;
  return planBody(watches && isJson ? { ...head, contentType: EVENTS } : head, masks, scrubs);
}

/** One JSON value per line, as servers write events. */
const EVENTS = 'application/x-ndjson';
