import type { ReplayFrame } from '../../api/replay.ts';
import { OctetDecoder } from './printed.ts';
import { SafeScreen } from './safe-screen.ts';

/** Of a program without a terminal. */
const SIZE = { columns: 80, rows: 24 };

export interface CastOptions {
  readonly version: 2 | 3;
  /** Which channel; undefined: the first that shows anything. */
  readonly stream?: number | undefined;
  /** Pauses are cut to so many seconds by the player. */
  readonly idleLimit?: number | undefined;
}

/**
 * One channel's terminal as asciicast, for asciinema and its players: made safe as for a terminal here. No I/O.
 *
 * @see https://docs.asciinema.org/manual/asciicast/v3/ and v2
 */
export class Asciicast {
  readonly #options: CastOptions;
  readonly #decoders = { input: new OctetDecoder(), output: new OctetDecoder(), stderr: new OctetDecoder() };
  readonly #screen = new SafeScreen();
  #stream: number | undefined;
  #title = '';
  #startMs = 0;
  #lastMs = 0;
  #terminal = false;
  /** The header is written. */
  begun = false;

  constructor(options: CastOptions) {
    this.#options = options;
    this.#stream = options.stream;
  }

  /** @returns Lines to write now, each with its LF. */
  push(frame: ReplayFrame): string {
    if (frame.kind === 'end' || frame.kind === 'broken') return '';
    const stream = frame.stream ?? 0;
    if (!this.begun && frame.kind === 'request' && (this.#stream ?? stream) === stream)
      this.#title = frame.text;
    if (frame.kind !== 'resize' && frame.kind !== 'screen' && !this.begun) return '';
    this.#stream ??= stream;
    return stream === this.#stream ? this.#event(frame) : '';
  }

  #event(frame: ReplayFrame): string {
    switch (frame.kind) {
      case 'resize':
        this.#terminal = true;
        if (!this.begun) return this.#header(frame.atMs, frame);
        return this.#line(frame.atMs, 'r', `${frame.columns}x${frame.rows}`);
      case 'screen': {
        const header = this.begun ? '' : this.#header(frame.atMs, SIZE);
        return header + this.#line(frame.atMs, frame.channel === 'input' ? 'i' : 'o', this.#shown(frame));
      }
      case 'note':
        return this.#line(frame.atMs, 'm', frame.text);
      case 'status': {
        const exit = /^exit (\d+)$/.exec(frame.status)?.[1];
        return exit === undefined || this.#options.version === 2 ? '' : this.#line(frame.atMs, 'x', exit);
      }
      default:
        return '';
    }
  }

  #shown(frame: Extract<ReplayFrame, { kind: 'screen' }>): string {
    const text = this.#decoders[frame.channel].push(frame);
    if (frame.channel === 'input') return text;
    // A terminal goes to the left where it is told to; a pipe's reader does so by itself.
    return this.#screen.push(this.#terminal ? text : text.replaceAll(/\r?\n/g, '\r\n'));
  }

  #header(atMs: number, { columns, rows }: { readonly columns: number; readonly rows: number }): string {
    this.begun = true;
    this.#startMs = atMs;
    this.#lastMs = atMs;
    const { version, idleLimit } = this.#options;
    return `${JSON.stringify({
      version,
      ...(version === 3 ? { term: { cols: columns, rows } } : { width: columns, height: rows }),
      ...(idleLimit === undefined ? {} : { idle_time_limit: idleLimit }),
      ...(this.#title === '' ? {} : { title: this.#title }),
    })}\n`;
  }

  #line(atMs: number, code: string, data: string): string {
    if (data === '' && code !== 'm') return '';
    const since = this.#options.version === 3 ? this.#lastMs : this.#startMs;
    this.#lastMs = atMs;
    return `${JSON.stringify([(atMs - since) / 1000, code, data])}\n`;
  }
}
