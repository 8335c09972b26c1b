import { isHoopError } from '../../../core/errors.ts';
import type { Denial } from '../../../enforcement/operation.ts';
import { FieldState } from '../../../masking/json/field-states.ts';
import type { PolicyObject } from '../../../policy/model.ts';
import { valuesOf } from '../../../wire/http/http1/head.ts';
import type { Denied, Question } from '../../stream/guard.ts';
import type { OpenOperation } from '../../stream/operations.ts';
import { Stands } from '../../stream/stands.ts';
import { namedObject } from '../entities.ts';
import { readableBody } from '../request/body/chosen-fields.ts';
import type { CanonicalRequest } from '../request/canonical.ts';
import { isRefused, refused } from '../request/refusals.ts';
import { meantBy } from '../rpc/answer.ts';
import { type Asked, answering, askedBy, type Dialect } from '../rpc/asked.ts';
import { maskedMembers } from '../rpc/classified-results.ts';
import { checkHeaders } from '../rpc/headers.ts';
import { MAX_MESSAGES, type RpcBody, type RpcRefused, readMessages } from '../rpc/message.ts';
import { isAskable } from '../rpc/names.ts';
import { rpcRefused } from '../rpc/refusals.ts';
import { type McpSession, McpSessions, type Sent } from '../rpc/sessions.ts';
import type { RpcSight } from '../rpc/sight.ts';
import type { TargetAnswer } from '../target/http-target.ts';
import { approvableRequest, type HeldRequest } from './approvable.ts';
import { denialAnswer, type OwnAnswer, problem } from './problem.ts';
import type { RequestBody } from './request-body.ts';
import { rpcDenialAnswer } from './rpc-problem.ts';
import type { ConnectionState } from './state.ts';

/** A request on a route of JSON-RPC, read as far as no policy is needed. */
export interface Spoken {
  readonly dialect: Dialect;
  readonly body: RpcBody;
  readonly session: McpSession;
  readonly sessions: McpSessions;
  /** Of the Model Context Protocol, as the request names it. */
  readonly sessionId: string | undefined;
}

const SESSION_ID = 'mcp-session-id';
const NONE: RpcBody = { messages: [], batch: false };

/**
 * Reads the messages of a request.
 *
 * @param dialect What its route speaks.
 * @returns Refused for its form, or for a session that is somebody else's. Fails as the body does.
 */
export async function readRpc(
  { parts, context }: ConnectionState,
  request: CanonicalRequest,
  dialect: Dialect,
  body: RequestBody,
): Promise<Spoken | RpcRefused> {
  const { sessions: all } = parts.rpc;
  const messages = await bodyOf(request, dialect, body);
  if (isRefused(messages)) return messages;
  const sessions = all.get(context.session) ?? new McpSessions();
  all.set(context.session, sessions);
  const sessionId = request.headers.find(([name]) => name === SESSION_ID)?.[1];
  const session = sessions.get(request.path, sessionId);
  if (session === undefined) return rpcRefused('rpc-session', 'no session of that id was opened here');
  return { dialect, body: messages, session, sessions, sessionId };
}

async function bodyOf(
  request: CanonicalRequest,
  { methods }: Dialect,
  body: RequestBody,
): Promise<RpcBody | RpcRefused> {
  const { method, upgrade } = request;
  const isBare = upgrade === undefined && request.body === 'none';
  if (methods === undefined && isBare && (method === 'GET' || method === 'DELETE')) return NONE;
  if (method !== 'POST' || upgrade !== undefined)
    return rpcRefused('rpc-not-described', 'messages of JSON-RPC are sent by POST');
  const readable = readableBody(request, MAX_MESSAGES);
  if (isRefused(readable)) return readable;
  if (readable.kind !== 'json' || request.contentType !== 'application/json')
    return refused('body-type', 'messages of JSON-RPC are sent as application/json');
  try {
    return readMessages(await body.whole(MAX_MESSAGES));
  } catch (error) {
    if (!isHoopError(error) || error.code !== 'ERR_TOO_LARGE') throw error;
    return refused('body-too-large', `messages of JSON-RPC are longer than ${MAX_MESSAGES} octets`);
  }
}

interface CallParts {
  readonly state: ConnectionState;
  readonly request: CanonicalRequest;
  readonly spoken: Spoken;
  /** Of the request without its messages. */
  readonly question: Omit<Question, 'approvable'>;
}

