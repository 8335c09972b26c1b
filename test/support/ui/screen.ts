import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TerminalSize, Tmux } from '../replays/tmux.ts';
import { HOOPCTL_MAIN } from '../run-hoopctl.ts';
import { eventually } from '../waiting.ts';
import { screenPicture } from './screen-picture.ts';

export const SMALL: TerminalSize = { columns: 80, rows: 24 };
export const LARGE: TerminalSize = { columns: 140, rows: 40 };

/** Somebody at a terminal with the UI open in it. */
export class Screen {
  readonly terminal: Tmux;

  private constructor(terminal: Tmux) {
    this.terminal = terminal;
  }

  static async open(
    env: Readonly<Record<string, string>>,
    { size = SMALL, args = '' }: { readonly size?: TerminalSize; readonly args?: string } = {},
  ): Promise<Screen> {
    const terminal = await Tmux.start(size, { NODE_ENV: 'production', ...env });
    await terminal.type(`${process.execPath} ${HOOPCTL_MAIN} ${args}`);
    await terminal.press('Enter');
    return new Screen(terminal);
  }

  /** Waits for what must be on the screen. @returns The screen. */
  async sees(...texts: readonly (string | RegExp)[]): Promise<string> {
    let last = '';
    return eventually(
      () => `${texts.join(' and ')} on\n${last}`,
      async () => {
        last = await this.terminal.screen();
        return texts.every((text) => (typeof text === 'string' ? last.includes(text) : text.test(last)))
          ? last
          : '';
      },
      Boolean,
      { withinMs: 15_000, everyMs: 50 },
    );
  }

  /** The same without what is another each time; it stands still. */
  async frame(...texts: readonly (string | RegExp)[]): Promise<string> {
    let before = '';
    await eventually(
      () => `the screen does not stand still: ${before}`,
      async () => {
        const now = settled(await this.sees(...texts));
        const same = now === before;
        before = now;
        return same;
      },
      Boolean,
      { everyMs: 300 },
    );
    return before;
  }

  /** Taken where PICTURES names a directory; those in docs with PICTURES=docs/images. The window is another afterwards. */
  async picture(name: string, title: string, ...texts: readonly string[]): Promise<void> {
    const directory = process.env['PICTURES'];
    if (directory === undefined) return;
    const size = { columns: 132, rows: 30 };
    await this.terminal.resize(size);
    await this.frame(...texts);
    const drawn = screenPicture(await this.terminal.screen(true), size, title);
    writeFileSync(join(directory, `${name}.svg`), drawn);
  }

  press(...keys: readonly string[]): Promise<void> {
    return this.terminal.press(...keys);
  }

  type(text: string): Promise<void> {
    return this.terminal.type(text);
  }

  stop(): Promise<void> {
    return this.terminal.stop();
  }
}

/** Moments, ids, ports and secrets are others each time, of the same length; where bars stand depends on the moment. */
function settled(screen: string): string {
  return screen
    .replace(/\d\d:\d\d:\d\d/g, '00:00:00')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-01-01T00:00:00.000Z')
    .replace(/until \d\d:\d\d:\d\d|until \d\d-\d\d \d\d:\d\d/g, 'until 00:00:00')
    .replace(/\b(ses|apr|op|evt|ins|run)_[0-9A-Z]+/g, (id) => `${id.slice(0, 4)}${'0'.repeat(id.length - 4)}`)
    .replace(/:\d{4,5}\b/g, (port) => `:${'0'.repeat(port.length - 1)}`)
    .replace(/\[\d\d:\d\d\.\d{3}\]/g, '[00:00.000]')
    .replace(/^ (all|refused) .*/gm, ' $1')
    .replace(/(\d+ asked) .* (\d+ refused) .*/g, '$1 $2')
    .replace(/(binding +)[0-9a-f]{20,}(\n.*? [0-9a-f]{1,44}$)?/gm, '$1(a hash)')
    .replace(/\b[0-9a-f]{64}\b/g, '0'.repeat(64))
    .replace(/\d+ (s|min)\b/g, 'N $1')
    .replace(/(took +)\d+ ms/g, '$1N ms')
    .replace(/(policy +)[0-9a-f]{16}/g, '$10000000000000000');
}
