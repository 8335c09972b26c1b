import type { Duplex } from 'node:stream';
import type { Allowance } from '../../core/allowance.ts';
import { Inlet } from '../../core/bytes/inlet.ts';
import type { SlabSizes } from '../../core/bytes/slabs.ts';
import { HoopError, toHoopError } from '../../core/errors.ts';
import { after, type Later, whenAborted } from '../../core/later.ts';
import type { Turns } from '../../core/turns.ts';
import type { DetectorSet } from '../../masking/detectors/index.ts';
import { encodeBackend } from '../../wire/postgres/backend.ts';
import { LookAhead } from '../../wire/postgres/frame.ts';
import { Framer } from '../../wire/postgres/framer.ts';
import { encodeFrontend } from '../../wire/postgres/frontend.ts';
import { type LocalLogin, localLogin } from '../../wire/postgres/local-login.ts';
import { ErrorResponse } from '../../wire/postgres/report.ts';
import { FRONTEND } from '../../wire/postgres/types.ts';
import type { SessionEnd, StreamContext } from '../adapter.ts';
import { ClientTurn } from '../stream/client-turn.ts';
import { DetectedValues } from '../stream/detected-values.ts';
import { drained } from '../stream/dial.ts';
import { afterGrace, lastWords, partFrom } from '../stream/farewell.ts';
import { Outlet } from '../stream/outlet.ts';
import type { Definitions } from './catalog/definitions.ts';
import type { SchemaTurns } from './catalog/schema-turns.ts';
import type { CatalogService } from './catalog/service.ts';
import type { Lease } from './credentials/lease.ts';
import { Entities } from './entities.ts';
import { POSTGRES_LIMITS } from './limits.ts';
import type { CancelRegistry } from './login/cancel.ts';
import { settingsToPermit } from './login/startup-parameters.ts';
import { CatalogView } from './reading/catalog-view.ts';
import { FunctionCalls } from './reading/function-calls.ts';
import { MaskedQueries } from './reading/masked-queries.ts';
import { StatementPlanner } from './reading/planner.ts';
import { AnswerFlow } from './relay/answer-flow.ts';
import { Forwarder } from './relay/forwarder.ts';
import { OwnQuestions } from './relay/own-questions.ts';
import { PathAsker } from './relay/path-question.ts';
import { RequestPump } from './relay/requests.ts';
import { ResponsePump } from './relay/responses.ts';
import { SessionState } from './relay/state.ts';
import type { PostgresResource } from './resource.ts';
import { fatalFields, sqlstateAtEnd } from './shown/denial.ts';
import type { LookupBudgets } from './shown/lookups.ts';
import { SessionMasks } from './shown/masks.ts';
import { settingKey } from './shown/reports.ts';
import type { RowRewriter } from './shown/rows.ts';
import type { SqlParser } from './sql/parse/parser.ts';
import type { Upstream } from './target/upstream.ts';

/** What all sessions of one resource share. */
export interface SessionParts extends Pick<PostgresResource, 'settable' | 'computesMasks' | 'plainText'> {
  readonly parser: SqlParser;
  readonly catalog: CatalogService;
  readonly definitions: Definitions;
  readonly cancels: CancelRegistry;
  readonly lookups: LookupBudgets;
  readonly schemaTurns: SchemaTurns;
  readonly detectors: () => DetectorSet;
  /** Every tag that a detector can give. */
  readonly detectorTags: () => readonly string[];
  /** Shared memory for rows that are rewritten. */
  readonly rows: RowRewriter;
  /** Memory in which answers wait for their clients. */
  readonly slabs: SlabSizes;
  /** Of the whole process. */
  readonly turns: Turns;
  readonly allowance: Allowance;
  /** Opens a connection to the target for the client's session. Its lease is let go of once it has been left. */
  readonly connect: (
    startup: ReadonlyMap<string, string>,
    context: StreamContext,
  ) => Promise<{ readonly upstream: Upstream; readonly lease: Lease }>;
}

/** Messages handled at once, whatever others have to do: a client that sends thousands does not keep them waiting. */
const MESSAGES_AT_ONCE = 8;
/** Announced where the target announces none. */
const NO_PID = 0;
const TERMINATE = encodeFrontend({ name: 'Terminate' });

