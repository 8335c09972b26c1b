import { HoopError, toHoopError } from '../../core/errors.ts';
import { newId } from '../../core/ids/make.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Operation } from '../../enforcement/operation.ts';
import type { Decision } from '../../policy/model.ts';
import type { SessionEnd } from '../../protocols/adapter.ts';
import { actorOf } from '../actor.ts';
import { IdleStreams } from '../sessions/idle-streams.ts';
import { LiveSession } from '../sessions/live-session.ts';
import { SessionEvidence } from './evidence.ts';
import { serveStream } from './serve-stream.ts';
import type { StreamRequest, TunnelDeps } from './stream-request.ts';

/**
 * One gateway session while it may have streams: decided, on record, watched.
 *
 * It ends when its last stream has ended and none came within the time it lingers; and at once, with all its streams,
 * when it is ended from outside: revocation, deadline, silence, an operator, the gateway's stop.
 */
export class OpenSession {
  /** Resolves when the session has ended and that is on record. */
  readonly over: Promise<void>;
  readonly #deps: TunnelDeps;
  readonly #live: LiveSession;
  readonly #resource: StreamRequest['resource'];
  readonly #evidence: SessionEvidence;
  readonly #lingerMs: number;
  readonly #idle: IdleStreams;
  readonly #ended = Promise.withResolvers<void>();
  readonly #stopWatching: () => void;
  readonly #leave: () => void;
  /** Milliseconds since the epoch. */
  readonly #deadline: number;
  #linger: NodeJS.Timeout | undefined;
  #ending = false;
  /** Streams of the recording: those of clients, and channels within them. */
  #recorded = 0;
  /** Now, and ever. */
  #streams = { open: 0, opened: 0, failed: 0 };
  #last: SessionEnd = { reason: 'no stream', bytesIn: 0, bytesOut: 0 };

  private constructor(
    deps: TunnelDeps,
    live: LiveSession,
    evidence: SessionEvidence,
    request: StreamRequest,
    options: { readonly lingerMs: number; readonly leave: () => void },
  ) {
    this.#deps = deps;
    this.#live = live;
    this.#evidence = evidence;
    this.#resource = request.resource;
    this.#lingerMs = options.lingerMs;
    this.#leave = options.leave;
    this.over = this.#ended.promise;
    const longest = live.startedAt + request.resource.config.session.max;
    this.#deadline = Math.min(live.ref.principal.deadline, longest, evidence.until ?? longest);
    this.#idle = new IdleStreams(request.resource.config.session.idle, () => live.end(tooSilent()));
    this.#stopWatching = this.#watch();
    this.#log('session started', { instance: live.ref.actor.instance });
  }

