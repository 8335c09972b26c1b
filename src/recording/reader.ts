import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { HoopError } from '../core/errors.ts';
import {
  CODEC,
  decodeFrames,
  encodeHeader,
  FILE_HEAD_BYTES,
  FILE_MAGIC,
  FORMAT_VERSIONS,
  type Frame,
  parseSegmentHead,
  type RecordingHeader,
  SEGMENT_HEAD_BYTES,
  type SegmentHead,
  segmentHash,
} from './format.ts';
import { type RecordedItem, recordedItem } from './items.ts';

const decompress = promisify(zstdDecompress);
const MAX_HEADER_BYTES = 64 * 1024;

/** A recording's octets, read forward from its beginning. */
export interface RecordingSource {
  /** The next `length` octets; undefined where so many are not there. */
  take(length: number): Promise<Buffer | undefined>;
  /** Whether nothing follows what was taken. */
  atEnd(): Promise<boolean>;
  close(): Promise<void>;
}

/** A header, and what it was read from. */
interface Begun {
  readonly header: RecordingHeader;
  readonly hash: Buffer;
}

/**
 * Reads a recording of format 1 or 2, one segment at a time.
 *
 * A tail that is not whole, as a crash leaves it, ends the recording with `complete: false`. Bytes come in pieces of at
 * most 1 MiB. Requests of format 1 are numbered as they come; its other frames name no operation.
 *
 * @param open Called once for the header and once more for each walk through the items, which closes what it opened.
 * @param session Whose recording it must be.
 * @returns Items in order. Walking rejects with `ERR_VERIFY` where a segment before the last does not match its hash or
 *   its predecessor's: what was yielded before was good.
 * @throws {HoopError} `ERR_VERIFY`: it is no recording of that session, or of a later format. What `open` throws.
 */
export async function readRecording(
  open: () => Promise<RecordingSource>,
  session: string,
): Promise<AsyncIterable<RecordedItem>> {
  const source = await open();
  try {
    await readHeader(source, session);
  } finally {
    await source.close();
  }
  return { [Symbol.asyncIterator]: () => readItems(open, session) };
}

async function* readItems(
  open: () => Promise<RecordingSource>,
  session: string,
): AsyncGenerator<RecordedItem> {
  const source = await open();
  try {
    yield* readSegments(source, await readHeader(source, session));
  } finally {
    await source.close();
  }
}

async function* readSegments(source: RecordingSource, { header, hash }: Begun): AsyncGenerator<RecordedItem> {
  const told = { operations: 0 };
  let prev = hash;
  let atMicros = 0;
  let segment = await readSegment(source, prev);
  // The first segment vouches for the header.
  yield { kind: 'header', ...header };
  for (; segment !== undefined; segment = await readSegment(source, prev)) {
    prev = segment.head.hash;
    atMicros = Math.max(atMicros, segment.head.at);
    const sha256 = prev.toString('hex');
    if (segment.head.end) {
      if (!(await source.atEnd())) throw tampered('something follows the end mark');
      yield { kind: 'end', atMicros, reason: endReason(segment.raw), complete: true, sha256 };
      return;
    }
    const frames = decodeFrames(segment.raw, segment.head.at, header.schemaVersion);
    if (frames === undefined) throw tampered('a segment does not hold frames');
    for (const frame of frames) yield item(header.schemaVersion === 1 ? numbered(frame, told) : frame, told);
    atMicros = frames.at(-1)?.at ?? atMicros;
  }
  yield { kind: 'end', atMicros, reason: 'interrupted', complete: false, sha256: prev.toString('hex') };
}

/** Format 1 told ids alone. */
function numbered(frame: Frame, { operations }: { readonly operations: number }): Frame {
  return frame.kind === 'request' ? { ...frame, operation: operations + 1 } : frame;
}

