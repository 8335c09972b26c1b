import type { Octets, ReplayFrame } from '../../api/replay.ts';
import type { Charset } from '../../core/terminal/charset.ts';
import { OctetDecoder, type Printed, visibleLines } from './printed.ts';
import { SafeScreen } from './safe-screen.ts';

const ESC = '\\u001b';
const BEL = '\\u0007';
/** Colours, movements, titles and the like (ECMA-48): CSI, OSC, DCS and its siblings, and those of a letter. */
const SEQUENCE = [
  `${ESC}\\[[0-?]*[ -/]*[@-~]`,
  `${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)`,
  `${ESC}[PX^_][^${ESC}]*${ESC}\\\\`,
  `${ESC}[ -/]*[0-OQ-WYZ\\\\\`-~]`,
].join('|');
const DROPPED = new RegExp(`${SEQUENCE}|${BEL}`, 'g');
/** The beginning of one, or of CR LF, at the end of what came so far. */
const BEGUN = new RegExp(`(?:${ESC}(?:\\[[0-?]*[ -/]*|[\\]PX^_][^${BEL}${ESC}]*${ESC}?|[ -/]*)|\\r+)$`);
/** A sequence that does not end is shown as text: nothing hides what comes behind it. */
const MAX_HELD = 1024;

type TerminalFrame = Extract<ReplayFrame, { kind: 'screen' | 'resize' }>;

/**
 * What a terminal or a pipe showed, as text that is safe on another terminal. No I/O.
 *
 * As a text no sequence of a stranger's is passed on, so none moves the cursor, hides text or asks the terminal for anything,
 * and a line that was written over is shown again for each time. As a screen what had a terminal is drawn as it was, as far as
 * `SafeScreen` lets it.
 *
 * What was typed is not shown where there was a terminal, which showed it itself.
 */
export class TerminalPrinter {
  readonly #channels = { input: new SafeText(), output: new SafeText(), stderr: new SafeText() };
  readonly #decoders = { output: new OctetDecoder(), stderr: new OctetDecoder() };
  readonly #screen: SafeScreen | undefined;
  #hasTerminal = false;

  /** @param drawn As a screen. */
  constructor(drawn: boolean, charset: Charset) {
    this.#screen = drawn ? new SafeScreen(charset) : undefined;
  }

  push(frame: TerminalFrame): Printed {
    if (frame.kind === 'resize') return this.#resized(frame);
    const { channel } = frame;
    if (!this.#hasTerminal) return { text: this.#channels[channel].push(frame) };
    if (channel === 'input') return {};
    return this.#screen === undefined
      ? { text: this.#channels[channel].push(frame) }
      : { text: this.#screen.push(this.#decoders[channel].push(frame)) };
  }

  /** A line for each size; on a screen only for the first, since it would be drawn over. */
  #resized({ columns, rows }: Extract<TerminalFrame, { kind: 'resize' }>): Printed {
    const first = !this.#hasTerminal;
    this.#hasTerminal = true;
    return first || this.#screen === undefined ? { lines: [`-- terminal of ${columns} × ${rows}`] } : {};
  }

  /** Sequences that were begun and did not end. */
  rest(): string[] {
    const texts = Object.values(this.#channels).map((channel) => channel.rest());
    return texts.filter((text) => text !== '');
  }

  /** What gives the viewer's terminal back. */
  leave(): string {
    return this.#screen?.leave() ?? '';
  }
}

class SafeText {
  readonly #decoder = new OctetDecoder();
  #held = '';

  push(octets: Octets): string {
    const text = (this.#held + this.#decoder.push(octets)).replace(DROPPED, '');
    const begun = text.search(BEGUN);
    const whole = begun === -1 || text.length - begun > MAX_HELD ? text.length : begun;
    this.#held = text.slice(whole);
    return shown(text.slice(0, whole));
  }

  rest(): string {
    const held = this.#held;
    this.#held = '';
    return shown(held).trim();
  }
}

function shown(text: string): string {
  return visibleLines(text.replace(/\r+\n|\r+/g, '\n'));
}
