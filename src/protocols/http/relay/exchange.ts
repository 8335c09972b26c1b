import { Readable } from 'node:stream';
import type { HoopError } from '../../../core/errors.ts';
import { once } from '../../../core/later.ts';
import type { Denial, Hold, Refusal } from '../../../enforcement/operation.ts';
import type { Denied, Question } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { Stands } from '../../stream/stands.ts';
import { HTTP_LIMITS } from '../limits.ts';
import type { HttpRefusal } from '../refusals.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';
import { maskedRequest } from '../request/masked-request.ts';
import { isRefused } from '../request/refusals.ts';
import { planRpc } from '../rpc/plan.ts';
import { CODINGS } from '../shown/codings.ts';
import type { ShownFields } from '../shown/fields.ts';
import type { planBody } from '../shown/plan.ts';
import type { TargetAnswer } from '../target/http-target.ts';
import { lastingAnswer } from './answer/lasting.ts';
import { LimitedAnswer } from './answer/limited-answer.ts';
import { clientLeft, endsOthers, giveBody, moveBody, type Passing, reasonIn } from './answer-flow.ts';
import { type AnswerView, answerView, earlyView } from './answer-view.ts';
import { approvableRequest, prefers } from './approvable.ts';
import { type Incoming, isSmall } from './incoming.ts';
import type { Sent, Understood } from './meaning.ts';
import {
  acceptedAnswer,
  denialAnswer,
  failureAnswer,
  notLocalAnswer,
  type OwnAnswer,
  withheldAnswer,
} from './problem.ts';
import { asAllowed, refusedQuestion } from './question.ts';
import { RecordedBody, RecordedRequest } from './recorded-body.ts';
import { RequestBody } from './request-body.ts';
import { RpcCall, readRpc } from './rpc-call.ts';
import { rpcRefusalAnswer } from './rpc-problem.ts';
import { asking, type ConnectionState, onBehalf, weighing } from './state.ts';
import { carrying } from './upgrade/carrying.ts';
import { HeldUpgrade } from './upgrade/held-upgrade.ts';
import type { Told } from './upgrade/told-before.ts';
import { askedCarried, upgraded } from './upgrade/upgraded.ts';

