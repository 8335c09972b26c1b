/**
 * One request of HTTP over a stream of its own.
 */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HoopError } from '../../../../core/errors.ts';
import { type HttpRequest, headersOf } from './operation.ts';

export interface Exchanged {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body was longer. */
  readonly cut: boolean;
}

/**
 * Sends a request and reads its answer; no redirect is followed.
 *
 * @param stream Ended afterwards; who destroys it meanwhile ends the request.
 * @param maxBytes Octets of the body that are kept; what is beyond is not read.
 * @throws {HoopError} `ERR_TARGET_LOST` no answer, or none of HTTP.
 */
export async function exchange(stream: Duplex, request: HttpRequest, maxBytes: number): Promise<Exchanged> {
  try {
    const answer = await answerTo(stream, request);
    const { body, cut } = await bodyOf(answer, maxBytes);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body, cut };
  } catch (error) {
    if (error instanceof HoopError) throw error;
    throw new HoopError('ERR_TARGET_LOST', undefined, { cause: error });
  } finally {
    stream.destroy();
  }
}

function answerTo(stream: Duplex, { method, path, headers, body }: HttpRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const outgoing = httpRequest({
    createConnection: () => stream,
    method,
    path,
    headers: { host: 'localhost', ...headersOf({ headers }), ...length, connection: 'close' },
  });
  outgoing.once('socket', (socket) => socket.resume());
  outgoing.once('response', resolve).on('error', reject);
  outgoing.end(body);
  return promise;
}

async function bodyOf(answer: IncomingMessage, maxBytes: number): Promise<Pick<Exchanged, 'body' | 'cut'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) return { body: Buffer.concat(chunks).subarray(0, maxBytes), cut: true };
  }
  return { body: Buffer.concat(chunks), cut: false };
}
