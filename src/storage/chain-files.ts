import { closeSync, createReadStream, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HoopError } from '../core/errors.ts';
import { type ChainLink, MAX_LINE_BYTES, parseLine } from '../core/evidence/audit-chain.ts';

/** `instance/boot/worker` with `~` for `/`: one chain's folder, and its name in URLs. */
const FILE_ID = /^([A-Za-z0-9._-]{1,64})~([A-Za-z0-9_]{1,64})~(\d{1,4})$/;
const SEGMENT = /^\d{6}\.ndjson$/;

/** One chain as it lies in a directory. */
export interface ChainEntry {
  /** Safe in file names and URLs. */
  readonly fileId: string;
  /** `instance/boot/worker`. */
  readonly chain: string;
  /** Sorts by the time of its start. */
  readonly boot: string;
  readonly worker: number;
  readonly segments: number;
  /** Octets of all segments. */
  readonly bytes: number;
}

/** @throws {HoopError} `ERR_CONFIG` if the instance's name has other characters than letters, digits, `.`, `_`, `-`. */
export function chainFileId(chain: string): string {
  const fileId = chain.replaceAll('/', '~');
  if (!FILE_ID.test(fileId) || fileId.startsWith('.'))
    throw new HoopError('ERR_CONFIG', `not a name for an audit chain: ${JSON.stringify(chain)}`, {
      hint: 'an instance is named with letters, digits, ".", "_" and "-", at most 64 of them',
    });
  return fileId;
}

export function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}.ndjson`;
}

/** Full paths of a chain's segments, in order; empty if there is no such chain. */
export function chainSegments(dir: string, fileId: string): string[] {
  if (!FILE_ID.test(fileId) || !existsSync(join(dir, fileId))) return [];
  const names = readdirSync(join(dir, fileId)).filter((name) => SEGMENT.test(name));
  return names.sort().map((name) => join(dir, fileId, name));
}

/** All chains of a directory, oldest first. Reads names and sizes only. */
export function listChains(dir: string): ChainEntry[] {
  if (!existsSync(dir)) return [];
  const entries: ChainEntry[] = [];
  for (const fileId of readdirSync(dir)) {
    const match = FILE_ID.exec(fileId);
    if (match === null || match[1]!.startsWith('.')) continue;
    const segments = chainSegments(dir, fileId);
    if (segments.length === 0) continue;
    const bytes = segments.reduce((sum, path) => sum + statSync(path).size, 0);
    const chain = fileId.replaceAll('~', '/');
    entries.push({
      fileId,
      chain,
      boot: match[2]!,
      worker: Number(match[3]),
      segments: segments.length,
      bytes,
    });
  }
  return entries.sort((a, b) => (a.boot < b.boot ? -1 : a.boot > b.boot ? 1 : a.worker - b.worker));
}

/**
 * A chain's octets as they stand now, segment after segment: what `verifyChain` and an export take.
 *
 * Each segment is read up to the size it had when its turn came, so that a chain being written ends somewhere.
 *
 * @throws {HoopError} `ERR_NO_ACCESS` if there is no such chain: also for any name that is not a chain's.
 */
export async function* readChain(dir: string, fileId: string): AsyncGenerator<Uint8Array> {
  const segments = chainSegments(dir, fileId);
  if (segments.length === 0) throw new HoopError('ERR_NO_ACCESS', 'no such audit chain');
  for (const path of segments) {
    const size = statSync(path).size;
    if (size > 0)
      yield* createReadStream(path, { end: size - 1, highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
  }
}

/** Where the same writer's latest earlier chain ended, for the next one's header; undefined if there is none. */
export function lastLink(
  dir: string,
  worker: number,
): { readonly boot: string; readonly link: ChainLink } | undefined {
  for (const entry of listChains(dir).reverse()) {
    if (entry.worker !== worker) continue;
    for (const path of chainSegments(dir, entry.fileId).reverse()) {
      const bytes = lastWholeLine(path);
      if (bytes === undefined) continue;
      const line = parseLine(bytes);
      const place = line === undefined ? {} : { seq: line.seq, hash: line.hash };
      return { boot: entry.boot, link: { chain: entry.chain, ...place } };
    }
  }
  return undefined;
}

/** The last line that ends in LF; undefined if none does within reach of the longest line and its tail. */
function lastWholeLine(path: string): Uint8Array | undefined {
  const size = statSync(path).size;
  const buffer = Buffer.alloc(Math.min(size, 2 * (MAX_LINE_BYTES + 1)));
  const fd = openSync(path, 'r');
  try {
    readSync(fd, buffer, 0, buffer.length, size - buffer.length);
  } finally {
    closeSync(fd);
  }
  const end = buffer.lastIndexOf(10);
  if (end === -1) return undefined;
  return buffer.subarray(end === 0 ? 0 : buffer.lastIndexOf(10, end - 1) + 1, end);
}