/** @param told How many operations were told so far: a request tells the next, others name one of them. */
function item(frame: Frame, told: { operations: number }): RecordedItem {
  if (frame.kind === 'request') told.operations++;
  const known =
    frame.kind === 'request' ? frame.operation === told.operations : frame.operation <= told.operations;
  const shown = known ? recordedItem(frame) : undefined;
  if (shown === undefined) throw tampered('a frame does not hold what its kind asks for');
  return shown;
}

/** @returns Undefined where the file ends, or ends in a segment that is not whole. */
async function readSegment(
  file: RecordingSource,
  prev: Buffer,
): Promise<{ readonly head: SegmentHead; readonly raw: Buffer } | undefined> {
  const octets = await file.take(SEGMENT_HEAD_BYTES);
  if (octets === undefined) return undefined;
  const head = parseSegmentHead(octets);
  const payload = head === undefined ? undefined : await file.take(head.storedBytes);
  if (head !== undefined && payload === undefined) return undefined;
  const whole = head !== undefined && payload !== undefined && segmentHash(octets, payload).equals(head.hash);
  if (!whole || !head.prev.equals(prev)) {
    // A power cut may leave a last segment whose octets never reached the disk.
    if (!whole && (await file.atEnd())) return undefined;
    throw tampered('a segment does not match its hash');
  }
  return { head, raw: await inflate(head, payload) };
}

async function inflate(head: SegmentHead, payload: Buffer): Promise<Buffer> {
  if (head.codec === CODEC.raw) return payload;
  try {
    const raw = await decompress(payload, { maxOutputLength: Math.max(1, head.rawBytes) });
    if (raw.length === head.rawBytes) return raw;
  } catch {
    // Told below: our own writer makes no such segment.
  }
  throw tampered('a segment cannot be decompressed');
}

async function readHeader(source: RecordingSource, session: string): Promise<Begun> {
  const head = await source.take(FILE_HEAD_BYTES);
  const version = versionOf(head?.toString('latin1', 0, FILE_MAGIC.length + 1));
  const length = head === undefined || version === undefined ? MAX_HEADER_BYTES + 1 : head.readUInt32BE(8);
  const json = length > MAX_HEADER_BYTES ? undefined : await source.take(length);
  if (json === undefined) throw tampered('it is not a recording');
  const begun = parseHeader(json);
  if (begun === undefined || begun.header.schemaVersion !== version)
    throw tampered('its header cannot be read');
  if (begun.header.session !== session) throw tampered('it is the recording of another session');
  return begun;
}

/** @returns Undefined if it is no recording's magic. @throws {HoopError} `ERR_VERIFY` it is one that is not known yet. */
function versionOf(magic: string | undefined): number | undefined {
  if (magic?.startsWith(FILE_MAGIC) !== true || !/^\d$/.test(magic.slice(FILE_MAGIC.length)))
    return undefined;
  const version = Number(magic.slice(FILE_MAGIC.length));
  if (FORMAT_VERSIONS.some((known) => known === version)) return version;
  const known = FORMAT_VERSIONS.join(' and ');
  throw new HoopError(
    'ERR_VERIFY',
    `the recording is of format ${version}, and this gateway reads formats ${known}`,
    { hint: 'replay it at a gateway of the version that recorded it' },
  );
}

/** @returns Undefined unless it is a header as our writer makes it, to the octet. */
function parseHeader(json: Buffer): Begun | undefined {
  try {
    const header = JSON.parse(json.toString()) as RecordingHeader;
    const { bytes, hash } = encodeHeader(header);
    return bytes.subarray(FILE_HEAD_BYTES).equals(json) ? { header, hash } : undefined;
  } catch {
    return undefined;
  }
}

function endReason(raw: Buffer): string {
  try {
    return String((JSON.parse(raw.toString()) as { reason?: unknown }).reason);
  } catch {
    throw tampered('its end mark cannot be read');
  }
}

function tampered(detail: string): HoopError {
  return new HoopError('ERR_VERIFY', 'the recording is damaged or was changed', { detail });
}
