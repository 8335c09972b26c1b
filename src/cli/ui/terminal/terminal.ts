import { setTimeout as sleep } from 'node:timers/promises';
import { type Instance, render } from 'ink';
import { createElement as h } from 'react';
import type { IoStreams } from '../../io.ts';
import { Keyboard } from './keyboard.ts';
import { Keys, type KeysProps, type Suspend } from './keys.ts';
import { MOUSE_OFF, MOUSE_ON, type MouseReport } from './mouse.ts';
import { EMPTIED, redraw } from './redraw.ts';

/** A process that was stopped goes on within so much of its own time, ms. */
const STOPPED_MS = 50;

export interface TerminalUser extends Pick<KeysProps, 'onKey' | 'onPaste'> {
  readonly onMouse: (report: MouseReport) => void;
}

/**
 * The terminal while it is ours. ink has it: raw mode, keys, pastes, the alternate screen, handing it over and giving it back however the
 * program ends. Rows are written past ink, which lays out and measures every character of every frame: it draws nothing.
 */
export class Terminal {
  readonly #stdout: NodeJS.WriteStream;
  readonly #ink: Instance;
  readonly #suspend = Promise.withResolvers<Suspend>();
  #shown: readonly string[] | undefined;
  #mouse = false;
  #away = false;

  constructor({ stdin, stdout, stderr }: IoStreams, { onKey, onPaste, onMouse }: TerminalUser) {
    this.#stdout = stdout;
    const keys = { onKey, onPaste, onMounted: this.#suspend.resolve };
    this.#ink = render(h(Keys, keys), {
      stdin: new Keyboard(stdin, onMouse) as unknown as NodeJS.ReadStream,
      stdout,
      stderr,
      alternateScreen: true,
      interactive: true,
      exitOnCtrlC: false,
      patchConsole: false,
    });
    // However it ends: a shell is no place for a mouse's reports, and what is said of a crash is read there.
    process.on('exit', this.#releaseMouse);
    process.prependListener('uncaughtException', this.#release);
  }

  /** @param rows Painted, as many as the window has. */
  draw(rows: readonly string[]): void {
    if (this.#away) return;
    const changes = redraw(this.#shown, rows);
    this.#shown = rows;
    if (changes !== '') this.#stdout.write(changes);
  }

  /** What is shown is not to be relied on: the window is another. */
  forget(): void {
    this.#shown = undefined;
  }

  /** While it listens to the mouse, a terminal selects no text by it. */
  listenToMouse(on: boolean): void {
    if (on === this.#mouse) return;
    this.#mouse = on;
    if (!this.#away) this.#stdout.write(on ? MOUSE_ON : MOUSE_OFF);
  }

  /** Somebody else has the terminal until `task` is done, unless somebody has it already. Whoever drew before draws again afterwards. */
  async handOver(task: () => Promise<void>): Promise<void> {
    if (this.#away) return;
    this.#leave();
    try {
      await (await this.#suspend.promise)(task);
    } finally {
      this.#away = false;
      this.forget();
      if (this.#mouse) this.#stdout.write(MOUSE_ON);
    }
  }

  /** Back to the shell, as Ctrl-Z has it, until `fg`. */
  async stop(): Promise<void> {
    // No other system has jobs.
    if (process.platform === 'win32') return;
    await this.handOver(async () => {
      // All of the job, as the terminal itself would have: whoever started this waits with it.
      process.kill(0, 'SIGTSTP');
      await sleep(STOPPED_MS);
    });
  }

  /** Gives it back. Nothing is drawn any more. */
  async close(): Promise<void> {
    this.#release();
    process.off('exit', this.#releaseMouse);
    process.off('uncaughtException', this.#release);
    await this.#ink.waitUntilExit();
  }

  readonly #release = () => {
    if (!this.#away) this.#leave();
    this.#ink.unmount();
  };

  #leave(): void {
    this.#releaseMouse();
    this.#away = true;
    this.#stdout.write(EMPTIED);
  }

  readonly #releaseMouse = () => {
    if (this.#mouse && !this.#away) this.#stdout.write(MOUSE_OFF);
  };
}
