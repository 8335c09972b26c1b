import { systemClock } from '../../core/clock.ts';
import { HoopError } from '../../core/errors.ts';
import type { Invocation } from '../command.ts';
import { RESTED_MS } from './state/loads.ts';
import { type Effect, firstState, type Size, type UiEvent, type UiState } from './state/model.ts';
import { update } from './state/update.ts';
import { Terminal } from './terminal/terminal.ts';
import { frameOf } from './view/frame.ts';
import { paintedLine } from './view/paint.ts';
import type { Effects } from './world/effects.ts';

const TICK_MS = 1_000;
/** Between two drawings at least, ms. */
const DRAW_MS = 16;

/**
 * The terminal UI, until somebody leaves it.
 *
 * @throws {HoopError} `ERR_USAGE` this is no terminal that it could be drawn on. @throws {Interrupted} A signal.
 */
export async function runUi(invocation: Invocation): Promise<undefined> {
  const { io } = invocation;
  const { stdin, stdout } = io.streams;
  const dumb = io.env['TERM'] === 'dumb';
  if (stdin.isTTY !== true || stdout.isTTY !== true || dumb)
    throw new HoopError('ERR_USAGE', `hoopctl ui needs a terminal${dumb ? ', and TERM says dumb' : ''}`, {
      hint: 'every part of it is a command as well: see hoopctl --help',
    });
  await new Ui(invocation).run();
  io.signal.throwIfAborted();
  return undefined;
}

class Ui {
  readonly #invocation: Invocation;
  /** What talks to the gateway: it is loaded behind the first frame. */
  #effects: Effects | undefined;
  /** What was wanted before that. */
  readonly #wanted: Effect[] = [{ do: 'connect' }];
  readonly #left = Promise.withResolvers<void>();
  #state: UiState;
  #terminal: Terminal | undefined;
  #drawing: NodeJS.Timeout | undefined;
  #drawnAt = 0;
  #resting: NodeJS.Timeout | undefined;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
    const mouse = invocation.options['mouse'] === true;
    this.#state = { ...firstState(this.#size(), systemClock.now(), invocation.io.charset), mouse };
  }

  async run(): Promise<void> {
    const { io } = this.#invocation;
    const { stdout } = io.streams;
    const terminal = new Terminal(io.streams, {
      onKey: (key, many) => this.#tell({ type: 'key', key, many }),
      onPaste: (text) => this.#tell({ type: 'paste', text }),
      onMouse: (report) => this.#tell({ type: 'mouse', ...report }),
    });
    const resize = () => {
      terminal.forget();
      this.#tell({ type: 'resize', size: this.#size() });
    };
    this.#terminal = terminal;
    terminal.listenToMouse(this.#state.mouse);
    this.#draw();
    const ticks = setInterval(() => this.#tell({ type: 'tick' }), TICK_MS);
    stdout.on('resize', resize);
    io.signal.addEventListener('abort', () => this.#left.resolve(), { once: true });
    if (io.signal.aborted) this.#left.resolve();
    await Promise.race([this.#left.promise, this.#loadEffects()]);
    await this.#left.promise;
    clearInterval(ticks);
    clearTimeout(this.#drawing);
    clearTimeout(this.#resting);
    stdout.off('resize', resize);
    this.#terminal = undefined;
    await terminal.close();
    await this.#effects?.close();
  }

  async #loadEffects(): Promise<void> {
    const { Effects } = await import('./world/effects.ts');
    this.#effects = new Effects({
      invocation: this.#invocation,
      tell: (event) => this.#tell(event),
      columns: () => this.#state.size.columns,
      handOver: (task) => this.#handOver((terminal) => terminal.handOver(task)),
    });
    for (const effect of this.#wanted.splice(0)) this.#start(effect);
  }

  #start(effect: Effect): void {
    if (effect.do === 'quit') this.#left.resolve();
    else if (effect.do === 'stop') void this.#handOver((terminal) => terminal.stop());
    else if (this.#effects === undefined) this.#wanted.push(effect);
    else this.#effects.start(effect);
  }

  /** Somebody else has the terminal for a while; then all is drawn again. */
  async #handOver(over: (terminal: Terminal) => Promise<void>): Promise<void> {
    if (this.#terminal !== undefined) await over(this.#terminal);
    this.#tell({ type: 'tick' });
  }

  #tell(event: UiEvent): void {
    const { state, effects } = update(this.#state, event, systemClock.now());
    this.#state = state;
    this.#terminal?.listenToMouse(state.mouse);
    for (const effect of effects) this.#start(effect);
    if (state.touchedMs === state.nowMs) this.#restLater();
    // What comes in one read is one frame, and so is what comes sooner than frames may.
    const wait = Math.max(0, this.#drawnAt + DRAW_MS - performance.now());
    this.#drawing ??= setTimeout(() => this.#draw(), wait);
  }

  /** Whoever rests at what keys have led to is not kept until the next second. */
  #restLater(): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#tell({ type: 'tick' }), RESTED_MS);
  }

  #draw(): void {
    this.#drawing = undefined;
    this.#drawnAt = performance.now();
    const { colour } = this.#invocation.io;
    this.#terminal?.draw(frameOf(this.#state).map((line) => paintedLine(line, colour)));
  }

  #size(): Size {
    const { columns, rows } = this.#invocation.io.streams.stdout;
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }
}