/** One message that was allowed, and what became of it. */
interface Open {
  readonly asked: Asked;
  readonly operation: OpenOperation;
  readonly stands: Stands;
  outcome?: 'success' | 'failure';
  status?: string;
}

/** The messages of one request: each is an operation of its own, and they go to the target together or not at all. */
export class RpcCall {
  readonly #parts: CallParts;
  readonly #endpoint: PolicyObject;
  readonly #asked: readonly Asked[];
  #open: Open[] = [];
  /** By their ids, what was sent to the target. */
  readonly #sent = new Map<string, Sent>();

  private constructor(parts: CallParts, endpoint: PolicyObject, asked: readonly Asked[]) {
    this.#parts = parts;
    this.#endpoint = endpoint;
    this.#asked = asked;
  }

  /** @returns Refused: a message is not described, or headers say something else. */
  static of(parts: CallParts): RpcCall | RpcRefused {
    const { spoken, question, state, request } = parts;
    const endpoint = question.pairs[0]!.object;
    const at = { endpoint, clean: state.clean };
    const asked: Asked[] = [];
    for (const message of spoken.body.messages) {
      const methods = message.kind === 'answer' ? spoken.session.questions(message.id!) : [];
      if (message.kind === 'answer' && methods.length === 0)
        return rpcRefused('rpc-answer', 'the server has asked nothing under this id');
      const one =
        message.kind === 'answer' ? answering(message, methods, at) : askedBy(message, spoken.dialect, at);
      if (isRefused(one)) return one;
      asked.push(one);
    }
    const mismatch = spoken.dialect.methods === undefined && checkHeaders(request, spoken.body, asked);
    return mismatch ? mismatch : new RpcCall(parts, endpoint, asked);
  }

