/**
 * What a recording shows, for every protocol: requests, terminals, exchanges. A protocol adds what its responses mean.
 */
import { isUtf8 } from 'node:buffer';
import type { Octets, ReplayFrame, ReplayShown } from '../../api/replay.ts';
import { isHoopError } from '../../core/errors.ts';
import type { RecordedItem } from '../../recording/items.ts';

/** Reads the `response` bytes of one stream, in order. */
export interface Responses {
  show(bytes: Buffer): ReplayShown[];
  /** False once bytes could not be read: the end is told as not complete. */
  readonly whole: boolean;
}

/** Operations whose ids are known, the latest ones named. An exchange that is silent for longer loses its id. */
const KNOWN_OPERATIONS = 4096;

/**
 * Turns recorded items into what a person watches.
 *
 * @param items As a `RecordingStore` gives them: header, frames, end.
 * @param responses Makes the reader of one stream's responses. Absent: only their size is shown.
 * @returns Frames in order of time; the last one is `end`, or `broken` where `items` fails with `ERR_VERIFY`.
 */
export async function* replayed(
  items: AsyncIterable<RecordedItem>,
  responses: () => Responses = () => new Sizes(),
): AsyncGenerator<ReplayFrame> {
  const replay = new Replay(responses);
  let atMs = 0;
  try {
    for await (const item of items) {
      if (item.kind === 'header') continue;
      atMs = Math.round(item.atMicros / 1000);
      const stream = item.kind === 'end' || item.stream === 0 ? {} : { stream: item.stream };
      for (const shown of replay.show(item)) yield { schemaVersion: 1, atMs, ...stream, ...shown };
    }
  } catch (error) {
    if (!isHoopError(error) || error.code !== 'ERR_VERIFY') throw error;
    yield { schemaVersion: 1, atMs, kind: 'broken', message: error.message };
  }
}

class Replay {
  readonly #make: () => Responses;
  readonly #streams = new Map<number, Responses>();
  readonly #ids = new OperationIds();
  #whole = true;

  constructor(make: () => Responses) {
    this.#make = make;
  }

  show(item: Exclude<RecordedItem, { kind: 'header' }>): ReplayShown[] {
    switch (item.kind) {
      case 'request':
        this.#ids.tell(item.operation, item.id);
        return [{ kind: 'request', text: item.text, operation: item.id }];
      case 'response':
        return this.#response(item.stream, item.bytes);
      case 'closed':
        this.#streams.delete(item.stream);
        return [{ kind: 'closed', reason: item.text }];
      case 'end':
        return [{ kind: 'end', reason: item.reason, complete: item.complete && this.#whole }];
      default:
        return [{ ...shownAlike(item), ...this.#ids.of(item.operation) }];
    }
  }

  #response(stream: number, bytes: Buffer): ReplayShown[] {
    const responses = this.#streams.get(stream) ?? this.#make();
    this.#streams.set(stream, responses);
    const shown = responses.show(bytes);
    this.#whole &&= responses.whole;
    return shown;
  }
}

type Alike = Exclude<RecordedItem, { kind: 'header' | 'request' | 'response' | 'closed' | 'end' }>;

/** What means the same in every protocol. */
function shownAlike(item: Alike): ReplayShown {
  switch (item.kind) {
    case 'input':
    case 'output':
    case 'stderr':
      return { kind: 'screen', channel: item.kind, ...octets(item.bytes) };
    case 'resize':
      return { kind: 'resize', columns: item.columns, rows: item.rows };
    case 'head':
      return { kind: 'exchange', side: item.side, head: item.head };
    case 'body':
      return { kind: 'exchange', side: item.side, body: octets(item.bytes) };
    case 'status':
      return { kind: 'status', status: item.text };
    case 'note':
      return { kind: 'note', text: item.text };
  }
}

class Sizes implements Responses {
  readonly whole = true;

  show(bytes: Buffer): ReplayShown[] {
    return [{ kind: 'data', bytes: bytes.length }];
  }
}

/** Ids by number. */
class OperationIds {
  readonly #ids = new Map<number, string>();

  tell(operation: number, id: string): void {
    this.#ids.set(operation, id);
    if (this.#ids.size <= KNOWN_OPERATIONS) return;
    const [longestUnnamed] = this.#ids.keys();
    if (longestUnnamed !== undefined) this.#ids.delete(longestUnnamed);
  }

  of(operation: number): { readonly operation?: string } {
    const id = this.#ids.get(operation);
    if (id === undefined) return {};
    this.#ids.delete(operation);
    this.#ids.set(operation, id);
    return { operation: id };
  }
}

function octets(bytes: Buffer): Octets {
  return isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') };
}
