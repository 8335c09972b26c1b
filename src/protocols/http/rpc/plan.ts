import { JsonMasker } from '../../../masking/json/json-masker.ts';
import { Octets, withinBound } from '../../../masking/pieces/octets.ts';
import type { PieceMasker } from '../../../masking/pieces/piece-masker.ts';
import { Utf8Check } from '../../../masking/pieces/utf8.ts';
import { readCodings } from '../shown/codings.ts';
import { EmptyMasker } from '../shown/empty-masker.ts';
import { EventMasker } from '../shown/events/event-masker.ts';
import type { AnswerMasks } from '../shown/masks.ts';
import { isUnicode, mediaType } from '../shown/media-type.ts';
import { type AnswerHead, type BodyPlan, planBody } from '../shown/plan.ts';
import { answerRefused } from '../shown/refusals.ts';
import { shownMessage } from './shown-message.ts';
import type { RpcSight } from './sight.ts';

/** One answer, or one event, octets: it is held whole, since what it is stands anywhere in it. */
const MAX_ANSWER = 8 * 1024 * 1024;

/**
 * How a body is shown on a route of JSON-RPC: messages one by one, alone or in events, and then as any other body. An error
 * that is no message is shown as elsewhere, where nothing of results is masked.
 *
 * @param masks Of the route, beside what is masked of results.
 */
export function planRpc(head: AnswerHead, masks: AnswerMasks, scrubs: boolean, sight: RpcSight): BodyPlan {
  const { status, contentType, contentEncoding, contentRange } = head;
  if (contentType === undefined)
    return { kind: 'mask', codings: [], flows: true, make: () => new EmptyMasker() };
  const codings = readCodings(contentEncoding);
  if (codings === undefined)
    return refuse('answer-coding', 'the body is in a content coding that is not undone');
  if (status === 206 || contentRange !== undefined)
    return refuse('answer-partial', 'messages are decided on there, and this is a part of a body');
  const type = mediaType(contentType);
  const essence = type !== undefined && isUnicode(type) ? type.essence : '';
  const { fields, detects } = masks;
  if (essence === 'application/json')
    return { kind: 'mask', codings, flows: false, make: () => new AnswerMasker(masks, sight, status >= 400) };
  if (essence === 'text/event-stream') {
    const data = (text: string) => (text.trim() === '' ? text : shownMessage(text, sight));
    const make = () => new EventMasker(fields, detects, { data, mostOctets: MAX_ANSWER });
    return { kind: 'mask', codings, flows: true, make };
  }
  if (status >= 400 && sight.masked([]) === undefined) return planBody(head, masks, scrubs);
  return refuse('answer-type', 'the answer is neither JSON nor events, and messages are decided on there');
}

function refuse(rule: Parameters<typeof answerRefused>[0], reason: string): BodyPlan {
  return { kind: 'refuse', refusal: answerRefused(rule, reason) };
}

/** An answer in one piece. */
class AnswerMasker implements PieceMasker {
  readonly #masks: AnswerMasks;
  readonly #sight: RpcSight;
  readonly #isError: boolean;
  readonly #utf8 = new Utf8Check();
  readonly #held = new Octets();
  maskedValues = 0;

  constructor(masks: AnswerMasks, sight: RpcSight, isError: boolean) {
    this.#masks = masks;
    this.#sight = sight;
    this.#isError = isError;
  }

  push(chunk: Uint8Array): undefined {
    this.#utf8.push(chunk);
    withinBound(this.#held.length + chunk.length, MAX_ANSWER, 'an answer of JSON-RPC');
    this.#held.add(chunk);
  }

  end(): Uint8Array | undefined {
    this.#utf8.end();
    if (this.#held.length === 0) return undefined;
    const octets = this.#held.take();
    const text = octets.toString();
    const isMessage = !this.#isError || /"jsonrpc"/.test(text);
    const shown = isMessage ? shownMessage(text, this.#sight) : this.#masked(text);
    if (shown === undefined) return undefined;
    const masker = new JsonMasker(this.#masks.fields, this.#masks.detects);
    const parts = [masker.push(shown === text ? octets : Buffer.from(shown)), masker.end()];
    this.maskedValues += masker.maskedValues;
    return Buffer.concat(parts.flatMap((part) => part ?? []));
  }

  /** An error in the server's own words. */
  #masked(text: string): string {
    const masker = new JsonMasker(this.#sight.masked([]), undefined);
    const parts = [masker.push(Buffer.from(text)), masker.end()];
    this.maskedValues += masker.maskedValues;
    return Buffer.concat(parts.flatMap((part) => part ?? [])).toString();
  }
}
