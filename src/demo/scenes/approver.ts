import { setTimeout as passed } from 'node:timers/promises';
import type { Hoopctl } from '../hoopctl.ts';
import type { Stage } from '../stage.ts';
import type { Check, Story } from '../story.ts';
import { signIn } from './sign-in.ts';

const PATIENCE_MS = 20_000;
const LOOK_MS = 200;

/** Grace, Ada's colleague, whom policy lets approve changes of the schema. */
export class Approver {
  readonly #hoopctl: Hoopctl;
  readonly #story: Story;
  readonly #check: Check;

  private constructor(hoopctl: Hoopctl, story: Story, check: Check) {
    this.#hoopctl = hoopctl;
    this.#story = story;
    this.#check = check;
  }

  static async signedIn(stage: Stage, story: Story, hoopctl: Hoopctl, check: Check): Promise<Approver> {
    await signIn(stage, story, hoopctl, 'grace', []);
    return new Approver(hoopctl, story, check);
  }

  /** Looks at what waits, and says yes. */
  async approves(): Promise<void> {
    const id = await this.#pending();
    const look = await this.#said('approval', 'show', id);
    this.#story.showed(look, 24);
    this.#story.showed(await this.#said('approval', 'approve', id, '--yes'), 3);
  }

  async denies(reason: string): Promise<void> {
    const id = await this.#pending();
    this.#story.showed(await this.#said('approval', 'deny', id, '--reason', reason), 3);
  }

  /** What waits is there a moment after it was asked. */
  async #pending(): Promise<string> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const { stdout } = await this.#hoopctl.run('approval', 'list', '--json');
      const [line] = stdout.split('\n').filter((one) => one.startsWith('{'));
      if (line !== undefined) return String((JSON.parse(line) as { id?: unknown }).id);
      if (Date.now() > until) throw new Error('nothing waits for an approval');
      await passed(LOOK_MS);
    }
  }

  async #said(...args: string[]): Promise<string> {
    this.#story.typed('grace', `hoopctl ${args.map(quoted).join(' ')}`);
    const { code, stdout, stderr } = await this.#hoopctl.run(...args);
    this.#check(code === 0, `hoopctl ${args.slice(0, 2).join(' ')} ended with ${code}: ${stderr}`);
    return stdout === '' ? stderr : stdout;
  }
}

function quoted(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text}'`;
}
