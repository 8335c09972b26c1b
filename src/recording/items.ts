import type { ExchangeHead, ExchangeSide } from '../api/replay.ts';
import type { Frame, RecordingHeader } from './format.ts';

/** What a recording shows, in order: one header, frames, one end. Of what kinds mean see `StreamRecorder`. */
export type RecordedItem =
  | ({ readonly kind: 'header' } & RecordingHeader)
  | (RecordedFrame & { readonly kind: 'request'; readonly id: string; readonly text: string })
  | (RecordedFrame & { readonly kind: 'response'; readonly bytes: Buffer })
  | (RecordedFrame & { readonly kind: 'input' | 'output' | 'stderr'; readonly bytes: Buffer })
  | (RecordedFrame & { readonly kind: 'head'; readonly side: ExchangeSide; readonly head: ExchangeHead })
  | (RecordedFrame & { readonly kind: 'body'; readonly side: ExchangeSide; readonly bytes: Buffer })
  | (RecordedFrame & { readonly kind: 'resize'; readonly columns: number; readonly rows: number })
  | (RecordedFrame & { readonly kind: 'note' | 'status'; readonly text: string })
  | (RecordedFrame & { readonly kind: 'closed'; readonly text: string })
  | RecordingEnd;

interface RecordedFrame {
  readonly atMicros: number;
  readonly stream: number;
  /** Number of the operation within the recording; 0: of none, or of several. Its `request` has its id. */
  readonly operation: number;
}

interface RecordingEnd {
  readonly kind: 'end';
  /** Of the last frame, or of the end mark. */
  readonly atMicros: number;
  /** As given to `close`; `interrupted` if there is no end mark. */
  readonly reason: string;
  /** The end mark was read. False: the gateway died, the disk was full, or the session is still live. */
  readonly complete: boolean;
  /** Hash of the last segment read, hex: compare it with the audit's `session.ended`. */
  readonly sha256: string;
}

/** @returns What a frame shows; undefined if its octets are not what its kind asks for. Pure. */
export function recordedItem(frame: Frame): RecordedItem | undefined {
  const { kind, stream, operation, at } = frame;
  const of = { atMicros: at, stream, operation };
  const bytes = Buffer.from(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.length);
  switch (kind) {
    case 'request': {
      const text = bytes.toString();
      const cut = text.indexOf('\0');
      return { ...of, kind, id: text.slice(0, Math.max(0, cut)), text: text.slice(cut + 1) };
    }
    case 'response':
    case 'input':
    case 'output':
    case 'stderr':
      return { ...of, kind, bytes };
    case 'note':
    case 'status':
    case 'closed':
      return { ...of, kind, text: bytes.toString() };
    case 'resize':
      if (bytes.length !== 4) return undefined;
      return { ...of, kind, columns: bytes.readUInt16BE(0), rows: bytes.readUInt16BE(2) };
    case 'request-head':
    case 'response-head': {
      const head = exchangeHead(bytes);
      return head === undefined ? undefined : { ...of, kind: 'head', side: sideOf(kind), head };
    }
    case 'request-body':
    case 'response-body':
      return { ...of, kind: 'body', side: sideOf(kind), bytes };
  }
}

function sideOf(kind: `${ExchangeSide}-${string}`): ExchangeSide {
  return kind.startsWith('request') ? 'request' : 'response';
}

function exchangeHead(bytes: Buffer): ExchangeHead | undefined {
  try {
    const { start, fields } = JSON.parse(bytes.toString()) as ExchangeHead;
    return typeof start === 'string' && Array.isArray(fields) && fields.every(isField)
      ? { start, fields }
      : undefined;
  } catch {
    return undefined;
  }
}

function isField(field: unknown): boolean {
  return Array.isArray(field) && field.length === 2 && field.every((part) => typeof part === 'string');
}
