/**
 * A recording's frames as text for a terminal.
 */
import type { ReplayFrame } from '../../api/replay.ts';
import { type Charset, worded } from '../../core/terminal/charset.ts';
import { visible } from '../render/text.ts';
import { ExchangePrinter } from './exchange.ts';
import type { Printed } from './printed.ts';
import { TablePrinter } from './table.ts';
import { TerminalPrinter } from './terminal.ts';

/** What comes when a program has ended, or another begins: its screen is left. */
const LEAVES: ReadonlySet<string> = new Set(['request', 'status', 'closed', 'end', 'broken']);

/** Streams whose state is held; the one that was silent for longest is forgotten beyond them. */
const STREAMS = 256;

/**
 * Turns frames into text, each kind by its own printer. Frames of another stream than those before come under a line
 * that names it. No I/O.
 */
export class ReplayPrinter {
  readonly #drawn: boolean;
  readonly #charset: Charset;
  readonly #streams = new Map<number, StreamPrinter>();
  #current = 0;
  #withinLine = false;

  /** @param drawn Terminals are drawn, for a terminal; else shown as text. */
  constructor(drawn = false, charset: Charset = 'utf-8') {
    this.#charset = charset;
    this.#drawn = drawn;
  }

  /** @returns What gives the terminal back, wherever the replay ends. */
  leave(): string {
    return this.#printer(this.#current).leave();
  }

  /** @returns Text to write now, safe for a terminal; it may end within a line. */
  push(frame: ReplayFrame): string {
    const ofAll = frame.kind === 'end' || frame.kind === 'broken';
    const number = ofAll ? this.#current : (frame.stream ?? 0);
    const before = number === this.#current ? '' : this.#turnTo(number);
    const printer = this.#printer(number);
    const left = LEAVES.has(frame.kind) ? printer.leave() : '';
    const text = before + left + this.#after(printer.push(frame));
    if (frame.kind === 'closed') this.#streams.delete(number);
    return worded(text, this.#charset);
  }

  #turnTo(stream: number): string {
    const before = this.#printer(this.#current);
    const left = before.leave();
    const rest = before.rest();
    this.#current = stream;
    return left + this.#after(rest) + this.#after({ lines: [`-- stream ${stream}`] });
  }

  #printer(stream: number): StreamPrinter {
    const printer = this.#streams.get(stream) ?? new StreamPrinter(this.#drawn, this.#charset);
    this.#streams.delete(stream);
    this.#streams.set(stream, printer);
    const [silent] = this.#streams.keys();
    if (this.#streams.size > STREAMS && silent !== undefined) this.#streams.delete(silent);
    return printer;
  }

  /** Lines begin at the left, whatever was written before. */
  #after({ lines = [], text = '' }: Printed): string {
    const begun = lines.length > 0 && this.#withinLine ? '\n' : '';
    const written = begun + lines.map((line) => `${line}\n`).join('') + text;
    if (written !== '') this.#withinLine = !written.endsWith('\n');
    return written;
  }
}

class StreamPrinter {
  readonly #table: TablePrinter;
  readonly #terminal: TerminalPrinter;
  readonly #exchange = new ExchangePrinter();

  constructor(drawn: boolean, charset: Charset) {
    this.#table = new TablePrinter(charset);
    this.#terminal = new TerminalPrinter(drawn, charset);
  }

  leave(): string {
    return this.#terminal.leave();
  }

  push(frame: ReplayFrame): Printed {
    switch (frame.kind) {
      case 'columns':
      case 'row':
      case 'complete':
      case 'error':
      case 'notice':
      case 'data':
        return { lines: this.#table.push(frame) };
      case 'screen':
        return this.#behindRows(this.#exchange.said(frame) ?? this.#terminal.push(frame));
      case 'resize':
        return this.#behindRows(this.#terminal.push(frame));
      case 'exchange':
        return this.#behindRows(this.#exchange.push(frame));
      case 'request':
        this.#exchange.begins(frame.operation, frame.text);
        return { lines: [...(this.rest().lines ?? []), ...requestLines(frame.atMs, frame.text)] };
      default:
        return { lines: [...(this.rest().lines ?? []), ...plainLines(frame)] };
    }
  }

  /** What was held to be shown together with what comes. */
  rest(): Printed {
    return { lines: [...this.#table.flush(), ...this.#terminal.rest()] };
  }

  #behindRows({ lines = [], text = '' }: Printed): Printed {
    return { lines: [...this.#table.flush(), ...lines], text };
  }
}

function plainLines(frame: ReplayFrame): string[] {
  switch (frame.kind) {
    case 'note':
      return [`-- ${visible(frame.text)}`];
    case 'status':
      return [`-- ${visible(frame.status)}`];
    case 'closed':
      return [`[${clock(frame.atMs)}] -- end of stream ${frame.stream ?? 0}: ${visible(frame.reason)}`];
    case 'end':
      return [endLine(frame)];
    case 'broken':
      return [`[${clock(frame.atMs)}] -- ${visible(frame.message)}`];
    default:
      // Of a newer gateway.
      return [visible(JSON.stringify(frame))];
  }
}

/** `[00:01.250] > SELECT …`, further lines of the statement under it. */
function requestLines(atMs: number, text: string): string[] {
  const [first = '', ...more] = text.split(/\r?\n/);
  const head = `[${clock(atMs)}] > `;
  return [head + visible(first), ...more.map((line) => ' '.repeat(head.length) + visible(line))];
}

function endLine(frame: Extract<ReplayFrame, { kind: 'end' }>): string {
  const state = frame.complete ? 'end of the session' : 'end of the recording, which is not complete';
  return `[${clock(frame.atMs)}] -- ${state}: ${visible(frame.reason)}`;
}

function clock(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${String(minutes).padStart(2, '0')}:${((ms % 60_000) / 1000).toFixed(3).padStart(6, '0')}`;
}
