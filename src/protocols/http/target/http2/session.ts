import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { HoopError } from '../../../../core/errors.ts';
import { HTTP_LIMITS } from '../../limits.ts';
import type { TargetAnswer } from '../http-target.ts';
import { type Patience, targetError } from '../patience.ts';
import { type Asking, asked, type Unanswered } from './asked.ts';

/** Streams that the gateway may break off before a connection is let go, since targets end one that sees many: RFC 9113 §10.5. */
const MAX_RESETS = 100;
/** Far from the end of the numbers of streams: RFC 9113 §5.1.1. */
const MAX_STREAMS = 2 ** 28;
/** Strict servers end a connection that is asked more often whether it lives. */
const PING_MS = 300_000;

const OPTIONS = {
  maxSessionMemory: HTTP_LIMITS.http2Megabytes,
  maxHeaderListPairs: 256,
  maxReservedRemoteStreams: 0,
  // What may be there twice was judged, and goes as it would by HTTP/1.1: Node would throw.
  strictSingleValueFields: false,
  settings: {
    enablePush: false,
    initialWindowSize: HTTP_LIMITS.targetWindowBytes,
    maxHeaderListSize: HTTP_LIMITS.headBytes,
  },
};

/** One connection of HTTP/2 to a target, which many requests share. */
export class Session {
  readonly #session: ClientHttp2Session;
  readonly #patience: Patience;
  #open = 0;
  #begun = 0;
  #resets = 0;
  #retired = false;
  /** Streams above it were not looked at: RFC 9113 §6.8. */
  #last = Number.POSITIVE_INFINITY;
  #failure: Error | undefined;
  #idle: NodeJS.Timeout | undefined;
  #pinged = Number.NEGATIVE_INFINITY;

  private constructor(session: ClientHttp2Session, patience: Patience) {
    this.#session = session;
    this.#patience = patience;
    session.on('error', (error) => {
      this.#failure ??= error;
    });
    session.on('goaway', (_code, last) => {
      this.#last = Math.min(this.#last, last);
    });
    this.#rest();
  }

  /**
   * Speaks HTTP/2 over a connection, which is its own from here on.
   *
   * @returns Once the target has said its settings, so that what follows is sent to who understands it, and no more at once
   *   than it takes.
   * @throws {HoopError} `ERR_TARGET_LOST` it speaks something else; `ERR_TARGET_UNREACHABLE` nothing within `connectMs`.
   */
  static async begin(origin: string, socket: Socket, patience: Patience): Promise<Session> {
    const { connectMs } = patience;
    const session = connect(origin, { ...OPTIONS, createConnection: () => socket });
    session.on('connect', () => session.setLocalWindowSize(HTTP_LIMITS.targetWindowsBytes));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      const detail = `no settings within ${connectMs} ms`;
      session.destroy(new HoopError('ERR_TARGET_UNREACHABLE', undefined, { detail }));
    }, connectMs);
    session.once('remoteSettings', () => resolve());
    session.once('error', (error) => reject(targetError(error, true)));
    session.once('close', () => reject(new HoopError('ERR_TARGET_LOST', undefined, { detail: NO_HTTP2 })));
    await promise.finally(() => clearTimeout(timer));
    return new Session(session, patience);
  }

  get closed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** Another stream can be opened on it. */
  get hasRoom(): boolean {
    const most = this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
    return !this.closed && !this.#retired && this.#begun < MAX_STREAMS && this.#open < most;
  }

  onClose(act: () => void): void {
    this.#session.once('close', act);
  }

  /** Takes the room for one request: `ask`, or `leave`, must follow. */
  enter(): void {
    clearTimeout(this.#idle);
    this.#open++;
  }

  leave(): void {
    this.#open--;
    if (this.#open === 0) this.#rest();
  }

  /** @returns The answer, or why there is none and whether the same may be asked once more. */
  async ask(asking: Asking): Promise<TargetAnswer | (Unanswered & Again)> {
    const first = this.#begun++ === 0;
    const stream = this.#begin(asking);
    stream.once('close', () => {
      if (!stream.readableEnded || !stream.writableFinished) this.#reset();
      this.leave();
      asking.over();
    });
    const looks = setTimeout(() => this.#ping(), this.#patience.headMs);
    const answer = await asked(stream, asking, this.#patience, () => this.#failure);
    clearTimeout(looks);
    if (!('error' in answer)) return answer;
    const { own, code, streamId } = answer;
    // It kept somebody waiting: nobody else is to wait for it.
    if (own && !asking.signal.aborted) this.retire();
    const refused =
      code === constants.NGHTTP2_REFUSED_STREAM || streamId === undefined || streamId > this.#last;
    return { ...answer, unprocessed: !own && refused, stale: !own && !first && this.closed };
  }

  /** @throws {Error} Node does not write such a head: the room that was taken is given back. */
  #begin({ headers, upload, over }: Asking): ClientHttp2Stream {
    try {
      return this.#session.request([...headers], { endStream: upload === undefined });
    } catch (error) {
      this.leave();
      over();
      throw error;
    }
  }

  /** Takes no more requests, and ends with the last of those that it has. */
  retire(): void {
    this.#retired = true;
    this.#session.close();
  }

  destroy(): void {
    clearTimeout(this.#idle);
    this.#session.destroy();
  }

  #reset(): void {
    this.#resets++;
    if (this.#resets >= MAX_RESETS) this.retire();
  }

  #rest(): void {
    this.#idle = setTimeout(() => this.retire(), HTTP_LIMITS.keptSessionMs);
    this.#idle.unref();
  }

  /** Somebody waits long: a target that does not answer this either is lost. A head that has begun and goes on forever is met by it too. */
  #ping(): void {
    const { headMs } = this.#patience;
    const now = performance.now();
    if (this.closed || now - this.#pinged < PING_MS) return;
    this.#pinged = now;
    const timer = setTimeout(() => {
      const detail = `no answer to a ping within ${headMs} ms`;
      this.#session.destroy(new HoopError('ERR_TARGET_LOST', undefined, { detail }));
    }, headMs);
    this.#session.ping(() => clearTimeout(timer));
    this.onClose(() => clearTimeout(timer));
  }
}

/** Whether what was not answered may be asked again. */
export interface Again {
  /** The target has done nothing of it, whatever it was: RFC 9113 §8.7. */
  readonly unprocessed: boolean;
  /** A connection that was used before is gone, and nobody knows what the target has done. */
  readonly stale: boolean;
}

const NO_HTTP2 = 'closed before its settings';
