/**
 * Where a command reads and writes: stdout is the answer, stderr everything else.
 */
import type { Writable } from 'node:stream';
import { HoopError } from '../core/errors.ts';
import { visible } from './render/text.ts';
import type { SignalHub } from './signals.ts';

export interface IoStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export class Io {
  readonly streams: IoStreams;
  readonly env: NodeJS.ProcessEnv;
  readonly signals: SignalHub;
  readonly json: boolean;
  /** Whoever started this process. */
  readonly parentPid = process.ppid;

  constructor(streams: IoStreams, env: NodeJS.ProcessEnv, signals: SignalHub, json: boolean) {
    this.streams = streams;
    this.env = env;
    this.signals = signals;
    this.json = json;
  }

  /** Aborted by SIGINT, SIGTERM or SIGHUP, with an `Interrupted` as its reason. */
  get signal(): AbortSignal {
    return this.signals.signal;
  }

  /** Columns to fit human output into; unlimited when it goes to a file or a pipe. */
  get width(): number {
    const { isTTY, columns } = this.streams.stdout;
    return isTTY && columns > 0 ? columns : Number.POSITIVE_INFINITY;
  }

  get colour(): boolean {
    return this.streams.stdout.isTTY === true && !this.env['NO_COLOR'] && this.env['TERM'] !== 'dumb';
  }

  /** Writes to stdout and waits for a slow reader. */
  write(chunk: string | Uint8Array): Promise<void> {
    return writeTo(this.streams.stdout, chunk);
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** One line of JSON on stdout; `schemaVersion` first unless the value has its own. */
  value(value: object): Promise<void> {
    return this.line(JSON.stringify({ schemaVersion: 1, ...value }));
  }

  /** A remark on stderr. Its text may hold what strangers wrote. */
  note(text: string): void {
    this.streams.stderr.write(`hoopctl: ${visible(text)}\n`);
  }
}

function writeTo(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    stream.write(chunk, (error) => (error ? reject(unwritten(error)) : resolve())),
  );
}

/** A reader that has left is no mistake; a full disk is not one of ours. */
function unwritten(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return error;
  return new HoopError(
    'ERR_CONFIG',
    `standard output cannot be written to (${error.code ?? error.message})`,
    {
      hint: 'is there room where it is directed to?',
      cause: error,
    },
  );
}
