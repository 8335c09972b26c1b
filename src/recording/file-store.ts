import { accessSync, constants, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { makeFolders } from '../core/disk/folders.ts';
import { HoopError } from '../core/errors.ts';
import { FileRecorder, type RecordingTools, recordingTools } from './file-recorder.ts';
import { followed } from './followed.ts';
import { type RecordingSource, readRecording } from './reader.ts';
import type { RecordingStore, SessionRecorder } from './recorder.ts';
import type { RecordingFile } from './segment-writer.ts';

const SESSION_ID = /^ses_[0-9A-Z]{10,40}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Recordings as files: `<dir>/<yyyy-mm-dd>/<session>.hrec`, 0600 in folders 0700, by the day (UTC) of their start.
 *
 * @param dir Made here and now: what cannot be written is told before the first session, not by it.
 * @throws {HoopError} `ERR_CONFIG` it cannot be made or written.
 */
export function openRecordingStore(dir: string, clock: Clock): RecordingStore {
  demandWritable(dir);
  const tools = recordingTools();
  return {
    async open(session) {
      if (!SESSION_ID.test(session.id))
        throw new HoopError('ERR_INTERNAL', undefined, { detail: 'not a session id' });
      try {
        return await record(dir, session, clock, tools);
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause);
        throw new HoopError('ERR_RECORDING_UNAVAILABLE', undefined, { detail, cause });
      }
    },
    async read(session, following) {
      const path = await find(dir, session);
      if (path === undefined) return undefined;
      const open = () => openSource(path);
      return readRecording(
        following === undefined ? open : async () => followed(await open(), following),
        session,
      );
    },
  };
}

function demandWritable(dir: string): void {
  try {
    makeFolders(dir, 0o700);
    accessSync(dir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new HoopError('ERR_CONFIG', `recordings: ${dir} cannot be written (${code})`, {
      hint: 'give hoopd a directory of its own that it may write, by recordings in the configuration',
      cause,
    });
  }
}

async function find(dir: string, session: string): Promise<string | undefined> {
  if (!SESSION_ID.test(session) || !existsSync(dir)) return undefined;
  const days = (await readdir(dir)).filter((day) => DAY.test(day)).sort();
  return days
    .reverse()
    .map((day) => join(dir, day, `${session}.hrec`))
    .find((path) => existsSync(path));
}

async function record(
  dir: string,
  session: { readonly id: string; readonly protocol: string; readonly startedAt: number },
  clock: Clock,
  tools: RecordingTools,
): Promise<SessionRecorder> {
  const day = join(dir, new Date(session.startedAt).toISOString().slice(0, 10));
  await mkdir(day, { recursive: true, mode: 0o700 });
  const file = new AppendFile(await open(join(day, `${session.id}.hrec`), 'ax', 0o600));
  // Time within the session is monotonic: the wall clock may be set back under it.
  const origin = performance.now() - Math.max(0, clock.now() - session.startedAt);
  const { id, protocol, startedAt } = session;
  const header = { schemaVersion: 2, session: id, protocol, startedAt } as const;
  try {
    return await FileRecorder.start(file, header, () => (performance.now() - origin) * 1000, tools);
  } catch (error) {
    await file.close();
    throw error;
  }
}

class AppendFile implements RecordingFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    const { bytesWritten } = await this.#handle.writev(parts);
    if (bytesWritten === total) return;
    // A short write: the rest again, which either goes through or says why not.
    const rest = Buffer.concat(parts).subarray(bytesWritten);
    await this.#handle.writeFile(rest);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function openSource(path: string): Promise<RecordingSource> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new HoopError('ERR_NO_ACCESS', 'there is no such recording', { cause });
  });
  return new FileSource(handle);
}

class FileSource implements RecordingSource {
  readonly #handle: FileHandle;
  #offset = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async take(length: number): Promise<Buffer | undefined> {
    const size = (await this.#handle.stat()).size;
    if (this.#offset + length > size) return undefined;
    const buffer = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, this.#offset + done);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    this.#offset += length;
    return buffer;
  }

  async atEnd(): Promise<boolean> {
    return this.#offset >= (await this.#handle.stat()).size;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
