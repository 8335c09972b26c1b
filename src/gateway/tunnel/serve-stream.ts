import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SessionEnd } from '../../protocols/adapter.ts';
import type { IdleTimer } from '../../protocols/stream/client-turn.ts';
import { Guard } from '../../protocols/stream/guard.ts';
import type { StreamRecorder } from '../../recording/recorder.ts';
import type { LiveSession } from '../sessions/live-session.ts';
import { acceptTunnel } from './answer.ts';
import type { StreamRequest, TunnelDeps } from './stream-request.ts';

/** How long an adapter may take to say goodbye once its session was told to end, ms. */
const GOODBYE_MS = 5000;
/** Probes of an idle connection: a vanished laptop must not hold a session for hours. */
const KEEP_ALIVE_MS = 60_000;

/** What a stream has of its session. */
export interface StreamPlace {
  readonly session: LiveSession;
  readonly recorder: StreamRecorder;
  /** Of one more stream of the session. */
  readonly nextRecorder: () => StreamRecorder;
  /** Counts from 0 within the session. */
  readonly number: number;
  readonly idle: IdleTimer;
  /** When the session ends at the latest, ms since the epoch. */
  readonly deadline: number;
}

/** Answers 101 and hands the stream to the adapter. Resolves when the stream has ended; never rejects. */
export async function serveStream(
  deps: TunnelDeps,
  request: StreamRequest,
  { session, recorder, nextRecorder, number, idle, deadline }: StreamPlace,
): Promise<SessionEnd> {
  const { ref, signal } = session;
  const { resource, socket, tunnel } = request;
  const log = deps.log.child({
    session: ref.id,
    resource: resource.name,
    actor: ref.actor.name,
    stream: number,
  });
  deps.keep(socket);
  const { enforcer, credentials, pseudonyms, clock } = deps;
  const { tally } = session;
  const guard = new Guard({
    session: ref,
    enforcer,
    credentials,
    pseudonyms,
    recorder,
    nextRecorder,
    clock,
    tally,
  });
  const stopWatching = cutAfterGoodbye(socket, signal);
  try {
    acceptTunnel(socket, ref.id, ref.ahead);
    return await resource.adapter.serve(socket, {
      session: ref,
      guard,
      localProof: tunnel.localProof,
      ...(tunnel.place === undefined ? {} : { place: tunnel.place }),
      signal,
      deadline,
      idle,
      clock,
      log,
    });
  } catch (error) {
    log.error('the adapter failed', { error: error instanceof Error ? error.message : String(error) });
    return { reason: 'ERR_INTERNAL', failure: 'ERR_INTERNAL', bytesIn: 0, bytesOut: 0 };
  } finally {
    guard.closeAll();
    stopWatching();
    socket.destroy();
  }
}

/** A stream whose session has ended has so long to say so. */
function cutAfterGoodbye(socket: Duplex, signal: AbortSignal): () => void {
  if (socket instanceof Socket) {
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(0);
  }
  let timer: NodeJS.Timeout | undefined;
  const goodbye = () => {
    timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  };
  signal.addEventListener('abort', goodbye, { once: true });
  if (signal.aborted) goodbye();
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', goodbye);
  };
}
