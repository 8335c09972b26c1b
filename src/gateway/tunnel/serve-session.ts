import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ERROR_TABLE, type ErrorCode, HoopError, toHoopError } from '../../core/errors.ts';
import { newId } from '../../core/ids.ts';
import { rescued } from '../../core/later.ts';
import type { SessionRef } from '../../enforcement/operation.ts';
import type { Principal } from '../../identity/principal.ts';
import type { SessionEnd } from '../../protocols/adapter.ts';
import { Guard } from '../../protocols/stream/guard.ts';
import type { SessionRecorder } from '../../recording/recorder.ts';
import { actorOf } from '../actor.ts';
import { SessionIdleTimer } from '../sessions/idle-timer.ts';
import { LiveSession } from '../sessions/live-session.ts';
import { acceptTunnel } from './answer.ts';
import { checkLocalProof } from './local-proof.ts';
import { RefusedSession } from './refused-session.ts';
import type { TunnelRequest } from './request.ts';
import type { GatewayResource } from './resources.ts';
import type { TunnelDeps } from './tunnels.ts';

export interface SessionRequest extends TunnelDeps {
  readonly principal: Principal;
  readonly resource: GatewayResource;
  readonly tunnel: TunnelRequest;
  readonly socket: Duplex;
  readonly address: string;
}

/** How long an adapter may take to say goodbye once its session was told to end, ms. */
const GOODBYE_MS = 5000;
/** Probes of an idle connection: a vanished laptop must not hold a session for hours. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Asks whether the session may be, opens its evidence, answers 101 and hands the stream to the adapter.
 *
 * Resolves when the session has ended and that is on record.
 *
 * @throws {RefusedSession} Policy does not allow it, or there is no evidence without which it must not be.
 * @throws {HoopError} `ERR_AUDIT_UNAVAILABLE`, `ERR_REVOKED`, `ERR_LOGIN_EXPIRED`: it could not even be asked. Either
 *   way nothing was answered yet: refuse the stream.
 */
export async function serveSession(request: SessionRequest): Promise<void> {
  const { clock, principal, resource } = request;
  const startedAt = clock.now();
  const ref: SessionRef = {
    id: newId('ses', startedAt),
    principal,
    actor: actorOf(principal),
    resource: resource.object,
    protocol: resource.protocol.name,
  };
  const session = new LiveSession(ref, startedAt);
  const release = request.resources.hold(resource);
  // Counted from the question on: many that are asked at once must not be more than an instance may have.
  request.sessions.add(session);
  try {
    await connect(request, session);
  } finally {
    request.sessions.remove(session);
    release();
  }
}

/** The question of `connect`: decided and on record before anything happens, closed when all is over. */
async function connect(request: SessionRequest, session: LiveSession): Promise<void> {
  const { enforcer, clock, resource } = request;
  const { ref, startedAt } = session;
  const pairs = [{ action: 'connect', object: resource.object }];
  const verdict = await enforcer.decide({ session: ref, pairs, context: {}, text: 'connect' });
  if (verdict.effect === 'deny') throw RefusedSession.by(verdict.denial, verdict.operation);
  request.keep(request.socket);
  let failure: ErrorCode | undefined = 'ERR_INTERNAL';
  try {
    failure = await open(request, session, verdict.operation);
  } catch (error) {
    failure = toHoopError(error).code;
    throw RefusedSession.after(error, verdict.operation);
  } finally {
    enforcer.close(ref, verdict.operation, {
      outcome: failure === undefined ? 'success' : 'failure',
      ...(failure === undefined ? {} : { sqlstate: ERROR_TABLE[failure].sqlstate }),
      durationMs: clock.now() - startedAt,
    });
  }
}

/** @returns What ended the session, where that was not in good order. */
async function open(request: SessionRequest, session: LiveSession, operation: string) {
  checkLocalProof(request.tunnel.localProof, request.resource.protocol.localProof);
  const recorder = await openRecorder(request, session);
  await recordStart(request, session, recorder, operation);
  acceptTunnel(request.socket, session.ref.id);
  return serve(request, session, recorder);
}

async function openRecorder({ recordings, log }: SessionRequest, { ref, startedAt }: LiveSession) {
  try {
    return await recordings.open({ id: ref.id, protocol: ref.protocol, startedAt });
  } catch (error) {
    log.error('a recording could not be opened', { session: ref.id, error: String(error) });
    throw new HoopError('ERR_RECORDING_UNAVAILABLE', undefined, { cause: error });
  }
}

