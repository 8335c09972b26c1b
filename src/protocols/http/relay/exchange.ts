import type { ExchangeSide } from '../../../api/contract.ts';
import { HoopError, isHoopError, toHoopError } from '../../../core/errors.ts';
import { notLocal } from '../../../wire/http/local-check.ts';
import type { Denied } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { HttpRefusal } from '../refusals.ts';
import { type CanonicalRequest, canonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import { isRefused } from '../request/refusals.ts';
import { shownHead, shownTrailers } from '../request/response/response-head.ts';
import type { TargetAnswer } from '../target/http-target.ts';
import { clientLeft, moveBody } from './answer-flow.ts';
import { approvableRequest, prefers } from './approvable.ts';
import { acceptedAnswer, denialAnswer, failureAnswer, notLocalAnswer, type OwnAnswer } from './problem.ts';
import { questionOf, refusedQuestion, textOf } from './question.ts';
import type { Incoming } from './reply.ts';
import { RequestBody } from './request-body.ts';
import type { ConnectionState } from './state.ts';

/** One request and what becomes of it: read → ask → send → show. */
export class Exchange {
  readonly #state: ConnectionState;
  readonly #incoming: Incoming;
  readonly #body: RequestBody;
  readonly #abort = new AbortController();
  #operation: OpenOperation | undefined;

  constructor(state: ConnectionState, incoming: Incoming) {
    this.#state = state;
    this.#incoming = incoming;
    this.#body = new RequestBody(incoming);
    incoming.reply.onClose((whole) => {
      if (!whole) this.#abort.abort(clientLeft());
    });
  }

  /** Resolves when nothing more is sent for it. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** The session is over: an answer that has not begun says why, any other is cut short. */
  end(reason: HoopError): void {
    this.#abort.abort(reason);
  }

  async #run(): Promise<void> {
    const { context, parts } = this.#state;
    const { head } = this.#incoming;
    const foreign = notLocal(head.rawHeaders, context.localProof?.value);
    if (foreign !== undefined)
      return this.#say(notLocalAnswer(foreign.status, foreign.reason, foreign.hint), undefined);
    const request = canonicalRequest(head, parts.rules);
    if (isRefused(request)) return this.#refuse(request);
    if (request.upgrade !== undefined) return this.#refuse(NOT_CARRIED);
    if (this.#state.masks()) return this.#refuse(NOT_MASKED);
    const facts = await parts.api.facts(request, (most) => this.#body.whole(most));
    if (isRefused(facts)) return this.#refuse(facts);
    const question = questionOf(context.session.resource, request, facts, this.#state.clean);
    const { reply } = this.#incoming;
    const approvable = approvableRequest(question, {
      request,
      body: this.#body,
      reply,
      signal: this.#abort.signal,
    });
    const answer = await context.guard.ask({ ...question, approvable });
    if (answer.effect === 'deny') return this.#deny(answer, prefers(request, 'respond-async'));
    this.#operation = answer;
    this.#abort.signal.throwIfAborted();
    this.#recordRequest(request, answer);
    const { status } = await this.#forward(request, answer);
    answer.close(status < 400 ? 'success' : 'failure', String(status));
  }

  async #refuse(refusal: HttpRefusal): Promise<void> {
    const question = refusedQuestion(this.#incoming.head, refusal, this.#state.clean);
    // A refusal is never allowed.
    return this.#deny((await this.#state.context.guard.ask(question)) as Denied, false);
  }

  #recordRequest(request: CanonicalRequest, operation: OpenOperation): void {
    const { guard } = this.#state.context;
    const clean = this.#state.clean;
    const fields = request.headers.map(([name, value]): Field => [name, clean(value)]);
    guard.head('request', { start: textOf(request, clean), fields }, operation);
  }

  async #forward(request: CanonicalRequest, operation: OpenOperation): Promise<TargetAnswer> {
    const { signal } = this.#abort;
    const record = new RecordedBody(this.#state, 'request', operation, HTTP_LIMITS.recordedRequestBytes);
    const body =
      request.body === 'none' ? undefined : await this.#body.forTarget((chunk) => record.add(chunk));
    const early = (status: number, raw: readonly string[]) => this.#early(status, raw, operation);
    const answer = await this.#state.parts.target.request(request, body, signal, early);
    try {
      await this.#show(request, answer, operation);
    } finally {
      record.close();
      answer.body.destroy();
    }
    return answer;
  }

  /** 1xx of the target's: what it says before its answer. */
  #early(status: number, raw: readonly string[], operation: OpenOperation): void {
    const { context, parts } = this.#state;
    const shown = status === 103 ? shownHead(raw, parts.place, true) : undefined;
    if (shown === undefined || this.#incoming.reply.begun) return;
    context.guard.head('response', { start: String(status), fields: shown.headers }, operation);
    this.#incoming.reply.inform(status, shown.headers);
  }

  async #show(request: CanonicalRequest, answer: TargetAnswer, operation: OpenOperation): Promise<void> {
    const { reply, bodyEnded } = this.#incoming;
    const { guard } = this.#state.context;
    const shown = shownHead(answer.rawHeaders, this.#state.parts.place, false);
    if (shown === undefined || answer.status < 200 || answer.status > 599)
      throw new HoopError('ERR_TARGET_LOST', "the target's answer is malformed");
    guard.head('response', { start: String(answer.status), fields: shown.headers }, operation);
    reply.head(answer.status, shown.headers, !bodyEnded());
    if (request.method === 'HEAD' || answer.status === 204 || answer.status === 304) {
      answer.body.resume();
      reply.end();
      return;
    }
    const record = new RecordedBody(this.#state, 'response', operation, HTTP_LIMITS.recordedAnswerBytes);
    await moveBody(answer.body, reply, guard, {
      push: (chunk) => chunk,
      end: () => undefined,
      given: (chunk) => {
        operation.bytes += chunk.length;
        record.add(chunk);
      },
    });
    record.close();
    const trailers = shownTrailers(answer.trailers(), false) ?? [];
    if (trailers.length > 0) guard.head('response', { start: 'trailers', fields: trailers }, operation);
    reply.end(trailers);
  }

  async #deny(denied: Denied, async: boolean): Promise<void> {
    const { denial, operation } = denied;
    const answer =
      async && denial.approval !== undefined
        ? acceptedAnswer(denial, denial.approval, operation)
        : denialAnswer(denial, operation);
    await this.#say(answer, denied);
  }

  async #fail(error: unknown): Promise<void> {
    const known = reasonIn(error, this.#abort.signal);
    const { reply } = this.#incoming;
    const operation = this.#operation;
    if (ENDS.has(known.code)) this.#state.over(known);
    if (reply.closed || reply.begun) {
      reply.cut();
      operation?.drop();
      return;
    }
    if (known.detail !== undefined)
      this.#state.context.log.warn('an exchange failed', { error: known.code, detail: known.detail });
    await this.#say(failureAnswer(known, operation?.id), operation);
    operation?.close('failure', String(known.httpStatus), known.message);
  }

  /** An answer of the gateway's own, on record where the operation is. */
  async #say(
    { status, fields, body }: OwnAnswer,
    of: { readonly number: number } | undefined,
  ): Promise<void> {
    const { reply, head, bodyEnded, expectsContinue } = this.#incoming;
    if (reply.closed || reply.begun) return;
    if (of !== undefined) {
      const { guard } = this.#state.context;
      guard.head('response', { start: String(status), fields }, of);
      if (head.method !== 'HEAD') guard.body('response', body, of);
    }
    const last = this.#state.ended || (!bodyEnded() && (expectsContinue || !isSmall(head.rawHeaders)));
    reply.head(status, fields, last);
    if (head.method !== 'HEAD') reply.write(body);
    await this.#body.drained();
    reply.end();
  }
}

const NOT_CARRIED: HttpRefusal = {
  code: 'ERR_UNSUPPORTED',
  rule: 'upgrade-not-carried',
  reason: 'the connection would be upgraded, and what follows is not inspected',
  hint: 'use what the API offers by ordinary requests',
};

const NOT_MASKED: HttpRefusal = {
  code: 'ERR_UNSUPPORTED',
  rule: 'answers-not-masked',
  reason: 'something that answers may hold is masked for you, and answers are not rewritten',
  hint: 'ask somebody who may see all of it',
};

/** Whatever ends more than one exchange. */
const ENDS: ReadonlySet<string> = new Set(['ERR_REVOKED', 'ERR_LOGIN_EXPIRED']);

/** Why it failed: where it was aborted, for the reason of that. */
function reasonIn(error: unknown, signal: AbortSignal): HoopError {
  if (signal.aborted && isHoopError(signal.reason)) return signal.reason;
  return toHoopError(error);
}

function isSmall(headers: readonly string[]): boolean {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
  return at !== -1 && Number(headers[at + 1]) <= HTTP_LIMITS.drainedBytes;
}

/** Keeps the first part of a body in the recording, and says how much more there was. */
class RecordedBody {
  readonly #state: ConnectionState;
  readonly #side: ExchangeSide;
  readonly #operation: OpenOperation;
  readonly #most: number;
  #length = 0;

  constructor(state: ConnectionState, side: ExchangeSide, operation: OpenOperation, most: number) {
    this.#state = state;
    this.#side = side;
    this.#operation = operation;
    this.#most = most;
  }

  add(chunk: Uint8Array): void {
    const { guard } = this.#state.context;
    const room = this.#most - this.#length;
    this.#length += chunk.length;
    if (room > 0)
      guard.body(this.#side, chunk.length > room ? chunk.subarray(0, room) : chunk, this.#operation);
  }

  close(): void {
    const more = this.#length - this.#most;
    if (more > 0)
      this.#state.context.guard.note(`${more} more octets of the ${this.#side}'s body`, this.#operation);
  }
}
