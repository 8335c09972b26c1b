import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { shellQuote } from '../../../src/cli/render/text.ts';
import type { TerminalSize } from '../../support/replays/tmux.ts';

/** Drawn as one by terminals that know it: what is written between two of them is one frame. */
const FRAME_END = '\x1b[?2026l';
/** Of a frame that never ends, characters. */
const MAX_REST = 1 << 20;

/** A program on a pseudo-terminal of its own, made by util-linux's `script`. Nobody draws what it writes: frames are counted. */
export class Pty {
  /** Complete frames so far. */
  frames = 0;
  /** What was written since the last of them. */
  #rest = '';
  readonly #script: ChildProcess;
  readonly #closed: Promise<unknown>;
  #awaits: { readonly text: string; readonly done: () => void } | undefined;

  constructor(command: readonly string[], env: Readonly<Record<string, string>>, size: TerminalSize) {
    const line = `stty cols ${size.columns} rows ${size.rows}; exec ${command.map(shellQuote).join(' ')}`;
    this.#script = spawn('script', ['-qfec', line, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#closed = new Promise((resolve) => this.#script.once('close', resolve));
    this.#script.stdout!.setEncoding('utf8').on('data', (text: string) => this.#wrote(text));
  }

  /** The program has ended, by itself. */
  async ended(): Promise<void> {
    await this.#closed;
  }

  /**
   * The next that has `text`.
   *
   * @throws {Error} The program ends before.
   */
  async frame(text: string): Promise<void> {
    const over = this.#closed.then(() => {
      throw new Error(`the program ended after ${this.frames} frames: ${JSON.stringify(this.#rest)}`);
    });
    // Told where it is waited for; later it is no news.
    over.catch(() => undefined);
    const drawn = new Promise<void>((done) => {
      this.#awaits = { text, done };
    });
    await Promise.race([drawn, over]);
  }

  /** Of the program itself. */
  get pid(): number {
    const { pid } = this.#script;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  }

  press(keys: string): void {
    this.#script.stdin!.write(keys);
  }

  /** Presses Ctrl-C. */
  async stop(): Promise<void> {
    this.press('\x03');
    const hard = setTimeout(() => this.#script.kill('SIGTERM'), 5_000);
    await this.#closed;
    clearTimeout(hard);
  }

  #wrote(text: string): void {
    const drawn = (this.#rest + text).split(FRAME_END);
    this.#rest = drawn.pop()!.slice(-MAX_REST);
    this.frames += drawn.length;
    const awaits = this.#awaits;
    if (awaits !== undefined && drawn.some((frame) => frame.includes(awaits.text))) awaits.done();
  }
}