async function recordStart(
  request: SessionRequest,
  session: LiveSession,
  recorder: SessionRecorder,
  operation: string,
) {
  const { id, actor, protocol } = session.ref;
  const { tunnel, resource } = request;
  try {
    await request.audit.append({
      type: 'session.started',
      operation,
      actor,
      session: id,
      resource: resource.name,
      protocol,
      facts: { address: request.address },
      ...(tunnel.reason === undefined ? {} : { reason: tunnel.reason }),
    });
  } catch (error) {
    await recorder.close('audit unavailable');
    throw new HoopError('ERR_AUDIT_UNAVAILABLE', undefined, { cause: error });
  }
}

async function serve(
  request: SessionRequest,
  session: LiveSession,
  recorder: SessionRecorder,
): Promise<ErrorCode | undefined> {
  const { ref, signal } = session;
  const log = request.log.child({ session: ref.id, resource: request.resource.name, actor: ref.actor.name });
  const { enforcer, credentials, clock } = request;
  const guard = new Guard({ session: ref, enforcer, credentials, recorder, clock, tally: session.tally });
  const idle = new SessionIdleTimer(request.resource.config.session.idle, () => session.end(tooSilent()));
  const stopWatching = watch(request, session);
  log.info('session started', { instance: ref.actor.instance });
  let end: SessionEnd;
  try {
    end = await request.resource.adapter.serve(request.socket, {
      session: ref,
      guard,
      localProof: request.tunnel.localProof,
      signal,
      idle,
      clock,
      log,
    });
  } catch (error) {
    log.error('the adapter failed', { error: error instanceof Error ? error.message : String(error) });
    end = { reason: 'ERR_INTERNAL', failure: 'ERR_INTERNAL', bytesIn: 0, bytesOut: 0 };
  }
  guard.closeAll();
  idle.close();
  stopWatching();
  request.socket.destroy();
  await recordEnd(request, session, recorder, end);
  log.info('session ended', { reason: end.reason, ...session.tally });
  return end.failure;
}

/** Everything that may end a session from outside; gives the function that stops watching. */
function watch(request: SessionRequest, session: LiveSession): () => void {
  const { principal, socket, resource, credentials, clock } = request;
  const { max } = resource.config.session;
  const unsubscribe = credentials.onEnd(principal, (code) => session.end(new HoopError(code)));
  const deadline = Math.min(principal.deadline, session.startedAt + max);
  const timers = [
    setTimeout(() => session.end(tooLong(principal, deadline)), Math.max(0, deadline - clock.now())),
  ];
  if (socket instanceof Socket) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(0);
  }
  const goodbye = () => timers.push(setTimeout(() => socket.destroy(), GOODBYE_MS));
  session.signal.addEventListener('abort', goodbye, { once: true });
  if (session.signal.aborted) goodbye();
  return () => {
    unsubscribe();
    for (const timer of timers) clearTimeout(timer);
    session.signal.removeEventListener('abort', goodbye);
  };
}

function tooSilent(): HoopError {
  return new HoopError('ERR_SESSION_ENDED', 'the session was idle for too long', { hint: 'connect again' });
}

function tooLong(principal: Principal, deadline: number): HoopError {
  return deadline === principal.deadline
    ? new HoopError('ERR_LOGIN_EXPIRED')
    : new HoopError('ERR_SESSION_ENDED', 'the session reached the longest time this resource allows', {
        hint: 'connect again',
      });
}

async function recordEnd(
  request: SessionRequest,
  session: LiveSession,
  recorder: SessionRecorder,
  end: SessionEnd,
) {
  const { ref, startedAt, tally } = session;
  const { log, audit, clock, resource } = request;
  const recording = await recorder.close(end.reason);
  const event = {
    type: 'session.ended',
    actor: ref.actor,
    session: ref.id,
    resource: resource.name,
    protocol: ref.protocol,
    reason: end.reason,
    outcome: recording.complete && end.failure === undefined ? 'success' : 'failure',
    ...(end.failure === undefined ? {} : { sqlstate: ERROR_TABLE[end.failure].sqlstate }),
    bytes: end.bytesOut,
    durationMs: clock.now() - startedAt,
    facts: {
      bytesIn: end.bytesIn,
      ...tally,
      recordingSha256: recording.sha256,
      recordingBytes: recording.bytes,
      recordingComplete: recording.complete,
    },
  } as const;
  await rescued(
    () => audit.append(event),
    () => log.error("a session's end could not be recorded", { session: ref.id }),
  );
}
