import { isHoopError } from '../../../core/errors.ts';
import { visible } from '../../../core/visible.ts';
import type { FieldState } from '../../../masking/json/field-states.ts';
import { STARS } from '../../../masking/mask.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { isRefused } from '../../http/request/refusals.ts';
import type { AnswerMasks } from '../../http/shown/masks.ts';
import { readAddress } from '../request/address.ts';
import { type KubernetesRefusal, refused } from '../request/refusals.ts';
import { isOfServer } from './answers.ts';

/** As much as servers take in a body, octets. */
const MOST = 3 * 1024 * 1024;
const WRITES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const JSON_PATCH = 'application/json-patch+json';
/** Operations that read a value: they compare it, or put it where it may be shown. */
const READS: ReadonlySet<unknown> = new Set(['test', 'copy', 'move']);
const STAR = STARS[0]!;
const BASE64 = Buffer.from(STARS).toString('base64');
/** Nothing of base64 stands beside it. */
const ALONE = new RegExp(`(?<![A-Za-z0-9+/])${BASE64}(?![A-Za-z0-9+/=])`);

/**
 * Refuses what would write a mask in place of what it stands for, and what would tell something of a masked value in another way than
 * by an answer.
 *
 * Masks are looked for in the octets: they are the same in JSON, YAML, protobuf and CBOR. Nobody is kept from writing them who wants to.
 *
 * @param masks What is masked in the answer.
 * @param whole As of `ApiMeaning.read`.
 * @returns Undefined: nothing is wrong with it.
 */
export async function unwritable(
  request: CanonicalRequest,
  masks: AnswerMasks,
  whole: (mostOctets: number) => Promise<Uint8Array>,
): Promise<KubernetesRefusal | undefined> {
  const address = readAddress(request.segments, false);
  if (!masks.any || isRefused(address) || !('kind' in address)) return undefined;
  if (masks.fields !== undefined && selectsValues(request, masks.fields, isOfServer(address)))
    return refused(
      'k8s-masked-asked',
      'values are masked in this kind, and fields of it are selected by their values',
    );
  if (!WRITES.has(request.method) || request.body === 'none' || address.proxied !== undefined)
    return undefined;
  const body = await whole(MOST).catch(tooLong);
  if ('rule' in body) return body;
  if (holdsMask(body))
    return refused('k8s-masked-written', `what would be written holds the mask of a value${placeOf(body)}`);
  const reads = masks.fields !== undefined && request.contentType === JSON_PATCH && readsValues(body);
  return reads
    ? refused('k8s-masked-asked', 'values are masked in this kind, and the patch compares or moves values')
    : undefined;
}

/** What others select by may be any member of the kind, under any name. */
function selectsValues(request: CanonicalRequest, fields: FieldState, ofServer: boolean): boolean {
  const selected = (wanted: string) =>
    request.parameters.flatMap(([name, value]) => (name === wanted ? [value] : []));
  const members = selected('fieldSelector')
    .flatMap((all) => all.split(','))
    .filter((one) => one !== '');
  // Whatever a selector of labels names may be one: those of them that are values are no names of what is masked.
  const labels = selected('labelSelector').flatMap((all) => all.match(/[A-Za-z0-9._/-]+/g) ?? []);
  return (
    (!ofServer && members.some((one) => !/^metadata\.(?:name|namespace)(?:=|!=)/.test(one))) ||
    members.some((one) => fields.hides(one.split(/[!=]/)[0]!.split('.'))) ||
    labels.some((name) => fields.hides(['metadata', 'labels', name]))
  );
}

/** Stars of which there are as many as in a mask, no more; or base64 of them. Linear. */
function holdsMask(body: Uint8Array): boolean {
  const octets = Buffer.from(body.buffer, body.byteOffset, body.length);
  for (let at = octets.indexOf(STARS); at !== -1; at = octets.indexOf(STARS, at)) {
    const start = at;
    while (octets[at] === STAR) at++;
    if (at - start === STARS.length) return true;
  }
  return octets.includes(BASE64) && ALONE.test(octets.toString('latin1'));
}

/** Longest path that is told, characters. */
const PATH_CHARS = 160;

/** ` at spec.replicas`: where the first mask stands. Empty where the body is no JSON, or the path is too long to help. */
function placeOf(body: Uint8Array): string {
  try {
    const path = pathTo(JSON.parse(Buffer.from(body).toString()) as unknown) ?? '';
    return path === '' || path.length > PATH_CHARS ? '' : ` at ${visible(path)}`;
  } catch {
    return '';
  }
}

/** @returns Undefined: there is none in it. */
function pathTo(value: unknown): string | undefined {
  if (typeof value === 'string') return holdsMask(Buffer.from(value)) ? '' : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, part] of Object.entries(value)) {
    const rest = pathTo(part);
    if (rest === undefined) continue;
    const step = Array.isArray(value) ? `[${name}]` : PLAIN.test(name) ? name : `[${JSON.stringify(name)}]`;
    return `${step}${rest === '' || rest.startsWith('[') ? '' : '.'}${rest}`;
  }
  return undefined;
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** What is no patch that can be read may be one for the server. */
function readsValues(body: Uint8Array): boolean {
  try {
    const patch: unknown = JSON.parse(Buffer.from(body).toString());
    return !Array.isArray(patch) || patch.some((one: { readonly op?: unknown } | null) => READS.has(one?.op));
  } catch {
    return true;
  }
}

function tooLong(error: unknown): KubernetesRefusal {
  if (isHoopError(error) && error.code === 'ERR_TOO_LARGE')
    return refused(
      'k8s-masked-written',
      `values are masked there, and the body is longer than ${MOST} octets`,
    );
  throw error;
}
