import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayApi } from '../../../client/gateway-api.ts';
import { worded } from '../../../core/terminal/charset.ts';
import type { Io } from '../../io.ts';
import { visible } from '../../render/text.ts';
import { ReplayPrinter } from '../../replay/printer.ts';
import { pauseMs } from '../../replay/run-replay.ts';
import { failureOf } from './failures.ts';

const IDLE_LIMIT_MS = 2_000;
const FASTEST = 64;
const SLOWEST = 0.25;
/** While it is held, ms. */
const LOOK_MS = 100;
const CLEAR = '\x1b[H\x1b[2J';

/** Keys of a replay. */
class Player {
  speed = 1;
  held = false;
  readonly #stop = new AbortController();
  #pressed: (() => void) | undefined;

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  press(key: string): void {
    this.#pressed?.();
    if (key === 'q' || key === '\x1b' || key === '\x03') this.#stop.abort();
    else if (key === ' ') this.held = !this.held;
    else if (key === '+') this.speed = Math.min(FASTEST, this.speed * 2);
    else if (key === '-') this.speed = Math.max(SLOWEST, this.speed / 2);
  }

  anyKey(): Promise<void> {
    return new Promise((resolve) => {
      this.#pressed = resolve;
    });
  }

  /** Waits as long as the recording did, at the speed of now; keys count at once. */
  async pause(beforeMs: number, atMs: number): Promise<void> {
    const at = () => pauseMs(beforeMs, atMs, { speed: this.speed, idleLimitMs: IDLE_LIMIT_MS, fromMs: 0 });
    for (
      let waited = 0;
      (waited < at() || this.held) && !this.signal.aborted;
      waited += this.held ? 0 : LOOK_MS
    )
      await sleep(Math.min(LOOK_MS, this.held ? LOOK_MS : Math.max(1, at() - waited)));
  }
}

/**
 * Plays a session on the whole terminal, which must be its caller's alone: Space holds it, + and - change the speed, q ends it. One
 * that is followed is shown up to now at once, and then as it goes on.
 * Never throws: what keeps it from being played is told on the screen.
 */
export async function playSession(
  api: GatewayApi,
  { id, follow }: { readonly id: string; readonly follow: boolean },
  { streams, signal, charset }: Io,
): Promise<void> {
  const { stdin, stdout } = streams;
  const player = new Player();
  const onData = (chunk: Buffer) => player.press(chunk.toString('latin1'));
  const write = (text: string) => new Promise<void>((done) => stdout.write(text, () => done()));
  stdin.setRawMode(true);
  stdin.on('data', onData).resume();
  const printer = new ReplayPrinter(true, charset);
  const stop = AbortSignal.any([signal, player.signal]);
  // A screen of its own: what was on the terminal before is not drawn over.
  const keys = follow ? 'live: Space holds, q ends' : 'Space holds, + and - change the speed, q ends';
  await write(`\x1b[?1049h${CLEAR}-- ${keys}\r\n`);
  try {
    let atMs = 0;
    for await (const frame of api.recording(id, stop, follow)) {
      await player.pause(follow ? frame.atMs : atMs, frame.atMs);
      if (stop.aborted) break;
      atMs = frame.atMs;
      await write(onTerminal(printer.push(frame)));
    }
  } catch (error) {
    if (!stop.aborted)
      await write(`\r\n-- ${worded(visible(failureOf(error).failure.message), charset)}\r\n`);
  }
  await write(`${printer.leave()}`);
  if (!stop.aborted) {
    await write('\r\n-- any key goes back\r\n');
    await Promise.race([
      player.anyKey(),
      new Promise((done) => signal.addEventListener('abort', done, { once: true })),
    ]);
  }
  // The screen stays the alternate one, and empty: whoever draws next begins at its top, and gives the terminal back at the end.
  await write(CLEAR);
  stdin.off('data', onData);
  stdin.setRawMode(false);
}

/** In raw mode nobody goes to the left at the end of a line. */
function onTerminal(text: string): string {
  return text.replace(/\r?\n/g, '\r\n');
}
