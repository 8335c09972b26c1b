import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { HoopError } from '../core/errors.ts';
import { FileRecorder, type RecordingTools, recordingTools } from './file-recorder.ts';
import type { RecordingStore, SessionRecorder } from './recorder.ts';
import type { RecordingFile } from './segment-writer.ts';

const SESSION_ID = /^ses_[0-9A-Z]{10,40}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export interface FileRecordingStore extends RecordingStore {
  /** Path of a session's recording; undefined if there is none, and for anything that is not a session's id. */
  find(session: string): Promise<string | undefined>;
}

/**
 * Recordings as files: `<dir>/<yyyy-mm-dd>/<session>.hrec`, 0600 in folders 0700, by the day (UTC) of their start.
 *
 * @param dir Made when the first session starts.
 */
export function openRecordingStore(dir: string, clock: Clock): FileRecordingStore {
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
    async find(session) {
      if (!SESSION_ID.test(session) || !existsSync(dir)) return undefined;
      const days = (await readdir(dir)).filter((day) => DAY.test(day)).sort();
      return days
        .reverse()
        .map((day) => join(dir, day, `${session}.hrec`))
        .find((path) => existsSync(path));
    },
  };
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
  const header = {
    schemaVersion: 1,
    session: session.id,
    protocol: session.protocol,
    startedAt: session.startedAt,
  };
  try {
    return await FileRecorder.start(
      file,
      { ...header, schemaVersion: 1 },
      () => (performance.now() - origin) * 1000,
      tools,
    );
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
