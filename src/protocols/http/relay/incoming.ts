import type { Duplex, Readable } from 'node:stream';
import { HTTP_LIMITS } from '../limits.ts';
import type { RawHead } from '../request/canonical.ts';
import type { Field } from '../request/fields/read-fields.ts';

/** Takes what comes over one connection. */
export interface Receiver {
  /** Resolves when nothing more is sent for it. Never rejects. */
  request(incoming: Incoming): Promise<void>;
  /** What came is no HTTP. @param late It did not come in time. */
  malformed(late: boolean): void;
}

/** A request as it came, with the way back: HTTP/1.1 and HTTP/2 alike. */
export interface Incoming {
  readonly head: RawHead;
  readonly body: Readable;
  /** It was read to its end. */
  readonly bodyEnded: () => boolean;
  /** The client wants to be told before it sends the body. */
  readonly expectsContinue: boolean;
  readonly reply: Reply;
  /**
   * Asks for another protocol: answers 101 with these fields, 200 by HTTP/2, in place of a reply, and gives what is spoken from
   * there on. Any reply is the last of its connection, or of its stream.
   */
  readonly takeOver?: (fields: readonly Field[]) => Duplex;
}

/** What goes back to the client for one request. */
export interface Reply {
  readonly begun: boolean;
  /** The client has gone, or all was sent. */
  readonly closed: boolean;
  /** Sends `100 Continue`. */
  goOn(): void;
  /** Sends an answer before the answer: 102, 103. */
  inform(status: number, fields: readonly Field[]): void;
  /**
   * @param last HTTP/1.1: the connection ends behind this answer.
   * @param alone HTTP/2: the stream ends with the head, as it did at the target: to gRPC its fields are trailers then.
   */
  head(status: number, fields: readonly Field[], last?: boolean, alone?: boolean): void;
  /**
   * @param written Called when nobody reads `chunk` any more; not called where that is not known.
   * @returns Whether the client takes more at once; if not, `onDrain` says when.
   */
  write(chunk: Uint8Array, written?: () => void): boolean;
  onDrain(act: () => void): void;
  end(trailers?: readonly Field[]): void;
  /** Cuts the answer short, so that the client knows that it is not whole. */
  cut(): void;
  /** Calls back when all was handed over, or the client is gone before that. */
  onClose(act: (whole: boolean) => void): void;
}

/** For a stream's `write`: where that failed, what was to be written may still be read. */
export function whenDone(
  written: (() => void) | undefined,
): ((error: Error | null | undefined) => void) | undefined {
  return written && ((error) => error || written());
}

/** Whether a client wants to be told before it sends the body. @param raw Names and values in turn. */
export function expectsContinue(raw: readonly string[]): boolean {
  for (let at = 0; at + 1 < raw.length; at += 2)
    if (raw[at]!.length === 6 && raw[at]!.toLowerCase() === 'expect')
      return raw[at + 1]!.toLowerCase() === '100-continue';
  return false;
}

/** Whether a body is said to be short enough to be read away. Pure. */
export function isSmall(headers: readonly string[]): boolean {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
  return at !== -1 && Number(headers[at + 1]) <= HTTP_LIMITS.drainedBytes;
}
