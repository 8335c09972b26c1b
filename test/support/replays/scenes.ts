/** What a person saw at a terminal, one scene behind the other, and whether a player shows it again. */
import { eventually, timePasses } from '../waiting.ts';
import { type TerminalSize, Tmux } from './tmux.ts';

/** What stood on the screen for a while. */
export interface Scene {
  readonly name: string;
  readonly text: string;
  /** With its colours. */
  readonly drawn: string;
}

/** A person at a terminal: what they type, and what they see. */
export class Person {
  readonly terminal: Tmux;
  readonly scenes: Scene[] = [];

  private constructor(terminal: Tmux) {
    this.terminal = terminal;
  }

  /** @param env Of the shell at which they begin. */
  static async start(size: TerminalSize, env: Readonly<Record<string, string>>): Promise<Person> {
    return new Person(await Tmux.start(size, env));
  }

  async enter(text: string): Promise<void> {
    await this.terminal.type(text);
    await this.terminal.press('Enter');
  }

  sees(...texts: readonly string[]): Promise<unknown> {
    return shown(this.terminal, ...texts);
  }

  /** Looks until the screen has these and stands still, and keeps what stands there. */
  async scene(name: string, ...shows: readonly string[]): Promise<void> {
    await this.sees(...shows);
    const drawn = await eventually(`${name} does not stand still`, async () => {
      const before = await this.terminal.screen(true);
      await timePasses(700, 'each scene is to be seen again where it is played in its own time');
      return (await this.terminal.screen(true)) === before ? before : '';
    });
    this.scenes.push({ name, text: await this.terminal.screen(), drawn });
  }
}

export interface Playing {
  readonly scenes: readonly Scene[];
  readonly size: TerminalSize;
  readonly env: Readonly<Record<string, string>>;
  /** The size that the terminal is given behind a scene, as it was given then. */
  readonly resized: { readonly behind: string; readonly to: TerminalSize };
}

/** Plays it in a terminal by a command that comes to each scene. @returns What the screen shows when it has ended. */
export async function played(command: string, { scenes, size, env, resized }: Playing): Promise<string> {
  const terminal = await Tmux.start(size, env);
  try {
    await terminal.type(command);
    await terminal.press('Enter');
    await comesBy(scenes, {
      look: () => terminal.screen(true),
      of: ({ drawn }) => drawn,
      seen: async ({ name }) => name === resized.behind && terminal.resize(resized.to),
    });
    await shown(terminal, 'at-home$');
    return await terminal.screen();
  } finally {
    await terminal.stop();
  }
}

/** A player comes to each scene, in their order. */
export async function comesBy(
  scenes: readonly Scene[],
  player: {
    readonly look: () => Promise<string>;
    /** What is to be seen of a scene. */
    readonly of: (scene: Scene) => string;
    /** Told of each. */
    readonly seen: (scene: Scene) => Promise<unknown>;
  },
): Promise<void> {
  if (scenes.length === 0) throw new Error('there are no scenes to come by');
  for (const scene of scenes) {
    const wanted = player.of(scene).trimEnd();
    const enough = (screen: string) => screen.trimEnd() === wanted;
    const within = { withinMs: 30_000, everyMs: 30 };
    await eventually(`it comes to ${scene.name}:\n${wanted}\n`, player.look, enough, within);
    await player.seen(scene);
  }
}

const shown = (terminal: Tmux, ...texts: readonly string[]) =>
  eventually(
    () => `the terminal shows ${texts.join(', ')}`,
    () => terminal.screen(),
    (screen) => texts.every((text) => screen.includes(text)),
    { withinMs: 20_000 },
  );
