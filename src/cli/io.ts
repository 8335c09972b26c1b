/**
 * Where a command reads and writes: stdout is the answer, stderr everything else.
 */
import type { Writable } from 'node:stream';
import { type Charset, charsetOf, worded } from '../core/terminal/charset.ts';
import { unwritten } from '../core/terminal/output.ts';
import { columnsOf, wrapped } from '../core/terminal/prose.ts';
import { visible } from './render/text.ts';
import type { SignalHub } from './signals.ts';

/** Of what goes on of a remark, an error or a hint. */
export const NOTE_INDENT = 2;

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
    return columnsOf(this.streams.stdout, this.env);
  }

  /** The same of remarks. */
  get noteWidth(): number {
    return columnsOf(this.streams.stderr, this.env);
  }

  /** What the locale can show. */
  get charset(): Charset {
    return charsetOf(this.env);
  }

  get colour(): boolean {
    return this.streams.stdout.isTTY === true && !this.env['NO_COLOR'] && this.env['TERM'] !== 'dumb';
  }

  /** Writes to stdout and waits for a slow reader. */
  write(chunk: string | Uint8Array): Promise<void> {
    return writeTo(this.streams.stdout, chunk);
  }

  /**
   * Writes lines for people: on a terminal they are broken at blanks where they do not fit. What must stay as it is, exactly, is for `write`.
   *
   * @param hang Columns by which what goes on is indented; where none is given, as its line is.
   */
  line(text: string, hang?: number): Promise<void> {
    return this.write(`${wrapped(worded(text, this.charset), this.width, hang)}\n`);
  }

  /** One line of JSON on stdout; `schemaVersion` first unless the value has its own. */
  value(value: object): Promise<void> {
    return this.write(`${JSON.stringify({ schemaVersion: 1, ...value })}\n`);
  }

  /** A remark on stderr. Its text may hold what strangers wrote. */
  note(text: string): void {
    const said = worded(`hoopctl: ${visible(text)}`, this.charset);
    this.streams.stderr.write(`${wrapped(said, this.noteWidth, NOTE_INDENT)}\n`);
  }
}

function writeTo(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    stream.write(chunk, (error) => (error ? reject(unwritten(error)) : resolve())),
  );
}