/**
 * One client's session, from its startup packet to its end.
 *
 * Ends the client's protocol here and speaks to the target itself: nothing of the client's login reaches the target,
 * nothing of the target's login the client.
 */
export class PostgresSession {
  readonly #stream: Duplex;
  readonly #context: StreamContext;
  readonly #parts: SessionParts;
  readonly #inlet: Inlet;
  readonly #outlet: Outlet;
  readonly #turn: ClientTurn;
  readonly #state: SessionState;
  readonly #framer = new Framer('frontend');
  #upstream: Upstream | undefined;
  #releaseLogin: () => void = () => undefined;
  #failure: HoopError | undefined;
  #forgetKey: () => void = () => undefined;
  #endServing: () => void = () => undefined;
  #stopAnswers: () => void = () => undefined;
  #reason = 'the client closed the connection';

  constructor(stream: Duplex, context: StreamContext, parts: SessionParts) {
    this.#stream = stream;
    this.#context = context;
    this.#parts = parts;
    this.#inlet = new Inlet(stream, (bytes) => this.#state.held.set('unread', bytes));
    this.#turn = new ClientTurn(context.idle, () => this.#outlet.given);
    this.#outlet = new Outlet(stream, context.guard, parts.slabs, () => this.#turn.moved());
    const { guard, session } = context;
    const { resource } = session;
    const entities = new Entities(resource);
    const alike = (tag: string) => [entities.detectedColumn(tag)];
    const detected = new DetectedValues(guard, resource, parts.detectors(), parts.detectorTags(), alike);
    const { plainText, computesMasks } = parts;
    const masks = new SessionMasks(guard, detected, { giver: guard, computesMasks, plainText });
    const held = parts.allowance.open((error) => this.#state.end(error));
    this.#state = new SessionState(context, masks, held, {
      end: (error) => this.#stop(error),
      schemaChanged: (changes, session) => parts.catalog.invalidate(changes, session),
      turn: this.#turn,
      schemaTurns: parts.schemaTurns,
      tell: (bytes) => this.#outlet.send([bytes], this.#upstream?.socket ?? stream),
      cancel: async () => this.#upstream?.cancel(),
      definitions: () => parts.definitions.current(),
      lookUp: ({ plans }, only) => parts.lookups.take(guard.principal, plans, masks, only),
      onGoodbye: (said) => this.#lookForGoodbye(said),
    });
  }

  /** Serves the stream to its end. Never rejects. */
  async serve(): Promise<SessionEnd> {
    const onAbort = () => this.#state.end(toHoopError(this.#context.signal.reason, 'ERR_SESSION_ENDED'));
    this.#context.signal.addEventListener('abort', onAbort);
    // Whatever the session waits for (a target that reads nothing, a lock), its end is not waited for.
    const over = new Promise<void>((resolve) => {
      this.#endServing = resolve;
    });
    this.#watchClient();
    try {
      if (this.#context.signal.aborted) onAbort();
      await Promise.race([this.#run(), over]);
    } catch (error) {
      this.#state.end(toHoopError(error));
    } finally {
      this.#context.signal.removeEventListener('abort', onAbort);
      await this.#close();
    }
    return {
      reason: this.#reason,
      ...(this.#failure === undefined
        ? {}
        : { failure: this.#failure.code, status: sqlstateAtEnd(this.#failure.code) }),
      bytesIn: this.#inlet.received,
      bytesOut: this.#outlet.sent,
    };
  }

  /** A client that is gone wants nothing more; one that only said its last word may still get its answers. */
  #watchClient(): void {
    this.#stream.allowHalfOpen = true;
    this.#stream.once('close', () => this.#state.end(undefined));
    this.#stream.once('end', () => {
      this.#state.withdraw();
      this.#leaveSoon();
    });
  }

  /** What it asked for is given its time; then that is cancelled at the target. */
  #leaveSoon(): void {
    afterGrace(this.#stream, () => this.#state.end(undefined));
  }

  async #run(): Promise<void> {
    const login = await localLogin(
      this.#inlet,
      (bytes) => this.#outlet.plain(bytes),
      this.#context.localProof?.value,
    );
    if (login.kind === 'closed' || this.#state.ended) return;
    const { principal } = this.#context.session;
    if (login.kind === 'cancel') {
      this.#reason = 'a cancel request';
      const { processId, key } = login.request;
      return this.#parts.cancels.cancel(principal.instance, processId, key, this.#context.clock.now());
    }
    await this.#connected(login);
  }

  async #connected(login: Extract<LocalLogin, { kind: 'session' }>): Promise<void> {
    const { instance } = this.#context.session.principal;
    this.#maySet(login.parameters);
    const { upstream, lease } = await this.#parts.connect(login.parameters, this.#context);
    if (this.#state.ended) {
      upstream.socket.destroy();
      return lease.release();
    }
    this.#upstream = upstream;
    this.#releaseLogin = () => lease.release();
    whenAborted(lease.ended, (reason) => this.#state.end(toHoopError(reason)));
    if (this.#state.ended) return;
    // What waits for people has not reached the target.
    const cancel = async () => (this.#state.withdraw() ? undefined : upstream.cancel());
    const pid = upstream.backendKey?.pid ?? NO_PID;
    const { key, forget } = this.#parts.cancels.register(instance, pid, cancel, login.cancelKeyBytes);
    this.#forgetKey = forget;
    this.#announce(upstream, key.pid, key.key);
    this.#listen(upstream);
    await this.#requests(upstream);
  }

  /** A startup parameter asks what SET would ask. */
  #maySet(startup: ReadonlyMap<string, string>): void {
    const { session, guard } = this.#context;
    const entities = new Entities(session.resource);
    for (const name of settingsToPermit(startup, this.#parts.settable))
      if (!guard.allows([{ action: 'sql.set', object: entities.setting(name, true) }], {}))
        throw new HoopError('ERR_DENIED', `the startup setting "${name}" is not permitted`);
  }

  /** What a server says after a successful login; the process id is the target's, the cancel key ours. */
  #announce(upstream: Upstream, processId: number, key: Buffer): void {
    this.#outlet.plain(encodeBackend({ name: 'Authentication', request: { method: 'Ok' } }));
    for (const [parameter, value] of upstream.parameters) {
      this.#state.settingsTold.add(settingKey(parameter, value));
      this.#state.reported(parameter, value);
      this.#outlet.plain(encodeBackend({ name: 'ParameterStatus', parameter, value }));
    }
    this.#outlet.plain(encodeBackend({ name: 'BackendKeyData', processId, key }));
    this.#outlet.plain(encodeBackend({ name: 'ReadyForQuery', status: 'I' }));
    this.#turn.ready();
    this.#turn.moved();
  }

  #listen(upstream: Upstream): void {
    const { rows, turns } = this.#parts;
    const responses = new ResponsePump(this.#state, rows, turns);
    const [state, outlet] = [this.#state, this.#outlet];
    const flow = new AnswerFlow({ state, responses, outlet, upstream, turns });
    this.#stopAnswers = () => flow.stop();
    flow.start(() => {
      if (responses.targetEnded) this.#reason = 'the target ended the connection';
      this.#state.end(responses.targetEnded ? undefined : new HoopError('ERR_TARGET_LOST'));
    });
  }

  async #requests(upstream: Upstream): Promise<void> {
    const out = new Forwarder(this.#state, (slices) => this.#toTarget(upstream, slices));
    const questions = new OwnQuestions(this.#state, out);
    const asker = new PathAsker(this.#state, questions);
    const { parser, catalog, settable, turns } = this.#parts;
    const { masks, path } = this.#state;
    const parse = (text: string, major: number) => parser.parse(text, major, this);
    const view = new CatalogView({ catalog, session: this.#state, parse, ask: questions.rows });
    const { resource, ahead } = this.#context.session;
    const planner = new StatementPlanner({
      encoding: upstream.parameters.get('server_encoding') ?? '',
      ...{ parser, masks, resource, path, settable, turns },
      catalog: view,
      learnPath: () => asker.learn(),
      uncommittedDdl: () => this.#state.uncommittedDdl,
      explains: ahead === 'explains',
    });
    const calls = new FunctionCalls({ catalog, planner, masks, resource });
    const instead = new MaskedQueries(view, masks);
    asker.ask();
    out.flush();
    await this.#pump(upstream, new RequestPump(this.#state, { planner, calls, instead }, out));
    await this.#answered();
  }

  /** Until the client has said its last word, or the session has ended. */
  #pump(upstream: Upstream, requests: RequestPump): Promise<void> {
    const framer = this.#framer;
    const { turns } = this.#parts;
    // Counted on where a message had to wait: what it waited for may have come in this same turn.
    let done = 0;
    const handle = (): Later<boolean> => {
      for (; done < MESSAGES_AT_ONCE || !turns.spent; done++) {
        const frame = framer.next();
        if (frame === undefined) return forwarded();
        const later = requests.handle(frame);
        if (later !== undefined) {
          done++;
          return later.then(goOn);
        }
        const over = this.#over(requests);
        if (over !== undefined) return over;
      }
      done = 0;
      return turns.next().then(goOn);
    };
    const goOn = () => this.#over(requests) ?? handle();
    const forwarded = (): Later<boolean> => {
      requests.flush();
      return upstream.socket.writableNeedDrain ? drained(upstream.socket).then(() => true) : true;
    };
    const take = (chunk: Buffer): Later<boolean> => {
      if (this.#state.ended) return false;
      framer.push(chunk);
      done = 0;
      this.#turn.moved();
      this.#hold(framer);
      return after(handle(), (more) => {
        this.#hold(framer);
        return more;
      });
    };
    // Whoever sends one large message waits with each piece of it for those who do not.
    const inTurn = (chunk: Buffer): Later<boolean> =>
      framer.buffered > POSTGRES_LIMITS.largeMessageBytes && turns.spent
        ? turns.next().then(() => take(chunk))
        : take(chunk);
    return this.#inlet.consume(inTurn).finally(() => framer.dispose());
  }

  #lookForGoodbye(said: () => void): () => void {
    const ahead = new LookAhead(FRONTEND.Terminate);
    const look = (bytes: Buffer) => {
      if (ahead.sees(bytes)) said();
    };
    for (const bytes of this.#framer.ahead) look(bytes);
    return this.#inlet.watch(look);
  }

  #hold(framer: Framer): void {
    const { held, statements, portals } = this.#state;
    held.set('requests', framer.buffered);
    held.set('names', statements.weight + portals.weight);
  }

  /** False when no more is to be handled: the session has ended, or the client has said goodbye. */
  #over(requests: RequestPump): false | undefined {
    if (this.#state.ended) return false;
    if (!this.#state.leaving) return undefined;
    requests.flush();
    return false;
  }

  /** The client is done; what it asked for is given its time. */
  async #answered(): Promise<void> {
    this.#leaveSoon();
    while (!this.#state.ended && this.#state.pipeline.depth > 0) await this.#state.progress();
  }

  #toTarget(upstream: Upstream, slices: Buffer[]): void {
    if (this.#state.ended) return;
    if (slices.length === 1) upstream.socket.write(slices[0] as Buffer);
    else upstream.socket.write(Buffer.concat(slices));
  }

  #stop(error: HoopError | undefined): void {
    this.#failure = error;
    if (error !== undefined) this.#reason = error.message;
    this.#inlet.close();
    this.#stopAnswers();
    this.#endServing();
  }

  async #close(): Promise<void> {
    const { guard, schemaTurn } = this.#state;
    this.#state.ended = true;
    // As long as its server has not parted, what it was sent may still run.
    const gone = () => schemaTurn.leave(() => this.#parts.catalog.invalidate('anything'));
    if (this.#upstream?.socket.destroyed === false) this.#upstream.socket.once('close', gone);
    else gone();
    this.#forgetKey();
    // The client need not wait for the target to be left.
    const parted = this.#partFromTarget(guard.busy);
    guard.closeAll();
    if (this.#failure !== undefined) {
      this.#logFailure(this.#failure);
      this.#outlet.plain(
        ErrorResponse.encode({ fields: fatalFields(this.#failure, this.#context.session.id) }),
      );
    }
    if (!this.#stream.destroyed) this.#outlet.flush();
    await Promise.all([parted, lastWords(this.#stream)]);
    this.#state.held.close();
  }

  async #partFromTarget(busy: boolean): Promise<void> {
    if (this.#upstream === undefined) return;
    const { socket, cancel } = this.#upstream;
    // Nobody is left to read the answer: what still runs for this client is cancelled at the target.
    if (busy) await cancel().catch(() => undefined);
    partFrom(socket, TERMINATE);
    this.#releaseLogin();
  }

  #logFailure(error: HoopError): void {
    this.#context.log.warn('session failed', {
      code: error.code,
      reason: error.message,
      detail: error.detail,
    });
  }
}
