import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { LineSplitter } from '../core/bytes/lines.ts';
import { HASH_PREFIX_BYTES, MAX_LINE_BYTES, parseLine, ZERO_HASH } from '../core/evidence/audit-chain.ts';
import { chainSegments, listChains, segmentName } from '../storage/chain-files.ts';
import type { KeyTokens } from './keys.ts';
import { type EventRecord, inPresentForm } from './stored-event.ts';
import { IndexWriter, type Place } from './writer.ts';

const CHUNK_BYTES = 1024 * 1024;
/** Events per transaction. */
const BATCH = 500;

/** How far the index has read a chain. */
interface TailState {
  readonly id: number;
  readonly fileId: string;
  segment: number;
  offset: number;
  /** Hash of the last good line read, and where in this segment it begins; -1 if that is in an earlier one. */
  hash: string;
  hashAt: number;
  closed: boolean;
}

/** The chain on disk is not the one that was indexed: a tail was taken back by its writer, or someone changed it. */
export class ChainChanged extends Error {}

/**
 * Reads what was appended to the chains since the last time into the index. It does not verify: `audit verify` does.
 * A line that is none is skipped, so that a damaged chain can still be searched.
 */
export class IndexTail {
  readonly #dir: string;
  readonly #db: DatabaseSync;
  readonly #writer: IndexWriter;
  readonly #states = new Map<string, TailState>();
  readonly #byId = new Map<number, TailState>();

  constructor(dir: string, db: DatabaseSync, tokens: KeyTokens) {
    this.#dir = dir;
    this.#db = db;
    this.#writer = new IndexWriter(db, tokens, (place) => this.read(place));
    for (const row of db.prepare('SELECT * FROM chains').all()) {
      const [id, segment, offset, hashAt] = [row['id'], row['segment'], row['offset'], row['hash_at']].map(
        Number,
      );
      const place = { id: id!, segment: segment!, offset: offset!, hashAt: hashAt! };
      this.#keep({
        ...place,
        fileId: String(row['file_id']),
        hash: String(row['hash']),
        closed: row['closed'] === 1,
      });
    }
  }

  /** Octets on disk that the index has not read: torn tails included. */
  behind(): number {
    let bytes = 0;
    for (const state of this.#chains()) {
      chainSegments(this.#dir, state.fileId).forEach((path, index) => {
        if (index + 1 > state.segment) bytes += statSync(path).size;
        else if (index + 1 === state.segment) bytes += Math.max(0, statSync(path).size - state.offset);
      });
    }
    return bytes;
  }

  /**
   * Reads on for about `ms` milliseconds.
   *
   * @returns True when everything that was there has been read.
   * @throws {ChainChanged} the index must be built anew.
   */
  advance(ms: number): boolean {
    const end = performance.now() + ms;
    for (const state of this.#chains()) {
      while (this.#step(state)) if (performance.now() >= end) return false;
    }
    return true;
  }

  /** The event at a place; undefined if it cannot be read there any more. */
  read(place: Place): EventRecord | undefined {
    const fileId = this.#byId.get(place.chain)?.fileId;
    if (fileId === undefined || place.length > MAX_LINE_BYTES) return undefined;
    const bytes = readAt(join(this.#dir, fileId, segmentName(place.segment)), place.offset, place.length);
    const line = parseLine(bytes);
    return line === undefined
      ? undefined
      : { ...inPresentForm(line.record), chain: fileId.replaceAll('~', '/'), seq: line.seq };
  }

  /** Chains that have a later one of the same writer, or were closed, are written no more. */
  ended(): ReadonlySet<number> {
    const last = new Map<number, string>();
    for (const entry of listChains(this.#dir)) last.set(entry.worker, entry.fileId);
    const live = new Set(last.values());
    const states = [...this.#states.values()];
    return new Set(
      states.filter((state) => state.closed || !live.has(state.fileId)).map((state) => state.id),
    );
  }

  #chains(): TailState[] {
    return listChains(this.#dir).map(({ fileId }) => this.#states.get(fileId) ?? this.#newChain(fileId));
  }

  #newChain(fileId: string): TailState {
    const insert = this.#db.prepare(
      'INSERT INTO chains (file_id, segment, offset, hash, hash_at, closed) VALUES (?, 1, 0, ?, -1, 0)',
    );
    const id = Number(insert.run(fileId, ZERO_HASH).lastInsertRowid);
    return this.#keep({ id, fileId, segment: 1, offset: 0, hash: ZERO_HASH, hashAt: -1, closed: false });
  }

  #keep(state: TailState): TailState {
    this.#states.set(state.fileId, state);
    this.#byId.set(state.id, state);
    return state;
  }

  /** One batch of one segment. @returns False if there is nothing more in this chain for now. */
  #step(state: TailState): boolean {
    const path = join(this.#dir, state.fileId, segmentName(state.segment));
    const size = existsSync(path) ? statSync(path).size : 0;
    if (size < state.offset || !goesOn(path, state))
      throw new ChainChanged('not the chain that was read before');
    const read = size === state.offset ? 0 : this.#readBatch(state, path, size);
    if (read > 0) return true;
    if (!existsSync(join(this.#dir, state.fileId, segmentName(state.segment + 1)))) return false;
    state.segment++;
    state.offset = 0;
    state.hashAt = -1;
    return true;
  }

  /** @returns Octets taken: 0 if there is no whole line. */
  #readBatch(state: TailState, path: string, size: number): number {
    const splitter = new LineSplitter(MAX_LINE_BYTES);
    const start = state.offset;
    const next = { ...state };
    for (let at = start; at < size && this.#writer.waiting < BATCH && !splitter.overflow; ) {
      const chunk = readAt(path, at, Math.min(CHUNK_BYTES, size - at));
      if (chunk.length === 0) break;
      for (const line of splitter.push(chunk)) this.#take(next, line);
      at += chunk.length;
    }
    if (splitter.overflow) next.offset = size;
    this.#commit(state, next);
    return next.offset - start;
  }

  #take(state: TailState, bytes: Uint8Array): void {
    const line = parseLine(bytes);
    if (line !== undefined) {
      const place = { chain: state.id, segment: state.segment, offset: state.offset, length: bytes.length };
      if (line.kind === 'event') this.#writer.add(inPresentForm(line.record), place);
      state.hash = line.hash;
      state.hashAt = state.offset;
      state.closed = line.kind === 'checkpoint' && line.record['closed'] === true;
    }
    state.offset += bytes.length + 1;
  }

  #commit(state: TailState, next: TailState): void {
    this.#db.exec('BEGIN');
    try {
      this.#writer.write();
      const update = this.#db.prepare(
        'UPDATE chains SET segment = ?, offset = ?, hash = ?, hash_at = ?, closed = ? WHERE id = ?',
      );
      update.run(next.segment, next.offset, next.hash, next.hashAt, next.closed ? 1 : 0, next.id);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
    Object.assign(state, next);
  }
}

/** Whether the last line read is still where it was: a writer may have taken back a group it could not store. */
function goesOn(path: string, state: TailState): boolean {
  if (state.hashAt === -1) return true;
  return readAt(path, state.hashAt, HASH_PREFIX_BYTES).toString('latin1') === `{"hash":"${state.hash}",`;
}

function readAt(path: string, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  const fd = openSync(path, 'r');
  try {
    let done = 0;
    while (done < length) {
      const count = readSync(fd, buffer, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return buffer.subarray(0, done);
  } finally {
    closeSync(fd);
  }
}
