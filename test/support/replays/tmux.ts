/** A terminal that people really use, without a window: what is drawn in it, and what is typed at it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** One screen, in which a shell of nobody's waits: a server of tmux's own, with nobody's settings. */
export class Tmux {
  readonly #directory: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.#directory = directory;
    this.#env = env;
  }

  /** @param env For what runs in it, beside this process's own. */
  static async start(size: TerminalSize, env: Readonly<Record<string, string>> = {}): Promise<Tmux> {
    const tmux = new Tmux(mkdtempSync(join(tmpdir(), 'hoop-tmux-')), env);
    const shell = "PS1='at-home$ ' exec sh";
    await tmux.#do('new-session', '-d', '-x', `${size.columns}`, '-y', `${size.rows}`, shell);
    await tmux.#do('set-option', '-g', 'window-size', 'manual');
    await tmux.#do('set-option', '-g', 'status', 'off');
    await tmux.#do('set-option', '-g', 'set-clipboard', 'on');
    await tmux.resize(size);
    return tmux;
  }

  /** Types letters as they are. */
  async type(text: string): Promise<void> {
    await this.#do('send-keys', '-l', '--', text);
  }

  /** Presses keys by tmux's names for them: `Enter`, `Escape`, `C-c`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#do('send-keys', ...keys);
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    await this.#do('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** What the screen shows, blanks at the ends of lines left out. @param colours As sequences in it. */
  async screen(colours = false): Promise<string> {
    return (await this.#do('capture-pane', '-p', ...(colours ? ['-e'] : []))).replace(/ +$/gm, '');
  }

  /** What programs in it left on: `mouse` where one listens to it, `alternate` where one has a screen of its own. */
  async modes(): Promise<string> {
    const asked = '#{?mouse_any_flag,mouse,} #{?alternate_on,alternate,} #{?cursor_flag,cursor,}';
    return (await this.#do('display-message', '-p', asked)).trim().replace(/ +/g, ' ');
  }

  /** What a program in it had the terminal copy, by OSC 52. */
  async copied(): Promise<string> {
    return this.#do('show-buffer');
  }

  /** Pastes as a terminal does, bracketed where the program asked for it. */
  async paste(text: string): Promise<void> {
    await this.#do('set-buffer', '-b', 'pasted', '--', text);
    await this.#do('paste-buffer', '-p', '-b', 'pasted');
  }

  async stop(): Promise<void> {
    await this.#do('kill-server').catch(() => undefined);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #do(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, ...this.#env, TMUX: undefined, LC_ALL: 'C.UTF-8' };
    const at = ['-f', '/dev/null', '-S', join(this.#directory, 'socket')];
    return (await run('tmux', [...at, ...args], { env })).stdout;
  }
}
