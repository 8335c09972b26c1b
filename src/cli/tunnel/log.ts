/**
 * The log of a tunnel in the background: what it would have said on standard error, a line of JSON for each line of that.
 */
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { readPrivateFile } from '../../client/store/private-files.ts';

export interface LogLine {
  /** RFC 3339; empty: not known. */
  readonly at: string;
  readonly text: string;
}

/** A fuller one is put aside for a new one, in place of what was put aside before, octets. */
const FULL_BYTES = 512 * 1024;
const MAX_LINE = 4096;
const MAX_READ_BYTES = 4 * FULL_BYTES;

/** Appends; never throws: a full disk ends no tunnel. */
export class TunnelLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @param text Of one or more lines. */
  write(text: string): void {
    const at = new Date().toISOString();
    const lines = text.split('\n').filter((line) => line !== '');
    const json = lines.map((line) => `${JSON.stringify({ at, text: line.slice(0, MAX_LINE) })}\n`).join('');
    try {
      if ((statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > FULL_BYTES)
        renameSync(this.#path, `${this.#path}.1`);
      appendFileSync(this.#path, json, { mode: 0o600 });
    } catch {
      // There is nobody to tell.
    }
  }
}

/** What is in it, the oldest first; what the process itself has written is a line without a time. */
export async function readLog(path: string): Promise<readonly LogLine[]> {
  const parts = await Promise.all([`${path}.1`, path].map((one) => readPrivateFile(one, MAX_READ_BYTES)));
  return parts
    .flatMap((part) => part?.toString().split('\n') ?? [])
    .filter((line) => line !== '')
    .map(lineOf);
}

function lineOf(line: string): LogLine {
  try {
    const { at, text } = JSON.parse(line) as Partial<LogLine>;
    if (typeof at === 'string' && typeof text === 'string') return { at, text };
  } catch {
    // Written by Node, as it died.
  }
  return { at: '', text: line };
}