/** One request and what becomes of it: read → ask → send → show. */
export class Exchange {
  readonly #state: ConnectionState;
  readonly #incoming: Incoming;
  readonly #body: RequestBody;
  readonly #abort = new AbortController();
  #operation: OpenOperation | undefined;
  readonly #limit = new LimitedAnswer((reason) => this.#abort.abort(reason));
  #question: Question | undefined;
  /** What it would be upgraded to. */
  #held: HeldUpgrade | undefined;
  /** Where the route speaks JSON-RPC. */
  #call: RpcCall | undefined;

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
    } finally {
      this.#limit.end();
    }
  }

  /** The session is over: an answer that has not begun says why, any other is cut short. */
  end(reason: HoopError): void {
    this.#abort.abort(reason);
  }

  async #run(): Promise<void> {
    const { heads, parts } = this.#state;
    this.#abort.signal.throwIfAborted();
    const { foreign, request: read } = heads.read(this.#incoming.head);
    if (foreign !== undefined)
      return this.#say(notLocalAnswer(parts.says, foreign.status, foreign.reason, foreign.hint), undefined);
    if (isRefused(read)) return this.#refuse(read);
    const carried = askedCarried(read, parts.upgrades, this.#incoming);
    if (carried !== undefined && isRefused(carried)) return this.#refuse(carried);
    const left = (reason: HoopError) => this.#abort.abort(reason);
    this.#held = carried && new HeldUpgrade(carried, { guard: this.#state.context.guard, left });
    const dialect = parts.rpc.routes.of(read);
    const spoken = dialect && (await readRpc(this.#state, read, dialect, this.#body));
    if (spoken !== undefined && isRefused(spoken)) return this.#refuse(spoken, rpcRefusalAnswer());
    const understood = await parts.api.read(read, this.#whole);
    if (isRefused(understood)) return this.#refuse(understood);
    const { becomes } = understood;
    const request = becomes === undefined ? read : this.#body.become(becomes);
    const undoing = await this.#undoing(request);
    if (undoing !== undefined) return this.#refuse(undoing);
    const question = this.#state.questions.of(understood);
    const call = spoken && RpcCall.of({ state: this.#state, request, spoken, question });
    if (call !== undefined && isRefused(call)) return this.#refuse(call, rpcRefusalAnswer(spoken?.body));
    this.#call = call;
    const asked = this.#once(request, understood.meant, () => this.#ask(request, question, understood.meant));
    const operation = await this.#begun(request, question, asked);
    if (operation === undefined) return;
    if (understood.tries !== undefined) await this.#try(request, understood.tries, question, operation);
    else if (this.#held === undefined) await this.#forward(request, undefined, operation);
    else await this.#upgrade(request, this.#held, question, operation);
  }

  /** Undefined: it may not, and the client was told. */
  async #begun(
    request: CanonicalRequest,
    question: Question,
    asked: Promise<OpenOperation | Told>,
  ): Promise<OpenOperation | undefined> {
    this.#question = question;
    const answer = await asked;
    if ('denied' in answer) {
      await this.#deny(answer, prefers(request, 'respond-async'));
      return undefined;
    }
    this.#operation = answer;
    this.#limit.begin(answer);
    this.#abort.signal.throwIfAborted();
    this.#state.context.guard.head('request', this.#state.heads.recorded(request), answer);
    return answer;
  }

  /** What it would do decides as well: it is asked for anew where policy does not allow that as it is. */
  async #try(
    request: CanonicalRequest,
    tries: NonNullable<Understood['tries']>,
    question: Question,
    allowed: OpenOperation,
  ): Promise<void> {
    const { context } = this.#state;
    const tried = await tries(asking(this.#state, this.#abort.signal), weighing(this.#state));
    if (isRefused(tried)) {
      allowed.close('failure', undefined, tried.reason);
      return this.#refuse(tried);
    }
    if ('answer' in tried) return this.#show(request, tried.answer, allowed);
    const whole = { ...question, context: { ...question.context, ...tried.facts } };
    const { pairs, context: known } = asAllowed(whole, allowed);
    if (context.guard.allows(pairs, known)) return this.#forward(request, tried.sends, allowed);
    allowed.close('failure', undefined, 'what it would do is asked for anew');
    const operation = await this.#begun(request, whole, this.#ask(request, whole, undefined));
    if (operation !== undefined) await this.#forward(request, tried.sends, operation);
  }

  /** Why it would undo what is masked. */
  async #undoing(request: CanonicalRequest): Promise<Refusal | undefined> {
    const { answers } = this.#state.parts.api;
    return answers?.refusal(request, this.#state.sight(request).masks, this.#whole);
  }

  /** What is said over it, until it is closed; or the answer of a target that does not take it up, behind which all ends. */
  async #upgrade(
    request: CanonicalRequest,
    held: HeldUpgrade,
    question: Question,
    operation: OpenOperation,
  ): Promise<void> {
    const { parts } = this.#state;
    const on = carrying(this.#state, request, { question, operation, signal: this.#abort.signal });
    const answer = await upgraded(parts.target, held.of(this.#toSend(request), on));
    if ('outcome' in answer) return operation.close(answer.outcome, answer.status, answer.reason);
    try {
      await this.#show(request, answer, operation);
    } finally {
      answer.leave();
    }
  }

  /** Where the answer is masked, or read, it must be one that can be. */
  #toSend(request: CanonicalRequest): CanonicalRequest {
    const { masks } = this.#state.sight(request);
    if (!masks.any && this.#call === undefined) return onBehalf(this.#state, request);
    const readable = this.#state.parts.api.answers?.readable(request, masks) ?? request;
    return onBehalf(this.#state, maskedRequest(readable, CODINGS));
  }

  /** What is asked for in another form, where the first was not taken up, is asked once. */
  #once(
    { upgrade }: CanonicalRequest,
    meant: string | undefined,
    ask: () => Promise<OpenOperation | Told>,
  ): Promise<OpenOperation | Told> {
    if (meant === undefined) return ask();
    const { context, parts } = this.#state;
    const asksAgain = () => this.#held?.begun !== true;
    return parts.told.once(context.session, { meant, form: upgrade?.protocol ?? '' }, ask, asksAgain);
  }

  /** On the way to the target once this says so: a request, or each message in it. */
  async #ask(
    request: CanonicalRequest,
    question: Omit<Question, 'approvable'>,
    meant: string | undefined,
  ): Promise<OpenOperation | Told> {
    const held = {
      body: this.#body,
      reply: this.#incoming.reply,
      masked: () => this.#state.masked(request),
      tell: (hold: Hold) => this.#held?.tell(hold),
      signal: this.#abort.signal,
    };
    if (this.#call?.speaks === true) return this.#call.ask(held);
    const approvable = approvableRequest(question, { ...held, request, meant });
    const answer = await this.#state.context.guard.ask({ ...question, approvable });
    if (answer.effect === 'allow') return answer;
    return { denied: answer, answer: this.#denial(answer.denial, answer.operation) };
  }

  async #refuse(refusal: Refusal, denial = this.#denial): Promise<void> {
    const question = refusedQuestion(this.#incoming.head, refusal, this.#state.clean);
    // A refusal is never allowed.
    const denied = (await this.#state.context.guard.ask(question)) as Denied;
    return this.#deny({ denied, answer: denial(denied.denial, denied.operation) }, false);
  }

  /** @param sends What is sent in its place. */
  async #forward(
    request: CanonicalRequest,
    sends: Sent | undefined,
    operation: OpenOperation,
  ): Promise<void> {
    const { signal } = this.#abort;
    const { context, parts } = this.#state;
    const record = new RecordedRequest(context.guard, operation, request, this.#state.hides(request));
    const seen = (chunk: Uint8Array) => {
      parts.bulk.spent(chunk.length);
      record.add(chunk);
    };
    const own = request.body === 'none' ? undefined : await this.#body.forTarget(seen);
    const body = sends === undefined ? own : Readable.from([sends.body]);
    const early = (status: number, raw: readonly string[]) => this.#early(request, status, raw, operation);
    const sent = this.#toSend(sends?.request ?? request);
    const answer = await parts.target.request(sent, body, signal, early);
    try {
      await this.#show(request, answer, operation);
    } finally {
      record.close();
      answer.leave();
    }
  }

  /** 1xx of the target's: what it says before its answer. */
  #early(request: CanonicalRequest, status: number, raw: readonly string[], operation: OpenOperation): void {
    const shown = status === 103 ? earlyView(raw, this.#state.sight(request)) : undefined;
    if (shown === undefined || this.#incoming.reply.begun) return;
    this.#given(String(status), shown, operation);
    this.#incoming.reply.inform(status, shown.fields);
  }

  async #show(request: CanonicalRequest, answer: TargetAnswer, operation: OpenOperation): Promise<void> {
    const { reply, bodyEnded } = this.#incoming;
    const { status } = answer;
    this.#call?.began(answer);
    const view = answerView(request, answer, this.#state.sight(request), this.#planned(request, operation));
    if ('rule' in view) return this.#withhold(view, status, operation);
    if (view.body !== undefined) this.#limit.demandLength(view.head.fields, this.#incoming.head.httpVersion);
    const begin = once(() => {
      this.#given(String(status), view.head, operation);
      reply.head(status, view.head.fields, !bodyEnded(), view.body === undefined);
    });
    if (!view.waits) begin();
    if (view.body === undefined) {
      if (answer.atHand() === undefined) answer.body.resume();
    } else await this.#showBody(view, answer, operation, begin, request);
    begin();
    reply.end(view.body === undefined ? [] : this.#trailers(view, operation));
    this.#call?.finish(status);
    operation.close(status < 400 ? 'success' : 'failure', String(status));
  }

  #allowed(operation: OpenOperation): readonly Stands[] {
    if (this.#call?.speaks === true) return this.#call.allowed;
    return [new Stands(this.#state.context.guard, this.#question!, operation)];
  }

  /** How a body is shown: messages by what they say. */
  #planned(request: CanonicalRequest, operation: OpenOperation): typeof planBody | undefined {
    const forms = this.#state.parts.api.answers;
    if (forms !== undefined) return (...answer) => forms.plan(request, ...answer);
    const sight = this.#call?.sight(operation);
    return sight && ((head, masks, scrubs) => planRpc(head, masks, scrubs, sight));
  }

  /** @param begin Called before anything is given. */
  async #showBody(
    { masker, atHand, body }: AnswerView,
    answer: TargetAnswer,
    operation: OpenOperation,
    begin: () => void,
    request: CanonicalRequest,
  ): Promise<void> {
    const { guard } = this.#state.context;
    const lasting = lastingAnswer(this.#state, request, answer, () => this.#allowed(operation));
    const record = new RecordedBody(guard, 'response', operation, HTTP_LIMITS.recordedAnswerBytes);
    const passing: Passing = {
      push: (chunk) => {
        lasting?.demand();
        return masker.push(chunk);
      },
      end: () => masker.end(),
      given: (chunk) => {
        this.#limit.demandMore(chunk.length);
        begin();
        operation.bytes += chunk.length;
        this.#state.parts.bulk.spent(chunk.length);
        record.add(chunk);
      },
      done: (chunk) => answer.giveBack?.(chunk),
    };
    const { reply } = this.#incoming;
    const whole = atHand();
    const moved =
      whole === undefined ? moveBody(body!(), reply, guard, passing) : giveBody(whole, reply, guard, passing);
    if (moved !== undefined) await moved;
    record.close();
    operation.maskedValues += masker.maskedValues;
  }

  #trailers(view: AnswerView, operation: OpenOperation): readonly Field[] {
    const trailers = view.trailers();
    if (trailers.fields.length > 0) this.#given('trailers', trailers, operation);
    return trailers.fields;
  }

  /** On record before the client is given it. */
  #given(start: string, { fields, masked }: ShownFields, operation: OpenOperation): void {
    operation.maskedValues += masked;
    this.#state.context.guard.head('response', { start, fields }, operation);
  }

  readonly #whole = (most: number) => this.#body.whole(most);
  readonly #denial = (denial: Denial, operation: string): OwnAnswer =>
    denialAnswer(this.#state.parts.says, denial, operation);

  /** The target did what it was asked, and its answer is not shown. */
  async #withhold(refusal: HttpRefusal, status: number, operation: OpenOperation): Promise<void> {
    await this.#say(withheldAnswer(this.#state.parts.says, refusal, status, operation.id), operation);
    this.#call?.fail(String(status), refusal.reason);
    operation.close('failure', String(status), refusal.reason);
  }

  async #deny({ denied, answer }: Told, async: boolean): Promise<void> {
    const { denial, operation } = denied;
    const { approval } = denial;
    if (this.#held?.begun) return this.#held.deny(denied);
    if (!async || approval === undefined) return this.#say(answer, denied);
    return this.#say(acceptedAnswer(this.#state.parts.says, denial, approval, operation), denied);
  }

  async #fail(error: unknown): Promise<void> {
    const known = reasonIn(error, this.#abort.signal);
    const { reply } = this.#incoming;
    const operation = this.#operation;
    if (endsOthers(known)) this.#state.over(known);
    if (this.#held?.begun) return this.#held.refuse(known, operation);
    if (await this.#limit.told(reply, (denial, of) => this.#say(this.#denial(denial, of.id), of))) return;
    if (reply.closed || reply.begun) {
      reply.cut();
      this.#call?.drop();
      operation?.drop();
      return;
    }
    if (known.detail !== undefined)
      this.#state.context.log.warn('an exchange failed', { error: known.code, detail: known.detail });
    await this.#say(failureAnswer(this.#state.parts.says, known, operation?.id), operation);
    this.#call?.fail(String(known.httpStatus), known.message);
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
