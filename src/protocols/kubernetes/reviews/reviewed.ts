import type { Later } from '../../../core/later.ts';
import { denialOf } from '../../../enforcement/denial.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import type { ApiMeaning, Asks, Tried, Understood, Weighs } from '../../http/relay/meaning.ts';
import type { CanonicalRequest } from '../../http/request/canonical.ts';
import { isRefused } from '../../http/request/refusals.ts';
import { type Json, membersOf, textAt } from '../guards/json.ts';
import { objectBody } from '../guards/object-body.ts';
import { answeredBy, answeredJson, readByUs, wholeOf } from '../guards/own-answer.ts';
import type { ObjectAddress } from '../request/address.ts';
import type { KubernetesRefusal } from '../request/refusals.ts';
import { type AskedAbout, aboutObject, aboutPath, kindOfOthers } from './questions.ts';
import { permittedOf } from './rules.ts';
import { scopeOf } from './scope.ts';

/** A question whether something may be done. */
export interface Reviewed extends Pick<Understood, 'tries' | 'becomes'> {
  /** For people: `whether delete pods in shop`. */
  readonly about: string;
}

const ACCESS = 'selfsubjectaccessreviews';
const RULES = 'selfsubjectrulesreviews';
/** Which of these a request asks for; undefined: none of them. Nothing is done by them. Pure. */
export function reviewIn({ method }: CanonicalRequest, address: ObjectAddress): string | undefined {
  const { group, kind, name, subresource } = address;
  if (method !== 'POST' || name !== '' || subresource !== '') return undefined;
  if (group === 'authentication.k8s.io' && kind === 'selfsubjectreviews') return kind;
  return group === 'authorization.k8s.io' && (kind === ACCESS || kind === RULES) ? kind : undefined;
}

/**
 * Reads a question of what somebody may do, which policy and the cluster answer together: yes where both say so. The cluster is asked with
 * the gateway's credential; of policy nothing is on record but that it was asked.
 *
 * @returns Undefined: the cluster alone answers it, as who asks it.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
 */
export async function reviewed(
  request: CanonicalRequest,
  review: string,
  whole: Parameters<ApiMeaning['read']>[1],
): Promise<Reviewed | KubernetesRefusal | undefined> {
  if (review !== ACCESS && review !== RULES) return undefined;
  const body = await objectBody(request, whole);
  if (body === undefined || isRefused(body)) return body;
  const spec = membersOf(membersOf(body.value)['spec']);
  const asked = body.sends?.request ?? request;
  const octets = Buffer.from(body.text);
  const answered =
    (combined: (answer: Json, weighs: Weighs, ask: Asks) => Later<Json>) =>
    async (ask: Asks, weighs: Weighs): Promise<Tried | Refusal> => {
      const answer = await ask(readByUs(asked), octets);
      const read = await wholeOf(answer);
      if (answer.status >= 300) return { answer: answeredBy(answer, read) };
      const said = await combined(JSON.parse(read.toString()) as Json, weighs, ask);
      return { answer: answeredJson(said, answer.status) };
    };
  if (review === RULES) {
    const namespace = textAt(spec, 'namespace');
    return {
      about: `what may be done in ${namespace}`,
      becomes: body.sends,
      tries: answered((answer, weighs) => permittedOf(answer, namespace, weighs)),
    };
  }
  const path = spec['nonResourceAttributes'];
  const object = spec['resourceAttributes'];
  const about = path === undefined ? aboutObject(object) : aboutPath(path);
  const others = path === undefined ? kindOfOthers(object) : undefined;
  return {
    about: `whether ${about.text}`,
    becomes: body.sends,
    tries: answered(async (answer, weighs, ask) => {
      if (others === undefined) return accessOf(answer, about, weighs);
      return accessOf(answer, aboutObject(object, await scopeOf(others, asked, ask)), weighs);
    }),
  };
}

/** Why policy says no, or what it asks for; undefined: it says yes. */
function saidBy(
  about: AskedAbout,
  weighs: Weighs,
): { readonly holds: boolean; readonly why: string } | undefined {
  if ('unknown' in about) return { holds: false, why: about.unknown };
  const judgement = weighs(about.of);
  if (judgement.decision.effect === 'allow') return undefined;
  const { message, hint } = denialOf(judgement);
  if (judgement.decision.effect === 'hold') return { holds: true, why: hint };
  // What its author says to do in its place; what the gateway would say by itself is said of what is really asked for.
  const instead = judgement.decision.rules[0]?.hint;
  return { holds: false, why: instead === undefined ? message : `${message} (${instead})` };
}

function accessOf(answer: Json, about: AskedAbout, weighs: Weighs): Json {
  const members = membersOf(answer);
  const { status, ...rest } = members;
  const said = saidBy(about, weighs);
  const { allowed, reason, evaluationError, denied } = membersOf(status);
  const ours = said === undefined ? [] : [`the gateway: ${said.why}`];
  const theirs = allowed === true ? [] : [`the cluster: ${reason || 'nothing permits it'}`];
  const refused = said !== undefined && !said.holds;
  return {
    ...rest,
    status: {
      allowed: allowed === true && !refused,
      ...(denied === true || refused ? { denied: true } : {}),
      ...(ours.length + theirs.length > 0 ? { reason: [...ours, ...theirs].join('; ') } : {}),
      ...(evaluationError === undefined ? {} : { evaluationError }),
    },
  };
}
