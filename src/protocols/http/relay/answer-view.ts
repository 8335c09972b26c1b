import type { Readable } from 'node:stream';
import { HoopError } from '../../../core/errors.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import { valuesOf } from '../../../wire/http/http1/head.ts';
import type { HttpRefusal } from '../refusals.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import type { TargetPlace } from '../request/response/own-reference.ts';
import { type ShownHead, shownHead, shownTrailers, WITHHELD } from '../request/response/response-head.ts';
import { decoded } from '../shown/codings.ts';
import { type ShownFields, shownFields } from '../shown/fields.ts';
import type { AnswerMasks } from '../shown/masks.ts';
import { type AnswerHead, type BodyPlan, planBody } from '../shown/plan.ts';
import { type SecretForms, SecretScrubber } from '../shown/secrets.ts';
import type { TargetAnswer } from '../target/http-target.ts';

/** How answers are shown to the principal, on one route. */
export interface Sight {
  readonly masks: AnswerMasks;
  /** What the target was shown, which it may say back. */
  readonly secrets: SecretForms;
  readonly place: TargetPlace;
}

/** What is shown of one answer: all parts of it by the same masks. */
export interface AnswerView {
  readonly head: ShownFields;
  /** The head is not given before something of the body can be: where that cannot be read, the client is told so instead. */
  readonly waits: boolean;
  /** Without its codings; undefined where there is none. */
  readonly body: (() => Readable) | undefined;
  /** All of the body, where it can be had without waiting: then `body` is not asked for. */
  readonly atHand: () => Uint8Array | undefined;
  readonly masker: PieceMasker;
  /** Once the body has ended. */
  trailers(): ShownFields;
}

/**
 * How an answer is shown, by its head.
 *
 * @param planned How bodies are shown on its route.
 * @returns The refusal where nothing of it can be shown.
 * @throws {HoopError} `ERR_TARGET_LOST` the head is malformed.
 */
export function answerView(
  { method }: CanonicalRequest,
  answer: TargetAnswer,
  sight: Sight,
  planned: typeof planBody = planBody,
): AnswerView | HttpRefusal {
  const { masks, secrets, place } = sight;
  const plan = planned(headOf(method, answer), masks, secrets.any);
  if (plan.kind === 'refuse') return plan.refusal;
  const masked = plan.kind === 'mask';
  const head = shownHead(answer.rawHeaders, place, masked);
  if (head === undefined || answer.status < 200 || answer.status > 599)
    throw new HoopError('ERR_TARGET_LOST', "the target's answer is malformed");
  const fields =
    masked && masks.any ? [...head.headers.filter(([name]) => name !== NOSNIFF[0]), NOSNIFF] : head.headers;
  const none = method === 'HEAD' || answer.status === 204 || answer.status === 304 || answer.ended === true;
  return {
    head: inSight([...fields, ...withheldField(head)], sight),
    waits: masked && !plan.flows,
    body: none ? undefined : () => (masked ? decoded(answer.body, plan.codings) : answer.body),
    atHand: () => (masked && plan.codings.length > 0 ? undefined : answer.atHand()),
    masker: maskerOf(plan, secrets),
    trailers: () => inSight(shownTrailers(answer.trailers(), masked) ?? [], sight),
  };
}

/** A body that was rewritten as what it says that it is must not be taken for anything else. */
const NOSNIFF: Field = ['x-content-type-options', 'nosniff'];

/** A redirect without its `Location` would be a riddle to who follows it. */
function withheldField({ withheld }: ShownHead): readonly Field[] {
  return withheld.length === 0 ? [] : [[WITHHELD, [...new Set(withheld)].join(', ')]];
}

/** What is shown of fields that come before the answer: of `103 Early Hints`. */
export function earlyView(rawHeaders: readonly string[], sight: Sight): ShownFields | undefined {
  const head = shownHead(rawHeaders, sight.place, true);
  return head && inSight(head.headers, sight);
}

function inSight(fields: readonly Field[], { masks, secrets }: Sight): ShownFields {
  const shown = shownFields(fields, masks);
  if (!secrets.any) return shown;
  return {
    ...shown,
    fields: shown.fields.map(([name, value]): Field => [name, secrets.scrubbedText(value)]),
  };
}

function maskerOf(plan: Exclude<BodyPlan, { kind: 'refuse' }>, secrets: SecretForms): PieceMasker {
  const masker = plan.kind === 'mask' ? plan.make() : UNTOUCHED;
  return secrets.any ? new SecretScrubber(secrets, masker) : masker;
}

const UNTOUCHED: PieceMasker = { maskedValues: 0, push: (chunk) => chunk, end: () => undefined };

function headOf(method: string, { status, rawHeaders, ended }: TargetAnswer): AnswerHead {
  const joined = (name: string) => {
    const values = valuesOf(rawHeaders, name);
    return values.length === 0 ? undefined : values.join(', ');
  };
  return {
    method,
    status,
    contentType: valuesOf(rawHeaders, 'content-type')[0],
    contentEncoding: joined('content-encoding'),
    contentRange: joined('content-range'),
    contentLength: joined('content-length'),
    ended,
  };
}
