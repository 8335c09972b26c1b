/**
 * The head of an HTTP/1.1 response, read by hand where raw bytes follow it (CONNECT, Upgrade).
 */
import type { Duplex } from 'node:stream';
import { HoopError } from '../../core/errors.ts';

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; the first of several wins. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes that came after the head: they belong to the stream. */
  readonly rest: Buffer;
}

/** Larger heads are refused before more is read. */
export const MAX_HEAD_BYTES = 16 * 1024;
const END = Buffer.from('\r\n\r\n', 'latin1');

/**
 * Parses a head if it is whole.
 *
 * Pure. @param bytes Everything received so far.
 * @returns The head and what follows it, or `undefined` while its end has not come.
 * @throws {HoopError} `ERR_GATEWAY_UNREACHABLE` longer than 16 KiB, or not HTTP/1.x.
 * @see RFC 9112 §4
 */
export function parseResponseHead(bytes: Buffer): ResponseHead | undefined {
  const end = bytes.indexOf(END);
  if (end === -1 || end > MAX_HEAD_BYTES) {
    if (bytes.length > MAX_HEAD_BYTES) throw notHttp('its answer has no end');
    if (bytes.length >= 7 && !bytes.subarray(0, 7).equals(Buffer.from('HTTP/1.')))
      throw notHttp('it speaks no HTTP/1.1');
    return undefined;
  }
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw notHttp('it speaks no HTTP/1.1');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (field === null) throw notHttp('its answer has a malformed field');
    const name = field[1]!.toLowerCase();
    if (!headers.has(name)) headers.set(name, field[2]!);
  }
  return { status: Number(status), headers, rest: bytes.subarray(end + END.length) };
}

/**
 * Reads a head from a connection, no more than 16 KiB, and leaves the connection paused.
 *
 * @param signal Its abort is the deadline.
 * @throws {HoopError} `ERR_GATEWAY_UNREACHABLE` the peer closes, is too slow, or answers something else.
 */
export function readResponseHead(stream: Duplex, signal: AbortSignal): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const finish = (act: () => void) => {
      stream.off('data', onData).off('end', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      stream.pause();
      act();
    };
    const fail = (error: Error) =>
      finish(() => {
        // Destroyed sockets may still report what broke them; nobody listens any more.
        stream.on('error', () => undefined).destroy();
        reject(error);
      });
    const onData = (chunk: Buffer) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      try {
        const head = parseResponseHead(bytes);
        if (head !== undefined) finish(() => resolve(head));
      } catch (error) {
        fail(error as Error);
      }
    };
    const onEnd = () => fail(notHttp('it closed the connection'));
    const onError = (error: Error) =>
      fail(new HoopError('ERR_GATEWAY_UNREACHABLE', undefined, { cause: error }));
    const onAbort = () => fail(notHttp('it gave no answer in time'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('data', onData).on('end', onEnd).on('error', onError);
    stream.resume();
  });
}

function notHttp(why: string): HoopError {
  return new HoopError('ERR_GATEWAY_UNREACHABLE', `the gateway does not answer as it should: ${why}`, {
    hint: 'check the URL, the network and HTTPS_PROXY',
  });
}
