import { HoopError, toHoopError } from '../../core/errors.ts';
import { rescued } from '../../core/later.ts';
import type { SessionEnd } from '../../protocols/adapter.ts';
import type { SessionRecorder } from '../../recording/recorder.ts';
import type { LiveSession } from '../sessions/live-session.ts';
import { checkLocalProof } from './local-proof.ts';
import { RefusedSession } from './refused-session.ts';
import type { StreamRequest, TunnelDeps } from './stream-request.ts';

/** What a session ended with, all its streams together. */
export interface SessionOutcome extends SessionEnd {
  /** How many streams it had, where it may have several. */
  readonly streams?: number;
}

/**
 * What is on record of one session beside its operations: the question of `connect`, its start, its recording, its end.
 */
export class SessionEvidence {
  readonly recorder: SessionRecorder;
  /** It was approved until then, ms since the epoch; undefined: it needed no approval. */
  readonly until: number | undefined;
  /** Under which approvals it was opened. */
  readonly approvals: readonly string[] | undefined;
  readonly #deps: TunnelDeps;
  readonly #session: LiveSession;
  readonly #operation: string;

  private constructor(parts: {
    readonly deps: TunnelDeps;
    readonly session: LiveSession;
    readonly operation: string;
    readonly recorder: SessionRecorder;
    readonly until: number | undefined;
    readonly approvals: readonly string[] | undefined;
  }) {
    this.#deps = parts.deps;
    this.#session = parts.session;
    this.#operation = parts.operation;
    this.recorder = parts.recorder;
    this.until = parts.until;
    this.approvals = parts.approvals;
  }

  /**
   * Asks whether the session may be, as any other operation is asked, then opens its recording and records its start.
   *
   * @throws {RefusedSession} Policy does not allow it, or there is no evidence without which it must not be.
   * @throws {HoopError} `ERR_AUDIT_UNAVAILABLE`, `ERR_REVOKED`, `ERR_LOGIN_EXPIRED`: it could not even be asked.
   */
  static async open(
    deps: TunnelDeps,
    session: LiveSession,
    request: StreamRequest,
  ): Promise<SessionEvidence> {
    const { ref } = session;
    const pairs = [{ action: 'connect', object: ref.resource }];
    const { asks, place } = request.tunnel;
    const verdict = await deps.enforcer.decide({
      session: ref,
      pairs,
      context: {},
      text: place === undefined ? 'connect' : `connect ${place}`,
      approvable: { exact: () => place ?? '', opens: true, asks },
    });
    if (verdict.effect === 'deny') throw RefusedSession.by(verdict);
    const { operation, until, approvals } = verdict;
    try {
      checkLocalProof(request.tunnel.localProof, request.resource.protocol.localProof);
      checkPlace(request);
      const recorder = await openRecorder(deps, session);
      const evidence = new SessionEvidence({ deps, session, operation, recorder, until, approvals });
      await evidence.#started(request);
      return evidence;
    } catch (error) {
      const known = toHoopError(error);
      closeConnect(deps, session, operation, { failure: known.code, status: `${known.httpStatus}` });
      throw new RefusedSession(known, operation);
    }
  }

  /** Never throws: an end that cannot be stored is logged. */
  async close(end: SessionOutcome): Promise<void> {
    const { log, audit, clock } = this.#deps;
    const { ref, startedAt, tally } = this.#session;
    const recording = await this.recorder.close(end.reason);
    const event = {
      type: 'session.ended',
      actor: ref.actor,
      session: ref.id,
      resource: ref.resource.id,
      protocol: ref.protocol,
      reason: end.reason,
      outcome: recording.complete && end.failure === undefined ? 'success' : 'failure',
      ...(end.status === undefined ? {} : { status: end.status }),
      bytes: end.bytesOut,
      durationMs: clock.now() - startedAt,
      facts: {
        bytesIn: end.bytesIn,
        ...tally,
        ...(end.streams === undefined ? {} : { streams: end.streams }),
        recordingSha256: recording.sha256,
        recordingBytes: recording.bytes,
        recordingComplete: recording.complete,
      },
    } as const;
    await rescued(
      () => audit.append(event),
      () => log.error("a session's end could not be recorded", { session: ref.id }),
    );
    closeConnect(this.#deps, this.#session, this.#operation, end);
  }

  async #started({ tunnel, address }: StreamRequest): Promise<void> {
    const { ref } = this.#session;
    try {
      await this.#deps.audit.append({
        type: 'session.started',
        operation: this.#operation,
        actor: ref.actor,
        session: ref.id,
        resource: ref.resource.id,
        protocol: ref.protocol,
        facts: { address },
        ...(tunnel.reason === undefined ? {} : { reason: tunnel.reason }),
      });
    } catch (error) {
      await this.recorder.close('audit unavailable');
      throw new HoopError('ERR_AUDIT_UNAVAILABLE', undefined, { cause: error });
    }
  }
}

async function openRecorder({ recordings, log }: TunnelDeps, { ref, startedAt }: LiveSession) {
  try {
    return await recordings.open({ id: ref.id, protocol: ref.protocol, startedAt });
  } catch (error) {
    const { code, detail } = toHoopError(error, 'ERR_RECORDING_UNAVAILABLE');
    log.error('a recording could not be opened', { session: ref.id, code, detail });
    throw new HoopError('ERR_RECORDING_UNAVAILABLE', undefined, {
      hint: 'connect again in a while; if that is refused too, ask the operator of the gateway whether its disk is full',
      cause: error,
    });
  }
}

function closeConnect(
  { enforcer, clock }: TunnelDeps,
  { ref, startedAt }: LiveSession,
  operation: string,
  { failure, status }: Pick<SessionEnd, 'failure' | 'status'>,
): void {
  enforcer.close(ref, operation, {
    outcome: failure === undefined ? 'success' : 'failure',
    ...(status === undefined ? {} : { status }),
    durationMs: clock.now() - startedAt,
  });
}

/** @throws {HoopError} As `Adapter.checkPlace`. */
function checkPlace({ tunnel: { place }, resource: { adapter } }: StreamRequest): void {
  if (adapter.checkPlace !== undefined) adapter.checkPlace(place);
  else if (place !== undefined) throw new HoopError('ERR_NO_ACCESS');
}
