import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { type HoopError, isHoopError } from '../../../../core/errors.ts';
import { whenAborted } from '../../../../core/later.ts';
import type { TargetAnswer } from '../http-target.ts';
import { closedUnanswered, type Patience, targetError, WatchedStream } from '../patience.ts';
import type { RepeatableUpload } from './repeatable-upload.ts';

/** What is asked over one stream. */
export interface Asking {
  /** Names and values in turn, pseudo-header fields first. */
  readonly headers: readonly string[];
  /** Undefined where the request has none. */
  readonly upload: RepeatableUpload | undefined;
  readonly signal: AbortSignal;
  /** Called when the stream is closed. */
  readonly over: () => void;
  readonly early: ((status: number, rawHeaders: readonly string[]) => void) | undefined;
}

/** Why a request has no answer, as far as asking again goes. */
export interface Unanswered {
  readonly error: HoopError;
  /** The gateway broke it off itself. */
  readonly own: boolean;
  /** As RST_STREAM had it; 0: it had none. */
  readonly code: number;
  readonly streamId: number | undefined;
}

/**
 * Sends a request over a stream.
 *
 * @param failed Why the session failed, if it has.
 * @returns The answer once its head has come, or why there is none. Never rejects.
 * @see RFC 9113 §8
 */
export function asked(
  stream: ClientHttp2Stream,
  { upload, signal, early }: Asking,
  patience: Patience,
  failed: () => Error | undefined,
): Promise<TargetAnswer | Unanswered> {
  const watched = new WatchedStream(stream, patience);
  const { promise, resolve } = Promise.withResolvers<TargetAnswer | Unanswered>();
  let failure: Error | undefined;
  let trailers: readonly string[] = [];
  endsOnlyByItsPeer(stream);
  stream.on('error', (error) => {
    failure ??= error;
  });
  const informed = (headers: IncomingHttpHeaders, raw: readonly string[]) => {
    watched.informed();
    if (stream.destroyed) return;
    try {
      early?.(statusOf(headers), withoutPseudo(raw));
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  stream.on('headers', (headers, _flags, raw: unknown) => informed(headers, raw as string[]));
  stream.once('response', (headers, flags, raw: unknown) => {
    watched.over();
    upload?.forget();
    resolve({
      status: statusOf(headers),
      rawHeaders: withoutPseudo(raw as string[]),
      ended: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0,
      body: stream,
      atHand: () => undefined,
      leave: () => void stream.destroy(),
      trailers: () => trailers,
    });
  });
  stream.once('trailers', (_headers, _flags, raw: unknown) => {
    trailers = raw as string[];
  });
  stream.once('close', () => {
    watched.over();
    const own = isHoopError(failure);
    const error = own ? failure : (failed() ?? failure);
    resolve({
      error: error === undefined ? closedUnanswered() : targetError(error, true),
      own,
      code: stream.rstCode,
      streamId: stream.id,
    });
  });
  whenAborted(signal, (reason) => {
    stream.close(constants.NGHTTP2_CANCEL);
    stream.destroy(reason as Error);
  });
  upload?.to(stream);
  return promise;
}

/**
 * Node tells a stream that was reset by NO_ERROR or CANCEL as one that ended: half an answer would look whole. One of which all came
 * that its head said is whole: a server of Node's may let it go in place of ending it.
 */
function endsOnlyByItsPeer(stream: ClientHttp2Stream): void {
  const push = stream.push.bind(stream);
  const destroy = stream.destroy.bind(stream);
  let whole = false;
  /** Octets that its head said and that have not come; undefined: how many was not said. */
  let left: number | undefined;
  stream.once('response', (headers) => {
    left = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  });
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (left !== undefined && chunk !== null) left -= (chunk as Uint8Array).length;
    if (chunk !== null || whole || stream.destroyed) return push(chunk, encoding);
    whole = !stream.closed || left === 0;
    if (whole) return push(null);
    // Later: Node is not done with the stream.
    process.nextTick(() => stream.destroy());
    return false;
  };
  stream.destroy = (error?: Error) => {
    const told = stream.rstCode === constants.NGHTTP2_NO_ERROR || stream.rstCode === constants.NGHTTP2_CANCEL;
    return destroy(error ?? (told && !whole ? new Error('the stream ended before its answer') : undefined));
  };
}

function statusOf(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): number {
  return headers[':status'] ?? 0;
}

function withoutPseudo(raw: readonly string[]): readonly string[] {
  const [name = ''] = raw;
  // Of an answer there is one, and it comes first: RFC 9113 §8.3.
  return name.startsWith(':') ? raw.slice(2) : raw;
}
