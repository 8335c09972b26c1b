import type { Later } from '../../../core/later.ts';
import type { Judgement } from '../../../enforcement/judge.ts';
import type { Refusal } from '../../../enforcement/operation.ts';
import type { FieldPath } from '../../../masking/json/field-path.ts';
import type { PolicyObject, PolicyValue } from '../../../policy/model.ts';
import type { CleanText } from '../../stream/for-people.ts';
import type { Question } from '../../stream/guard.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { AnswerMasks } from '../shown/masks.ts';
import type { BodyPlan, planBody } from '../shown/plan.ts';
import type { TargetAnswer } from '../target/http-target.ts';

export type AskedQuestion = Omit<Question, 'approvable'>;

/** What requests of one kind of API mean, for policy and for people. */
export interface ApiMeaning {
  /** Members that rules look at in messages that are sent on the route of this request, behind an upgrade. */
  pathsOf(request: CanonicalRequest): readonly FieldPath[];
  /**
   * Reads a request; at once where its body is not looked at.
   *
   * @param whole Reads the body, of so many octets at most; fails with `ERR_TOO_LARGE` where it is longer.
   * @returns Refused: it means nothing that can be decided. Fails as `whole` does.
   */
  read(
    request: CanonicalRequest,
    whole: (mostOctets: number) => Promise<Uint8Array>,
  ): Later<Understood | Refusal>;
  /** Where its answers have forms of their own; undefined: they are what their types say. */
  readonly answers?: AnswerForms;
}

/** How answers of one kind of API are asked for and read, where they are masked. */
interface AnswerForms {
  /**
   * Why a request is not sent, where something is masked in its answer: it would undo that. Undefined: nothing is wrong with it.
   *
   * @param whole As of `ApiMeaning.read`. Fails as that does.
   */
  refusal(
    request: CanonicalRequest,
    masks: AnswerMasks,
    whole: (mostOctets: number) => Promise<Uint8Array>,
  ): Promise<Refusal | undefined>;
  /** The request as the target has it: it asks for what can be masked. Pure. */
  readable(request: CanonicalRequest, masks: AnswerMasks): CanonicalRequest;
  /** As `planBody`. Pure. */
  plan(request: CanonicalRequest, ...answer: Parameters<typeof planBody>): BodyPlan;
}

/**
 * Asks the target with the gateway's own credential, for what changes nothing there. Whoever asks reads the body of the answer, or
 * destroys it. Fails as `HttpTarget.request` does.
 *
 * @param body Not sent where the request has none.
 */
export type Asks = (request: CanonicalRequest, body: Buffer) => Promise<TargetAnswer>;

/** What policy, as it is now, says of what would be asked; nothing of it is on record. Never throws. */
export type Weighs = (asked: (resource: PolicyObject, clean: CleanText) => Weighed) => Judgement;

/** What is not asked for, only about. */
export type Weighed = Pick<Question, 'pairs' | 'context'>;

/** What is sent in the place of a request. */
export interface Sent {
  readonly request: CanonicalRequest;
  readonly body: Buffer;
}

/** What trying a request has told. */
export type Tried =
  /** More for rules to ask, and what is sent: the same, bound to what was tried. */
  | { readonly facts: Readonly<Record<string, PolicyValue>>; readonly sends: Sent }
  /** The target does not do it, and says why. */
  | { readonly answer: TargetAnswer };

/** A request that was read. */
export interface Understood {
  /** The same for requests that ask the same; undefined: it is like no other. */
  readonly alike: string | undefined;
  /** What a yes of people covers, where the same can be asked for in several forms; undefined: the request as it is. */
  readonly meant?: string | undefined;
  /**
   * What it would do is known by trying it. That is done once it is allowed and on record; then policy is asked about what it would do.
   *
   * @returns Refused: it means nothing that can be decided. Fails as `ask` does.
   */
  readonly tries?: ((ask: Asks, weighs: Weighs) => Promise<Tried | Refusal>) | undefined;
  /** The same in the form in which it was read, where that is another one: the request from here on. */
  readonly becomes?: Sent | undefined;
  /** Pure. */
  question(resource: PolicyObject, clean: CleanText): AskedQuestion;
}