  /**
   * Asks for each message in order, all of them, whatever the others are told.
   *
   * @returns The first operation, under which the request is recorded; or the answer where any is denied, of which none
   *   goes to the target then.
   */
  async ask(
    held: Omit<HeldRequest, 'body' | 'request'>,
  ): Promise<OpenOperation | { readonly denied: Denied; readonly answer: OwnAnswer }> {
    const { guard } = this.#parts.state.context;
    const denials = new Map<Asked, Denied>();
    this.#reply();
    const decide = async (asked: Asked) => {
      const answer = await guard.ask(this.#question(asked, held));
      if (answer.effect === 'deny') denials.set(asked, answer);
      else
        this.#open.push({ asked, operation: answer, stands: new Stands(guard, this.#asks(asked), answer) });
    };
    for (const asked of this.#asked) await decide(asked);
    for (let stale = this.#takeStale(); stale !== undefined; stale = this.#takeStale()) await decide(stale);
    const [denied] = denials.values();
    if (denied === undefined) {
      this.#goesOn();
      return this.#open[0]!.operation;
    }
    this.fail(undefined, 'another message of its request was refused');
    this.#askAgain();
    return { denied, answer: this.#denial(denials) };
  }

  /** Of what was allowed, one that policy does not allow any more: it may have changed while another waited for people. */
  #takeStale(): Asked | undefined {
    const at = this.#open.findIndex(({ stands }) => !stands.now);
    const [stale] = at === -1 ? [] : this.#open.splice(at, 1);
    stale?.operation.close('failure', undefined, 'policy has changed before it was sent');
    return stale?.asked;
  }

  /** Before anybody is asked: while one answer waits for people, no other to the same goes on. */
  #reply(): void {
    for (const { message } of this.#asked)
      if (message.kind === 'answer') this.#parts.spoken.session.replied(message.id!);
  }

  /** What was not answered after all may be answered otherwise. */
  #askAgain(): void {
    for (const { message, answers } of this.#asked)
      if (message.kind === 'answer') this.#parts.spoken.session.questioned(message.id!, answers);
  }

  /** Each message that was. */
  get allowed(): readonly Stands[] {
    return this.#open.map(({ stands }) => stands);
  }

  /** There are messages; without them the request is asked for as any other. */
  get speaks(): boolean {
    return this.#asked.length > 0;
  }

  #asks({ pairs, arguments: given }: Asked): Pick<Question, 'pairs' | 'context'> {
    return { pairs, context: { ...this.#parts.question.context, arguments: given, bodyWhole: true } };
  }

  #question(asked: Asked, held: Omit<HeldRequest, 'body' | 'request'>): Question {
    const { question, request } = this.#parts;
    const whole = {
      ...question,
      ...this.#asks(asked),
      text: `${question.text} ${asked.text}`,
      original: { ...question.original, message: asked.message.text.slice(0, SHOWN_CHARS) },
      nearby: undefined,
    };
    const body = { whole: async () => meantBy(asked.message) };
    const members = () => this.#masked([asked.result]);
    const masked = () => [
      ...held.masked(),
      ...members().map(({ path, object }) => ({ name: path.text, objects: [object] })),
    ];
    return { ...whole, approvable: approvableRequest(whole, { ...held, request, body, masked }) };
  }

  #denial(denials: ReadonlyMap<Asked, Denied>): OwnAnswer {
    const requests = this.#asked.filter(({ message }) => message.kind === 'request');
    const [first] = denials.values();
    if (requests.length === 0) return denialAnswer(problem, first!.denial, first!.operation);
    const { batch } = this.#parts.spoken.body;
    const told = requests.map((asked) => {
      const { denial, operation } = denials.get(asked) ?? { ...first!, denial: alike(first!.denial) };
      return { id: asked.message.id!, denial, operation };
    });
    return rpcDenialAnswer(told, batch);
  }

  #goesOn(): void {
    const { session } = this.#parts.spoken;
    for (const { message, result } of this.#asked)
      if (message.kind === 'request') this.#sent.set(message.id!, { method: message.method, result });
    for (const [id, sent] of this.#sent) session.sent(id, sent);
  }

  /** The target begins to answer: it may open a session, or end one. */
  began({ status, rawHeaders }: TargetAnswer): void {
    const { sessions, sessionId } = this.#parts.spoken;
    const { method, path } = this.#parts.request;
    if (status >= 300) return;
    if (method === 'DELETE' && sessionId !== undefined) sessions.end(path, sessionId);
    const [given] = valuesOf(rawHeaders, SESSION_ID);
    const opens = this.#asked.some(({ message }) => message.method === 'initialize');
    if (given === undefined || !opens || sessionId !== undefined) return;
    const session = sessions.open(path, given);
    for (const [id, sent] of this.#sent) session.sent(id, sent);
  }

  /** What is shown of the answer. @param operation Under which it is recorded. */
  sight(operation: OpenOperation): RpcSight {
    const { state, spoken, question, request } = this.#parts;
    const { guard } = state.context;
    const context = { ...question.context, arguments: [] };
    const again = !this.speaks || request.headers.some(([name]) => name === 'last-event-id');
    return {
      asked: (id) => spoken.session.under(id, again),
      may: (action, type, name) =>
        isAskable(type, name) &&
        !guard.denies([{ action, object: namedObject(this.#endpoint, { type, name }, String) }], context),
      masked: (results) => FieldState.start(this.#masked(results)),
      hid: (values) => {
        operation.maskedValues += values;
      },
      questioned: (id, method) => spoken.session.questioned(id, [method]),
      answered: (id, failure) => this.#answered(id, failure),
      withheld: (what) => guard.note(`not shown: ${what}`, operation),
    };
  }

  #masked(results: readonly (string | undefined)[]): ReturnType<typeof maskedMembers> {
    const { parts, context } = this.#parts.state;
    return maskedMembers(parts.rpc.classified, results, (object) => context.guard.reveal(object));
  }

  #answered(id: string, failure: string | undefined): void {
    const open = this.#open.find(({ asked }) => asked.message.id === id);
    if (open === undefined) return;
    open.outcome = failure === undefined ? 'success' : 'failure';
    if (failure !== undefined) open.status = failure;
  }

  /** The answer is whole: each message has its own outcome, and what was not answered is not known. */
  finish(status: number): void {
    for (const { asked, operation, outcome, status: own } of this.#open) {
      const unanswered = asked.message.kind === 'request' ? 'unknown' : 'success';
      operation.close(status >= 400 ? 'failure' : (outcome ?? unanswered), own ?? String(status));
    }
    this.#over();
  }

  fail(status: string | undefined, reason: string): void {
    for (const { operation } of this.#open) operation.close('failure', status, reason);
    this.#over();
  }

  drop(): void {
    for (const { operation } of this.#open) operation.drop();
    this.#over();
  }

  #over(): void {
    for (const [id, sent] of this.#sent) this.#parts.spoken.session.over(id, sent);
  }
}

/** Characters of a message that are kept as it was. */
const SHOWN_CHARS = 16_384;

/** What the others of a batch are told. */
function alike(denial: Denial): Denial {
  const message = 'another message of its batch was refused, and none was sent';
  return { ...denial, message, reason: message };
}
