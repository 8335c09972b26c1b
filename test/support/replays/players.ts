import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOOPCTL_MAIN } from '../run-hoopctl.ts';
import type { Stack } from '../stack.ts';
import { AsciinemaPlayer } from './asciinema-player.ts';
import { comesBy, played, type Scene } from './scenes.ts';
import type { TerminalSize } from './tmux.ts';

/** Where pictures go; those in docs are taken with PICTURES=docs/images. */
const PICTURES = process.env['PICTURES'];

export const SMALL: TerminalSize = { columns: 72, rows: 16 };
export const LARGE: TerminalSize = { columns: 90, rows: 20 };

/** A session that is over, of a person at a terminal that is `SMALL`, and `LARGE` behind the scene `vi`. */
export interface Lived {
  readonly stack: Stack;
  /** The person's. */
  readonly env: Record<string, string>;
  readonly session: string;
  readonly scenes: readonly Scene[];
  /** For files. */
  readonly directory: string;
}

interface Told {
  /** Of what was run. */
  readonly exitCode: number;
  readonly picture: { readonly file: string; readonly scene: string };
}

/** For a shell of a person: hoopctl's command line. */
export function hoopctlLine(...words: readonly string[]): string {
  return [process.execPath, HOOPCTL_MAIN, ...words].join(' ');
}

/** Tests that each player shows what was shown, one scene behind the other. */
export function eachPlayerShows(lived: () => Lived, { exitCode, picture }: Told): void {
  const playing = () => {
    const { scenes, env } = lived();
    return { scenes, size: SMALL, env, resized: { behind: 'vi', to: LARGE } };
  };

  async function cast(version: 2 | 3): Promise<string> {
    const { stack, session, env } = lived();
    const words = ['session', 'replay', session, '--asciicast', `${version}`];
    const { stdout, stderr } = await stack.hoopctl(words, env);
    expect(stderr).toBe('');
    return stdout;
  }

  it('hoopctl plays it, with its colours, and says below what was shown how it ended', async () => {
    const { session, scenes } = lived();
    const end = await played(hoopctlLine('session', 'replay', session), playing());
    const [before, after] = end.split(`-- exit ${exitCode}\n`);
    expect(before).toContain(scenes.at(-1)!.text.trimEnd());
    expect(after).toContain('at-home$');
  });

  it('asciinema plays it, with its colours', async () => {
    const file = join(lived().directory, 'shell.cast');
    writeFileSync(file, await cast(2));
    await played(`asciinema play ${file}`, playing());
  });

  describe('asciinema-player', () => {
    let player: AsciinemaPlayer;
    beforeAll(async () => {
      const casts = { '2': await cast(2), '3': await cast(3) };
      player = await AsciinemaPlayer.start(casts, readFileSync(lived().stack.caFile, 'utf8'));
    });
    afterAll(() => player?.stop());

    it.each([2, 3])('plays version %i', async (version) => {
      await player.play(`${version}`, { width: 1000, height: 560 });
      await comesBy(lived().scenes, {
        look: () => player.screen(),
        of: ({ text }) => text,
        seen: async ({ name }) => name === picture.scene && version === 3 && taken(player, picture.file),
      });
    });
  });
}

async function taken(player: AsciinemaPlayer, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  const file = join(PICTURES, name);
  await player.picture(file);
  expect(statSync(file).size).toBeLessThan(200_000);
}