  /**
   * Asks for the session and opens its evidence.
   *
   * @param lingerMs How long it waits for a further stream after its last; 0: it has one stream.
   * @throws {HoopError} `ERR_LIMIT`; and what `SessionEvidence.open` throws. Nothing is left open.
   */
  static async open(deps: TunnelDeps, request: StreamRequest, lingerMs: number): Promise<OpenSession> {
    const { principal, resource } = request;
    const { sessions, sessionsPerInstance, resources, clock } = deps;
    if (sessions.countOf(principal.instance) >= sessionsPerInstance) throw tooMany(sessionsPerInstance);
    const startedAt = clock.now();
    const actor = actorOf(principal, deps.vocabulary);
    const protocol = resource.protocol.name;
    const { reason } = request.tunnel;
    const why = reason === undefined ? {} : { reason };
    const { ahead, idempotencyKey } = request.tunnel;
    const only = ahead === undefined ? {} : { ahead };
    const key = idempotencyKey === undefined ? {} : { idempotencyKey };
    const ref = {
      id: newId('ses', startedAt),
      principal,
      actor,
      resource: resource.object,
      protocol,
      ...why,
      ...only,
      ...key,
    };
    const live = new LiveSession(ref, startedAt);
    // Counted from the question on: of many asked at once no more may be than an instance may have.
    sessions.add(live);
    const release = resources.hold(resource);
    const leave = () => {
      sessions.remove(live);
      release();
    };
    try {
      const evidence = await SessionEvidence.open(deps, live, request);
      return new OpenSession(deps, live, evidence, request, { lingerMs, leave });
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * Whether policy, as it is now, lets one more stream connect: with the approvals under which the session was opened, while
   * it is open. Not on record.
   */
  admits(): boolean {
    const { approvals } = this.#evidence;
    const context = approvals === undefined ? {} : { approvals };
    return mayConnect(this.#deps, this.#live.ref.principal, this.#resource, context) === 'allow';
  }

  /** Whether a stream to this resource may still join. */
  takes(resource: StreamRequest['resource']): boolean {
    return !this.#ending && !this.#live.signal.aborted && this.#resource === resource;
  }

  /**
   * Serves one stream to its end; the last one's end is the session's, if none joins.
   *
   * @throws {HoopError} `ERR_LIMIT`: nothing was answered yet, refuse the stream.
   */
  async serve(request: StreamRequest): Promise<void> {
    if (this.#streams.open >= LIMITS.streamsPerSession) throw tooManyStreams();
    clearTimeout(this.#linger);
    this.#streams.open++;
    this.#streams.opened++;
    const number = this.#recorded++;
    const recorder = this.#evidence.recorder.stream(number);
    const idle = this.#idle.stream();
    const end = await serveStream(this.#deps, request, {
      session: this.#live,
      recorder,
      nextRecorder: () => this.#evidence.recorder.stream(this.#recorded++),
      number,
      idle,
      deadline: this.#deadline,
    });
    idle.close();
    this.#streams.open--;
    if (end.failure !== undefined) this.#streams.failed++;
    this.#last = {
      ...end,
      bytesIn: this.#last.bytesIn + end.bytesIn,
      bytesOut: this.#last.bytesOut + end.bytesOut,
    };
    const isLast = this.#streams.open === 0;
    if (isLast && (this.#lingerMs === 0 || this.#live.signal.aborted)) return this.#end(this.#last);
    recorder.closed(end.reason);
    if (isLast) this.#linger = setTimeout(() => void this.#end(this.#last), this.#lingerMs);
  }

  /** Everything that may end a session from outside; gives the function that stops watching. */
  #watch(): () => void {
    const { credentials, clock } = this.#deps;
    const { ref, signal } = this.#live;
    const { principal } = ref;
    const unsubscribe = credentials.onEnd(principal, (code) => this.#live.end(new HoopError(code)));
    const { until } = this.#evidence;
    const expire = () =>
      this.#live.end(
        this.#deadline === until ? noLongerApproved() : tooLong(this.#deadline === principal.deadline),
      );
    const timer = setTimeout(expire, Math.max(0, this.#deadline - clock.now()));
    const onAbort = () => this.#endNow(toHoopError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    return () => {
      unsubscribe();
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  }

  /** Streams that are open say goodbye first; where there is none nobody is waited for. */
  #endNow(error: HoopError): void {
    if (this.#streams.open > 0 || this.#streams.opened === 0) return;
    const { bytesIn, bytesOut } = this.#last;
    void this.#end({ reason: error.message, failure: error.code, bytesIn, bytesOut });
  }

  async #end(end: SessionEnd): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#linger);
    this.#idle.close();
    this.#stopWatching();
    const { opened, failed } = this.#streams;
    const { failure, status: _, ...rest } = end;
    // One that failed ended alone, if another did not or the session was not ended from outside.
    const whole = failure !== undefined && (failed === opened || this.#live.signal.aborted);
    const streams = this.#resource.protocol.session === 'tunnel' ? { streams: opened } : {};
    await this.#evidence.close({ ...(whole ? end : rest), ...streams });
    this.#leave();
    this.#log('session ended', { reason: end.reason, ...this.#live.tally });
    this.#ended.resolve();
  }

  #log(what: string, facts: Readonly<Record<string, string | number>>): void {
    const { ref } = this.#live;
    const { name } = this.#resource;
    this.#deps.log.info(what, { session: ref.id, resource: name, actor: ref.actor.name, ...facts });
  }
}

/** What policy says of `connect` now, not on record. */
export function mayConnect(
  { enforcer }: TunnelDeps,
  principal: StreamRequest['principal'],
  { object }: StreamRequest['resource'],
  context: Operation['context'],
): Decision['effect'] {
  return enforcer.evaluate(principal, [{ action: 'connect', object }], context).effect;
}

function tooMany(most: number): HoopError {
  return new HoopError('ERR_LIMIT', `this tunnel has ${most} sessions open, which is the most`, {
    hint: 'close some; a pool of connections needs fewer',
  });
}

function tooManyStreams(): HoopError {
  const most = LIMITS.streamsPerSession;
  return new HoopError('ERR_LIMIT', `this tunnel has ${most} streams open, which is the most`, {
    hint: 'wait for some to end, or open another tunnel',
  });
}

function tooSilent(): HoopError {
  return new HoopError('ERR_SESSION_ENDED', 'the session was idle for too long', { hint: 'connect again' });
}

function noLongerApproved(): HoopError {
  return new HoopError('ERR_SESSION_ENDED', 'the time that this connection was approved for is over', {
    hint: 'ask for it again: hoopctl connect --wait',
  });
}

function tooLong(ofLogin: boolean): HoopError {
  return ofLogin
    ? new HoopError('ERR_LOGIN_EXPIRED')
    : new HoopError('ERR_SESSION_ENDED', 'the session reached the longest time this resource allows', {
        hint: 'connect again',
      });
}
